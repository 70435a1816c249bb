# Copyright (c) 2026, the dbfleet.mysql authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the ssh user can do without sudo on servers that do not have the plugin."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from ops import LOGIN, PASSWORD, without_sudo
from scenario import NAMES

INSTALL = "dbfleet.mysql.group_replication_plugin"


@pytest.fixture(scope="module", autouse=True)
def removed_again() -> Iterator[None]:
    yield
    without_sudo("dbfleet.mysql.group_replication_plugin_remove", **LOGIN)


def test_nothing_is_installed_where_it_might_start_a_group() -> None:
    run = without_sudo(INSTALL, **LOGIN)
    assert run.code != 0
    assert run.output.count("would start Group Replication cannot be known") >= len(NAMES)
    assert "Run the task on the server's own host as root" in run.output
    assert f"with a problem: {len(NAMES)}" in run.output


def test_option_files_cannot_be_written(tmp_path: Path) -> None:
    play = tmp_path / "play.yml"
    role = {"name": "dbfleet.mysql.group_replication", "tasks_from": "option_file"}
    tasks = [{"ansible.builtin.include_role": role}]
    play.write_text(yaml.safe_dump([{"hosts": "all", "gather_facts": False, "tasks": tasks}]))
    run = without_sudo(str(play))
    assert run.code != 0
    assert "this operating system user may not write there" in run.output
    assert "Run the task with become: true." in run.output


def test_it_lasts_by_its_row_where_a_group_may_start() -> None:
    run = without_sudo(INSTALL, "-vvv", group_replication_allow_group_start=True, **LOGIN)
    assert run.code == 0, run.output
    rows = [line for line in run.output.splitlines() if line.startswith(tuple(NAMES))]
    assert sum(row.endswith("mysql.plugin        yes") for row in rows) == len(NAMES)
    assert PASSWORD not in run.output


def test_without_a_login_the_account_is_named() -> None:
    run = without_sudo(INSTALL)
    assert run.code != 0
    assert "does not let account 'ops' log in" in run.output
    assert "group_replication_login_user" in run.output
