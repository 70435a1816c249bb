# Copyright (c) 2026, the dbfleet.mysql authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Every example that a reader can copy runs as it stands."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
import yaml
from conftest import CHECKOUT, Control, Server, run


def examples(module: str) -> list[dict[str, Any]]:
    """Return the tasks that ansible-doc shows as a module's examples."""
    name = "dbfleet.mysql." + module
    done = run("ansible-doc", "--json", name)
    assert done.returncode == 0, done.stderr
    tasks: list[dict[str, Any]] = yaml.safe_load(json.loads(done.stdout)[name]["examples"])
    return tasks


def blocks(page: str) -> list[list[dict[str, Any]]]:
    """Return the YAML blocks of a Markdown page."""
    text = (CHECKOUT / page).read_text()
    return [yaml.safe_load(block) for block in re.findall(r"```yaml\n(.*?)```", text, re.DOTALL)]


@pytest.mark.parametrize("module", ["group_replication_plugin", "plugin_load_add", "fleet_summary"])
def test_examples_of_a_module(server: Server, control: Control, module: str) -> None:
    server.sql(
        "SET SESSION sql_log_bin = 0; DROP USER IF EXISTS provision@'%';"
        " CREATE USER provision@'%' IDENTIFIED BY 'example-password'; GRANT ALL ON *.* TO provision"
    )
    server.sh("mkdir -p /srv/mysql/3307 && printf '[mysqld]\\n' > /srv/mysql/3307/my.cnf")
    tasks = examples(module)
    assert tasks
    hosts = {server.name: {"provision_password": "example-password"}}
    play = control.play(tasks, hosts)
    assert play.code == 0, play.output
    assert all(f"TASK [{task['name']}]" in play.output for task in tasks)


# Inventories, and the play for several servers on one host, are run by test_fleet_layouts.py.
@pytest.mark.parametrize(("page", "number"), [("README.md", 3), ("docs/apply_to_a_fleet.md", 1)])
def test_examples_of_a_guide(server: Server, control: Control, page: str, number: int) -> None:
    found = [
        block for block in blocks(page) if isinstance(block, list) and "loop" not in str(block)
    ]
    assert len(found) == number
    for example in found:
        if "hosts" in example[0]:
            path = control.folder / "guide.yml"
            path.write_text(yaml.safe_dump(example))
            play = control.playbook(str(path), {server.name: {}})
        else:
            play = control.play(example, {server.name: {}})
        assert play.code == 0, play.output
        assert f"{server.name} " in play.output.split("PLAY RECAP")[1]


@pytest.mark.parametrize("page", ["roles/group_replication/README.md", "docs/error_codes.md"])
def test_examples_of_a_page(server: Server, control: Control, page: str) -> None:
    for example in blocks(page):
        for task in example:
            play = control.play([task], {server.name: {}})
            assert play.code == 0, play.output
            server.restart()
