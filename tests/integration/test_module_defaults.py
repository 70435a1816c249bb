# Copyright (c) 2026, the dbfleet.mysql authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The action group by which a play sets the login once."""

from __future__ import annotations

import json

import pytest
import yaml
from helpers.control import Control, Playbook
from helpers.lab import CHECKOUT, run
from helpers.server import Server


def run_with_login(control: Control, server: Server, module: str, password: str) -> Playbook:
    """Run a module with a login that only module_defaults gives."""
    login = {"login_user": "group_default", "login_password": password, "login_host": "127.0.0.1"}
    play = {
        "hosts": "all",
        "gather_facts": False,
        "module_defaults": {"group/dbfleet.mysql.all": login},
        "tasks": [{"name": "Run the module", f"dbfleet.mysql.{module}": None}],
    }
    return control.plays([play], {server.name: {}})


@pytest.fixture
def account(server: Server) -> Server:
    """Return a server with an account that only a password opens."""
    server.sql(
        "SET SESSION sql_log_bin = 0; DROP USER IF EXISTS group_default;"
        " CREATE USER group_default IDENTIFIED BY 'right-password';"
        " GRANT ALL ON *.* TO group_default"
    )
    return server


def test_login_reaches_the_module(account: Server, control: Control) -> None:
    wrong = run_with_login(control, account, "group_replication_plugin", "wrong-password")
    assert wrong.code != 0
    assert "access_denied" in wrong.output
    assert "group_default" in wrong.output
    assert account.plugin_status() == ""
    right = run_with_login(control, account, "group_replication_plugin", "right-password")
    assert right.code == 0, right.output
    assert account.plugin_status() == "ACTIVE"
    for output in (wrong.output, right.output):
        assert "wrong-password" not in output
        assert "right-password" not in output


def test_login_reaches_no_module_that_does_not_know_it(account: Server, control: Control) -> None:
    done = run_with_login(control, account, "plugin_load_add", "wrong-password")
    assert done.code == 0, done.output
    assert "changed=1" in done.output


def test_group_has_the_modules_that_log_in() -> None:
    runtime = yaml.safe_load((CHECKOUT / "meta" / "runtime.yml").read_text())
    names = [path.stem for path in (CHECKOUT / "plugins" / "modules").glob("*.py")]
    done = run("ansible-doc", "--json", *(f"dbfleet.mysql.{name}" for name in names))
    docs = json.loads(done.stdout)
    assert len(docs) == len(names) > 1
    assert sorted(runtime["action_groups"]["all"]) == sorted(
        name for name in names if "login_user" in docs[f"dbfleet.mysql.{name}"]["doc"]["options"]
    )
