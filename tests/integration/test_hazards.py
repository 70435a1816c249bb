# Copyright (c) 2026, the dbfleet.mysql authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a playbook on production servers must never do, shown on servers in just that state."""

from __future__ import annotations

import contextlib
import io
import re
import subprocess
import time
from collections.abc import Iterator
from typing import Any

import pytest
from elftools.elf.elffile import ELFFile
from helpers.control import MODULE, Control
from helpers.lab import FLEET, LAYOUT, at_least, container, fleet_name, lab, other_plugin
from helpers.output import results
from helpers.playbooks import INSTALL
from helpers.server import BACKUP_LOCK, INSTALL_PLUGIN, Server, reset
from helpers.soak import SOAK

GROUP_NAME = "11111111-2222-3333-4444-555555555555"
READ_ONLY = "SELECT @@super_read_only, @@read_only"
# What the versions call the same.
RESET_GTIDS = "RESET BINARY LOGS AND GTIDS" if at_least("8.2") else "RESET MASTER"
FORGET_ACCOUNT = "RESET REPLICA ALL" if at_least("8.0.22") else "RESET SLAVE ALL"
RECOVERY_PRIVILEGES = "REPLICATION SLAVE" + (", BACKUP_ADMIN" if at_least("8.0") else "")
RECOVERY_ACCOUNT = (
    "SET GLOBAL group_replication_recovery_get_public_key = ON;"
    " CHANGE REPLICATION SOURCE TO SOURCE_USER = 'recovery', SOURCE_PASSWORD = 'only-in-this-test'"
    if at_least("8.0.23")
    else "CHANGE MASTER TO MASTER_USER = 'recovery', MASTER_PASSWORD = 'only-in-this-test'"
)
#: Without these, 5.7 starts no group; the newer have them by default, or not at all.
GROUP_OPTIONS = (
    ()
    if at_least("8.0.21")
    else (
        "binlog_checksum=NONE",
        "log_slave_updates=ON",
        "transaction_write_set_extraction=XXHASH64",
    )
)


def configure_group(
    server: Server,
    bootstrap: str = "OFF",
    start_on_boot: str = "ON",
    seeds: str = "mysql2:33061,mysql3:33061",
) -> None:
    """Write the options of a group's member into the option file, as MySQL's manual shows them."""
    server.add_options(
        f"loose-group_replication_group_name={GROUP_NAME}",
        f"loose-group_replication_local_address={server.name}:33061",
        f"loose-group_replication_group_seeds={seeds}",
        f"loose-group_replication_start_on_boot={start_on_boot}",
        f"loose-group_replication_bootstrap_group={bootstrap}",
        *GROUP_OPTIONS,
    )


def members(server: Server) -> list[list[str]]:
    """Return host and state of each member that a server sees in its group."""
    return server.sql(
        "SELECT MEMBER_HOST, MEMBER_STATE FROM performance_schema.replication_group_members"
    )


def wait_until_online(server: Server) -> None:
    """Wait until a server is a member of a group, for 60 seconds at most."""
    for _attempt in range(120):
        if members(server) == [[server.name, "ONLINE"]]:
            return
        time.sleep(0.5)
    raise AssertionError(f"{server.name} is not ONLINE: {members(server)}")


@contextlib.contextmanager
def held(server: Server, lock: str) -> Iterator[None]:
    """Hold a lock in another session."""
    session = subprocess.Popen(
        ["podman", "exec", "-i", server.container, "mysql", "--unbuffered", "-N"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert session.stdin is not None
    assert session.stdout is not None
    session.stdin.write(f"{lock};\nSELECT 'held';\n")
    session.stdin.flush()
    assert session.stdout.readline().strip() == "held"
    try:
        yield
    finally:
        session.stdin.close()
        session.wait(timeout=30)


def statement_runs(server: Server, word: str) -> bool:
    """Whether a statement that has a word in it runs or waits in the server now."""
    return bool(
        server.sql(
            "SELECT 1 FROM information_schema.PROCESSLIST"
            f" WHERE INFO LIKE '%{word}%' AND ID <> CONNECTION_ID()"
        )
    )


def started(control: Control, arguments: str) -> subprocess.Popen[str]:
    """Start the module on the first server, and do not wait for its end."""
    # Sent as a file, by whose name its process is found.
    inventory = control.inventory({"mysql1": {"ansible_pipelining": False}})
    return subprocess.Popen(
        ["ansible", "-i", inventory, "mysql1", "-m", MODULE, "-a", arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def wait_for_statement(server: Server, word: str) -> None:
    """Wait until a statement runs in the server, for 30 seconds at most."""
    for _attempt in range(150):
        if statement_runs(server, word):
            return
        time.sleep(0.2)
    raise AssertionError(f"no statement with {word}")


@pytest.mark.main
@pytest.mark.hazard(
    "Two servers have `bootstrap_group=ON` in their option files",
    "makes two groups: split brain",
    "refused on both, no group at all: `group_would_start`",
)
@pytest.mark.transactions("each member that bootstraps a group writes one")
def test_two_servers_that_bootstrap_end_with_no_group(
    servers: list[Server], control: Control
) -> None:
    second, third = servers[1:]
    for server in (second, third):
        configure_group(server, bootstrap="ON")

    run = control.playbook(INSTALL, {"mysql2": {}, "mysql3": {}})
    assert run.code != 0
    assert run.output.count("would bootstrap a new group") >= 2
    for server in (second, third):
        assert server.plugin_status() == ""

    # What a plain statement does: each server is a group of its own.
    for server in (second, third):
        server.restart()
        server.sql(INSTALL_PLUGIN)
    for server in (second, third):
        wait_until_online(server)

    refused = control.module(second, state="absent")
    assert refused["error_code"] == "member_of_group"
    assert members(second) == [["mysql2", "ONLINE"]]
    allowed = control.module(second, state="absent", allow_leave_group=True)
    assert allowed["changed"]
    assert second.plugin_status() == ""
    third.sql("STOP GROUP_REPLICATION")


@pytest.fixture
def group(servers: list[Server]) -> Iterator[list[Server]]:
    """Return the three members of a group, the first of them its primary."""
    for server in servers:
        configure_group(server, start_on_boot="OFF", seeds="mysql1:33061")
    lab("restart", FLEET, *(server.name for server in servers))
    for server in servers:
        server.sql(INSTALL_PLUGIN)
        server.sql(
            # What other tests left in the binary logs would keep the servers from a common group.
            f"{RESET_GTIDS}; SET sql_log_bin = 0; DROP USER IF EXISTS recovery@'%';"
            " CREATE USER recovery@'%' IDENTIFIED BY 'only-in-this-test';"
            f" GRANT {RECOVERY_PRIVILEGES} ON *.* TO recovery@'%'; SET sql_log_bin = 1;"
            f" {RECOVERY_ACCOUNT} FOR CHANNEL 'group_replication_recovery'"
        )
    servers[0].sql(
        "SET GLOBAL group_replication_bootstrap_group = ON; START GROUP_REPLICATION;"
        " SET GLOBAL group_replication_bootstrap_group = OFF"
    )
    for server in servers[1:]:
        server.sql("START GROUP_REPLICATION")
    wait_for_states(servers[0], ["ONLINE"] * 3)
    yield servers
    for server in servers:
        server.sh("kill -CONT $(pidof mysqld)")
    leave = f"STOP GROUP_REPLICATION; {FORGET_ACCOUNT} FOR CHANNEL 'group_replication_recovery'"
    for server in servers:
        server.sh(f'mysql --force -e "{leave}"', check=False)  # the test removed one's plugin


def wait_for_states(server: Server, states: list[str]) -> None:
    """Wait until a server sees members in these states, for 60 seconds at most."""
    for _attempt in range(120):
        if sorted(state for _host, state in members(server)) == states:
            return
        time.sleep(0.5)
    raise AssertionError(members(server))


@pytest.mark.hazard(
    "The plugin is to be removed from a member without which the group has no majority",
    "`UNINSTALL PLUGIN` takes the member out, and the group stands still",
    "refused even with `allow_leave_group`: `group_majority`",
)
@pytest.mark.transactions("the group writes some as its members come")
def test_member_that_the_group_needs(group: list[Server], control: Control) -> None:
    primary, second, third = group
    # 5.7 expels one unreachable member within seconds, as long as it has the majority for that.
    expels = not at_least("8.0.13")
    silent = [third, primary] if expels else [third]
    for server in silent:
        server.sh("kill -STOP $(pidof mysqld)")
    wait_for_states(second, ["ONLINE"] * (3 - len(silent)) + ["UNREACHABLE"] * len(silent))
    before = second.gtid_executed()
    absent = {"state": "absent"}
    refused = control.modules(second, absent, {**absent, "allow_leave_group": True})
    assert [result["error_code"] for result in refused] == ["member_of_group", "group_majority"]
    assert second.gtid_executed() == before

    silent[-1].sh("kill -CONT $(pidof mysqld)")
    assert primary.plugin_status() == second.plugin_status() == "ACTIVE"
    group_size = 2 if expels else 3
    wait_for_states(second, ["ONLINE"] * group_size)
    allowed = {"allow_leave_group": True, "lift_super_read_only": True}  # it is a secondary
    left = control.module(second, state="absent", **allowed)
    assert left["changed"], left
    assert second.sql(READ_ONLY) == [["1", "1"]]
    wait_for_states(primary, ["ONLINE"] * (group_size - 1))


@pytest.mark.main
@pytest.mark.hazard(
    "The option file was changed after the start; 8.0 and later install with the options of it",
    "bootstraps a group although the file says `start_on_boot=OFF`",
    "refused: `group_start_unknown`",
)
@pytest.mark.transactions("each member that bootstraps a group writes one")
def test_options_that_only_the_running_server_knows(server: Server, control: Control) -> None:
    """MySQL takes the options of its start for INSTALL, whatever its files say by now.

    That is 8.0 and newer; 5.7 reads the files again.
    """
    configure_group(server, bootstrap="ON")
    server.sh(f"sed -i s/mysql2:33061,mysql3:33061/mysql1:33061/ {LAYOUT.option_file_target}")
    server.restart()
    server.sh(f"sed -i s/start_on_boot=ON/start_on_boot=OFF/ {LAYOUT.option_file_target}")
    # As a restored backup or a package leaves it.
    server.sh(f"touch -d '2 hours ago' {LAYOUT.option_file_target}")
    result = control.module(server)
    if at_least("8.0"):
        assert result["error_code"] == "group_start_unknown"
        assert f"{LAYOUT.option_file} was changed after the server started" in result["cause"]
        server.sql(INSTALL_PLUGIN)
        wait_until_online(server)
        server.sql("STOP GROUP_REPLICATION")
    else:
        assert result["changed"]
        assert [state for _host, state in members(server)] == ["OFFLINE"]
    reset([server])


@pytest.mark.since("8.0")
@pytest.mark.parametrize("sql_mode", ["DEFAULT", "'NO_BACKSLASH_ESCAPES'"])
@pytest.mark.hazard(
    "The group is configured by `SET PERSIST`",
    "may start the group",
    "refused: `group_would_start`",
)
def test_persisted_variables_start_a_group_too(
    server: Server, control: Control, sql_mode: str
) -> None:
    server.sql(INSTALL_PLUGIN)
    server.sql(f"SET PERSIST group_replication_group_name = '{GROUP_NAME}'")
    server.sql("UNINSTALL PLUGIN group_replication")
    server.sql(f"SET GLOBAL sql_mode = {sql_mode}")
    try:
        result = control.module(server)
        assert result["error_code"] == "group_would_start"
        assert "SET PERSIST" in result["cause"]
    finally:
        server.sql("SET GLOBAL sql_mode = DEFAULT; RESET PERSIST")


@pytest.mark.main
@pytest.mark.hazard(
    "`FORCE_PLUS_PERMANENT`, and the plugin is to be removed",
    "error 1702",
    "refused with the line that holds it: `plugin_permanent`",
)
def test_permanent_plugin(server: Server, control: Control) -> None:
    server.add_options(
        "plugin_load_add=group_replication.so", "group_replication=FORCE_PLUS_PERMANENT"
    )
    server.restart()
    result = control.module(server, state="absent")
    assert result["error_code"] == "plugin_permanent"
    assert re.search(rf"{re.escape(LAYOUT.option_file)}:\d+", result["cause"])
    assert server.plugin_status() == "ACTIVE"


@pytest.mark.main
@pytest.mark.parametrize("lock", dict.fromkeys((BACKUP_LOCK, "FLUSH TABLES WITH READ LOCK")))
@pytest.mark.hazard(
    "A backup or a global read lock is held",
    "waits for up to a year",
    "fails after `lock_wait_timeout` seconds, nothing is left",
)
def test_lock_that_does_not_go_away(server: Server, control: Control, lock: str) -> None:
    with held(server, lock):
        result = control.module(server, lock_wait_timeout=1)
    assert result["error_code"] == "lock_wait_timeout"
    assert result["mysql_error_number"] == 1205
    assert result["changed"] is False
    assert result["executed_statements"] == ["SET SESSION lock_wait_timeout = 1"]
    assert result["server"]["option_file"] == LAYOUT.option_file
    assert server.plugin_status() == ""
    assert not server.registered()


@pytest.mark.hazard(
    "Somebody kills the statement",
    "error 1317",
    "says so, nothing was changed: `statement_interrupted`",
)
def test_a_statement_that_somebody_kills(server: Server, control: Control) -> None:
    with held(server, BACKUP_LOCK):
        run = started(control, "lock_wait_timeout=30")
        wait_for_statement(server, "INSTALL ")
        found = server.sql(
            "SELECT ID FROM information_schema.PROCESSLIST WHERE INFO LIKE 'INSTALL %'"
        )
        server.sql(f"KILL QUERY {found[0][0]}")
        output = run.communicate(timeout=60)[0]
    assert '"error_code": "statement_interrupted"' in output
    assert '"mysql_error_number": 1317' in output
    assert '"changed": false' in output
    assert server.plugin_status() == ""
    assert not server.registered()


@pytest.mark.hazard(
    "Twenty runs at once against one server",
    "all but one fail with 1125",
    "all succeed, one row",
)
def test_twenty_runs_at_once(server: Server, control: Control) -> None:
    hosts: dict[str, dict[str, Any]] = {
        f"run{number}": {"server": "mysql1"} for number in range(20)
    }
    run = control.play([{"name": "Install", MODULE: {}}], hosts, "-f", "20")
    assert run.code == 0, run.output
    assert run.output.count("failed=0") == 20
    assert server.plugin_status() == "ACTIVE"
    rows = server.sql("SELECT COUNT(*) FROM mysql.plugin WHERE name = 'group_replication'")
    assert rows == [["1"]]


@pytest.mark.parametrize(
    ("state", "word"), [("present", "INSTALL"), ("absent", "UNINSTALL"), ("duplicate", "DELETE")]
)
@pytest.mark.hazard(
    "The server is killed during a statement",
    "error 2013, and no word of what is known",
    "`connection_lost`; the next run puts it right",
)
def test_server_killed_during_a_statement(
    server: Server, control: Control, state: str, word: str
) -> None:
    options: dict[str, Any] = {"lock_wait_timeout": 60}
    if state != "present":
        server.sql(INSTALL_PLUGIN)
    if state == "absent":
        options["state"] = "absent"
    if state == "duplicate":
        server.add_options("plugin_load_add=group_replication.so")
    with contextlib.ExitStack() as stack:
        # The lock keeps the statement in the server for as long as it takes to kill it there.
        stack.enter_context(held(server, "FLUSH TABLES WITH READ LOCK"))
        run = started(control, " ".join(f"{name}={value}" for name, value in options.items()))
        wait_for_statement(server, word + " ")
        server.sh("kill -9 $(pidof mysqld)")
        output = run.communicate(timeout=60)[0]
    assert '"error_code": "connection_lost"' in output
    assert "run this again" in output
    assert "Traceback" not in output

    lab("up", FLEET, "mysql1", "mysql2", "mysql3")  # waits until it answers again
    options.pop("lock_wait_timeout")
    result, again = control.modules(server, options, options)
    assert "error_code" not in result
    assert server.plugin_status() == ("" if state == "absent" else "ACTIVE")
    assert server.registered() is (state == "present")
    assert not again["changed"]


@pytest.mark.soak
@pytest.mark.parametrize("kind", ["bare", "loaded"])
@pytest.mark.hazard(
    "The server is killed just before or just after a statement, each in turn",
    "error 2013, and no word of what is known",
    "`connection_lost`; the next run puts it right",
)
def test_server_killed_at_each_statement(server: Server, kind: str) -> None:
    if kind == "loaded":
        server.add_options("plugin_load_add=group_replication.so")
        server.restart()
    # Its relay passes for the server, whose option files the module would not look for otherwise.
    how = "each" if SOAK else "writes"
    verdicts = server.python("kill_at_each_statement", kind, how, called="mysqld")
    words = {verdict["statement"].partition(" ")[0] for verdict in verdicts}
    assert words >= ({"INSERT", "DELETE"} if kind == "loaded" else {"INSTALL", "UNINSTALL"})
    for verdict in verdicts:
        result, _began, errors = verdict["killed"]
        assert not errors, verdict
        # The first statement is PyMySQL's own, while it connects.
        codes = ["connection_lost", "server_unreachable"]
        if verdict["statement"].startswith("SET GLOBAL super_read_only"):
            codes.append("super_read_only_left_off")  # the server is not there to turn it on
        assert result["error_code"] in codes, verdict
        assert "error_code" not in verdict["again"][0], verdict
        assert verdict["converged"], verdict
        assert verdict["unchanged"], verdict
        assert verdict["gtids"], verdict


@pytest.mark.parametrize("number", ["TERM", "KILL"])
@pytest.mark.hazard(
    "The client is killed while `super_read_only` is lifted",
    "it stays off",
    "the server itself turns it on again",
)
def test_super_read_only_is_back_after_the_module_was_killed(
    server: Server, control: Control, number: str
) -> None:
    server.sql("SET GLOBAL super_read_only = 1")
    with held(server, BACKUP_LOCK):
        run = started(control, "lift_super_read_only=true lock_wait_timeout=60")
        wait_for_statement(server, "INSTALL ")
        assert server.sql(READ_ONLY) == [["0", "1"]]
        # Written so that the shell that looks does not find itself.
        server.sh(
            "for process in /proc/[0-9]*; do"
            " if grep -q '[A]nsiballZ_group_replication_plugin' $process/cmdline; then"
            f" kill -{number} ${{process#/proc/}}; fi; done"
        )
        run.communicate(timeout=60)
    for _attempt in range(50):
        if server.sql(READ_ONLY) == [["1", "1"]]:
            break
        time.sleep(0.2)
    assert server.sql(READ_ONLY) == [["1", "1"]]


@pytest.mark.hazard(
    "The server accepts the connection and is silent",
    "hangs",
    "fails after `connect_timeout` seconds: `server_unreachable`",
)
def test_server_that_takes_the_connection_and_is_silent(server: Server, control: Control) -> None:
    script = (
        "import socket, time; s = socket.socket();"
        " s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1);"
        " s.bind(('127.0.0.1', 3310)); s.listen(); time.sleep(20)"
    )
    server.sh(f'python3 -c "{script}" >/dev/null 2>&1 &')
    result = control.module(server, login_host="127.0.0.1", login_port=3310, connect_timeout=2)
    assert result["error_code"] == "server_unreachable"
    assert "took the connection and said nothing" in result["cause"]
    assert "login_port" in result["next_step"]
    assert "connect_timeout" in result["next_step"]


#: What listens instead of the server, what it says first, and what it is called.
OTHER_PROGRAMS = {
    "SSH-2.0-OpenSSH_9.2p1\r\n": "an SSH server",
    "HTTP/1.1 408 Request Timeout\r\n\r\n": "a web server",
    "220 mail.example.com ESMTP\r\n": "a mail or FTP server",
    "\x15\x03\x01\x00\x02\x02\x32": "a program that speaks TLS alone",
    "hi": "a program that speaks another protocol",
    "\x00\x00\x00\x00\x00\x00": "a program that speaks another protocol",
    "": "a program that closes the connection at once",
}


def not_classic(result: dict[str, Any], who: str) -> None:
    """Check that a failure names who answers, in our own words."""
    assert result["error_code"] == "server_answer_invalid"
    assert f"answers {who}," in result["cause"]
    assert "login_port" in result["next_step"]
    assert "login_unix_socket" in result["next_step"]
    assert not re.search(r"Err(or|no)\b|Exception|expected|Traceback", result["msg"])


@pytest.mark.hazard(
    "`login_port` is another program's, such as an SSH server's",
    "error 2013",
    "says who answers: `server_answer_invalid`",
)
def test_programs_that_are_no_server(server: Server, control: Control) -> None:
    script = (
        "import socket, sys, threading\n"
        "def serve(port, text):\n"
        "    listener = socket.create_server(('127.0.0.1', port))\n"
        "    while True:\n"
        "        client = listener.accept()[0]\n"
        "        client.sendall(text)\n"
        "        if not text: client.close()\n"
        f"for number, text in enumerate({[text.encode('latin1') for text in OTHER_PROGRAMS]!r}):\n"
        "    threading.Thread(target=serve, args=(3311 + number, text)).start()\n"
        "print('listens', flush=True)\n"
    )
    server.write("/root/others.py", script.encode())
    # Ends by itself, whatever becomes of the test.
    server.sh(
        "timeout 60 python3 /root/others.py > /root/others.out 2>&1 &"
        " until grep -q listens /root/others.out; do sleep 0.1; done"
    )
    address = {"login_host": "127.0.0.1", "connect_timeout": 2}
    cases = [{**address, "login_port": 3311 + number} for number in range(len(OTHER_PROGRAMS))]
    for result, who in zip(control.modules(server, *cases), OTHER_PROGRAMS.values(), strict=True):
        not_classic(result, who)


@pytest.mark.main
@pytest.mark.since("8.0.11")
@pytest.mark.hazard(
    "`login_port` is that of the X Protocol",
    "error 2007, or waits",
    "says so: `server_answer_invalid`",
)
def test_the_port_of_the_x_protocol(server: Server, control: Control) -> None:
    if not server.sql("SELECT 1 FROM information_schema.PLUGINS WHERE PLUGIN_NAME = 'mysqlx'"):
        pytest.skip("not applicable: this build has no X Protocol")
    server.add_options("mysqlx=ON")
    server.restart()
    result = control.module(server, login_host="127.0.0.1", login_port=33060, connect_timeout=5)
    not_classic(result, "MySQL's X Protocol")


@pytest.mark.hazard(
    "The server falls silent in the midst of a statement",
    "hangs",
    "fails after `lock_wait_timeout` and `connect_timeout` seconds: `connection_lost`",
)
def test_server_that_falls_silent(server: Server, control: Control) -> None:
    with held(server, BACKUP_LOCK):
        run = started(control, "lock_wait_timeout=4 connect_timeout=2")
        wait_for_statement(server, "INSTALL ")
        server.sh("kill -STOP $(pidof mysqld)")
        try:
            output = run.communicate(timeout=60)[0]
        finally:
            server.sh("kill -CONT $(pidof mysqld)")
    assert '"error_code": "connection_lost"' in output
    assert "Traceback" not in output
    assert not control.module(server).get("failed")


@pytest.mark.hazard(
    "The server is MariaDB",
    "error 1126",
    "refused before anything is done: `mariadb`",
)
def test_mariadb(control: Control) -> None:
    fleet = fleet_name("mariadb")
    lab("up", fleet, "mariadb1", "--server", "mariadb")
    host = {
        "mariadb1": {
            "ansible_host": container("mariadb1", fleet),
            "ansible_python_interpreter": "/usr/bin/python3",
        }
    }
    modules = (MODULE, "dbfleet.mysql.plugin_load_add")
    try:
        run = control.play([{module: {}, "ignore_errors": True} for module in modules], host, "-v")
    finally:
        lab("down", fleet)
    assert [result.get("error_code") for result in results(run.output)] == ["mariadb"] * 2


PLUGIN_DIR = LAYOUT.plugin_dir


@contextlib.contextmanager
def moved_away(server: Server, path: str) -> Iterator[None]:
    """Have a file or folder out of the way, and back at the end."""
    server.sh(f"mv {path} {path}.away")
    try:
        yield
    finally:
        server.sh(f"mv {path}.away {path}")


@pytest.mark.hazard(
    "A shared library that the plugin needs is missing",
    "error 1126",
    "the loader's words and what to install: `library_not_loadable`",
)
def test_library_that_lacks_another(server: Server, control: Control) -> None:
    with contextlib.ExitStack() as stack:
        # A tarball brings its own along, and the host may have another.
        for _attempt in range(2):
            needed = server.sh(f"ldd {PLUGIN_DIR}/group_replication.so")
            assert "libtirpc.so.3" in needed
            for path in re.findall(r"libtirpc\.so\.3 => (/\S+)", needed):
                stack.enter_context(moved_away(server, path))
        server.restart()  # a library that was loaded once may stay in the process
        result = control.module(server)
    assert result["error_code"] == "library_not_loadable"
    assert "libtirpc.so.3" in result["cause"]
    assert server.plugin_status() == ""
    assert not server.registered()


def unreadable(server: Server) -> str:
    """Return the name of a copy of the library that only root may read."""
    server.sh(f"cd {PLUGIN_DIR} && cp group_replication.so unreadable.so && chmod 0 unreadable.so")
    return "unreadable.so"


def other_version(server: Server) -> str:
    """Return the name of a copy of the library that says it is made for another version.

    The server compares the high byte of the number behind this symbol with its own
    (sql/sql_plugin.cc, plugin_dl_add). No other version's package can be had beside this one.
    """
    library = io.BytesIO(server.read(f"{PLUGIN_DIR}/group_replication.so"))
    elf = ELFFile(library)
    symbols = elf.get_section_by_name(".dynsym")
    (symbol,) = symbols.get_symbol_by_name("_mysql_plugin_interface_version_")
    data = bytearray(library.getvalue())
    (place,) = elf.address_offsets(symbol["st_value"], 4)
    data[place : place + 4] = (0x0202).to_bytes(4, "little")
    server.write(f"{PLUGIN_DIR}/other_version.so", bytes(data))
    return "other_version.so"


def other_symbol(server: Server) -> str:
    """Return the name of a copy of the library that needs a symbol of another version's server."""
    library = server.read(f"{PLUGIN_DIR}/group_replication.so")
    symbols = ELFFile(io.BytesIO(library)).get_section_by_name(".dynsym").iter_symbols()
    name = next(
        symbol.name.encode()
        for symbol in symbols
        if symbol["st_shndx"] == "SHN_UNDEF" and "mysql" in symbol.name
    )
    renamed = library.replace(b"\0" + name + b"\0", b"\0" + name[:-1] + b"?\0")
    server.write(f"{PLUGIN_DIR}/other_symbol.so", renamed)
    return "other_symbol.so"


def no_plugin(server: Server) -> str:
    """Return the name of a library that holds no plugin."""
    found = "ldconfig -p | sed -n 's/.*libz.so.1.*=> //p' | head -n 1"
    server.sh(f"cp $({found}) {PLUGIN_DIR}/libz.so")
    return "libz.so"


@pytest.mark.hazard(
    "The library may not be read by mysqld",
    "error 1126",
    "the loader's words: `library_not_loadable`",
)
@pytest.mark.hazard(
    "The library is another server version's",
    "error 1126",
    "the loader's words and the package to look for: `library_not_loadable`",
)
@pytest.mark.hazard(
    "The library is no plugin",
    "error 1127",
    "`library_not_loadable`, no row is left",
)
@pytest.mark.hazard(
    "The library is another plugin's",
    "error 1127",
    "`library_not_loadable`, no row is left",
)
def test_library_that_is_not_the_plugins(server: Server, control: Control) -> None:
    # The number of MySQL's error and what it says, by library.
    wanted = {
        unreadable(server): (1126, "Permission denied"),
        other_version(server): (1126, "version"),
        other_symbol(server): (1126, "undefined symbol"),
        no_plugin(server): (1127, ""),
        other_plugin(): (1127, ""),
    }
    found = control.modules(server, *({"library": library} for library in wanted))
    for result, (number, words) in zip(found, wanted.values(), strict=True):
        assert result["error_code"] == "library_not_loadable"
        assert result["mysql_error_number"] == number
        assert words in result["cause"]
    assert server.plugin_status() == ""
    assert not server.registered()


# What the modules may send, with texts and numbers taken out; nothing of a user is part of it.
STATEMENTS = (
    "SET NAMES utf8mb4",
    # The two that set up the session.
    "SET NAMES utf8mb4, autocommit = 0, sql_mode = '…', sql_big_selects = 0, sql_select_limit = 0,"
    " sql_safe_updates = 0, max_execution_time = 0, wait_timeout = 0, net_read_timeout = 0,"
    " net_write_timeout = 0, completion_type = 0",
    "SET SESSION TRANSACTION READ WRITE",
    "SET SESSION lock_wait_timeout = 0",
    "SET SESSION sql_log_bin = 0",
    "INSTALL PLUGIN group_replication SONAME '…'",
    "UNINSTALL PLUGIN group_replication",
    "INSERT INTO mysql.plugin (name, dl) VALUES ('…', '…')",
    "DELETE FROM mysql.plugin WHERE name = '…'",
    "SELECT @@global.gtid_mode",
    "SHOW GLOBAL VARIABLES LIKE '…'",
    "SHOW SESSION STATUS LIKE '…'",
)
READS = re.compile(
    r"SELECT [@\w., ]+ FROM (?:information_schema|performance_schema|mysql)\.\w+"
    r"(?: WHERE \w+ (?:=|LIKE) '…'(?: AND \w+ = '…')?)?|SELECT @@global[@\w., ]+"
)


@pytest.mark.soak
@pytest.mark.parametrize("module", ["group_replication_plugin", "plugin_load_add"])
@pytest.mark.hazard(
    "Bad input: 10,000 random sets of options, with quotes, control characters, wrong types",
    "SQL made of it",
    "each a clear error before anything is touched; no text of it becomes SQL",
)
def test_random_options(server: Server, module: str) -> None:
    count = 5000 if SOAK else 300
    *complaints, statements, results = server.python(
        "random_arguments", module, str(count), "20261122"
    )
    assert complaints == []
    own = "SET GLOBAL general_log = 0"
    # The server logs each of several queries in one packet with what separates it from the next.
    logged = {statement.removesuffix(";") for statement in statements["statements"]}
    for statement in logged - {*STATEMENTS, own}:
        assert READS.fullmatch(statement), statement
    assert results["results"]["refused by Ansible"] > count / 10
    assert results["results"]["done"] > count / 25
    assert sum(results["results"].values()) == count
    assert len(results["results"]) > 6


def test_defaults_file_that_is_not_there(server: Server, control: Control) -> None:
    configure_group(server, bootstrap="ON")
    result = control.module(server, defaults_file="/etc/typo.cnf")
    assert result["error_code"] == "option_file_broken"
    assert "/etc/typo.cnf" in result["cause"]
    assert server.plugin_status() == ""


@pytest.mark.main
@pytest.mark.hazard(
    "`mysql.plugin` has the row, but the library is gone, as in the midst of an upgrade",
    "error 1126",
    "fails and leaves the row, so that the plugin is back with its library",
)
def test_row_outlives_a_library_that_is_missing(server: Server, control: Control) -> None:
    server.sql(INSTALL_PLUGIN)
    with moved_away(server, f"{PLUGIN_DIR}/group_replication.so"):
        server.restart()
        assert server.plugin_status() == ""
        result = control.module(server)
        assert result["error_code"] == "library_not_loadable"
        assert server.registered()
    server.restart()
    assert server.plugin_status() == "ACTIVE"


def test_start_from_a_relative_option_file(fleet: None, control: Control) -> None:
    source = "/srv/mysqld.cnf=tests/integration/files/mysqld.cnf"
    lab("up", FLEET, "relative", "--file", source, "--arg=--defaults-file=../srv/mysqld.cnf")
    server = Server("relative")
    result = control.module(server)
    assert result["error_code"] == "group_start_unknown"
    assert "../srv/mysqld.cnf" in result["cause"]
