# Copyright (c) 2026, the dbfleet.mysql authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The role's entry points on real servers."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from helpers.control import Control
from helpers.lab import FLEET, lab
from helpers.output import remote_executions
from helpers.role import LINE, include
from helpers.server import Server


@pytest.fixture
def without_pymysql() -> Iterator[Server]:
    """Return a server on a host without PyMySQL."""
    lab("up", FLEET, "nopymysql", "--without", "pymysql")
    yield Server("nopymysql")
    # The package is installed now; the next test that wants such a host gets a new one.
    Server("nopymysql").sh("apt-get purge -y python3-pymysql >/dev/null 2>&1 || true")


@pytest.fixture
def not_started() -> Iterator[Server]:
    """Return a host whose server has no data directory yet."""
    lab("up", FLEET, "fresh", "--stopped")
    yield Server("fresh")
    run = Server("fresh")
    run.sh("true")


def test_each_step_only_where_it_is_needed(server: Server, control: Control) -> None:
    hosts = {"mysql1": {}}
    first = control.play([include()], hosts, "-vvv")
    assert first.code == 0, first.output
    assert remote_executions(first.output) == 3
    assert server.plugin_status() == "ACTIVE"
    assert not server.registered()
    second = control.play([include()], hosts, "-vvv")
    assert remote_executions(second.output) == 1
    assert "changed=0" in second.output


def test_entry_point_plugin_leaves_the_option_files_alone(server: Server, control: Control) -> None:
    before = server.option_files()
    run = control.play([include("plugin")], {"mysql1": {}})
    assert run.code == 0, run.output
    assert server.plugin_status() == "ACTIVE"
    assert server.registered()
    assert server.option_files() == before


def test_entry_point_option_file_leaves_the_server_alone(server: Server, control: Control) -> None:
    run = control.play([include("option_file")], {"mysql1": {}})
    assert run.code == 0, run.output
    assert LINE in server.option_files()
    assert server.plugin_status() == ""
    server.restart()
    assert server.plugin_status() == "ACTIVE"


def test_entry_point_option_file_before_the_first_start(
    not_started: Server, control: Control
) -> None:
    run = control.play([include("option_file")], {"fresh": {}})
    assert run.code == 0, run.output
    lab("start-server", FLEET, "fresh")
    assert not_started.plugin_status() == "ACTIVE"
    assert "already exists" not in not_started.last_start()


def test_a_row_is_enough_where_the_role_is_told_so(server: Server, control: Control) -> None:
    before = server.option_files()
    run = control.play([include(group_replication_registration="always")], {"mysql1": {}})
    assert run.code == 0, run.output
    assert server.registered()
    assert server.option_files() == before


def test_a_running_servers_own_option_file_is_the_one_that_is_changed(
    server: Server, control: Control
) -> None:
    lab("up", FLEET, "elsewhere", "--arg=--defaults-file=/srv/mysqld.cnf", *SRV_FILE)
    other = Server("elsewhere")
    run = control.play([include()], {"elsewhere": {}})
    assert run.code == 0, run.output
    assert LINE in other.sh("cat /srv/mysqld.cnf")
    assert LINE not in other.option_files()
    other.restart()
    assert other.plugin_status() == "ACTIVE"


def test_an_option_file_that_the_server_does_not_read(server: Server, control: Control) -> None:
    # The option group is known there, and nothing includes the file.
    server.sh("printf '[mysqld]\\n' > /root/other.cnf")
    role = include(group_replication_option_file="/root/other.cnf")
    kept = {"group_replication_failure": "{{ ansible_failed_result }}"}
    show = {"dbfleet.mysql.group_replication_summary": {}}
    run = control.play(
        [{"block": [role], "rescue": [{"ansible.builtin.set_fact": kept}]}, show], {"mysql1": {}}
    )
    assert '"error_code": "option_file_not_read"' in run.output
    # What the first step did is not lost.
    assert "\nfailed after a change: option_file_not_read (1)\n" in run.output
    assert server.plugin_status() == "ACTIVE"
    assert server.registered()


def test_line_beside_an_extra_option_file_is_removed_too(fleet: None, control: Control) -> None:
    lab("up", FLEET, "extra", "--arg=--defaults-extra-file=/srv/mysqld.cnf", *SRV_FILE)
    server = Server("extra")
    server.sh(f"printf '[mysqld]\\n{LINE}\\n' >> /etc/mysql/my.cnf")
    server.restart()
    assert server.plugin_status() == "ACTIVE"
    run = control.play([include(group_replication_state="absent")], {"extra": {}})
    assert run.code == 0, run.output
    server.restart()
    assert server.plugin_status() == ""


SRV_FILE = ("--file", "/srv/mysqld.cnf=tests/integration/files/mysqld.cnf")


def test_pymysql_is_installed_where_it_is_missing(
    without_pymysql: Server, control: Control
) -> None:
    run = control.play([include()], {"nopymysql": {}})
    assert run.code == 0, run.output
    assert without_pymysql.plugin_status() == "ACTIVE"


def test_pymysql_is_not_installed_against_the_users_will(
    without_pymysql: Server, control: Control
) -> None:
    task = include(group_replication_install_pymysql=False)
    run = control.play([task], {"nopymysql": {}})
    assert run.code != 0
    assert "The Python library PyMySQL is missing" in run.output
    assert "python3-pymysql" in run.output


def test_unknown_value_is_refused_before_a_host_is_reached(
    server: Server, control: Control
) -> None:
    run = control.play([include(group_replication_state="installed")], {"mysql1": {}}, "-vvv")
    assert run.code != 0
    assert "value of group_replication_state must be one of" in run.output
    assert remote_executions(run.output) == 0
