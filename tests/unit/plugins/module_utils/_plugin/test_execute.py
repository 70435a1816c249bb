# Copyright (c) 2026, the dbfleet.mysql authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What becomes of statements that the server refuses: errors that a test's server does not give."""

from __future__ import annotations

import pytest
from ansible_collections.dbfleet.mysql.plugins.module_utils._errors import Failure
from ansible_collections.dbfleet.mysql.plugins.module_utils._mysql.errors import ReportedError
from ansible_collections.dbfleet.mysql.plugins.module_utils._plugin import plan
from ansible_collections.dbfleet.mysql.plugins.module_utils._plugin import statements as sql
from ansible_collections.dbfleet.mysql.plugins.module_utils._plugin.execute import execute
from made_up_servers import ABSENT, ACTIVE, REQUEST, ROW, STATE

READ_ONLY = STATE._replace(server=STATE.server._replace(super_read_only=1))
INSTALL = sql.install_statement("group_replication.so")


class Refusing:
    """Stands in for a connection that refuses the statements that begin with a word.

    It says of the plugin and its row what the test gives it.
    """

    def __init__(self, word, number, plugin=None, row=""):
        self.word = word
        self.number = number
        self.plugin = [tuple(plugin)] if plugin else []
        self.row = [(row,)] if row else []
        self.seen = []

    def run(self, statements):
        for completed, statement in enumerate(statements):
            self.seen.append(str(statement))
            if statement.sql.startswith(self.word):
                raise ReportedError(Exception(self.number, "the server's words"), completed)

    def answers(self, queries, refusable=()):
        return [self.plugin, self.row]


def run(connection, statement, state=STATE, request=REQUEST):
    return execute(connection, state, request, plan.packets(state, request, [statement]))


@pytest.mark.parametrize(
    ("number", "error_code"),
    [
        (1142, "privilege_missing"),
        (1227, "privilege_missing"),
        (1124, "library_not_loadable"),
        (1126, "library_not_loadable"),
        (1127, "library_not_loadable"),
        (1123, "plugin_init_failed"),
        (1205, "lock_wait_timeout"),
        (1290, "super_read_only"),
        (1836, "storage_read_only"),
        (3883, "storage_failed"),
        (1026, "storage_failed"),
        (1146, "system_tables_broken"),
        (1213, "statement_interrupted"),
        (1053, "server_stopping"),
        (1041, "out_of_memory"),
        (3100, "statement_failed"),
        (4711, "statement_failed"),
    ],
)
def test_refused_install(number, error_code):
    """It was not executed, so nothing was changed."""
    with pytest.raises(Failure) as failure:
        run(Refusing("INSTALL", number), INSTALL)
    assert failure.value.error_code == error_code
    assert failure.value.details == {
        "mysql_error_number": number,
        "executed_statements": ["SET SESSION lock_wait_timeout = 60"],
    }
    assert "the server's words" in failure.value.cause


def test_an_install_of_which_nobody_knows():
    with pytest.raises(Failure) as failure:
        run(Refusing("INSTALL", 2013), INSTALL)
    assert failure.value.error_code == "connection_lost"
    assert failure.value.details == {
        "mysql_error_number": 2013,
        "executed_statements": ["SET SESSION lock_wait_timeout = 60", str(INSTALL)],
    }


def test_what_was_changed_before_a_statement_that_fails():
    """The row was deleted, and does not come back in this server."""
    connection = Refusing("INSTALL", 1126)
    state = STATE._replace(row=ROW)
    planned = plan.packets(state, REQUEST, [sql.NO_BINARY_LOG, sql.DELETE_ROW, INSTALL])
    with pytest.raises(Failure) as failure:
        execute(connection, state, REQUEST, planned)
    assert failure.value.details["changed"] is True
    assert str(sql.DELETE_ROW) in failure.value.details["executed_statements"]
    assert str(INSTALL) not in failure.value.details["executed_statements"]

    # This one shows it again.
    connection = Refusing("INSTALL", 1126, row=ROW)
    with pytest.raises(Failure) as failure:
        execute(connection, state, REQUEST, planned)
    assert "changed" not in failure.value.details


@pytest.mark.parametrize(
    ("statement", "number", "request_", "plugin"),
    [
        (INSTALL, 1125, REQUEST, ACTIVE),
        (sql.UNINSTALL, 1305, ABSENT, None),
        (sql.insert_row_statement("group_replication.so"), 1062, REQUEST, ACTIVE),
    ],
)
def test_another_session_was_faster(statement, number, request_, plugin):
    connection = Refusing(statement.sql, number, plugin)
    effect = run(connection, statement, request=request_)
    assert not effect.changed
    assert effect.after.plugin == plugin


@pytest.mark.parametrize("number", [1702, 1883])
def test_refused_uninstall(number):
    with pytest.raises(Failure) as failure:
        run(Refusing("UNINSTALL", number), sql.UNINSTALL, request=ABSENT)
    assert failure.value.error_code == "plugin_in_use"


def test_plugin_that_is_still_there_after_uninstall():
    with pytest.raises(Failure) as failure:
        run(
            Refusing("nothing", 0, ACTIVE._replace(status="DELETED")),
            sql.UNINSTALL,
            request=ABSENT,
        )
    assert failure.value.error_code == "plugin_in_use"
    assert failure.value.details["executed_statements"][-1] == str(sql.UNINSTALL)


def test_what_an_install_left_is_taken_back():
    connection = Refusing("nothing", 0, ACTIVE._replace(status="DISABLED"), ROW)
    with pytest.raises(Failure) as failure:
        run(connection, INSTALL)
    assert failure.value.error_code == "plugin_disabled"
    assert connection.seen == failure.value.details["executed_statements"]
    timeout = "SET SESSION lock_wait_timeout = 60"
    row = [str(sql.NO_BINARY_LOG), str(sql.DELETE_ROW)]
    # This stand-in keeps the row in spite of UNINSTALL.
    assert connection.seen == [
        timeout,
        str(INSTALL),
        timeout,
        str(sql.UNINSTALL),
        timeout,
        *row,
    ]


def test_what_cannot_be_taken_back_is_said():
    connection = Refusing("UNINSTALL", 1702, ACTIVE._replace(status="DISABLED"), ROW)
    with pytest.raises(Failure) as failure:
        run(connection, INSTALL)
    assert failure.value.error_code == "plugin_disabled"
    assert "refuses to unload" in failure.value.details["left_behind"]
    assert failure.value.details["changed"] is True
    assert str(sql.UNINSTALL) not in failure.value.details["executed_statements"]


def test_row_that_was_deleted_before_an_install_that_failed_comes_back():
    connection = Refusing("INSTALL", 1126)
    state = STATE._replace(row=ROW)
    planned = plan.packets(state, REQUEST, [sql.NO_BINARY_LOG, sql.DELETE_ROW, INSTALL])
    with pytest.raises(Failure):
        execute(connection, state, REQUEST, planned)
    assert connection.seen[-1] == str(sql.insert_row_statement(ROW))


def test_super_read_only_is_restored_after_an_error():
    connection = Refusing("INSTALL", 1126)
    with pytest.raises(Failure):
        run(connection, INSTALL, READ_ONLY)
    assert connection.seen[-1] == "SET GLOBAL super_read_only = 1"
    assert connection.seen.count("SET GLOBAL super_read_only = 1") == 1


@pytest.mark.parametrize("number", [0, 2006, 2013])
def test_super_read_only_is_restored_where_the_connection_broke(number):
    """The server may have lifted it, and stopped at a statement that it refused."""
    connection = Refusing("SET GLOBAL super_read_only = 0", number)
    with pytest.raises(Failure):
        run(connection, INSTALL, READ_ONLY)
    assert connection.seen[-1] == "SET GLOBAL super_read_only = 1"


def test_super_read_only_is_restored_where_our_own_time_was_up():
    """The server may have lifted it before KILL cut off the rest of the packet."""
    connection = Refusing("SET GLOBAL super_read_only = 0", 1205)
    with pytest.raises(Failure) as failure:
        run(connection, INSTALL, READ_ONLY)
    assert failure.value.error_code == "lock_wait_timeout"
    assert connection.seen[-1] == "SET GLOBAL super_read_only = 1"


def test_super_read_only_is_restored_where_another_session_was_faster():
    connection = Refusing("INSTALL", 1125, ACTIVE)
    assert not run(connection, INSTALL, READ_ONLY).changed
    assert connection.seen[-1] == "SET GLOBAL super_read_only = 1"


def test_super_read_only_is_not_touched_where_it_could_not_be_lifted():
    connection = Refusing("SET GLOBAL super_read_only = 0", 1227)
    with pytest.raises(Failure) as failure:
        run(connection, INSTALL, READ_ONLY)
    assert failure.value.error_code == "privilege_missing"
    assert connection.seen == [
        "SET SESSION lock_wait_timeout = 60",
        "SET GLOBAL super_read_only = 0",
    ]


class Dropped(Refusing):
    """Stands in for a connection that breaks during INSTALL."""

    def __init__(self, reachable):
        super().__init__("INSTALL", 2013)
        self.reachable = reachable

    def run(self, statements):
        if self.seen and self.seen[-1].startswith("INSTALL"):
            raise ReportedError(Exception(2013, "Lost connection"))
        super().run(statements)

    def reopen(self):
        if not self.reachable:
            raise ReportedError(Exception(2003, "Can't connect"))
        self.seen.append("reopened")


def test_super_read_only_is_restored_over_a_new_connection():
    connection = Dropped(reachable=True)
    with pytest.raises(Failure) as failure:
        run(connection, INSTALL, READ_ONLY)
    assert failure.value.error_code == "connection_lost"
    assert connection.seen[-2:] == ["reopened", "SET GLOBAL super_read_only = 1"]


def test_super_read_only_that_cannot_be_restored_is_said():
    with pytest.raises(Failure) as failure:
        run(Dropped(reachable=False), INSTALL, READ_ONLY)
    assert failure.value.error_code == "super_read_only_left_off"
