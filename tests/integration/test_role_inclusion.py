# Copyright (c) 2026, the dbfleet.mysql authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The role within a play: each way to include it, tags, check mode, several servers."""

from __future__ import annotations

from typing import Any

import pytest
import yaml
from helpers.control import Control, Playbook
from helpers.lab import FLEET, lab
from helpers.output import remote_executions
from helpers.playbooks import INSTALL
from helpers.role import LINE, ROLE
from helpers.server import Server


def run(control: Control, play: dict[str, Any], *flags: str) -> Playbook:
    """Run a play of which only the interesting part is given."""
    path = control.folder / "play.yml"
    path.write_text(yaml.safe_dump([{"hosts": "all", "gather_facts": False, **play}]))
    return control.playbook(str(path), {"mysql1": {}}, *flags)


def tagged(tag: str) -> list[dict[str, Any]]:
    """Return tasks that include the role under a tag, besides one without."""
    return [
        {"ansible.builtin.debug": {"msg": "the rest"}},
        {
            "ansible.builtin.include_role": {**ROLE, "apply": {"tags": [tag]}},
            "tags": [tag],
        },
    ]


@pytest.mark.parametrize(
    "play",
    [
        {"roles": ["dbfleet.mysql.group_replication"]},
        {"roles": [{"role": "dbfleet.mysql.group_replication", "tags": ["plugin"]}]},
        {"tasks": [{"ansible.builtin.import_role": ROLE}]},
        {"tasks": [{"ansible.builtin.import_role": ROLE, "tags": ["plugin"]}]},
        {"tasks": [{"ansible.builtin.include_role": ROLE}]},
        {"tasks": tagged("plugin")},
    ],
    ids=["roles", "roles-tagged", "import_role", "import_role-tagged", "include_role", "apply"],
)
def test_each_way_to_include_it(server: Server, control: Control, play: dict[str, Any]) -> None:
    flags = ("--tags", "plugin") if "plugin" in yaml.safe_dump(play) else ()
    done = run(control, play, "-vvv", *flags)
    assert done.code == 0, done.output
    # All three steps, also those in files that the role includes when it runs.
    assert remote_executions(done.output) == 3
    assert server.plugin_status() == "ACTIVE"
    assert not server.registered()
    assert LINE in server.option_files()
    assert ("the rest" in done.output) == ("debug" in yaml.safe_dump(play) and not flags)


@pytest.mark.parametrize(
    "play",
    [
        {"roles": [{"role": "dbfleet.mysql.group_replication", "tags": ["plugin"]}]},
        {"tasks": [{"ansible.builtin.import_role": ROLE, "tags": ["plugin"]}]},
        {"tasks": tagged("plugin")},
    ],
    ids=["roles", "import_role", "include_role"],
)
def test_tags_leave_it_out(server: Server, control: Control, play: dict[str, Any]) -> None:
    for flags in (["--skip-tags", "plugin"], ["--tags", "backup"]):
        done = run(control, play, "-vvv", *flags)
        assert done.code == 0, done.output
        assert remote_executions(done.output) == 0
    assert server.plugin_status() == ""


def test_a_second_inclusion_does_not_see_the_firsts_results(
    server: Server, control: Control
) -> None:
    main = {"ansible.builtin.include_role": ROLE}
    said = "changed: {{ group_replication_option_file_result is changed }}"
    show = {"ansible.builtin.debug": {"msg": said}}
    done = run(control, {"tasks": [main, show, main, show]})
    assert done.code == 0, done.output
    assert "changed: True" in done.output.partition("changed: False")[0]
    assert done.output.count("changed: False") == 1


def test_check_mode_where_the_server_is_still_to_come(server: Server, control: Control) -> None:
    server.sh("mkdir -p /srv/mysql && printf '[mysqld]\\n' > /srv/mysql/mysqld.cnf")
    absent = {
        "group_replication_login_unix_socket": "/srv/mysql/second.sock",
        "group_replication_option_file": "/srv/mysql/second/my.cnf",
    }
    option_file = {**ROLE, "tasks_from": "option_file"}
    tasks = [
        {"ansible.builtin.include_role": option_file, "vars": absent},
        {"ansible.builtin.include_role": ROLE, "vars": absent},
    ]
    checked = run(control, {"tasks": tasks}, "--check")
    assert checked.code == 0, checked.output
    assert "changed=2" in checked.output
    for task in tasks:
        assert run(control, {"tasks": [task]}).code != 0
        strict = {"group_replication_expect_server": True}
        done = run(control, {"tasks": [task], "vars": strict}, "--check")
        assert done.code != 0
        assert "option_file_folder_missing" in done.output or "socket_not_found" in done.output


def test_check_mode_on_a_host_with_nothing(fleet: None, control: Control) -> None:
    lab("up", FLEET, "empty", "--without", "server")
    entries = [{**ROLE, "tasks_from": entry} for entry in ("option_file", "plugin", "main")]
    tasks = [{"ansible.builtin.include_role": entry} for entry in entries]
    done = control.play(tasks, {"empty": {}}, "--check")
    assert done.code == 0, done.output


def test_playbook_expects_a_server_in_check_mode_too(server: Server, control: Control) -> None:
    lab("stop-server", FLEET, "mysql1")
    try:
        done = control.playbook(INSTALL, {"mysql1": {}}, "--check")
    finally:
        lab("start-server", FLEET, "mysql1")
    assert done.code != 0
    assert "with a problem: 1" in done.output
