# Copyright (c) 2026, the dbfleet.mysql authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""States of made-up servers, and what such a server answers."""

from __future__ import annotations

from ansible_collections.dbfleet.mysql.plugins.module_utils._plugin import state as plugin
from ansible_collections.dbfleet.mysql.plugins.module_utils._plugin.request import Request

REQUEST = Request(
    state="present",
    library=None,
    registration="auto",
    defaults_file=None,
    defaults_extra_file=None,
    section=None,
    allow_group_start=False,
    allow_leave_group=False,
    lift_super_read_only=False,
    lock_wait_timeout=60,
    check_mysql_session=True,
    expect_loaded_by_options=None,
)
ABSENT = REQUEST._replace(state="absent")
SERVER = plugin.Server(
    version="8.4.3",
    version_comment="MySQL Community Server - GPL",
    plugin_dir="/usr/lib/mysql/plugin/",
    datadir="/var/lib/mysql/",
    pid_file="mysqld.pid",
    compile_os="Linux",
    uuid="uuid-of-this-server",
    super_read_only=0,
)
ROW = "group_replication.so"
ACTIVE = plugin.Plugin("group_replication", "ACTIVE", "GROUP REPLICATION", ROW, "GPL", "1.1", "ON")
# Nothing is known of what the server's start is given.
STATE = plugin.State(
    server=SERVER,
    library=ROW,
    plugin=None,
    row="",
    mysql_session=True,
    readings=[],
    options_unknown="it does not run on this machine",
    doubt="",
    option_file=None,
    library_missing="",
    start_options=[],
    started=0.0,
    loads=[],
)


class Answers:
    """Stands in for a connection over TCP: the rows for each query that contains a given word."""

    peer = None
    ends = None
    unix_socket = None

    def __init__(self, version="8.4.3", **rows):
        self.server_version = version
        self._rows = rows

    def rows(self, sql, columns=1, least=0):
        for word, rows in self._rows.items():
            if word in sql:
                return rows
        raise AssertionError("not expected: " + sql)

    def may_be_server(self, uid):
        return False

    def answers(self, queries, refusable=()):
        return [self.rows(sql) for sql in queries]
