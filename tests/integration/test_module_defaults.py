# Copyright (c) 2026, the dbfleet.mysql authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The action group by which a play sets the login once."""

from __future__ import annotations

import json
from typing import Any

import yaml
from helpers.control import Control
from helpers.lab import CHECKOUT, run
from helpers.output import recap
from helpers.playbooks import HOSTS
from helpers.server import Server


def play(host: str, module: str, password: str) -> dict[str, Any]:
    """Return a play that runs a module with a login that only module_defaults gives."""
    login = {"login_user": "group_default", "login_password": password, "login_host": "127.0.0.1"}
    return {
        "hosts": host,
        "gather_facts": False,
        "module_defaults": {"group/dbfleet.mysql.all": login},
        "tasks": [{"name": "Run the module", f"dbfleet.mysql.{module}": None}],
    }


def test_login_reaches_the_modules_that_know_it(servers: list[Server], control: Control) -> None:
    for server in servers:
        server.sql(
            "SET SESSION sql_log_bin = 0; DROP USER IF EXISTS group_default;"
            " CREATE USER group_default IDENTIFIED BY 'right-password';"
            " GRANT ALL ON *.* TO group_default"
        )
    plays = [
        play("mysql1", "group_replication_plugin", "right-password"),
        play("mysql2", "plugin_load_add", "wrong-password"),
        # The last, because Ansible ends here.
        play("mysql3", "group_replication_plugin", "wrong-password"),
    ]
    done = control.plays(plays, HOSTS)
    assert "access_denied" in done.output
    assert "account 'group_default'" in done.output
    assert [server.plugin_status() for server in servers] == ["ACTIVE", "", ""]
    # plugin_load_add has no login, so it is not given one.
    assert [recap(done.output, host)["changed"] for host in HOSTS] == [1, 1, 0]
    assert [recap(done.output, host)["failed"] for host in HOSTS] == [0, 0, 1]
    assert "wrong-password" not in done.output
    assert "right-password" not in done.output


def test_group_has_the_modules_that_log_in() -> None:
    runtime = yaml.safe_load((CHECKOUT / "meta" / "runtime.yml").read_text())
    names = [path.stem for path in (CHECKOUT / "plugins" / "modules").glob("*.py")]
    done = run("ansible-doc", "--json", *(f"dbfleet.mysql.{name}" for name in names))
    docs = json.loads(done.stdout)
    assert len(docs) == len(names) > 1
    assert sorted(runtime["action_groups"]["all"]) == sorted(
        name for name in names if "login_user" in docs[f"dbfleet.mysql.{name}"]["doc"]["options"]
    )
