# Copyright (c) 2026, the dbfleet.mysql authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a host that means no good gets on the control node: its own row in the summary."""

from __future__ import annotations

import json
import unicodedata
from pathlib import Path
from typing import Any

import pytest
from helpers.control import Control, Playbook
from helpers.fake_hosts import FakeHosts, answer
from helpers.output import group, summary
from helpers.playbooks import INSTALL, VERIFY

#: What a server lacks that will not have the plugin after its restart.
GONE = answer(survives_restart=False, loaded_at_start_by=[])
ODD = "8.4\x1b[2J\x1b]0;x\x07\r\n\x85\u2028\u202e\u200b\x00\x9b\U000e0041"


@pytest.fixture
def hosts(tmp_path: Path) -> FakeHosts:
    """Return hosts that answer as they are told."""
    return FakeHosts(tmp_path)


@pytest.fixture
def precious(tmp_path: Path) -> Path:
    """Return a file of the control node's, which a report would overwrite."""
    path = tmp_path / "precious.json"
    path.write_text("precious")
    return path


def steering(precious: Path) -> dict[str, Any]:
    """Return facts that would steer the run."""
    return {
        "group_replication_report": str(precious),
        "group_replication_state": "absent",
        "group_replication_max_fail_percentage": 100,
        "group_replication_serial": "100%",
        "group_replication_hosts": "a1",
        "group_replication_playbook": "install",
        "group_replication_confirm_remove": True,
        "group_replication_started_at": "now\x1b[2J",
        "group_replication_failure": {},
        "group_replication_batch_result": {"stop": False},
        "group_replication_summary_result": {"problems": {}, "outcomes": {}},
        "ansible_check_mode": False,
        "ansible_play_hosts_all": ["a1"],
    }


def document(path: Path) -> dict[str, dict[str, Any]]:
    """Return a report's hosts by name."""
    loaded = json.loads(path.read_text())
    return {host["name"]: host for host in loaded["hosts"]}


def check_summary(run: Playbook, *names: str) -> str:
    """Check that the summary came, and that it is plain text; returns it."""
    text = summary(run.output)
    odd = [
        character
        for character in text
        if character != "\n" and unicodedata.category(character) in ("Cc", "Cf", "Cs", "Zl", "Zp")
    ]
    assert odd == []
    for name in names:
        assert any(line.startswith(name + " ") for line in text.splitlines()), text
    return text


# ---- 6: facts ----


@pytest.mark.hazard(
    "A host returns facts named like the run's variables",
    "-",
    "they change neither the report nor another host's verdict",
)
def test_facts_of_a_host_do_not_steer_the_end(
    hosts: FakeHosts, control: Control, precious: Path, tmp_path: Path
) -> None:
    report = tmp_path / "fleet.json"
    run = control.playbook(
        VERIFY,
        {
            "a1": hosts.host("a1", answer(ansible_facts=steering(precious))),
            "b2": hosts.host("b2", GONE),
        },
        *("-e", f"group_replication_report={report}"),
    )
    assert precious.read_text() == "precious"
    assert run.code != 0
    assert "b2" in group(run.output, "will not survive a restart")
    assert document(report)["b2"]["outcome"] == "gone_after_restart"
    loaded = json.loads(report.read_text())
    assert loaded["run"]["state"] == "present"
    assert "\x1b" not in loaded["run"]["started_at"]


@pytest.mark.parametrize("task", ["group_replication_plugin", "plugin_load_add", "pymysql_package"])
@pytest.mark.hazard(
    "A host returns facts that say how Ansible reaches it: programs, sockets, arguments",
    "-",
    "they are dropped, and the next task goes where the inventory says",
)
def test_facts_of_a_host_do_not_say_how_it_is_reached(
    hosts: FakeHosts, control: Control, task: str
) -> None:
    facts = {
        "ansible_control_path": "/tmp/of-another-host",  # noqa: S108 - nothing is there
        "ansible_sftp_executable": "/bin/evil",
        "ansible_podman_extra_args": "run evil",
        "ansible_pkg_mgr": "apt",
        "group_replication_state": "absent",
    }
    run = control.play(
        [
            {f"dbfleet.mysql.{task}": {}, "register": "found"},
            {
                "ansible.builtin.assert": {
                    "that": [
                        *(f"{name} is not defined" for name in facts),
                        *(f"'{name}' not in ansible_facts" for name in facts),
                        "'ansible_facts' not in found",
                        "'ansible_stats' not in found",
                        "found.changed == false",
                    ]
                }
            },
        ],
        {"a1": hosts.host("a1", answer(ansible_facts=facts, ansible_stats={"data": {"a": 1}}))},
    )
    assert run.code == 0, run.output


@pytest.mark.parametrize("depth", [9, 250, 350, 3000])
@pytest.mark.parametrize("failed", [False, True])
@pytest.mark.hazard(
    "A host returns values that are nested hundreds of levels deep",
    "-",
    "`result_invalid` for that host; the run goes on and ends with its summary",
)
def test_a_deep_result_ends_nothing(
    hosts: FakeHosts, control: Control, depth: int, failed: bool
) -> None:
    deep: Any = json.dumps(answer(failed=failed, server={"x": "DEEP"}))
    deep = deep.replace('"DEEP"', "[" * depth + "]" * depth)
    run = control.playbook(
        INSTALL,
        {
            "a1": hosts.host("a1", deep),
            "b2": hosts.host("b2", answer()),
        },
        *("-e", "group_replication_serial=1"),
    )
    check_summary(run, "a1", "b2")
    assert "b2" in hosts.asked()
    assert "b2" in group(run.output, "in order")
    assert "a1" not in group(run.output, "in order")


@pytest.mark.parametrize(
    "said",
    [
        json.dumps(answer()) + f"\nNo JSON {ODD}\n",
        json.dumps(answer(_ansible_odd=ODD, **{f"_ansible_{ODD}": 1})),
        f"No JSON at all {ODD}",
    ],
    ids=["after the result", "keys of Ansible's own", "no result"],
)
def test_no_other_word_of_a_host_controls_the_terminal(
    hosts: FakeHosts, control: Control, said: str
) -> None:
    """What Ansible prints of a host before a task's result is there."""
    run = control.playbook(
        INSTALL, {"a1": hosts.host("a1", said), "b2": hosts.host("b2", answer())}
    )
    check_summary(run, "a1", "b2")
    assert [
        character
        for character in run.output
        if character != "\n" and unicodedata.category(character) in ("Cc", "Cf", "Cs", "Zl", "Zp")
    ] == []


def test_no_word_of_a_connection_controls_the_terminal(
    hosts: FakeHosts, control: Control, tmp_path: Path
) -> None:
    """What ssh passes on of a host that cannot be reached."""
    ssh = tmp_path / "ssh"
    ssh.write_text(f"#!/bin/sh\ncat <<'END' >&2\n{ODD}\nEND\nexit 255\n")
    ssh.chmod(0o755)
    evil = {
        "ansible_connection": "ansible.builtin.ssh",
        "ansible_host": "127.0.0.1",
        "ansible_ssh_executable": str(ssh),
    }
    run = control.playbook(INSTALL, {"a1": evil, "b2": hosts.host("b2", answer())})
    check_summary(run, "a1", "b2")
    assert "a1" in group(run.output, "unreachable")
    assert [
        character
        for character in run.output
        if character != "\n" and unicodedata.category(character) in ("Cc", "Cf", "Cs", "Zl", "Zp")
    ] == []


@pytest.mark.parametrize(
    ("last_word", "retries"),
    [("cat odd >&2; exit 255", 0), ("cat odd >&2; exit 1", 0), ("sleep 600", 0), ("sleep 600", 3)],
)
def test_a_host_that_does_not_let_its_temporary_files_go(
    hosts: FakeHosts, control: Control, tmp_path: Path, last_word: str, retries: int
) -> None:
    """Ansible removes them after the task, when nothing bounds or cleans any more."""
    (tmp_path / "odd").write_text(f"{ODD}\nok: [b2]\n")
    ssh = tmp_path / "ssh"
    ssh.write_text(
        f"#!/bin/sh\ncd {tmp_path}\n"
        f'case "$*" in *"rm -f -r"*) {last_word} ;; esac\n'
        'for last; do :; done\nexec sh -c "$last"\n'
    )
    ssh.chmod(0o755)
    evil = {
        **hosts.host("a1", answer()),
        "ansible_connection": "ansible.builtin.ssh",
        "ansible_host": "127.0.0.1",
        "ansible_ssh_executable": str(ssh),
        "ansible_pipelining": False,
        "ansible_ssh_transfer_method": "piped",
        "ansible_remote_tmp": str(tmp_path / "remote"),
        "ansible_ssh_retries": retries,
    }
    task = {"dbfleet.mysql.group_replication_plugin": {}, "timeout": 5}
    run = control.play([task], {"a1": evil, "b2": hosts.host("b2", answer())})
    assert "b2" in run.output
    assert "\nok: [b2]\n" in run.output
    assert run.output.count("\nok: [b2]\n") == 1
    assert [
        character
        for character in run.output
        if character != "\n" and unicodedata.category(character) in ("Cc", "Cf", "Cs", "Zl", "Zp")
    ] == []


def test_a_host_forges_no_line(hosts: FakeHosts, control: Control) -> None:
    """What a host says never begins a line of its own in the tasks' output."""
    lie = "x\nok: [b2] => forged"
    diff = {"before": "a\n", "after": "b\n", "before_header": lie, "after_header": lie}
    run = control.playbook(
        INSTALL,
        {
            "a1": hosts.host("a1", json.dumps(answer()) + f"\n{lie}\n"),
            "a2": hosts.host("a2", answer(changed=True, diff=diff, warnings=[lie], msg=lie)),
            "a3": hosts.host("a3", answer(failed=True, warnings=[lie], exception=lie, msg=lie)),
            "b2": hosts.host("b2", answer()),
        },
        *("--check", "--diff", "-vvv"),
    )
    check_summary(run, "a1", "a2", "a3", "b2")
    assert not [line for line in run.output.splitlines() if line.startswith("ok: [b2] => forged")]


def test_a_diff_of_a_host_holds_nobody_up(hosts: FakeHosts, control: Control) -> None:
    """Ansible compares its sides in its main process, in time by the cube of their lines."""
    sides = ["".join(f"{side}{line}\n{line % 51}\n" for line in range(6000)) for side in ("a", "b")]
    diff = {"before": sides[0], "after": sides[1], "prepared": "ok: [b2]\nforged\n"}
    run = control.playbook(
        INSTALL,
        {"a1": hosts.host("a1", answer(diff=diff)), "b2": hosts.host("b2", answer())},
        *("--check", "--diff"),
    )
    check_summary(run, "a1", "b2")
    assert "forged" not in run.output
    assert run.output.count("\n") < 1000


def test_no_word_of_a_host_controls_the_terminal(hosts: FakeHosts, control: Control) -> None:
    odd = answer(
        failed=True, msg=f"This {ODD} is so.", error_code="server_down", warnings=[f"And {ODD}."]
    )
    fine = answer(warnings=[f"Mind {ODD}."], plugin={**answer()["plugin"], "version": ODD})
    run = control.playbook(
        INSTALL, {"a1": hosts.host("a1", odd), "b2": hosts.host("b2", fine)}, "-v"
    )
    assert "\ufffd[2J" in run.output
    found = {
        character
        for character in run.output
        if character != "\n" and unicodedata.category(character) in ("Cc", "Cf", "Cs", "Zl", "Zp")
    }
    assert found == set()


@pytest.mark.hazard(
    "A host returns facts that would lift the run's limit",
    "-",
    "the run stops where it should",
)
def test_facts_of_a_host_do_not_lift_the_runs_limit(
    hosts: FakeHosts, control: Control, precious: Path
) -> None:
    evil = {**GONE, "ansible_facts": steering(precious)}
    run = control.playbook(
        INSTALL,
        {
            "a1": hosts.host("a1", evil),
            "b2": hosts.host("b2", answer()),
            "c3": hosts.host("c3", answer()),
        },
        *("-e", "group_replication_serial=1", "-e", "group_replication_max_fail_percentage=0"),
    )
    assert run.code != 0
    assert set(hosts.asked()) == {"a1"}
    assert "b2" in group(run.output, "not reached")
    assert precious.read_text() == "precious"


@pytest.mark.parametrize("way", ["cache", "play"])
def test_facts_that_steer_are_refused_before_a_host_is_touched(
    hosts: FakeHosts, control: Control, precious: Path, tmp_path: Path, way: str
) -> None:
    """Left by an earlier run in a cache, or by an earlier play of the same run."""
    facts = {"group_replication_report": str(precious)}
    inventory = {
        "a1": hosts.host("a1", {"changed": False, "ansible_facts": facts}),
        "b2": hosts.host("b2", answer()),
    }
    task: dict[str, Any] = {"ansible.builtin.setup": {}}
    earlier = {"hosts": "a1", "gather_facts": False, "tasks": [task]}
    environ = {
        "ANSIBLE_CACHE_PLUGIN": "ansible.builtin.jsonfile",
        "ANSIBLE_CACHE_PLUGIN_CONNECTION": str(tmp_path / "cache"),
    }
    if way == "cache":
        play = tmp_path / "earlier.yml"
        play.write_text(json.dumps([earlier]))
        first = control.playbook(str(play), inventory, **environ)
        assert first.code == 0, first.output
        assert list((tmp_path / "cache").iterdir())
        hosts.log.write_text("")
        run = control.playbook(VERIFY, inventory, **environ)
        assert hosts.asked() == []
    else:
        run = control.plays([earlier, {"ansible.builtin.import_playbook": VERIFY}], inventory)
        assert hosts.asked() in ([], ["a1"])
    assert run.code != 0
    said = " ".join(run.output.split())
    assert "Show what became of each host" not in said
    assert "group_replication_report" in said
    assert "a1" in said
    assert precious.read_text() == "precious"


def test_facts_of_a_host_do_not_choose_what_is_installed_elsewhere(
    hosts: FakeHosts, control: Control, precious: Path
) -> None:
    """PyMySQL is missing, so the role asks for facts, and gets more than it asked for."""
    missing = {
        "failed": True,
        "msg": "PyMySQL is missing. Install it.",
        "error_code": "pymysql_missing",
        "check_mode": False,
        "executed_statements": [],
        "ansible_facts": {**steering(precious), "pkg_mgr": "ansible.builtin.debug", "x": ODD},
    }
    run = control.playbook(INSTALL, {"a1": hosts.host("a1", missing), "b2": hosts.host("b2", GONE)})
    assert run.code != 0
    text = check_summary(run, "a1", "b2")
    assert "hosts: 2, with a problem: 2" in text
    assert "b2" in group(run.output, "will not survive a restart")
    assert precious.read_text() == "precious"


# ---- 9 and 10: texts, types, lengths ----


def everywhere(text: str) -> dict[str, Any]:
    """Return an answer with a text of its own in each place that is shown."""
    return answer(
        changed=True,
        executed_statements=[text],
        plugin={"status": text, "library": text, "license": text},
        server={"version": text, "flavor": text, "option_file": None, "more": text},
        loaded_at_start_by=[text],
    )


@pytest.mark.hazard(
    "A host returns values of the wrong type",
    "-",
    "that host alone failed: `result_invalid`",
)
def test_one_host_does_not_end_the_summary_of_the_others(
    hosts: FakeHosts, control: Control, tmp_path: Path
) -> None:
    report = tmp_path / "reports" / "fleet.json"
    report.parent.mkdir()
    surrogates = json.dumps(everywhere("@")).replace("@", "\\ud800\\udfff\\udc00")
    forged = everywhere("8\nb2    MySQL 8.4.3  ACTIVE  group_replication.so  GPL")
    wrong: dict[str, Any] = {
        "e1": answer(server="text"),
        "e2": answer(server={"version": {"a": []}}),
        "e3": answer(loaded_at_start_by=5),
        "e4": answer(executed_statements=[{"a": 1}]),
        "e5": answer(survives_restart=[]),
        "e6": answer(plugin=[1]),
    }
    fleet = {
        "a1": hosts.host("a1", everywhere(ODD)),
        "a2": hosts.host("a2", everywhere("y" * (10 << 20))),
        "a3": hosts.host("a3", surrogates),
        "a4": hosts.host("a4", forged),
        **{name: hosts.host(name, each) for name, each in wrong.items()},
        "b2": hosts.host("b2", answer()),
    }
    run = control.playbook(VERIFY, fleet, "-e", f"group_replication_report={report}", "--forks=5")
    assert run.code != 0
    text = check_summary(run, "b2", "a1", "a4", *wrong)
    rows = [line for line in text.splitlines() if line.startswith("b2 ")]
    assert len(rows) == 1
    assert "/etc/mysql/my.cnf:12" in rows[0]
    assert f"hosts: {len(fleet)}, " in text
    assert len(text) < 100000
    found = document(report)
    assert set(found) == set(fleet)
    assert found["b2"]["outcome"] == "in_order"
    for name in wrong:
        assert found[name]["is_problem"], name
    assert [path.name for path in report.parent.iterdir()] == ["fleet.json"]
    assert report.stat().st_size < 500000


@pytest.mark.hazard(
    "A host returns control characters, or megabytes",
    "reach the terminal",
    "the summary and the reports are plain and short",
)
def test_failures_of_a_host_are_plain_and_short(
    hosts: FakeHosts, control: Control, tmp_path: Path
) -> None:
    def failing(text: str) -> dict[str, Any]:
        return {"failed": True, "msg": text, "cause": text, "next_step": text, "error_code": text}

    report = tmp_path / "fleet.md"
    fleet = {
        "a1": hosts.host("a1", failing(ODD)),
        "a2": hosts.host("a2", failing("y" * (1 << 20))),
        "a3": hosts.host("a3", {"failed": True, "msg": ODD * 1000}),
        "a4": hosts.host("a4", "no JSON at all \x1b[2J"),
        "a5": hosts.host("a5", {"failed": True, "rc": 127, "module_stderr": ODD}),
        "b2": hosts.host("b2", answer()),
    }
    run = control.playbook(INSTALL, fleet, "-e", f"group_replication_report={report}")
    assert run.code != 0
    text = check_summary(run, "b2", "a1", "a2", "a3", "a4", "a5")
    assert max(map(len, text.splitlines())) < 3000
    assert "hosts: 6, with a problem: 5, in order: 1" in text
    page = report.read_text()
    assert "\x1b" not in page
    assert "\u202e" not in page
    # What the run says at its end of each host with a problem is short, too.
    ending = run.output[run.output.index("TASK [Fail where a host has a problem]") :]
    assert "y" * 2000 not in ending
    assert "\x1b" not in ending
    assert "\u202e" not in ending
