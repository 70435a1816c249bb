# Copyright (c) 2026, the dbfleet.mysql authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How much a run with nothing to change asks of the server; times are the benchmark's."""

from __future__ import annotations

from conftest import Control, Server

INSTALL = "INSTALL PLUGIN group_replication SONAME 'group_replication.so'"
# Each SET, SHOW VARIABLES and SELECT since the server's start.
STATEMENTS = (
    "SHOW GLOBAL STATUS WHERE Variable_name IN"
    " ('Com_select', 'Com_set_option', 'Com_show_variables')"
)


def statements(server: Server) -> int:
    """Return how many statements the server has executed, those that ask included."""
    return sum(int(count) for _name, count in server.sql(STATEMENTS))


def test_statements_of_a_run_with_nothing_to_change(server: Server, control: Control) -> None:
    server.sql(INSTALL)
    first = statements(server)
    asking = statements(server) - first
    before = statements(server)
    assert not control.module(server)["changed"]
    # The server's settings, wsrep_provider, the plugin twice, its row, mysql.session; and what
    # PyMySQL sets while it connects.
    assert statements(server) - before - asking == 7
