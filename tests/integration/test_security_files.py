# Copyright (c) 2026, the dbfleet.mysql authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What other accounts of a host get through root's work with option files: nothing."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, NamedTuple

import pytest
from helpers.attacked import CLEAN, attacked, brief, hostile, modules, put, refused
from helpers.control import Control
from helpers.debian import MAIN
from helpers.lab import LAYOUT
from helpers.library import library
from helpers.server import Server
from helpers.soak import SOAK

MODULE = "dbfleet.mysql.plugin_load_add"
RACE = 120 if SOAK else 4
PRIVATE = "[client]\npassword=for-root-only-1234\n"
UUID = "b2f3c3a0-0000-11ef-8000-0242ac110002"


@pytest.fixture(scope="module")
def machine() -> Iterator[Server]:
    """Start the host once."""
    yield from attacked()


@pytest.fixture
def host(machine: Server) -> Server:
    """Return the host with its files as they were."""
    machine.sh(CLEAN)
    return machine


# ---- 1: programs that root starts ----

RAN = "/srv/loot/ran"


@pytest.mark.hazard(
    "An option file of `mysql`'s names a library of its own and `user=root`",
    "not asked",
    "`mysqld` is asked as the server's account, never as root",
)
def test_an_option_file_of_mysqls_runs_no_code_as_root(host: Server) -> None:
    host.write("/srv/mysql/own.so", library(host.sh("uname -m").strip(), RAN))
    own = "[mysqld]\nuser=root\nplugin_dir=/srv/mysql\nplugin_load_add=own.so\n"
    put(host, "/srv/mysql/own.cnf", own, "mysql")
    put(host, MAIN, "[mysqld]\n!include /srv/mysql/own.cnf\n")
    host.sh(f"cp {LAYOUT.plugin_dir}/group_replication.so /srv/mysql/")
    # The library does what it is made for.
    host.sh("su mysql -s /bin/sh -c 'mysqld --validate-config'", check=False)
    assert host.sh(f"stat -c %U {RAN}; rm {RAN}") == "mysql\n"
    check, done = modules(host, {"options": {"_ansible_check_mode": True}}, {})
    assert host.sh(f"stat -c %U {RAN} 2>/dev/null || echo nobody") in ("mysql\n", "nobody\n")
    for outcome in (check, done):
        assert "error_code" not in outcome["result"], outcome
    assert "plugin_load_add=group_replication.so" in host.sh(f"cat {MAIN}")


@pytest.fixture
def program(host: Server) -> Iterator[str]:
    """Return where mysqld is, in a folder of mysql's as where a tarball was given to it."""
    path = host.sh("command -v mysqld").strip()
    host.sh(f"mv {path} {path}.real; ln -s {path}.real /usr/local/lib/mysqld")
    host.sh("cp /etc/passwd /root/passwd; mkdir -p /usr/local/mysql/bin")
    host.sh("chown mysql:mysql /usr/local/mysql /usr/local/mysql/bin")
    yield "/usr/local/mysql/bin/mysqld"
    host.sh(
        f"rm -f /usr/local/mysql/bin/mysqld; mv {path}.real {path}; cp /root/passwd /etc/passwd"
    )
    host.sh("rm /usr/local/lib/mysqld; chown root:root /usr/local/mysql /usr/local/mysql/bin")
    host.sh("rmdir /usr/local/mysql/bin /usr/local/mysql || true")


WHO = """#!/bin/sh
{ id -u; id -G; grep ^CapEff: /proc/self/status; } | tr '\\n' ' ' >> /srv/loot/who
echo >> /srv/loot/who
exec /usr/local/lib/mysqld "$@"
"""
NO_MYSQL = "sed -i s/^mysql:/nomysql:/ /etc/passwd"
AS_BOB = f"printf '[mysqld]\\nuser=bob\\n' > {MAIN}"


@pytest.mark.parametrize(
    ("before", "accounts"),
    [("true", {"mysql"}), (NO_MYSQL, {"mysql", "bob", "nobody"}), (AS_BOB, {"bob", "mysql"})],
    ids=["mysql", "no account mysql", "user in a file of root's"],
)
def test_a_program_of_mysqls_is_not_run_by_root(
    host: Server, program: str, before: str, accounts: set[str]
) -> None:
    put(host, program, WHO, "mysql", "0755")
    host.sh("install -m 0666 /dev/null /srv/loot/who")
    ids = {host.sh(f"id -u {account}").strip() for account in accounts}
    modules(host, {"before": before})
    starts = host.sh("cat /srv/loot/who").splitlines()
    assert starts or before == NO_MYSQL
    for start in starts:
        user, *groups = start.split(" CapEff:")[0].split()
        assert user in ids
        assert "0" not in groups
        assert int(start.split("CapEff:")[1], 16) == 0


def test_a_program_that_does_not_end_is_ended(host: Server, program: str) -> None:
    put(host, program, "#!/bin/sh\ntrap '' TERM\nsleep 1000 & sleep 1000\n", "mysql", "0755")
    endless = "#!/bin/sh\nexec yes '[ERROR] something'\n"
    asleep, flood = modules(
        host,
        {"seconds": 50},
        {
            "before": f"printf '%s' \"{endless}\" > {program}",
            "seconds": 50,
            "address_space": 1 << 30,
        },
    )
    for outcome in (asleep, flood):
        assert not outcome["hung"]
        assert outcome["result"] is not None, outcome["errors"]
        assert outcome["megabytes"] < 200
        assert len(json.dumps(outcome["result"])) < 20000


# ---- 2 and 7: which server, and which option file ----

#: The last place in which the module looks for a socket; everyone may make one there.
GUESS = "/tmp/mysql.sock"  # noqa: S108 - a test's

GUESSED = {"login_unix_socket": None, "login_user": "root", "login_password": "Horse-1234"}


@pytest.mark.hazard(
    "Another account's program answers on the server's socket",
    "logs in to it",
    "refused before the login: `server_not_trusted`",
)
def test_a_server_of_another_account_gets_no_login(host: Server) -> None:
    host.sh(f"rm -rf /etc/mysql/*.d; printf '[mysqld]\\n' > {MAIN}")
    explicit = {"login_user": "root", "login_password": "Horse-1234"}
    own = "printf '[mysqld]\\nuser=bob\\nsocket=/tmp/mysql.sock\\n' > "
    guessed, named, claimed, meant = hostile(
        host,
        {"account": "bob", "address": GUESS, "options": GUESSED},
        {"account": "bob", "address": "/srv/bob/own.sock", "options": explicit},
        {
            "account": "bob",
            "address": GUESS,
            "options": GUESSED,
            # An option file of his own says that his is the server's account.
            "before": f"printf '!include /srv/bob/own.cnf\\n' > {MAIN}; {own} /srv/bob/own.cnf;"
            " chown bob /srv/bob/own.cnf",
        },
        {
            "account": "bob",
            "address": GUESS,
            "options": GUESSED,
            "before": f"{own} {MAIN}",
        },
    )
    for outcome in (guessed, named, claimed):
        assert refused(outcome, "server_not_trusted"), outcome
        assert outcome["received"] == ""
        assert "bob" in outcome["result"]["msg"]
    # Root's own option file may say so.
    assert meant["result"]["plugin"]["status"] == "ACTIVE", meant


def test_a_link_of_anybodys_leads_to_no_server(host: Server) -> None:
    """The server is down, and another one of this machine would get the login and the change."""
    host.sh(f"rm -rf /etc/mysql/*.d; printf '[mysqld]\\n' > {MAIN}")
    link = f"su bob -s /bin/sh -c 'ln -sf /srv/mysql/second.sock {GUESS}'"
    case = {"account": "mysql", "address": "/srv/mysql/second.sock", "options": GUESSED}
    (outcome,) = hostile(host, {**case, "before": link})
    assert refused(outcome, "server_not_trusted"), outcome
    assert outcome["received"] == ""
    (owned,) = hostile(host, {**case, "before": f"ln -sf /srv/mysql/second.sock {GUESS}"})
    assert owned["result"]["plugin"]["status"] == "ACTIVE", owned


def test_a_server_that_is_down_is_not_looked_for_over_tcp(host: Server) -> None:
    """Whoever listens on the port of localhost, the socket was meant."""
    host.sh(f"rm -rf /etc/mysql/*.d; printf '[mysqld]\\n' > {MAIN}")
    (outcome,) = hostile(
        host, {"account": "bob", "address": 3306, "options": {**GUESSED, "login_host": "localhost"}}
    )
    assert refused(outcome, "socket_not_found"), outcome
    assert outcome["received"] == ""


def test_a_server_that_comes_meanwhile_gets_no_login(host: Server) -> None:
    """The server goes where super_read_only is lifted, and bob's takes its socket."""
    options = {
        **GUESSED,
        "login_unix_socket": GUESS,
        "lift_super_read_only": True,
        "allow_group_start": True,
    }
    case = {
        "account": "mysql",
        "address": GUESS,
        "plan": {
            "leaves": GUESS,
            "plugin_row": None,
            "settings": {"super_read_only": "1"},
        },
        "heir": {"account": "bob"},
        "options": options,
    }
    (outcome,) = hostile(host, case)
    assert "SET GLOBAL super_read_only = 0" in outcome["received"], outcome
    # Whether the server had lifted it is not known; it restores it itself if it lives.
    assert refused(outcome, "super_read_only_left_off"), outcome
    assert outcome["inherited"] == ""


@pytest.mark.hazard(
    "`~/.my.cnf` belongs to another account, because `become` left `HOME`",
    "logs in where that account says",
    "refused: `config_file_unusable`",
)
def test_a_configuration_file_of_another_account_is_not_believed(host: Server) -> None:
    """Where become leaves HOME as it was, ~ is the home of somebody else."""
    put(host, "/srv/bob/.my.cnf", "[client]\nhost=127.0.0.1\nport=33097\nuser=root\n", "bob")
    (outcome,) = hostile(
        host,
        {
            "account": "bob",
            "address": 33097,
            "options": {"login_port": 3306, "login_host": "localhost", "connect_timeout": 2},
            "home": "/srv/bob",
        },
    )
    assert outcome["received"] == ""
    assert not outcome["result"].get("plugin"), outcome


def local(*command_line: str, uuid: str = UUID, **more: Any) -> dict[str, Any]:
    """Return a server of mysql's whose process shows this command line."""
    return {
        "account": "mysql",
        "address": "/run/mysqld/mysqld.sock",
        "command_line": ["mysqld", *command_line],
        "files": {
            "/var/lib/mysql/auto.cnf": f"[auto]\nserver-uuid={UUID}\n",
            "/var/lib/mysql/mysql/general_log.CSM": "",
            "/var/lib/mysql/pid": "PID\n",
        },
        "plan": {"settings": {"pid_file": "pid", "server_uuid": uuid}},
        **more,
    }


def option_file(outcome: dict[str, Any]) -> str | None:
    """Return the option file that the module found."""
    assert outcome["result"] is not None, outcome
    assert not outcome["hung"]
    found: str | None = (outcome["result"].get("server") or {}).get("option_file")
    return found


@pytest.fixture
def files_of_root(host: Server) -> Server:
    """Return the host with files of root's: credentials, and another server's option file."""
    host.sh("install -d -m 0700 /root/.aws")
    put(host, "/root/.aws/credentials", PRIVATE, mode="0600")
    own = "[mysqld]\ndatadir=/var/lib/mysql\nsocket=/run/mysqld/mysqld.sock\n"
    put(host, "/srv/root/my.cnf", own)
    put(host, "/srv/root/other.cnf", "[mysqld]\nsocket=/run/other/mysqld.sock\n")
    put(host, "/srv/root/daemon.conf", "[server]\nhost-name=db1\n")
    return host


@pytest.mark.hazard(
    "The server's process shows a file of root's as its `--defaults-file`",
    "-",
    "the file is neither changed nor shown",
)
def test_a_file_that_no_server_reads_is_no_option_file(files_of_root: Server) -> None:
    outcomes = hostile(
        files_of_root,
        local("--defaults-file=/srv/root/my.cnf"),
        *(
            local(f"--defaults-{kind}={path}")
            for kind in ("file", "extra-file")
            for path in (
                *("/root/.aws/credentials", "/etc/shadow", "/etc/cron.d/new.cnf"),
                *("/srv/root/other.cnf", "/srv/root/daemon.conf"),
            )
        ),
    )
    assert option_file(outcomes[0]) == "/srv/root/my.cnf"
    for outcome in outcomes[1:]:
        result = outcome["result"]
        named = json.dumps([result.get("server"), result.get("loaded_at_start_by")])
        others = (".aws", "shadow", "cron.d", "/srv/root/")
        assert not [word for word in others if word in named], result
        assert "for-root-only" not in json.dumps(result)
    assert files_of_root.read("/root/.aws/credentials").decode() == PRIVATE


@pytest.mark.parametrize(
    "uuid", ["", "-", "b2f3c3a0", "server-uuid", UUID[:-1], f"[auto]\nserver-uuid={UUID}\n", "\n"]
)
@pytest.mark.hazard(
    "A remote server claims to run on this host",
    "-",
    "believed only if `auto.cnf` has exactly its `server_uuid`",
)
def test_a_part_of_a_uuid_is_no_proof(files_of_root: Server, uuid: str) -> None:
    named = "--defaults-file=/srv/root/my.cnf"
    (outcome,) = hostile(files_of_root, local(named, uuid=uuid, address=33099))
    assert option_file(outcome) is None


def test_over_tcp_only_the_servers_own_files_are_a_proof(files_of_root: Server) -> None:
    """An auto.cnf that bob wrote himself does not make his process the server of this machine."""
    named = "--defaults-file=/srv/root/my.cnf"
    mysqls = local(named, address=33099)
    bobs = local(
        named,
        account="bob",
        address=33099,
        files={
            "/srv/bob/data/auto.cnf": f"[auto]\nserver-uuid={UUID}\n",
            "/srv/bob/data/pid": "PID\n",
        },
        plan={"settings": {"datadir": "/srv/bob/data/", "pid_file": "pid", "server_uuid": UUID}},
    )
    # A data directory of mysql's, and a pid of bob's.
    mixed = {**bobs, "files": {"/srv/bob/data/pid": "PID\n"}}
    mixed["before"] = (
        "install -d -o mysql /srv/mysql/data && "
        f"printf '[auto]\\nserver-uuid={UUID}\\n' > /srv/mysql/data/auto.cnf"
    )
    mixed["plan"] = {"settings": {"datadir": "/srv/mysql/data/", "pid_file": "/srv/bob/data/pid"}}
    trusted, own, other = hostile(files_of_root, mysqls, bobs, mixed)
    assert option_file(trusted) == "/srv/root/my.cnf"
    assert option_file(own) is None
    assert option_file(other) is None


def test_over_tcp_a_folder_that_only_holds_the_uuid_is_no_proof(files_of_root: Server) -> None:
    """SELECT ... INTO OUTFILE made it, or root's mailbox is what a link of bob's leads to."""
    named = "--defaults-file=/srv/root/my.cnf"
    outfile = local(named, address=33099)
    outfile["before"] = (
        "install -d -o mysql -m 0700 /srv/mysql/files && cd /srv/mysql/files && "
        f"printf 'server-uuid={UUID}\n' > auto.cnf && chown mysql auto.cnf"
    )
    outfile["plan"] = {
        "settings": {"datadir": "/srv/mysql/files/", "pid_file": "/var/lib/mysql/pid"}
    }
    mailbox = local(named, address=33099)
    mailbox["before"] = (
        f"printf 'From bob\nserver-uuid={UUID}\n' > /srv/root/mailbox;"
        " su bob -s /bin/sh -c 'mkdir -p /srv/bob/d/mysql;"
        " ln -sf /srv/root/mailbox /srv/bob/d/auto.cnf'"
    )
    mailbox["plan"] = {"settings": {"datadir": "/srv/bob/d/", "pid_file": "/var/lib/mysql/pid"}}
    for case in (outfile, mailbox):
        case["plan"]["settings"]["server_uuid"] = UUID
    for outcome in hostile(files_of_root, outfile, mailbox):
        assert option_file(outcome) is None, outcome


#: A program of root's, started by bob under another name, that waits for room to say what is wrong.
STALLED = """
import fcntl, os, time
read, write = os.pipe()
fcntl.fcntl(write, fcntl.F_SETFL, os.O_NONBLOCK)
for size in (65536, 1):
    try:
        while True:
            os.write(write, b"x" * size)
    except BlockingIOError:
        pass
fcntl.fcntl(write, fcntl.F_SETFL, 0)
child = os.fork()
if not child:
    os.dup2(write, 1)
    os.dup2(write, 2)
    os.execv("/bin/su", ["mysqld", "--defaults-file=/srv/root/my.cnf"])
with open("/srv/bob/data/pid", "w") as file:
    file.write(str(child))
time.sleep(20)
"""


def test_a_program_that_bob_started_as_root_is_not_the_server(files_of_root: Server) -> None:
    """Its process belongs to root, as /proc shows it, and its command line is bob's choice."""
    put(files_of_root, "/srv/bob/stalled.py", STALLED, "bob")
    settings = {"datadir": "/srv/bob/data", "pid_file": "pid", "server_uuid": UUID}
    case = {
        "account": "bob",
        "address": 33099,
        "before": "install -d -o bob /srv/bob/data;"
        f" printf '[auto]\nserver-uuid={UUID}\n' > /srv/bob/data/auto.cnf;"
        " su bob -s /bin/sh -c 'python3 /srv/bob/stalled.py' > /dev/null 2>&1 & sleep 1",
        "plan": {"settings": settings},
    }
    (outcome,) = hostile(files_of_root, case)
    shown = "tr '\\0' ' ' < /proc/$(cat /srv/bob/data/pid)/cmdline"
    assert files_of_root.sh(f"stat -c %U /proc/$(cat /srv/bob/data/pid); {shown}") == (
        "root\nmysqld --defaults-file=/srv/root/my.cnf "
    )
    files_of_root.sh("kill -9 $(cat /srv/bob/data/pid)")
    assert option_file(outcome) is None


# ---- 3: paths that others can change ----

ABSENT = {"state": "absent", "validate_config": "never"}
NO_QUESTION = {"validate_config": "never"}
LOADS = "plugin_load_add=group_replication.so\n"


class Layout(NamedTuple):
    """A layout in which an option file to be edited can be changed by another account.

    ``words`` are some of the failure's cause: which folder or file, and whose.
    """

    prepare: str
    options: dict[str, Any]
    words: tuple[str, ...]


OF_BOB = {"option_file": "/srv/bob/my.cnf"}
PATHS = {
    "file of bob's": Layout(
        "printf '[mysqld]\n' > /srv/bob/my.cnf; chown bob /srv/bob/my.cnf",
        OF_BOB,
        ("/srv/bob", "bob"),
    ),
    "file of root's that bob can take away": Layout(
        "printf '[mysqld]\n' > /srv/bob/my.cnf", OF_BOB, ("/srv/bob", "bob")
    ),
    "link of bob's": Layout("ln -s /srv/root/my.cnf /srv/bob/my.cnf", OF_BOB, ("/srv/bob", "bob")),
    "link to a folder": Layout(
        "ln -s /etc/cron.d /srv/bob/d", {"option_file": "/srv/bob/d/new.cnf"}, ("/srv/bob", "bob")
    ),
    "link, and up again": Layout(
        "install -d /srv/root/d; ln -s /srv/root/d /srv/bob/d",
        {"option_file": "/srv/bob/d/../my.cnf"},
        ("/srv/bob", "bob"),
    ),
    "link of root's to a link of bob's": Layout(
        "ln -s /srv/root/my.cnf /srv/bob/my.cnf; ln -s /srv/bob/my.cnf /srv/root/link.cnf",
        {"option_file": "/srv/root/link.cnf"},
        ("/srv/bob", "bob"),
    ),
    "folder of all": Layout(
        "printf '[mysqld]\n' > /srv/loot/my.cnf",
        {"option_file": "/srv/loot/my.cnf"},
        ("/srv/loot",),
    ),
    "main file of mysql's": Layout(f"chown mysql {MAIN}", {}, ("/etc/mysql/my", "mysql")),
    "folder of mysql's": Layout("chown mysql /etc/mysql", {}, ("/etc/mysql", "mysql")),
    "file of a group": Layout(f"chgrp mysql {MAIN}; chmod g+w {MAIN}", {}, ("/etc/mysql/my",)),
    "folder of a group": Layout(
        "chgrp mysql /etc/mysql; chmod g+w /etc/mysql", {}, ("/etc/mysql",)
    ),
    "file of a process": Layout("true", {"option_file": "/proc/1/cmdline"}, ("/proc",)),
    "link to one": Layout(
        "ln -s /proc/1/cmdline /srv/root/link.cnf",
        {"option_file": "/srv/root/link.cnf"},
        ("/proc",),
    ),
    "drop-in": Layout(
        f"rm /srv/mysql/a.cnf; printf '[mysqld]\n!includedir /srv/mysql\n' > {MAIN}",
        {"drop_in": "/srv/mysql/new.cnf"},
        ("/srv/mysql", "mysql"),
    ),
    "removal from a file of mysql's": Layout(
        f"printf '[mysqld]\n!include /srv/mysql/a.cnf\n' > {MAIN}",
        {"state": "absent"},
        ("/srv/mysql", "mysql"),
    ),
}


@pytest.mark.parametrize("name", PATHS)
@pytest.mark.hazard(
    "Another account can exchange the option file, or a folder above it",
    "-",
    "nothing is changed: `option_file_not_trusted`",
)
def test_a_path_that_another_account_can_change_is_not_edited(host: Server, name: str) -> None:
    prepare, options, words = PATHS[name]
    put(host, "/srv/root/my.cnf", "[mysqld]\n")
    put(host, "/srv/mysql/a.cnf", "[mysqld]\n" + LOADS, "mysql")
    host.sh(prepare)
    look = "find /srv /etc -printf '%p %i %m %u %s %T@\\n' 2>/dev/null | sort"
    before = host.sh(look)
    check, done, backed = modules(
        host,
        {"options": {**NO_QUESTION, **options, "_ansible_check_mode": True}},
        {"options": {**NO_QUESTION, **options}},
        {"options": {**NO_QUESTION, **options, "backup": True, "unsafe_writes": True}},
    )
    assert host.sh(look) == before
    for outcome in (check, done, backed):
        assert refused(outcome, "option_file_not_trusted"), outcome
        for word in words:
            assert word in outcome["result"]["cause"], outcome["result"]
        steps = outcome["result"]["next_step"]
        assert any(word in steps for word in ("chown", "chmod", "become_user")), steps


def test_a_file_of_mysqls_does_not_choose_which_of_roots_is_edited(host: Server) -> None:
    """Root's file is read as MySQL reads it, but only because mysql's includes it."""
    put(host, "/srv/root/other.cnf", "[mysqld]\n" + LOADS)
    put(host, "/srv/mysql/a.cnf", "!include /srv/root/other.cnf\n", "mysql")
    put(host, MAIN, "[mysqld]\n!include /srv/mysql/a.cnf\n")
    (outcome,) = modules(host, {"options": ABSENT})
    assert refused(outcome, "option_file_not_trusted"), outcome
    assert host.read("/srv/root/other.cnf").decode() == "[mysqld]\n" + LOADS


def test_mysql_itself_works_on_its_own_files(host: Server, control: Control) -> None:
    host.sh(f"chown -R mysql:mysql /etc/mysql; printf '[mysqld]\\n' > {MAIN}")
    flags = ("-e", "ansible_user=mysql", "-e", "ansible_remote_tmp=/tmp/ansible-mysql")
    result = control.module(host, *flags, module=MODULE)
    assert result["changed"] is True, result
    assert result["validated"] is True
    assert host.sh(f"stat -c '%U %a' {MAIN}; cat {MAIN}") == "mysql 644\n[mysqld]\n" + LOADS
    taken = control.module(host, *flags, module=MODULE, state="absent")
    assert taken["changed"] is True, taken


def test_root_works_on_its_own_files_beside_others(host: Server) -> None:
    """Files of mysql's are read, and need not be trusted where another one is edited."""
    put(host, "/srv/mysql/a.cnf", "[mysqld]\nport=3307\n", "mysql")
    put(host, MAIN, "[mysqld]\n!include /srv/mysql/a.cnf\n")
    present, absent = modules(host, {}, {"options": {"state": "absent"}})
    for outcome in (present, absent):
        assert outcome["result"]["changed"] is True, outcome
        assert outcome["result"]["validated"] is True


def attack(host: Server, kind: str, seconds: float) -> dict[str, Any]:
    """Attack the module; see on_target/attack_option_files.py."""
    (found,) = host.python("attack_option_files", kind, str(seconds))
    print(kind, found)
    assert found["runs"] > 0
    assert found["first"]
    return found


@pytest.mark.soak
@pytest.mark.parametrize("kind", ["file", "file in place", "drop-in", "folder"])
@pytest.mark.hazard(
    "Files are exchanged while root works on them",
    "-",
    "no file of root's is shown or changed",
)
def test_files_that_are_exchanged_meanwhile(host: Server, kind: str) -> None:
    found = attack(host, kind, RACE)
    assert found["loot"] == []
    assert found["changed"] == 0
    assert found["hung"] == 0
    assert found["runs"] >= (10 if SOAK else 3)
    assert set(found["codes"]) <= {
        "option_file_not_trusted",
        "option_file_unreadable",
        "option_files_changed_meanwhile",
    }


# ---- 8: copies ----


@pytest.mark.soak
@pytest.mark.hazard(
    "A backup of an option file that only root may read",
    "-",
    "the copy is never open to others",
)
def test_a_copy_is_never_wider_open_than_the_original(host: Server) -> None:
    found = attack(host, "backup", RACE / 2)
    assert found["loot"] == []
    assert found["codes"] == {"none": found["runs"]}
    modes = host.sh("stat -c '%a %U' /etc/mysql/mysql.cnf*").splitlines()
    assert len(modes) > 1
    assert set(modes) == {"600 root"}


# ---- 11: files without an end ----


@pytest.mark.soak
def test_option_files_that_become_fifos_do_not_hang(host: Server) -> None:
    found = attack(host, "fifo", RACE)
    assert found["hung"] == 0
    assert not [code for code in found["codes"] if "no result" in code]


def test_a_lease_on_an_option_file_holds_nobody_up(host: Server) -> None:
    """Whoever opens a file waits up to 45 seconds for the lease of its owner (fcntl(2))."""
    found = attack(host, "lease", 2)
    assert host.read("/srv/bob/leased") == b"1"  # F_WRLCK
    assert found["hung"] == 0
    assert found["longest"] < 10
    host.sh("rm -f /dev/shm/leased.cnf")


AUTO = f"printf '[auto]\\nserver-uuid={UUID}\\n' > /srv/mysql/data/auto.cnf;"
PID = "echo 1 > /srv/mysql/data/pid;"
ENDLESS = {
    "auto.cnf is a FIFO": f"{PID} mkfifo auto.cnf",
    "auto.cnf is a device": f"{PID} ln -s /dev/zero auto.cnf",
    "auto.cnf is huge": f"{PID} truncate -s 8G auto.cnf",
    "pid is a FIFO": f"{AUTO} mkfifo pid",
    "pid is a device": f"{AUTO} ln -s /dev/zero pid",
    "pid is huge": f"{AUTO} truncate -s 8G pid",
}


@pytest.mark.parametrize("address", ["/run/mysqld/mysqld.sock", 33099])
@pytest.mark.hazard(
    "A file that the server names is a FIFO, a device or huge",
    "-",
    "no wait, and little memory",
)
def test_files_of_the_server_that_have_no_end(host: Server, address: str | int) -> None:
    settings = {"datadir": "/srv/mysql/data", "pid_file": "pid", "server_uuid": UUID}
    outcomes = hostile(
        host,
        *(
            {
                "account": "mysql",
                "address": address,
                "before": "rm -rf /srv/mysql/data; install -d -o mysql /srv/mysql/data;"
                f" cd /srv/mysql/data; {script}",
                "plan": {"settings": settings},
                "seconds": 6,
            }
            for script in ENDLESS.values()
        ),
    )
    problems = {
        name: brief(outcome)
        for name, outcome in zip(ENDLESS, outcomes)
        if outcome["hung"]
        or not (outcome["result"] or {}).get("plugin")
        or outcome["megabytes"] > 200
    }
    assert not problems, problems


# Option files that mysql may write, and MySQL reads: each is more work than it is worth.
LABORIOUS = {
    "many large files": "for n in $(seq 40); do truncate -s 15M /srv/mysql/$n.cnf; done",
    "one long line": "{ printf '[mysqld]\\na='; head -c 15000000 /dev/zero | tr '\\0' x; }"
    " > /srv/mysql/a.cnf",
    "many entries": "{ echo '[mysqld]'; yes plugin_load_add=group_replication.so | head -n 20000; }"
    " > /srv/mysql/a.cnf",
}


@pytest.mark.parametrize("state", ["present", "absent"])
def test_option_files_that_are_much_work_are_bounded(host: Server, state: str) -> None:
    put(host, MAIN, "[mysqld]\n!includedir /srv/mysql\n")
    outcomes = modules(
        host,
        *(
            {
                "before": f"rm -f /srv/mysql/*; {script}; chown mysql /srv/mysql/*",
                "options": {"state": state, "validate_config": "never"},
                "address_space": 1 << 30,
                "seconds": 15,
            }
            for script in LABORIOUS.values()
        ),
    )
    problems = {
        name: brief(outcome)
        for name, outcome in zip(LABORIOUS, outcomes)
        if outcome["hung"] or outcome["result"] is None or outcome["megabytes"] > 200
    }
    assert not problems, problems


# ---- 13: the lock ----


@pytest.mark.hazard(
    "Another account locks all that it can open",
    "-",
    "the run goes on",
)
def test_a_lock_of_another_account_stops_nothing(host: Server) -> None:
    found = attack(host, "locks", 3)
    assert found["hung"] == 0
    assert found["codes"] == {"none": found["runs"]}
    assert int(host.read("/srv/bob/locked")) > 10


# ---- 14: messages ----

SECRET = "Secret1234"  # noqa: S105 - planted
LINES = (
    f"x.y={SECRET}",
    f"group_replication_group_name={SECRET}",
    f'loose-x=1\nno-such-option="{SECRET}\'s"',
    f"binlog_format={SECRET}",
    f"binlog_row_image='{SECRET}'",
    f"sql_mode={SECRET}",
    f"character_set_server={SECRET}",
    f"default_storage_engine={SECRET}",
    f"default_time_zone={SECRET}",
    f"lc_messages={SECRET}",
    f"port=31337{SECRET}",
    f"innodb_buffer_pool_size={SECRET}",
    f"super_read_only={SECRET}",
    f"admin_address={SECRET}",
    f"event_scheduler={SECRET}",
    "no-such-number=31337424242",
    f"init_file=/{SECRET}",
    f"ssl_ca=/{SECRET}",
    f"{SECRET}",
    f"--password={SECRET}",
    f"tls_version={SECRET}",
)


@pytest.mark.hazard(
    "An option's wrong value is a password",
    "-",
    "MySQL's messages are shown without values",
)
def test_messages_are_without_values(host: Server) -> None:
    outcomes = modules(
        host,
        *(
            {
                "before": f"cat > {MAIN} <<'END'\n[mysqld]\n{line}\nEND",
                "options": {"_ansible_diff": True},
                "seconds": 30,
            }
            for line in LINES
        ),
    )
    assert [outcome["errors"] for outcome in outcomes if outcome["result"] is None] == []
    texts = [json.dumps(outcome["result"]) for outcome in outcomes]
    shown = {
        line: text
        for line, text in zip(LINES, texts)
        # The last one is an option's name.
        if (SECRET in text and line != SECRET) or "31337" in text
    }
    assert not shown, shown
    # mysqld was asked, and had something to say.
    said = [outcome["result"].get("validation_note", "") for outcome in outcomes]
    assert sum("did not accept" in note for note in said) > 5, said
