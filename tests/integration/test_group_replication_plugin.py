# Copyright (c) 2026, the dbfleet.mysql authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The module group_replication_plugin on a real server."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

import pytest
from helpers.control import Control
from helpers.lab import LAYOUT, at_least
from helpers.server import INSTALL_PLUGIN, PASSWORD, Server


def test_present_then_absent_each_idempotent(server: Server, control: Control) -> None:
    checked = control.module(server, "--check", "--diff")
    assert checked["changed"]
    assert checked["executed_statements"] == ["SET SESSION lock_wait_timeout = 60", INSTALL_PLUGIN]
    assert '+    "status": "ACTIVE"' in checked["_output"]
    assert checked["plugin"] is None
    assert server.plugin_status() == ""
    assert not server.registered()

    result = control.module(server)
    assert result["changed"]
    assert result["executed_statements"] == checked["executed_statements"]
    assert result["plugin"]["status"] == "ACTIVE"
    assert result["plugin"]["type"] == "GROUP REPLICATION"
    assert result["plugin"]["library"] == "group_replication.so"
    assert result["registered"]
    assert result["loaded_at_start_by"] == ["mysql.plugin"]
    assert result["survives_restart"]
    assert server.plugin_status() == "ACTIVE"

    again = control.module(server)
    assert not again["changed"]
    assert again["executed_statements"] == []
    assert again["plugin"] == result["plugin"]

    server.restart()
    assert server.plugin_status() == "ACTIVE"

    removed, unchanged = control.modules(server, {"state": "absent"}, {"state": "absent"})
    assert removed["changed"]
    assert removed["plugin"] is None
    assert not removed["survives_restart"]
    assert server.plugin_status() == ""
    assert not server.registered()
    assert not unchanged["changed"]


@pytest.mark.hazard(
    "`gtid_mode=ON`, and rows of `mysql.plugin` change",
    "`DELETE FROM mysql.plugin` leaves an errant transaction",
    "`gtid_executed` is the same before and after",
)
def test_no_statement_takes_a_gtid(server: Server, control: Control) -> None:
    before = server.sql("SELECT @@global.gtid_executed")
    ways = [{}, {"registration": "never"}, {"registration": "always"}, {"state": "absent"}]
    results = control.modules(server, *ways)
    assert [result["executed_statements"][-1].split()[0] for result in results] == [
        *("INSTALL", "DELETE", "INSERT", "UNINSTALL")
    ]
    assert server.sql("SELECT @@global.gtid_executed") == before


@pytest.mark.parametrize(("registration", "row"), [("always", True), ("never", False)])
def test_registration(server: Server, control: Control, registration: str, row: bool) -> None:
    options = {"registration": registration}
    result, again = control.modules(server, options, options)
    assert result["plugin"]["status"] == "ACTIVE"
    assert result["registered"] is row
    assert result["survives_restart"] is row
    assert server.registered() is row
    assert not again["changed"]


@pytest.mark.main
@pytest.mark.hazard(
    "An option file loads the plugin and `mysql.plugin` has its row",
    "each start logs an ERROR",
    "the row goes, the next start's log is clean",
)
def test_duplicate_row_goes_where_an_option_file_loads_the_plugin(
    server: Server, control: Control
) -> None:
    server.add_options("plugin_load_add=group_replication.so")
    server.sql(INSTALL_PLUGIN)
    result = control.module(server)
    assert result["executed_statements"][1:] == [
        "SET SESSION sql_log_bin = 0",
        "DELETE FROM mysql.plugin WHERE name = 'group_replication'",
    ]
    assert result["loaded_at_start_by"][0].startswith(f"{LAYOUT.option_file}:")
    assert not server.registered()
    server.restart()
    assert server.plugin_status() == "ACTIVE"
    assert "already exists" not in server.last_start()


@pytest.mark.hazard(
    "The line is written into an option file that the server does not start from",
    "a registration that is gone at the next start, or stands twice",
    "refused, the row stays: `option_file_not_read`",
)
def test_line_in_a_file_that_the_server_does_not_start_from(
    server: Server, control: Control
) -> None:
    server.sql(INSTALL_PLUGIN)
    result = control.module(server, expect_loaded_by_options=True)
    assert result["error_code"] == "option_file_not_read"
    assert f"it starts from {LAYOUT.option_file}" in result["cause"]
    assert result["server"]["option_file"] == LAYOUT.option_file
    assert result["executed_statements"] == []
    assert server.registered()


def test_check_mode_predicts_what_follows_a_change_of_the_option_file(
    server: Server, control: Control
) -> None:
    expecting: dict[str, Any] = {"expect_loaded_by_options": True}
    predicted = control.module(server, "--check", **expecting)
    assert predicted["loaded_by_options"]
    assert predicted["survives_restart"]
    # As the role does it: the plugin, the option file, and what the row is then.
    first = control.module(server)
    server.add_options("plugin_load_add=group_replication.so")
    last = control.module(server, **expecting)
    assert last["executed_statements"][1:] == [
        "SET SESSION sql_log_bin = 0",
        "DELETE FROM mysql.plugin WHERE name = 'group_replication'",
    ]
    done = [*first["executed_statements"], *last["executed_statements"][1:]]
    assert predicted["executed_statements"] == done

    absent: dict[str, Any] = {"state": "absent", "expect_loaded_by_options": False}
    predicted = control.module(server, "--check", **absent)
    assert predicted["changed"]
    assert not predicted["loaded_by_options"]
    assert predicted["survives_restart"] is False
    assert "loads the plugin again at the next start" not in predicted["_output"]
    # Here no task took the line out.
    result = control.module(server, **absent)
    assert result["executed_statements"] == predicted["executed_statements"]
    assert result["survives_restart"]
    assert "loads the plugin again at the next start" in result["_output"]


def test_missing_row_comes_where_nothing_else_loads_the_plugin(
    server: Server, control: Control
) -> None:
    _without, result = control.modules(server, {"registration": "never"}, {})
    assert result["changed"]
    assert result["registered"]
    assert result["survives_restart"]
    assert server.registered()


def test_password_over_tcp(server: Server, control: Control, account: dict[str, Any]) -> None:
    result = control.module(server, "-vvvv", "--diff", login_host="127.0.0.1", **account)
    assert result["plugin"]["status"] == "ACTIVE"
    assert result["survives_restart"]
    # The command line of this test's own ansible call holds the password; its output must not.
    assert PASSWORD not in result["_output"]


def test_option_file_of_the_client(
    server: Server, control: Control, account: dict[str, Any]
) -> None:
    server.sh(
        "umask 077; printf '[client]\\nuser = ops\\npassword = \"%s\"\\nhost=127.0.0.1\\n'"
        f" '{PASSWORD}' > /root/.my.cnf"
    )
    result = control.module(server, "-vvvv", "--diff")
    assert result["plugin"]["status"] == "ACTIVE"
    assert PASSWORD not in result["_output"]
    server.sh("rm /root/.my.cnf")


@pytest.mark.needs_library("auth_socket.so")
def test_auth_socket(server: Server, control: Control) -> None:
    own = server.sql("SELECT plugin FROM mysql.user WHERE User = 'root' AND Host = 'localhost'")
    server.sql(
        "SET SESSION sql_log_bin = 0; INSTALL PLUGIN auth_socket SONAME 'auth_socket.so';"
        " ALTER USER root@localhost IDENTIFIED WITH auth_socket"
    )
    try:
        assert control.module(server)["plugin"]["status"] == "ACTIVE"
    finally:
        server.sql(
            "SET SESSION sql_log_bin = 0;"
            f" ALTER USER root@localhost IDENTIFIED WITH {own[0][0]} BY '';"
            " UNINSTALL PLUGIN auth_socket"
        )


def test_wrong_password(server: Server, control: Control, account: dict[str, Any]) -> None:
    account["login_password"] = "wrong-" + PASSWORD
    result = control.module(server, "-vvvv", **account)
    assert result["error_code"] == "access_denied"
    assert result["mysql_error_number"] == 1045
    assert result["executed_statements"] == []
    assert "login_password" in result["next_step"]
    assert PASSWORD not in result["_output"]


@pytest.mark.hazard(
    "`login_host` is a name that nobody knows",
    "error 2005",
    "says so: `host_not_found`",
)
def test_server_that_is_not_there(server: Server, control: Control) -> None:
    socket, port, host = control.modules(
        server,
        {"login_unix_socket": "/run/nowhere.sock"},
        {"login_host": "127.0.0.1", "login_port": 3999},
        {"login_host": "mysql.invalid", "connect_timeout": 5},
    )
    assert socket["error_code"] == "socket_not_found"
    assert "/run/nowhere.sock" in socket["cause"]
    assert port["error_code"] == "server_down"
    assert "127.0.0.1:3999" in port["cause"]
    assert host["error_code"] == "host_not_found"
    assert "login_host" in host["next_step"]


@pytest.mark.hazard(
    "`library` holds a path, quotes, control characters",
    "error 1124, or SQL made of it",
    "refused: `library_name_invalid`",
)
def test_library_that_is_no_file_name(server: Server, control: Control) -> None:
    names = ["../x.so", "/x.so", "a'b.so", "", "a;b.so", "a\nb.so"]
    results = control.modules(server, *({"library": name} for name in names))
    codes = ["library_name_invalid"] * 5 + ["text_invalid"]
    assert [result["error_code"] for result in results] == codes


@pytest.mark.hazard(
    "Another library has the plugin's name already",
    "error 1125",
    "refused: `other_library`",
)
def test_another_library_than_the_one_that_is_loaded(server: Server, control: Control) -> None:
    server.sql(INSTALL_PLUGIN)
    assert control.module(server, library="other.so")["error_code"] == "other_library"


@pytest.mark.main
@pytest.mark.hazard(
    "`group_replication=OFF` in an option file",
    "no error, the plugin is DISABLED, its row stays",
    "refused with the line, no row: `plugin_disabled`",
)
def test_disabled_by_option(server: Server, control: Control) -> None:
    server.add_options("loose-group_replication=OFF")
    result = control.module(server)
    assert result["error_code"] == "plugin_disabled"
    assert f"{LAYOUT.option_file}:" in result["cause"]
    assert server.plugin_status() == ""
    assert not server.registered()


@pytest.mark.main
def test_installation_that_would_start_a_group_is_refused(server: Server, control: Control) -> None:
    server.add_options(
        "loose-group_replication_group_name=11111111-2222-3333-4444-555555555555",
        "loose-group_replication_bootstrap_group=ON",
    )
    server.restart()
    result = control.module(server)
    assert result["error_code"] == "group_would_start"
    assert "bootstrap a new group" in result["cause"]
    assert f"{LAYOUT.option_file}:" in result["cause"]
    assert server.plugin_status() == ""
    server.add_options("loose-group_replication_start_on_boot=OFF")
    if at_least("8.0"):  # does not read that line before it is restarted
        assert control.module(server)["error_code"] == "group_start_unknown"
        server.restart()
    assert control.module(server)["plugin"]["status"] == "ACTIVE"
    states = server.sql("SELECT MEMBER_STATE FROM performance_schema.replication_group_members")
    assert states == [["OFFLINE"]]


@pytest.mark.hazard(
    "`super_read_only=ON`",
    "error 1290",
    "refused unless `lift_super_read_only`; then back at once",
)
def test_super_read_only(server: Server, control: Control) -> None:
    server.sql("SET GLOBAL super_read_only = 1")
    lift = {"lift_super_read_only": True}
    refused, failed, result = control.modules(server, {}, {**lift, "library": "nowhere.so"}, lift)
    assert refused["error_code"] == "super_read_only"
    # It is back after an error, too, or the next run would not lift it.
    assert failed["error_code"] == "library_not_loadable"
    assert failed["mysql_error_number"] == 1126
    assert failed["executed_statements"] == [
        "SET SESSION lock_wait_timeout = 60",
        "SET GLOBAL super_read_only = 0",
        "SET GLOBAL super_read_only = 1",
    ]
    assert failed["changed"] is False
    assert failed["server"]["super_read_only"] is True
    assert result["plugin"]["status"] == "ACTIVE"
    assert result["executed_statements"] == [
        "SET SESSION lock_wait_timeout = 60",
        "SET GLOBAL super_read_only = 0",
        INSTALL_PLUGIN,
        "SET GLOBAL super_read_only = 1",
    ]
    assert server.sql("SELECT @@super_read_only, @@read_only") == [["1", "1"]]


@pytest.mark.hazard(
    "The account `mysql.session` is missing",
    "installs; START fails later with 3092",
    "refused with the manual's advice: `mysql_session_missing`",
)
def test_missing_mysql_session(server: Server, control: Control) -> None:
    rename = "SET SESSION sql_log_bin = 0; RENAME USER {} TO {}"
    server.sql(rename.format("'mysql.session'@localhost", "'away'@localhost"))
    try:
        refused, installed = control.modules(server, {}, {"check_mysql_session": False})
        assert refused["error_code"] == "mysql_session_missing"
        assert refused["executed_statements"] == []
        assert installed["changed"]
    finally:
        server.sql(rename.format("'away'@localhost", "'mysql.session'@localhost"))


def nothing_was_changed(result: dict[str, Any], error_code: str) -> None:
    """Check that a statement that the server refused counts as none, and what is known is said."""
    assert result["error_code"] == error_code
    assert result["changed"] is False
    assert result["executed_statements"] == ["SET SESSION lock_wait_timeout = 60"]
    assert result["server"]["version"][0].isdigit()
    assert result["plugin"] is None
    assert not result["registered"]


@pytest.mark.hazard(
    "The account lacks a privilege",
    "error 1142",
    "what to grant: `privilege_missing`",
)
def test_account_without_privileges(server: Server, control: Control) -> None:
    server.sql(
        "SET SESSION sql_log_bin = 0; DROP USER IF EXISTS few@localhost;"
        " CREATE USER few@localhost IDENTIFIED BY ''"
    )
    result = control.module(server, login_user="few")
    nothing_was_changed(result, "privilege_missing")
    assert server.plugin_status() == ""


@pytest.mark.hazard(
    "A statement is refused after another one changed something",
    "half of it is done",
    "`changed`, and what was done and what there is now are returned with the failure",
)
def test_what_was_changed_before_a_statement_that_was_refused(
    server: Server, control: Control
) -> None:
    server.sql(
        "SET SESSION sql_log_bin = 0; DROP USER IF EXISTS half@localhost;"
        " CREATE USER half@localhost IDENTIFIED BY '';"
        " GRANT SUPER ON *.* TO half@localhost; GRANT SELECT, INSERT ON mysql.* TO half@localhost"
    )
    result = control.module(server, login_user="half", registration="never")
    assert result["error_code"] == "privilege_missing"
    assert result["changed"] is True
    assert result["executed_statements"] == [
        *("SET SESSION lock_wait_timeout = 60", INSTALL_PLUGIN, "SET SESSION sql_log_bin = 0")
    ]
    assert result["plugin"]["status"] == "ACTIVE"
    assert result["registered"] is True
    assert result["survives_restart"] is True


@pytest.mark.main
@pytest.mark.parametrize("option", ["innodb_force_recovery=1", "innodb_read_only=ON"])
@pytest.mark.hazard(
    "InnoDB takes no change (`innodb_force_recovery`, `innodb_read_only`)",
    "error 3883, on 5.7 1030",
    "says what to look for, nothing was changed: `storage_failed`",
)
def test_tables_that_take_no_change(server: Server, control: Control, option: str) -> None:
    server.add_options(option)
    server.restart()
    result = control.module(server)
    nothing_was_changed(result, "storage_failed")
    assert result["mysql_error_number"] == (3883 if at_least("8.0") else 1030)
    assert option.partition("=")[0] in result["next_step"]
    assert server.plugin_status() == ""


def test_logins_that_a_setting_of_the_server_keeps_out(server: Server, control: Control) -> None:
    server.sql(
        "SET SESSION sql_log_bin = 0; DROP USER IF EXISTS few@'%';"
        " CREATE USER few@'%' IDENTIFIED BY ''"
    )
    server.sh("printf '[client]\\nssl-mode=DISABLED\\n' > /root/plain.cnf")
    few = {"login_user": "few", "login_host": "127.0.0.1", "config_file": "/root/plain.cnf"}
    wanted = {
        ("require_secure_transport", "ON"): ("tls_failed", 3159, "ssl-mode=DISABLED"),
        ("offline_mode", "ON"): ("server_offline", 3032, "offline_mode"),
    }
    for (name, value), (error_code, number, words) in wanted.items():
        with preset(server, **{name: value}):
            result = control.module(server, **few)
        assert result["error_code"] == error_code
        assert result["mysql_error_number"] == number
        assert words in result["next_step"]


#: What an administrator may have set for all sessions, each of which stops a plain program.
PRESET = {
    "autocommit": "0",
    "max_join_size": "1",
    "sql_select_limit": "0",
    "transaction_read_only": "1",
}


@contextlib.contextmanager
def preset(server: Server, **values: str) -> Iterator[None]:
    """Set global variables, from which each new session takes its own."""
    try:
        server.sql("; ".join(f"SET GLOBAL {name} = {value}" for name, value in values.items()))
        yield
    finally:
        server.sql("; ".join(f"SET GLOBAL {name} = DEFAULT" for name in reversed(values)))


@pytest.mark.parametrize("name", PRESET)
@pytest.mark.hazard(
    "The server presets for each session what changes statements, such as `autocommit=0`",
    "errors 1694, 1104, 1792, or rows that are not seen",
    "the module sets up its session itself",
)
def test_what_a_server_presets_for_sessions(server: Server, control: Control, name: str) -> None:
    with preset(server, **{name: PRESET[name]}):
        results = control.modules(
            server, {"registration": "never"}, {"registration": "always"}, {"state": "absent"}
        )
    assert [result["executed_statements"][-1].split()[0] for result in results] == [
        *("DELETE", "INSERT", "UNINSTALL")
    ]
    assert [result["registered"] for result in results] == [False, True, False]
    assert server.plugin_status() == ""
    assert not server.registered()


@pytest.mark.hazard(
    "A statement waits for a backup, and the server does not keep to `lock_wait_timeout` (5.7)",
    "waits without end",
    "`KILL` ends the statement, and the task: `lock_wait_timeout`",
)
def test_a_statement_that_waits_too_long_is_ended(server: Server) -> None:
    assert server.python("statement_that_waits") == [{"number": 1205, "left": 0}]
