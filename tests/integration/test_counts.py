# Copyright (c) 2026, the dbfleet.mysql authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How much a run with nothing to change asks for; what that takes in time is the benchmark's.

The numbers of tasks and of remote executions are in test_role.py and test_playbooks.py.
"""

from __future__ import annotations

import collections
import re

import pytest
from helpers.control import Control
from helpers.lab import LAYOUT
from helpers.server import INSTALL_PLUGIN, Server

# Each SET, SHOW VARIABLES and SELECT since the server's start.
STATEMENTS = (
    "SHOW GLOBAL STATUS WHERE Variable_name IN"
    " ('Com_select', 'Com_set_option', 'Com_show_variables')"
)


def statements(server: Server) -> int:
    """Return how many statements the server has executed, those that ask included."""
    return sum(int(count) for _name, count in server.sql(STATEMENTS))


@pytest.mark.main
def test_statements_of_a_run_with_nothing_to_change(server: Server, control: Control) -> None:
    server.sql(INSTALL_PLUGIN)
    first = statements(server)
    asking = statements(server) - first
    before = statements(server)
    assert not control.module(server)["changed"]
    # The server's settings, the plugin, its row, mysql.session; what PyMySQL sets while it
    # connects, and the two with which the module sets up its session.
    assert statements(server) - before - asking == 7


@pytest.mark.main
def test_requests_of_a_run_with_nothing_to_change(server: Server) -> None:
    server.sql(INSTALL_PLUGIN)
    (found,) = server.python("requests_of_a_run", "{}")
    assert found["result"]["changed"] is False
    assert "diff" not in found["result"]  # nobody asked for it
    # One question, after what PyMySQL says of itself at the beginning and at the end. What sets up
    # the session goes with it.
    asked = [text for text in found["packet"] if "SELECT " in text]
    assert len(asked) == 1
    assert asked[0].count("; ") == 5
    # Within the smallest max_allowed_packet that a server can have.
    assert len(asked[0]) < 1024
    assert len(found["packet"]) <= 3
    opened = collections.Counter(found["opened"])
    option_files = {
        path for path in opened if re.fullmatch(r"/etc/mysql/.*\.cnf|/etc/my\.cnf(\.d/.*)?", path)
    }
    assert len(option_files) > 1
    # Once as root, and once with the rights of the server's account.
    assert {opened[path] for path in option_files} == {2}
    assert set(opened) - option_files <= {
        "/etc/passwd",
        "/etc/nsswitch.conf",
        "/etc/ld.so.cache",
        f"{LAYOUT.datadir}/auto.cnf",
        "/var/run/mysqld/mysqld.pid",
    }


def test_requests_of_a_run_without_the_privilege_to_look(server: Server) -> None:
    server.sql(
        f"{INSTALL_PLUGIN}; SET SESSION sql_log_bin = 0; DROP USER IF EXISTS looker@localhost;"
        " CREATE USER looker@localhost"
    )
    (found,) = server.python("requests_of_a_run", '{"login_user": "looker"}')
    server.sql("SET SESSION sql_log_bin = 0; DROP USER looker@localhost")
    assert found["result"]["changed"] is False
    assert found["result"]["registered"] is None
    # All; what follows the row, which was refused; nothing follows the account, refused too.
    asked = [text for text in found["packet"] if "SELECT " in text]
    assert [text.count("; ") for text in asked] == [5, 0]
