# Copyright (c) 2026, the dbfleet.mysql authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Every example that a reader can copy runs as it stands."""

from __future__ import annotations

import importlib
import re
from typing import Any

import pytest
import yaml
from conftest import CHECKOUT, Control, Server

MODULES = "ansible_collections.dbfleet.mysql.plugins.modules."


def blocks(page: str) -> list[list[dict[str, Any]]]:
    """Return the YAML blocks of a Markdown page."""
    text = (CHECKOUT / page).read_text()
    return [yaml.safe_load(block) for block in re.findall(r"```yaml\n(.*?)```", text, re.DOTALL)]


@pytest.mark.parametrize("module", ["group_replication_plugin", "plugin_load_add"])
def test_examples_of_a_module(server: Server, control: Control, module: str) -> None:
    server.sql(
        "SET SESSION sql_log_bin = 0; DROP USER IF EXISTS provision@'%';"
        " CREATE USER provision@'%' IDENTIFIED BY 'example-password'; GRANT ALL ON *.* TO provision"
    )
    server.sh("mkdir -p /srv/mysql/3307 && printf '[mysqld]\\n' > /srv/mysql/3307/my.cnf")
    tasks = yaml.safe_load(importlib.import_module(MODULES + module).EXAMPLES)
    assert tasks
    hosts = {server.name: {"provision_password": "example-password"}}
    run = control.play(tasks, hosts)
    assert run.code == 0, run.output
    assert run.output.count("TASK [") == len(tasks)


def test_examples_of_the_readme(server: Server, control: Control) -> None:
    examples = blocks("README.md")
    assert len(examples) == 3
    for example in examples:
        if "hosts" in example[0]:
            path = control.folder / "readme.yml"
            path.write_text(yaml.safe_dump(example))
            run = control.playbook(str(path), {server.name: {}})
        else:
            run = control.play(example, {server.name: {}})
        assert run.code == 0, run.output
        assert f"{server.name} " in run.output.split("PLAY RECAP")[1]


@pytest.mark.parametrize("page", ["roles/group_replication/README.md", "docs/error_codes.md"])
def test_examples_of_a_page(server: Server, control: Control, page: str) -> None:
    for example in blocks(page):
        run = control.play(example, {server.name: {}})
        assert run.code == 0, run.output
