# Copyright (c) 2026, the dbfleet.mysql authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The role's entry points on real servers."""

from __future__ import annotations

import pytest
from helpers.control import Control
from helpers.lab import FLEET, lab
from helpers.output import recap, remote_executions
from helpers.role import LINE, ROLE, include
from helpers.server import Server


@pytest.fixture
def not_started(fleet: None) -> Server:
    """Return a host whose server has no data directory yet."""
    lab("up", FLEET, "fresh", "--stopped")
    return Server("fresh")


def test_each_step_only_where_it_is_needed(server: Server, control: Control) -> None:
    hosts = {"mysql1": {}}
    role = {"ansible.builtin.import_role": ROLE}
    first = control.play([role], hosts, "-vvv")
    assert first.code == 0, first.output
    assert remote_executions(first.output) == 3
    assert server.plugin_status() == "ACTIVE"
    assert not server.registered()
    second = control.play([role], hosts, "-vvv")
    assert remote_executions(second.output) == 1
    # Ansible's check of the variables and the module; PyMySQL, the option file, the verification.
    counts = recap(second.output, "mysql1")
    assert (counts["changed"], counts["ok"], counts["skipped"]) == (0, 2, 3)


def test_entry_points(servers: list[Server], not_started: Server, control: Control) -> None:
    by_plugin, by_option_file, by_row = servers
    before = by_plugin.option_files(), by_row.option_files()
    tasks = {
        by_plugin: include("plugin"),
        by_option_file: include("option_file"),
        by_row: include(group_replication_registration="always"),
        not_started: include("option_file"),
    }
    plays = [
        {"hosts": server.name, "gather_facts": False, "tasks": [task]}
        for server, task in tasks.items()
    ]
    run = control.plays(plays, {server.name: {} for server in tasks})
    assert run.code == 0, run.output

    # The entry point "plugin" leaves the option files alone, and so does the role where a row is
    # enough for its user.
    for server in (by_plugin, by_row):
        assert server.plugin_status() == "ACTIVE"
        assert server.registered()
    assert (by_plugin.option_files(), by_row.option_files()) == before

    # The entry point "option_file" leaves the server alone.
    assert LINE in by_option_file.option_files()
    assert by_option_file.plugin_status() == ""
    by_option_file.restart()
    assert by_option_file.plugin_status() == "ACTIVE"

    # And it works before the first start.
    lab("start-server", FLEET, not_started.name)
    assert not_started.plugin_status() == "ACTIVE"
    assert "already exists" not in not_started.last_start()


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
    source = "/srv/mysqld.cnf=tests/integration/files/mysqld.cnf"
    extra = "--arg=--defaults-extra-file=/srv/mysqld.cnf"
    lab("up", FLEET, "extra", "--stopped", extra, "--file", source)
    server = Server("extra")
    server.add_options(LINE)
    lab("start-server", FLEET, "extra")
    assert server.plugin_status() == "ACTIVE"
    run = control.play([include(group_replication_state="absent")], {"extra": {}})
    assert run.code == 0, run.output
    server.restart()
    assert server.plugin_status() == ""


def test_unknown_value_is_refused_before_a_host_is_reached(
    server: Server, control: Control
) -> None:
    run = control.play([include(group_replication_state="installed")], {"mysql1": {}}, "-vvv")
    assert run.code != 0
    assert "value of group_replication_state must be one of" in run.output
    assert remote_executions(run.output) == 0
