# Copyright (c) 2026, the dbfleet.mysql authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a server that means no good gets through a login: no password, no file, no time."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
import trustme
from helpers.attacked import CLEAN, attacked, brief, hostile, modules, refused
from helpers.server import Server

PASSWORD = "Correct-Horse-1234"  # noqa: S105 - nobody's
LOGIN = {"login_user": "operator", "login_password": PASSWORD}
PORT = 33098
SALT = "12345678abcdefghijkl\0"
KEY = "\x01-----BEGIN PUBLIC KEY-----\n"
TLS = ["/srv/tls/server.pem", "/srv/tls/server.key"]
#: How a module ends that does not believe what it gets, or gets nothing.
NO_ANSWER = ("server_answer_invalid", "connection_lost", "server_unreachable")


@pytest.fixture(scope="module")
def machine() -> Iterator[Server]:
    """Start the host once."""
    yield from attacked()


@pytest.fixture
def host(machine: Server) -> Server:
    """Return the host with its files as they were, and with a certificate that bob can show."""
    machine.sh(CLEAN)
    authority, other = trustme.CA(), trustme.CA()
    issued = authority.issue_cert("db.example.com")
    machine.sh("mkdir /srv/tls")
    machine.write("/srv/tls/ca.pem", authority.cert_pem.bytes())
    machine.write("/srv/tls/other.pem", other.cert_pem.bytes())
    machine.write("/srv/tls/server.pem", issued.cert_chain_pems[0].bytes())
    machine.write("/srv/tls/server.key", issued.private_key_pem.bytes())
    return machine


def over_tcp(options: dict[str, Any] | None = None, **plan: Any) -> dict[str, Any]:
    """Return a server of bob's on a port."""
    return {
        "account": "bob",
        "address": PORT,
        "plan": plan,
        "options": {**LOGIN, "connect_timeout": 3, "lock_wait_timeout": 1, **(options or {})},
    }


def over_socket(**plan: Any) -> dict[str, Any]:
    """Return a server of mysql's, which may be asked to log in to, on the server's own socket."""
    return {**over_tcp(**plan), "account": "mysql", "address": "/run/mysqld/mysqld.sock"}


def packets(outcome: dict[str, Any]) -> list[str]:
    """Return what the server got, packet by packet."""
    data, found = outcome["received"], []
    while data:
        length = int.from_bytes(data[:3].encode("latin1"), "little")
        found.append(data[4 : 4 + length])
        data = data[4 + length :]
    return found


def no_password(outcome: dict[str, Any]) -> bool:
    """Whether the server got no password, neither plain nor for a key of its own."""
    received = outcome["received"]
    text = json.dumps(outcome["result"])
    return not any(word in received + text for word in (PASSWORD, "encrypted:"))


# ---- 4: how a password is asked for ----

#: Never, over whatever.
PLAIN = {
    "mysql_clear_password": {"login": ["\xfemysql_clear_password\0", "OK"]},
    "mysql_clear_password, greeted with": {"plugin": "mysql_clear_password", "login": ["OK"]},
    "dialog": {"login": ["\xfedialog\0\x04Password: ", "OK"]},
    "dialog, another prompt": {"login": ["\xfedialog\0\x02PIN: ", "\x05Password: ", "OK"]},
    "mysql_old_password": {"login": [f"\xfemysql_old_password\0{SALT}", "OK"]},
    "mysql_old_password, as it was once": {"login": ["\xfe", "OK"]},
}
#: Not where others listen.
EXPOSED = {
    "caching_sha2_password": {"login": ["\x01\x04", KEY, "OK"]},
    "caching_sha2_password, after a switch": {
        "login": [f"\xfecaching_sha2_password\0{SALT}", "\x01\x04", KEY, "OK"]
    },
    "sha256_password": {"login": [f"\xfesha256_password\0{SALT}", KEY, "OK"]},
    "sha256_password, greeted with": {"plugin": "sha256_password", "login": [KEY, "OK"]},
}


#: Greetings in which PyMySQL finds the plugin's name in another place than the protocol has it.
IN_TWO_WAYS = ({"nonce_length": 255}, {"greeting": "endless version"})


@pytest.mark.parametrize("ssl_mode", ["PREFERRED", "DISABLED"])
def test_a_greeting_that_can_be_read_in_two_ways(host: Server, ssl_mode: str) -> None:
    plans = ({"plugin": "sha256_password", "login": [KEY, "OK"], **plan} for plan in IN_TWO_WAYS)
    before = client(f"ssl-mode={ssl_mode}")
    cases = (
        {**over_tcp({"config_file": "/srv/my.cnf"}, **plan), "before": before} for plan in plans
    )
    for outcome in hostile(host, *cases):
        assert refused(outcome, "server_answer_invalid"), brief(outcome)
        assert outcome["received"] == ""


@pytest.mark.parametrize("way", ["tcp", "tls", "socket"])
@pytest.mark.hazard(
    "Who answers asks for the password in clear",
    "refuses, or sends it where the client is told to",
    "refused: `password_not_safe`",
)
def test_a_password_is_not_given_as_it_is(host: Server, way: str) -> None:
    more = {"tls": TLS} if way == "tls" else {}
    make = over_socket if way == "socket" else over_tcp
    plans = {**PLAIN, **(EXPOSED if way == "tcp" else {})}
    outcomes = hostile(host, *(make(**plan, **more) for plan in plans.values()))
    told = {name: brief(each) for name, each in zip(plans, outcomes) if not no_password(each)}
    assert not told, told
    for name, outcome in zip(plans, outcomes):
        # Where the greeting named it and nothing was asked, there was nothing to lose.
        harmless = "greeted" in name and outcome["result"] is not None
        # The oldest way has no name, and PyMySQL gives up by itself.
        code = "server_answer_invalid" if "once" in name else "password_not_safe"
        assert harmless or refused(outcome, code), (name, brief(outcome))


def test_no_more_than_a_scramble_goes_over_an_open_wire(host: Server) -> None:
    """No request for a key, whose answer nobody could believe."""
    outcomes = hostile(host, *(over_tcp(**plan) for plan in EXPOSED.values()))
    taken = {
        name: brief(each)
        for name, each in zip(EXPOSED, outcomes)
        if not refused(each, "password_not_safe")
    }
    assert not taken, taken
    for name, outcome in zip(EXPOSED, outcomes):
        sent = packets(outcome)
        assert len(sent) <= (2 if "switch" in name else 1), (name, sent)
        assert not [packet for packet in sent[1:] if len(packet) == 1], (name, sent)


def test_the_usual_logins_work(host: Server) -> None:
    """A scramble is enough, or the wire is the server's own, or encrypted."""
    native = {"login": [f"\xfemysql_native_password\0{SALT}", "OK"]}
    fast = {"login": ["\x01\x03", "OK"]}
    full = {"login": ["\x01\x04", "OK"]}
    outcomes = hostile(
        host,
        over_tcp(**native),
        over_tcp(**fast),
        over_socket(**native),
        over_socket(**full),
        over_tcp(**full, tls=TLS),
        over_tcp({"ca_cert": "/srv/tls/ca.pem", "check_hostname": False}, **full, tls=TLS),
    )
    for outcome in outcomes:
        assert outcome["result"]["plugin"]["status"] == "ACTIVE", outcome
    # Without a password there is none to lose.
    (empty,) = hostile(host, over_tcp({"login_password": ""}, **full))
    assert empty["result"] is not None, empty


# ---- 5 and 12: TLS that was asked for ----


def client(*lines: str) -> str:
    """Return a script that writes a configuration file."""
    return "printf '%s\\n' '[client]' " + " ".join(f'"{line}"' for line in lines) + " > /srv/my.cnf"


@pytest.mark.parametrize("old_pymysql", [False, True])
@pytest.mark.hazard(
    "Who answers hides TLS that was asked for",
    "refused",
    "refused before the login: `tls_failed`",
)
def test_tls_that_is_asked_for_and_not_there(host: Server, old_pymysql: bool) -> None:
    asked = {"ca_cert": "/srv/tls/ca.pem", "check_hostname": False}
    config = {"config_file": "/srv/my.cnf"}
    cases = {
        "ca_cert": over_tcp(asked),
        "ca_cert, and a server that only says so": over_tcp(asked, claims_tls=True),
    }
    for lines in (
        ["ssl-mode=REQUIRED"],
        ["ssl_mode = 'required'"],
        ["ssl-mode=DISABLED", "ssl-mode=REQUIRED"],
        ["ssl-mode=VERIFY_CA", "ssl-ca=/srv/tls/ca.pem"],
        ["ssl-mode=VERIFY_IDENTITY", "ssl-ca=/srv/tls/ca.pem"],
        ["ssl-ca=/srv/tls/ca.pem"],
    ):
        cases[" ".join(lines)] = {**over_tcp(config), "before": client(*lines)}
        says = {**over_tcp(config, claims_tls=True), "before": client(*lines)}
        cases[" ".join(lines) + ", and a server that only says so"] = says
    outcomes = hostile(host, *({**case, "old_pymysql": old_pymysql} for case in cases.values()))
    told = {
        name: brief(each)
        for name, each in zip(cases, outcomes)
        if "operator" in each["received"] or not refused(each, "tls_failed")
    }
    assert not told, told
    for name, outcome in zip(cases, outcomes):
        if "only says so" not in name:
            assert outcome["received"] == "", name


def test_tls_with_a_certificate_that_proves_nothing(host: Server) -> None:
    config = {"config_file": "/srv/my.cnf"}
    failing = {
        ("ssl-mode=VERIFY_CA",): ("tls_failed", "config_file_unusable"),
        ("ssl-mode=VERIFY_IDENTITY",): ("tls_failed", "config_file_unusable"),
        ("ssl-mode=VERIFY_CA", "ssl-ca=/srv/tls/other.pem"): ("tls_failed",),
        ("ssl-mode=VERIFY_IDENTITY", "ssl-ca=/srv/tls/ca.pem"): ("tls_failed",),
        ("ssl-mode=VERIFY_EVERYTHING",): ("config_file_unusable",),
        ("ssl-mode",): ("config_file_unusable",),
        ("ssl-mode=",): ("config_file_unusable",),
        ("ssl-capath=/etc/ssl/certs",): ("config_file_unusable",),
        ("ssl-ca=/srv/tls/ca.pem", "ssl-crl=/srv/crl.pem"): ("config_file_unusable",),
        ("ssl-ca=/srv/tls/ca.pem", "ssl-crlpath=/srv"): ("config_file_unusable",),
    }
    cases = [{**over_tcp(config, tls=TLS), "before": client(*lines)} for lines in failing]
    told = {
        lines: brief(each)
        for (lines, codes), each in zip(failing.items(), hostile(host, *cases))
        if "operator" in each["received"] or not refused(each, *codes)
    }
    assert not told, told
    working = [("ssl-mode=REQUIRED",), ("ssl-mode=VERIFY_CA", "ssl-ca=/srv/tls/ca.pem")]
    cases = [{**over_tcp(config, tls=TLS), "before": client(*lines)} for lines in working]
    for lines, outcome in zip(working, hostile(host, *cases)):
        assert outcome["result"]["plugin"]["status"] == "ACTIVE", (lines, outcome)


# ---- 11: answers without an end, and without sense ----

SLOW_OR_LONG = {
    "greeting of 10 MB": {"greeting": "huge"},
    "endless greeting": {"greeting": "endless"},
    "greeting that trickles": {"greeting": "trickle"},
    "no greeting": {"greeting": "silent"},
    "login that trickles": {"login": ["TRICKLE"]},
    **{
        answers: {"answers": answers}
        for answers in (
            "endless_rows",
            "endless_columns",
            "endless_results",
            "endless_packet",
            "trickle",
            "silent",
        )
    },
}


@pytest.mark.parametrize("way", ["tcp", "socket", "tls"])
@pytest.mark.hazard(
    "Who answers sends without an end",
    "fills the memory",
    "ended after 1 MiB, or when the time is up",
)
def test_answers_without_an_end_are_ended(host: Server, way: str) -> None:
    make = over_socket if way == "socket" else over_tcp
    more = {"tls": TLS} if way == "tls" else {}
    plans = SLOW_OR_LONG if way == "tcp" else {"endless_rows": {"answers": "endless_rows"}}
    outcomes = hostile(host, *({**make(**plan, **more), "seconds": 15} for plan in plans.values()))
    problems = {
        name: brief(each)
        for name, each in zip(plans, outcomes)
        if not refused(each, *NO_ANSWER) or each["megabytes"] > 200
    }
    assert not problems, problems


@pytest.mark.parametrize("asked", [{}, {"ca_cert": "/srv/tls/ca.pem"}])
def test_tls_without_an_end_is_ended(host: Server, asked: dict[str, Any]) -> None:
    """OpenSSL itself reads on, and asks nobody for the time."""
    (outcome,) = hostile(host, {**over_tcp(asked, claims_tls=True, tls_flood=True), "seconds": 15})
    assert refused(outcome, "tls_failed", *NO_ANSWER), brief(outcome)
    assert outcome["seconds"] < 12, brief(outcome)


def test_long_texts_do_not_reach_the_result(host: Server) -> None:
    plans = [
        {"version": "8.4.3" + "x" * 60000},
        *({"pad": {name: 10 << 20}} for name in ("version_comment", "plugin_dir", "server_uuid")),
        {"login": ["HUGE ERROR"]},
    ]
    outcomes = hostile(host, *(over_tcp(**plan) for plan in plans))
    broken = {
        json.dumps(plan)[:60]: brief(each)
        for plan, each in zip(plans, outcomes)
        if each["result"] is None
        or len(json.dumps(each["result"])) > 20000
        or each["megabytes"] > 200
    }
    assert not broken, broken


NONSENSE = (
    "no_rows",
    "null_settings",
    "one_column",
    "cut_row",
    "long_number",
    "no_number",
    "no_decimal",
    "unknown_charset",
    "no_utf8",
    "huge_text",
)


def test_answers_without_sense_are_refused(host: Server) -> None:
    outcomes = hostile(host, *(over_tcp(answers=answers) for answers in NONSENSE))
    believed = {
        name: brief(each)
        for name, each in zip(NONSENSE, outcomes)
        if not refused(each, "server_answer_invalid")
    }
    assert not believed, believed
    lengths = (0, 1, 2, 6, 8, 12, 20, 24, 30, 40, 50, 60)
    outcomes = hostile(host, *(over_tcp(greeting="cut", cut=length) for length in lengths))
    broken = {
        length: brief(each)
        for length, each in zip(lengths, outcomes)
        if ("error_code" not in (each["result"] or {}) and length < 30) or each["result"] is None
    }
    assert not broken, broken


def test_odd_settings_are_no_error_of_ours(host: Server) -> None:
    """Whatever is said of a server of another machine, the module ends in a result."""
    plans: list[dict[str, Any]] = [
        {"version": "9" * 5000 + ".4.3"},
        {"version": "8." + "9" * 5000},
        {"version": "\x1b[2J\n8.4.3"},
        {"settings": {"datadir": "/var/lib/mysql\0"}},
        {"settings": {"datadir": "relative"}},
        {"settings": {"pid_file": "\0"}},
        {"settings": {"datadir": "/" + "x" * 70000}},
        {"settings": {"super_read_only": "9" * 5000}},
        {"plugin_row": ["group_replication", *["\x1b\xad" * 100] * 6]},
    ]
    auto = "printf '[auto]\\nserver-uuid=b2f3c3a0-0000-11ef-8000-0242ac110002\\n' >"
    before = f"install -d -o mysql /var/lib/mysql; {auto} /var/lib/mysql/auto.cnf"
    cases = [{**over_tcp(**plan), "before": before} for plan in plans]
    broken = {
        json.dumps(plan)[:60]: brief(each)
        for plan, each in zip(plans, hostile(host, *cases))
        if each["result"] is None or not {"error_code", "plugin"} & set(each["result"])
    }
    assert not broken, broken


@pytest.mark.hazard(
    "Who answers asks for a file (`LOCAL INFILE`)",
    "refused",
    "refused: `server_answer_invalid`",
)
def test_no_file_is_sent(host: Server) -> None:
    host.sh("echo for-root-only-1234 > /root/private.cnf; chmod 600 /root/private.cnf")
    for make in (over_tcp, over_socket):
        case = make(answers="local_infile", file="/root/private.cnf")
        (outcome,) = hostile(host, case)
        assert refused(outcome, "server_answer_invalid"), outcome
        assert "for-root-only" not in outcome["received"]


def test_a_configuration_file_without_an_end(host: Server) -> None:
    """A FIFO, a device and a huge file in place of what root reads for a login."""
    runs = [
        {"options": {"config_file": "/srv/fifo"}, "before": "mkfifo /srv/fifo"},
        {"options": {"config_file": "/dev/zero"}},
        {"options": {"config_file": "/srv/huge"}, "before": "truncate -s 8G /srv/huge"},
        {"options": {"ca_cert": "/srv/fifo", "login_host": "127.0.0.1"}},
        {"options": {"ca_cert": "/srv/huge", "login_host": "127.0.0.1"}},
        {"options": {"defaults_file": "/srv/fifo"}},
    ]
    for run in runs:
        run.update(module="group_replication_plugin", seconds=10, address_space=1 << 30)
    for run, outcome in zip(runs, modules(host, *runs)):
        assert not outcome["hung"], run
        assert outcome["result"] is not None, (run, outcome["errors"])
        assert "error_code" in outcome["result"], (run, outcome)
        assert outcome["megabytes"] < 200, run
