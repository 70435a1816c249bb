# Copyright (c) 2026, the dbfleet.mysql authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The fleet's table."""

from __future__ import annotations

import pytest
from ansible_collections.dbfleet.mysql.plugins.plugin_utils import _fleet as fleet

GOOD = {
    "changed": False,
    "executed_statements": [],
    "plugin": {"status": "ACTIVE", "library": "group_replication.so", "license": "GPL"},
    "server": {"version": "8.4.3"},
    "loaded_at_start_by": ["/etc/my.cnf:12"],
    "survives_restart": True,
}


def row(
    name="db1",
    fail_on_change=False,
    check_mode=False,
    failure=None,
    option_file=None,
    state="present",
    **result,
):
    variables = {
        "group_replication_plugin_result": dict(GOOD, **result),
    }
    if failure:
        variables["group_replication_failure"] = failure
    if option_file:
        variables["group_replication_option_file_result"] = option_file
    return fleet.host_row(name, variables, state, fail_on_change, check_mode)


def test_host_in_order():
    host = row()
    assert host.problem == ""
    assert not host.changed
    assert host.cells == ("8.4.3", "ACTIVE", "group_replication.so", "GPL", "/etc/my.cnf:12", "yes")


@pytest.mark.parametrize(("value", "text"), [(True, "yes"), (False, "no"), (None, "unknown")])
def test_survives_restart(value, text):
    assert row(survives_restart=value).cells[-1] == text


def test_failed_host():
    host = row(failure={"msg": "A cause. A step.", "error_code": "access_denied"}, server={})
    assert host.problem == "A cause. A step."


def test_host_without_python():
    host = row(failure={"rc": 127, "msg": "The module interpreter was not found."}, server={})
    assert "no Python" in host.problem


def test_unreachable_host():
    host = row(unreachable=True, msg="Task failed: Connection timed out. More words.\nAnd more")
    assert host.problem.startswith("The host cannot be reached: Connection timed out. Check")


def test_host_that_the_play_has_not_come_to_yet():
    later = fleet.host_row("db9", {}, "present", False)
    assert not later.reached
    assert later.problem == ""
    count = fleet.render([row("a"), later]).splitlines()[-1]
    assert count == "hosts: 2, in order: 1 (changed: 0), with a problem: 0, not reached yet: 1"


@pytest.mark.parametrize("result", [{"unreachable": True}, {"failed": True}])
def test_second_step_that_did_not_happen(result):
    host = row(option_file=dict(result, msg="Broken. Mend it."))
    assert "Broken" in host.problem


def test_failed_result_counts_without_the_playbooks_own_note_of_it():
    assert "no Python" in row(failed=True, rc=127, msg="not found", server={}).problem


@pytest.mark.parametrize(
    ("state", "survives", "fail_on_change", "words"),
    [
        ("present", True, True, ""),
        ("present", False, False, "will not be after a restart"),
        ("present", None, False, ""),
        ("present", None, True, "cannot be known"),
        ("absent", False, False, ""),
        ("absent", True, False, "is loaded again"),
        ("absent", None, False, "may be loaded again"),
    ],
)
def test_what_the_next_start_does(state, survives, fail_on_change, words):
    host = row(state=state, survives_restart=survives, fail_on_change=fail_on_change)
    assert bool(host.problem) is bool(words)
    assert words in host.problem


def test_check_mode_does_not_judge_what_would_be_changed():
    bare = {"changed": True, "survives_restart": False, "executed_statements": ["INSTALL"]}
    assert row(check_mode=True, **bare).problem == ""


@pytest.mark.parametrize("fail_on_change", [True, False])
def test_check_mode_on_a_host_without_pymysql(fail_on_change):
    host = row(
        fail_on_change=fail_on_change,
        check_mode=True,
        failed=False,
        error_code="pymysql_missing",
        msg="PyMySQL is missing. Install it.",
        server=None,
    )
    assert bool(host.problem) is fail_on_change


@pytest.mark.parametrize("fail_on_change", [True, False])
def test_change_is_a_problem_only_when_asked(fail_on_change):
    host = row(
        fail_on_change=fail_on_change,
        changed=True,
        executed_statements=["INSTALL PLUGIN x"],
        option_file={"changed": True, "option_file": "/etc/my.cnf"},
    )
    assert host.changed
    assert bool(host.problem) is fail_on_change
    if fail_on_change:
        assert "INSTALL PLUGIN x; a change in /etc/my.cnf" in host.problem


def test_table_has_problems_first_and_counts():
    hosts = [row("a"), row("b", failure={"msg": "Broken. Mend it."}), row("c", changed=True)]
    lines = fleet.render(hosts).splitlines()
    assert [line.split()[0] for line in lines[2:5]] == ["b", "a", "c"]
    assert "  b: Broken. Mend it." in lines
    assert lines[-1] == "hosts: 3, in order: 2 (changed: 1), with a problem: 1"
    assert all(line == line.rstrip() for line in lines)
