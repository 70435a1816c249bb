# Copyright (c) 2026, the dbfleet.mysql authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What ansible.cfg, the environment and the command line do not change about the playbooks."""

from __future__ import annotations

import json

import pytest
from helpers.control import Control
from helpers.lab import CHECKOUT
from helpers.output import group, recap, remote_executions, summary
from helpers.playbooks import CONFIRMED, HOSTS, INSTALL, REMOVE, VERIFY
from helpers.server import Server

STARTS_IN_THE_ROLE = (
    "--start-at-task",
    "dbfleet.mysql.group_replication : Plugin in the running server: {{ group_replication_state }}",
)


@pytest.mark.hazard(
    "`ansible.cfg` asks for `strategy = free` or `any_errors_fatal = true`",
    "a fast or failing host ends the run for the others, some of them between two steps",
    "the playbooks say themselves how they run",
)
@pytest.mark.parametrize(
    "environ",
    [
        {"ANSIBLE_STRATEGY": "free"},
        {"ANSIBLE_STRATEGY": "ansible.builtin.host_pinned"},
        {"ANSIBLE_ANY_ERRORS_FATAL": "true"},
        {"ANSIBLE_NO_LOG": "true", "ANSIBLE_HASH_BEHAVIOUR": "merge"},
        {"ANSIBLE_FORCE_HANDLERS": "true", "ANSIBLE_PRIVATE_ROLE_VARS": "true"},
    ],
    ids=str,
)
def test_settings_of_ansible(
    servers: list[Server], control: Control, environ: dict[str, str]
) -> None:
    # A host before and one after the failing one, in two batches.
    hosts = {**HOSTS, "mysql2": {"group_replication_login_user": "nobody"}}
    run = control.playbook(INSTALL, hosts, "-e", "group_replication_serial=2", **environ)
    assert run.code == 2, run.output
    assert run.output.count("\nBatch of ") == 2
    assert run.output.count("\nhosts: 3, with a problem: 1, changed: 2, in order: 0\n") == 1
    assert "mysql2" in group(run.output, "failed: access_denied")
    for server in (servers[0], servers[2]):
        assert server.plugin_status() == "ACTIVE"
        # The last step was done, too.
        assert not server.registered()
    assert recap(run.output, "mysql1")["failed"] == recap(run.output, "mysql3")["failed"] == 0


@pytest.mark.hazard(
    "`--tags` or `--skip-tags` leaves out what the playbook does",
    "a run that looked at nothing ends well",
    "`not looked at`, which fails the run",
)
@pytest.mark.parametrize("flags", [("--tags", "shop"), ("--skip-tags", "untagged")])
@pytest.mark.parametrize("playbook", [INSTALL, VERIFY])
def test_a_run_that_looks_at_nothing_fails(
    control: Control, playbook: str, flags: tuple[str, str]
) -> None:
    run = control.playbook(playbook, HOSTS, *flags, "-vvv")
    assert run.code == 2
    assert remote_executions(run.output) == 0
    assert {"mysql1", "mysql2", "mysql3"} <= set(group(run.output, "not looked at").split())
    assert "without --tags, --skip-tags" in group(run.output, "not looked at")
    assert recap(run.output, "mysql3")["failed"] == 1


def test_tags_of_a_playbook_that_imports_ours(servers: list[Server], control: Control) -> None:
    servers[0].put_in_order()
    tagged = [{"import_playbook": VERIFY, "tags": ["mysql"]}]
    run = control.plays(tagged, {"mysql1": {}}, "--tags", "mysql")
    assert run.code == 0, run.output
    assert "hosts: 1, with a problem: 0, in order: 1" in summary(run.output)


@pytest.mark.hazard(
    "`--start-at-task` or `--skip-tags always` leaves out the check of the request",
    "an unconfirmed removal is done",
    "each task fails before it does anything, and the message says why",
)
@pytest.mark.parametrize(
    "flags",
    [
        STARTS_IN_THE_ROLE,
        (*STARTS_IN_THE_ROLE, "-e", "group_replication_state=absent"),
        ("--start-at-task", "Show what became of each host"),
        ("--skip-tags", "always"),
    ],
    ids=str,
)
def test_nothing_runs_without_the_check_of_the_request(
    servers: list[Server], control: Control, flags: tuple[str, ...]
) -> None:
    servers[0].put_in_order()
    run = control.playbook(REMOVE, {"mysql1": {}}, *flags, "-vvv")
    assert run.code == 2
    assert remote_executions(run.output) == 0
    assert "The request was not checked" in run.output
    assert servers[0].plugin_status() == "ACTIVE"


def test_a_host_that_failed_before_is_not_passed_over(
    servers: list[Server], control: Control
) -> None:
    """Ansible leaves it out of the plays that follow."""
    fail = {"ansible.builtin.fail": {}, "when": "inventory_hostname == 'mysql1'"}
    failing = {"hosts": "all", "gather_facts": False, "tasks": [fail]}
    plays = [failing, {"import_playbook": REMOVE}]
    run = control.plays(plays, {"mysql1": {}, "mysql2": {}}, *CONFIRMED)
    assert run.code == 2
    assert "mysql1" in group(run.output, "not looked at")
    assert "mysql2" in group(run.output, "in order")


@pytest.mark.parametrize("callback", ["json_results", "default", "minimal", "oneline"])
def test_the_table_leaves_a_programs_output_alone(
    servers: list[Server], control: Control, callback: str
) -> None:
    servers[0].put_in_order()
    limits = ("-e", "group_replication_serial=1,100%")
    environ = {
        "ANSIBLE_STDOUT_CALLBACK": callback,
        "ANSIBLE_CALLBACK_PLUGINS": str(CHECKOUT / "tests" / "integration" / "files" / "callbacks"),
    }
    run = control.playbook(VERIFY, {"mysql1": {}, "mysql2": {}}, *limits, **environ)
    assert run.code == 2
    count = "hosts: 2, with a problem: 1, in order: 1"
    assert f"\n{count}\n" in run.output
    assert run.output.count("\nBatch of 1") == 2
    if callback != "json_results":
        assert count in run.stdout
        return
    (summed_up,) = json.loads(run.stdout)["Show what became of each host"]
    assert summed_up["table"][-1] == count
    assert summed_up["outcomes"]["mysql1"] == "in order"


@pytest.mark.parametrize("color", [True, False])
def test_the_table_has_the_colors_of_ansible(
    servers: list[Server], control: Control, color: bool
) -> None:
    servers[0].put_in_order()
    environ = {"ANSIBLE_FORCE_COLOR" if color else "ANSIBLE_NOCOLOR": "true"}
    run = control.playbook(VERIFY, {"mysql1": {}, "mysql2": {}}, **environ)
    assert ("\x1b[0;31mfalls short (1)" in run.output) is color
    assert ("\x1b[0;32min order (1)" in run.output) is color
    assert ("\x1b" in run.output) is color
