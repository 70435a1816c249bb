# Copyright (c) 2026, the dbfleet.mysql authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The role within a play: each way to include it, tags, check mode, several servers."""

from __future__ import annotations

from typing import Any

from helpers.control import Control, Playbook
from helpers.output import recap, remote_executions
from helpers.playbooks import INSTALL
from helpers.role import LINE, ROLE
from helpers.server import Server

NAME = ROLE["name"]
TAGGED = {"tags": ["plugin"]}


def run(control: Control, plays: dict[str, dict[str, Any]], *flags: str) -> Playbook:
    """Run a play for each host; of each only the interesting part is given."""
    whole = [{"hosts": host, "gather_facts": False, **play} for host, play in plays.items()]
    return control.plays(whole, {host: {} for host in plays}, *flags)


def brought(server: Server) -> bool:
    """Whether all three steps of the role were done on a server."""
    return (
        server.plugin_status() == "ACTIVE"
        and not server.registered()
        and LINE in server.option_files()
    )


def test_each_way_to_include_it(servers: list[Server], control: Control) -> None:
    plays = {
        "mysql1": {"roles": [NAME]},
        "mysql2": {"tasks": [{"ansible.builtin.import_role": ROLE}]},
        "mysql3": {"tasks": [{"ansible.builtin.include_role": ROLE}]},
    }
    done = run(control, plays, "-vvv")
    assert done.code == 0, done.output
    # All three steps, also those in files that the role includes when it runs.
    assert remote_executions(done.output) == 3 * 3
    assert [brought(server) for server in servers] == [True] * 3


def test_each_way_to_tag_it(servers: list[Server], control: Control) -> None:
    rest = {"ansible.builtin.debug": {"msg": "the rest"}}
    included = {"ansible.builtin.include_role": {**ROLE, "apply": TAGGED}, **TAGGED}
    plays = {
        "mysql1": {"roles": [{"role": NAME, **TAGGED}], "tasks": [rest]},
        "mysql2": {"tasks": [rest, {"ansible.builtin.import_role": ROLE, **TAGGED}]},
        "mysql3": {"tasks": [rest, included]},
    }
    left_out = run(control, plays, "--skip-tags", "plugin", "-vvv")
    assert left_out.code == 0, left_out.output
    assert remote_executions(left_out.output) == 0
    assert left_out.output.count('"msg": "the rest"') == 3
    other = run(control, plays, "--tags", "backup", "-vvv")
    assert other.code == 0, other.output
    assert remote_executions(other.output) == 0
    assert [server.plugin_status() for server in servers] == [""] * 3

    alone = run(control, plays, "--tags", "plugin", "-vvv")
    assert alone.code == 0, alone.output
    assert remote_executions(alone.output) == 3 * 3
    assert "the rest" not in alone.output
    assert [brought(server) for server in servers] == [True] * 3


def test_a_second_inclusion_does_not_see_the_firsts_results(
    server: Server, control: Control
) -> None:
    main = {"ansible.builtin.include_role": ROLE}
    said = "changed: {{ group_replication_option_file_result is changed }}"
    show = {"ansible.builtin.debug": {"msg": said}}
    summary = {"dbfleet.mysql.group_replication_summary": {}}
    done = run(control, {"mysql1": {"tasks": [main, show, main, show, summary]}})
    assert done.code == 0, done.output
    assert "changed: True" in done.output.partition("changed: False")[0]
    assert done.output.count("changed: False") == 1
    # Nor do the two mix in what the summary makes of them.
    assert "hosts: 1, with a problem: 0, in order: 1" in done.output


def rescued(role: dict[str, Any], variables: dict[str, Any]) -> dict[str, Any]:
    """Return tasks that include the role and go on where it fails."""
    include = {"ansible.builtin.include_role": role, "vars": variables}
    return {"block": [include], "rescue": [{"ansible.builtin.debug": {"msg": "rescued"}}]}


def test_check_mode_where_the_server_is_still_to_come(server: Server, control: Control) -> None:
    server.sh("mkdir -p /srv/mysql && printf '[mysqld]\\n' > /srv/mysql/mysqld.cnf")
    absent = {
        "group_replication_login_unix_socket": "/srv/mysql/second.sock",
        "group_replication_option_file": "/srv/mysql/second/my.cnf",
    }
    option_file = {**ROLE, "tasks_from": "option_file"}
    plays = {"mysql1": {"tasks": [rescued(option_file, absent), rescued(ROLE, absent)]}}
    checked = run(control, plays, "--check")
    counts = recap(checked.output, "mysql1")
    assert (counts["changed"], counts["failed"], counts["rescued"]) == (2, 0, 0)
    for flags in ((), ("--check", "-e", "group_replication_expect_server=true")):
        done = run(control, plays, *flags)
        assert recap(done.output, "mysql1")["rescued"] == 2
        assert '"error_code": "option_file_folder_missing"' in done.output
        assert '"error_code": "socket_not_found"' in done.output


def test_playbook_expects_a_server_in_check_mode_too(fleet: None, control: Control) -> None:
    absent = {"group_replication_login_unix_socket": "/srv/mysql/second.sock"}
    done = control.playbook(INSTALL, {"mysql1": absent}, "--check")
    assert done.code != 0
    assert "with a problem: 1" in done.output
