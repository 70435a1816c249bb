# Copyright (c) 2026, the dbfleet.mysql authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a run on a fleet is refused for, when it stops, and the report that it leaves."""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
from typing import Any

import pytest
import yaml
from helpers.control import Control, Playbook
from helpers.lab import CHECKOUT, LAYOUT
from helpers.lab import run as run_command
from helpers.output import group, recap, remote_executions, summary
from helpers.playbooks import CONFIRMED, HOSTS, INSTALL, REMOVE, VERIFY
from helpers.role import ROLE
from helpers.server import Server

NO_LOGIN = {"group_replication_login_user": "nobody"}


def fleet(*failing: str) -> dict[str, dict[str, Any]]:
    """Return the three hosts, some of which cannot be logged in to."""
    return {name: dict(NO_LOGIN) if name in failing else {} for name in HOSTS}


def refused(run: Playbook, *words: str) -> None:
    """Check that a run was refused with these words, before it reached a host."""
    assert run.code != 0
    assert remote_executions(run.output) == 0
    said = " ".join(run.output.split())
    for word in words:
        assert word in said, run.output


def test_a_failing_canary_stops_the_run(servers: list[Server], control: Control) -> None:
    hosts = fleet("mysql1")
    limits = {"group_replication_serial": [1, "100%"], "group_replication_max_fail_percentage": 0}
    flags = ("-e", json.dumps(limits))
    before = [server.option_files() for server in servers]
    run = control.playbook(INSTALL, hosts, *flags, "-vvv")
    assert run.code != 0
    assert remote_executions(run.output) == 1
    assert [server.plugin_status() for server in servers] == ["", "", ""]
    assert [server.option_files() for server in servers] == before
    assert "mysql1" in group(run.output, "failed: access_denied")
    untouched = group(run.output, "not reached")
    assert "mysql2" in untouched
    assert "mysql3" in untouched
    assert "they were not touched" in untouched
    assert "1 of the batch's 1 host(s) have a problem, more than the 0 %" in run.output
    assert recap(run.output, "mysql1")["failed"] == 1
    assert recap(run.output, "mysql2")["failed"] == 0


def test_a_canary_in_order_lets_the_run_go_on(servers: list[Server], control: Control) -> None:
    run = control.playbook(
        INSTALL,
        fleet("mysql3"),
        *("-e", "group_replication_serial=1,100%"),
        *("-e", "group_replication_max_fail_percentage=0"),
    )
    assert run.code != 0
    assert [server.plugin_status() for server in servers] == ["ACTIVE", "ACTIVE", ""]
    assert "hosts: 3, with a problem: 1, changed: 2, in order: 0" in summary(run.output)


def test_a_batch_of_failing_hosts_does_not_stop_the_others_unless_asked(
    servers: list[Server], control: Control
) -> None:
    run = control.playbook(INSTALL, fleet("mysql1"), "-e", "group_replication_serial=1")
    assert run.code != 0
    assert [server.plugin_status() for server in servers] == ["", "ACTIVE", "ACTIVE"]
    assert recap(run.output, "mysql1")["failed"] == 1
    left = re.findall(r"^Batch of 1, .*; hosts left: (\d)$", run.output, re.MULTILINE)
    assert left == ["2", "1", "0"]
    assert "hosts: 3, with a problem: 1, changed: 2, in order: 0" in summary(run.output)
    assert run.output.count("TASK [Show what became of each host]") == 1


@pytest.mark.parametrize(
    ("variables", "words"),
    [
        (
            {
                "group_replication_serial": "0",
                "group_replication_max_fail_percentage": "101",
                "group_replication_report": "fleet.txt",
                "group_replication_state": "absent",
            },
            (
                *("group_replication_serial is 0,", "a number of hosts, a percentage"),
                *("group_replication_max_fail_percentage is 101,", "a number from 0 to 100"),
                *("fleet.txt has no name from which its format follows", "ends in .json, .md or"),
                *("group_replication_state is absent,", "group_replication_plugin_remove removes"),
            ),
        ),
        (
            {
                "group_replication_serial": "all",
                "group_replication_max_fail_percentage": "100.5",
                "group_replication_report": "/nowhere/fleet.html",
                "group_replication_state": "absnt",
            },
            (
                *("group_replication_serial is all,", "a number of hosts, a percentage"),
                *("group_replication_max_fail_percentage is 100.5,", "a number from 0 to 100"),
                *("The folder /nowhere of the report does not exist", "Create it, or name another"),
                *("group_replication_state is absnt,", "Take it out of the command"),
            ),
        ),
        (
            {"group_replication_max_fail_percentage": "none"},
            ("group_replication_max_fail_percentage is none,", "a number from 0 to 100"),
        ),
        (
            {"group_replication_max_fail_percentage": "0"},
            ("group_replication_max_fail_percentage stops", "Set group_replication_serial too"),
        ),
    ],
)
def test_what_is_refused_before_a_host_is_touched(
    control: Control, variables: dict[str, str], words: tuple[str, ...]
) -> None:
    """A run names all that is wrong with it."""
    run = control.playbook(INSTALL, HOSTS, "-e", json.dumps(variables), "-vvv")
    refused(run, *words)


@pytest.mark.parametrize(
    ("playbook", "flags"),
    [
        (INSTALL, ("-e", "group_replication_hosts=mysqll")),
        (VERIFY, ("-e", '{"group_replication_hosts": ["mysqll"]}')),
        (REMOVE, ("-e", "group_replication_hosts=mysql1", "--limit", "mysql2")),
    ],
)
def test_a_pattern_that_matches_no_host_fails_the_run(
    control: Control, playbook: str, flags: tuple[str, ...]
) -> None:
    run = control.playbook(playbook, HOSTS, *flags, "-vvv")
    refused(run, "matches the pattern mysql", "Correct group_replication_hosts")


@pytest.mark.parametrize("name", ["hosts", "serial", "report", "confirm_remove"])
def test_what_counts_for_a_run_is_not_taken_from_one_host(control: Control, name: str) -> None:
    variable = f"group_replication_{name}"
    hosts: dict[str, dict[str, Any]] = {"mysql1": {}, "mysql2": {variable: "1"}}
    refused(
        control.playbook(REMOVE, hosts, *CONFIRMED[: 0 if name == "confirm_remove" else 2], "-vvv"),
        f"The inventory sets {variable} (for mysql2)",
        "give it with -e",
    )


def test_the_command_beats_the_inventory(control: Control) -> None:
    hosts: dict[str, dict[str, Any]] = {"mysql1": {"group_replication_serial": "0"}, "mysql2": {}}
    flags = ("-e", "group_replication_serial=1", "-e", "group_replication_state=absent", "-vvv")
    run = control.playbook(INSTALL, hosts, *flags)
    refused(run, "group_replication_state is absent")
    assert "group_replication_serial" not in run.output.split("TASK [Check the request]")[1]


@pytest.mark.hazard(
    "The name of a variable is misspelt, such as `group_replication_login_pasword`",
    "it counts for nothing",
    "`variable_misspelt`, which names the one that is meant",
)
@pytest.mark.parametrize("where", ["inventory", "command", "play"])
def test_a_misspelt_variable_is_refused(control: Control, where: str) -> None:
    wrong = {"group_replication_host": "mysql1", "group_replication_shop": "the user's own"}
    hosts = {"mysql1": dict(wrong) if where == "inventory" else {}}
    if where == "play":
        plays = [{"import_playbook": INSTALL, "vars": wrong}]
        run = control.plays(plays, hosts, "-vvv")
    else:
        flags = ("-e", json.dumps(wrong)) if where == "command" else ()
        run = control.playbook(INSTALL, hosts, *flags, "-vvv")
    refused(run, "no variable group_replication_host,", "Did you mean group_replication_hosts?")
    assert '"error_code": "variable_misspelt"' in run.output
    assert "group_replication_shop," not in run.output


def test_what_the_playbooks_set_is_not_taken_from_the_command(control: Control) -> None:
    for name in ("group_replication_run", "group_replication_playbook"):
        refused(control.playbook(VERIFY, HOSTS, "-e", f"{name}=verify", "-vvv"), f"-e sets {name},")


def test_an_inventory_without_hosts_fails_the_run(control: Control) -> None:
    run = control.playbook(VERIFY, {}, "-vvv")
    refused(run, "No host of the inventory", "with -i an inventory that has hosts")


def test_syntax_check_needs_no_inventory() -> None:
    done = run_command("ansible-playbook", INSTALL, VERIFY, REMOVE, "--syntax-check")
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.count("playbook: ") == 3


def test_implicit_localhost(control: Control) -> None:
    # No MySQL server is there, so that is what the host is failed for.
    run = control.playbook(
        VERIFY,
        {"mysql1": {}},
        *("-e", "group_replication_hosts=localhost"),
        *("-e", "group_replication_login_unix_socket=/nowhere/mysqld.sock"),
    )
    # A run where each host failed has a summary, too.
    assert run.code != 0
    assert "hosts: 1, with a problem: 1" in summary(run.output)
    # The check of the request runs once, for the inventory's first host.
    assert recap(run.output, "localhost")["failed"] == 1
    assert recap(run.output, "mysql1")["failed"] == 0


def test_hosts_as_a_list_in_batches_with_spaces(servers: list[Server], control: Control) -> None:
    run = control.playbook(
        VERIFY,
        HOSTS,
        *("-e", '{"group_replication_hosts": ["mysql1", "mysql2"]}'),
        *("-e", '{"group_replication_serial": "1, 100% "}'),
    )
    assert re.findall(r"^Batch of 1, .*; hosts left: (\d)$", run.output, re.MULTILINE) == ["1", "0"]
    assert "\nfalls short (2)\n" in summary(run.output)
    # The summary says it once for both.
    assert summary(run.output).count("To do: INSTALL PLUGIN") == 1
    # Nothing else does.
    assert run.output.count("To do: INSTALL PLUGIN") == 1
    confirm = control.playbook(
        REMOVE, HOSTS, "-e", '{"group_replication_hosts": ["mysql1", "mysql2"]}', "-vvv"
    )
    refused(confirm, "out of 2 host(s)")


def test_state_of_one_host_in_the_inventory_does_not_turn_the_run_around(
    fleet: None, control: Control
) -> None:
    hosts = {"mysql1": {}, "mysql2": {"group_replication_state": "absent"}}
    refused(control.playbook(INSTALL, hosts, "-vvv"), "group_replication_state is absent")


@pytest.mark.parametrize(
    ("state", "words"),
    [("present", "group_replication_plugin installs"), ("installed", "Take it out of the command")],
)
def test_remove_is_not_turned_around(fleet: None, control: Control, state: str, words: str) -> None:
    run = control.playbook(
        REMOVE, HOSTS, *CONFIRMED, "-e", f"group_replication_state={state}", "-vvv"
    )
    refused(run, f"group_replication_state is {state}", words)


@pytest.mark.parametrize("absent", ["mysql1", "mysql2"])
def test_verify_does_not_judge_all_hosts_by_one(fleet: None, control: Control, absent: str) -> None:
    hosts: dict[str, dict[str, Any]] = {"mysql1": {}, "mysql2": {}}
    hosts[absent]["group_replication_state"] = "absent"
    refused(
        control.playbook(VERIFY, hosts, "-vvv"),
        "group_replication_state is absent and present",
        "--limit",
    )


def test_verify_refuses_a_misspelt_state(fleet: None, control: Control) -> None:
    run = control.playbook(VERIFY, HOSTS, "-e", "group_replication_state=absnt", "-vvv")
    refused(run, "group_replication_state is absnt", "to present or absent with -e")


def test_remove_asks_for_confirmation(servers: list[Server], control: Control) -> None:
    for server in servers:
        server.put_in_order()
    before = [server.option_files() for server in servers]
    run = control.playbook(REMOVE, HOSTS, "--limit", "mysql1,mysql2", "-vvv")
    refused(run, "out of 2 host(s)", "run it with -e group_replication_confirm_remove=true")
    no = control.playbook(REMOVE, HOSTS, "-e", "group_replication_confirm_remove=false", "-vvv")
    refused(no, "out of 3 host(s)")
    tried = control.playbook(REMOVE, HOSTS, "--check")
    assert tried.code == 0, tried.output
    assert "\nwould change (3)\n" in summary(tried.output)
    assert "\nwarnings\n" not in summary(tried.output)
    assert [server.plugin_status() for server in servers] == ["ACTIVE"] * 3
    assert [server.option_files() for server in servers] == before


@pytest.mark.parametrize("flags", [[], ["--check"]])
def test_verify_changes_nothing(servers: list[Server], control: Control, flags: list[str]) -> None:
    servers[0].put_in_order()
    before = [server.option_files() for server in servers]
    for server in servers:
        server.sh("rm -f $(mysql -Ne 'SELECT @@general_log_file')")
        server.sql("SET GLOBAL general_log = 1")
    report = control.folder / "night.json"
    run = control.playbook(VERIFY, HOSTS, "-e", f"group_replication_report={report}", *flags)
    logs = [server.sh("cat $(mysql -Ne 'SELECT @@general_log_file')") for server in servers]
    for server in servers:
        server.sql("SET GLOBAL general_log = 0")
    assert run.code != 0
    assert "\nfalls short (2)\n" in summary(run.output)
    assert "\nin order (1)\n" in summary(run.output)
    assert [server.option_files() for server in servers] == before
    assert [server.plugin_status() for server in servers] == ["ACTIVE", "", ""]
    for log in logs:
        assert "information_schema.PLUGINS" in log
        assert not re.search(r"Query\s+(INSTALL|UNINSTALL|DELETE|INSERT|UPDATE|SET GLOBAL)\b", log)
    found = json.loads(report.read_text())
    assert found["run"]["check_mode"] is True
    assert found["run"]["counts"]["falls_short"] == 2


def test_a_server_that_keeps_the_plugin_by_its_row_is_in_order(
    server: Server, control: Control
) -> None:
    server.sql("INSTALL PLUGIN group_replication SONAME 'group_replication.so'")
    run = control.playbook(VERIFY, {"mysql1": {}})
    assert run.code == 0, run.output
    row = group(run.output, "in order").splitlines()[1]
    assert re.split(r"\s{2,}", row)[5:] == ["mysql.plugin", "yes"]
    assert "would let an option file load it instead" in summary(run.output)
    # The user wants no row.
    never = control.playbook(VERIFY, {"mysql1": {}}, "-e", "group_replication_registration=never")
    assert never.code == 2
    assert "\nfalls short (1)\n" in summary(never.output)
    # An installation does what the remark says.
    assert control.playbook(INSTALL, {"mysql1": {}}).code == 0
    assert not server.registered()
    again = control.playbook(VERIFY, {"mysql1": {}})
    assert "would let" not in summary(again.output)


def test_verify_can_look_whether_the_plugin_is_gone(
    servers: list[Server], control: Control
) -> None:
    servers[0].put_in_order()
    hosts: dict[str, dict[str, Any]] = {"mysql1": {}, "mysql2": {}}
    run = control.playbook(VERIFY, hosts, "-e", "group_replication_state=absent")
    assert run.code != 0
    there = group(run.output, "falls short")
    assert there.splitlines()[1].startswith("mysql1 ")
    assert "UNINSTALL PLUGIN" in there
    assert "dbfleet.mysql.group_replication_plugin_remove" in there
    assert group(run.output, "in order").splitlines()[1].startswith("mysql2 ")
    assert recap(run.output, "mysql2")["failed"] == 0


def test_reports(servers: list[Server], control: Control) -> None:
    servers[0].sh(f"cd {LAYOUT.option_folder} && touch open.cnf && chmod 0666 open.cnf")
    servers[0].restart()
    odd = "<b>odd|one"
    hosts = {"mysql1": {}, odd: {"server": "no-such-container"}, **{"mysql2": dict(NO_LOGIN)}}
    report = control.folder / "fleet.json"
    run = control.playbook(INSTALL, hosts, "-e", f"group_replication_report={report}")
    assert f"report: {report}" in run.output
    document = json.loads(report.read_text())
    assert document["schema_version"] == 1
    assert document["run"]["playbook"] == INSTALL
    assert document["run"]["started_at"] <= document["run"]["finished_at"]
    assert document["run"]["counts"]["changed"] == 1
    found = {host["name"]: host for host in document["hosts"]}
    assert [host["outcome"] for host in document["hosts"]] == ["unreachable", "failed", "changed"]
    first = found["mysql1"]
    assert first["server"]["flavor"] == "MySQL"
    assert first["plugin"]["type"] == "GROUP REPLICATION"
    assert first["plugin"]["load_option"] == "ON"
    assert first["survives_restart"] is True
    # Of both runs of the module, and the option file between them.
    assert first["executed_statements"][0].startswith("INSTALL PLUGIN")
    assert any("mysql.plugin" in text for text in first["executed_statements"])
    assert first["changed_files"] == [LAYOUT.option_file_target]
    assert any("open.cnf" in text for text in first["warnings"])
    assert "open.cnf" in summary(run.output).split("\nwarnings\n")[1]
    assert found["mysql2"]["error_code"] == "access_denied"
    assert found[odd]["problem"].startswith("The host cannot be reached: ")

    page = control.folder / "fleet.html"
    again = control.playbook(INSTALL, hosts, "-e", f"group_replication_report={page}")
    assert recap(again.output, "mysql1")["changed"] == 0
    assert "&lt;b&gt;odd|one" in page.read_text()
    assert odd not in page.read_text()
    assert sorted(os.listdir(control.folder)) == ["fleet.html", "fleet.json", "inventory.yml"]


def test_a_play_of_ones_own_with_an_own_report(servers: list[Server], control: Control) -> None:
    report = control.folder / "own.md"
    summary_task = "dbfleet.mysql.group_replication_summary"
    tasks = [
        {summary_task: {"report": "own.txt"}, "run_once": True, "ignore_errors": True},
        {"ansible.builtin.include_role": ROLE},
        {summary_task: {"report": str(report)}, "run_once": True},
    ]
    run = control.play(tasks, fleet("mysql1"))
    assert run.code != 0
    assert '"error_code": "report_name_invalid"' in run.output
    assert "\nfailed: access\\_denied (1)" in report.read_text().replace("## ", "")
    assert "changed (2)" in report.read_text()


def test_examples_of_the_page(server: Server, control: Control) -> None:
    page = (CHECKOUT / "docs" / "apply_to_a_fleet.md").read_text()
    commands = [
        line
        for block in re.findall(r"```shell\n(.*?)```", page, re.DOTALL)
        for line in block.replace("\\\n", " ").splitlines()
        if line.startswith("ansible-playbook")
    ]
    assert commands
    path = control.inventory({"mysql1": {}, "db1": {"server": "mysql1"}})
    for command in commands:
        line = command.split("  #")[0].replace("-i inventory", f"-i {path}") + " --list-tasks"
        done = subprocess.run(
            shlex.split(line), check=False, capture_output=True, text=True, cwd=control.folder
        )
        assert done.returncode == 0, line + done.stdout + done.stderr
    known = yaml.safe_load(
        (CHECKOUT / "roles/group_replication/meta/argument_specs.yml").read_text()
    )["argument_specs"]["main"]["options"]
    playbooks = "".join(each.read_text() for each in (CHECKOUT / "playbooks").rglob("*.yml"))
    for name in set(re.findall(r"\bgroup_replication_\w+", page)) - {"group_replication_plugin"}:
        assert name in known or name in playbooks, name


def test_a_wrong_variable_fails_its_own_host_alone(server: Server, control: Control) -> None:
    hosts = {
        "mysql1": {},
        "mysql2": {"group_replication_login_port": "abc"},
        "mysql3": {"group_replication_login_password": "{{ vault_nope }}"},
    }
    run = control.playbook(INSTALL, hosts, "--check", "-vvv")
    assert run.code != 0
    assert "mysql1" in group(run.output, "would change")
    for heading, host, words in (
        ("failed: variables_wrong", "mysql2", "group_replication_login_port"),
        ("failed", "mysql3", "'vault_nope' is undefined"),
    ):
        row, cause, next_step = group(run.output, heading).splitlines()[1:]
        assert row.startswith(host)
        assert words in cause
        assert not re.search(r"Task failed|Validation of arguments", cause)
        assert "Correct" in next_step
