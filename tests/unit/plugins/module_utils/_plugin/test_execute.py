# Copyright (c) 2026, the dbfleet.mysql authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What becomes of statements that the server refuses: errors that a test's server does not give."""

from __future__ import annotations

import pytest
from ansible_collections.dbfleet.mysql.plugins.module_utils._errors import Failure
from ansible_collections.dbfleet.mysql.plugins.module_utils._mysql import connection as mysql
from ansible_collections.dbfleet.mysql.plugins.module_utils._plugin import execute as execute
from ansible_collections.dbfleet.mysql.plugins.module_utils._plugin import plan as plan
from ansible_collections.dbfleet.mysql.plugins.module_utils._plugin import state as plugin
from test_plan import REQUEST, SERVER

STATE = plugin.State(SERVER, "group_replication.so", None, "", True, None, "", 0.0, [])
READ_ONLY = STATE._replace(server=SERVER._replace(super_read_only=True))
INSTALL = plan.install_statement("group_replication.so")


class Refusing:
    """Stands in for a connection that refuses the statements that begin with a word."""

    def __init__(self, word, number):
        self.word = word
        self.number = number
        self.seen = []

    def run(self, *statements):
        for completed, (sql, _parameters) in enumerate(statements):
            self.seen.append(sql)
            if sql.startswith(self.word):
                raise mysql.StatementError(self.number, "the server's words", completed)


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
        (2013, "connection_lost"),
        (4711, "statement_failed"),
    ],
)
def test_refused_install(number, error_code):
    executed = []
    with pytest.raises(Failure) as failure:
        execute.execute(Refusing("INSTALL", number), STATE, REQUEST, [INSTALL], executed)
    assert failure.value.error_code == error_code
    assert failure.value.details == {"mysql_error_number": number}
    assert "the server's words" in failure.value.cause
    assert executed[-1] is INSTALL


@pytest.mark.parametrize(
    ("statement", "number"),
    [
        (INSTALL, 1125),
        (plan.UNINSTALL, 1305),
        (plan.insert_row_statement("group_replication.so"), 1062),
    ],
)
def test_another_session_was_faster(statement, number):
    connection = Refusing(statement.sql, number)
    assert execute.execute(connection, STATE, REQUEST, [statement], []) is False


@pytest.mark.parametrize("number", [1702, 1883])
def test_refused_uninstall(number):
    with pytest.raises(Failure) as failure:
        execute.execute(Refusing("UNINSTALL", number), STATE, REQUEST, [plan.UNINSTALL], [])
    assert failure.value.error_code == "plugin_in_use"


def test_super_read_only_is_restored_after_an_error():
    connection = Refusing("INSTALL", 1126)
    with pytest.raises(Failure):
        execute.execute(connection, READ_ONLY, REQUEST, [INSTALL], [])
    assert connection.seen[-1] == "SET GLOBAL super_read_only = 1"
    assert connection.seen.count("SET GLOBAL super_read_only = 1") == 1


def test_super_read_only_is_restored_where_another_session_was_faster():
    connection = Refusing("INSTALL", 1125)
    assert execute.execute(connection, READ_ONLY, REQUEST, [INSTALL], []) is False
    assert connection.seen[-1] == "SET GLOBAL super_read_only = 1"


def test_super_read_only_is_not_touched_where_it_could_not_be_lifted():
    connection = Refusing("SET GLOBAL super_read_only = 0", 1227)
    with pytest.raises(Failure) as failure:
        execute.execute(connection, READ_ONLY, REQUEST, [INSTALL], [])
    assert failure.value.error_code == "privilege_missing"
    assert connection.seen == [
        "SET SESSION lock_wait_timeout = 60",
        "SET GLOBAL super_read_only = 0",
    ]


class Dropped:
    """Stands in for a connection that breaks during INSTALL."""

    def __init__(self, reachable):
        self.reachable = reachable
        self.broken = False
        self.seen = []

    def run(self, *statements):
        for completed, (sql, _parameters) in enumerate(statements):
            self.broken = self.broken or sql.startswith("INSTALL")
            if self.broken:
                raise mysql.StatementError(2013, "Lost connection", completed)
            self.seen.append(sql)

    def reopen(self):
        if not self.reachable:
            raise mysql.StatementError(2003, "Can't connect")
        self.broken = False


def test_super_read_only_is_restored_over_a_new_connection():
    connection = Dropped(reachable=True)
    with pytest.raises(Failure) as failure:
        execute.execute(connection, READ_ONLY, REQUEST, [INSTALL], [])
    assert failure.value.error_code == "connection_lost"
    assert connection.seen[-1] == "SET GLOBAL super_read_only = 1"


def test_super_read_only_that_cannot_be_restored_is_said():
    with pytest.raises(Failure) as failure:
        execute.execute(Dropped(reachable=False), READ_ONLY, REQUEST, [INSTALL], [])
    assert failure.value.error_code == "super_read_only_left_off"
