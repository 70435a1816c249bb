# Copyright (c) 2026, the dbfleet.mysql authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The larger role in check mode: on a host with nothing yet, and for one more server."""

from __future__ import annotations

import os
import subprocess

from scenario import SCENARIO, STEM

# All but what apt notes of a simulation.
EVERYTHING = (
    "cd / && find etc run var/lib var/log -xdev -path var/log/apt -prune -o"
    " -type f -printf '%p %s %T@\\n' | sort"
)

testinfra_hosts = [f"podman://{STEM}empty"]


def check(*flags: str) -> str:
    """Run the converge playbook in check mode, which must succeed, and return its output."""
    files = ("-i", SCENARIO / "inventory.yml", SCENARIO / "converge.yml")
    done = subprocess.run(
        ["ansible-playbook", *files, "--check", "--diff", *flags],
        check=False,
        capture_output=True,
        text=True,
        env={**os.environ, "ANSIBLE_FORCE_COLOR": "0"},  # molecule asks for colours
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def results(output: str, task: str) -> list[str]:
    """Return what became of each run of a task, such as ``changed``."""
    parts = output.split("TASK [")[1:]
    return [
        line.partition(":")[0]
        for part in parts
        if part.startswith(f"dbfleet.mysql.group_replication : {task}")
        for line in part.splitlines()
        if "[empty]" in line or "[two-servers]" in line
    ]


def test_a_host_with_nothing(host) -> None:
    assert not host.exists("mysqld")
    before = host.check_output(EVERYTHING)
    output = check("-e", "database_hosts=empty")
    # Once for either server; without a sign of one, no package is asked for.
    assert results(output, "Plugin at the server's start") == ["changed", "changed"]
    assert results(output, "Plugin in the running server") == ["changed", "changed"]
    assert results(output, "Install the package of PyMySQL") == []
    assert host.check_output(EVERYTHING) == before


def test_one_more_server_on_a_host_that_has_two() -> None:
    output = check("-e", "database_further=third")
    assert results(output, "Plugin at the server's start") == ["ok", "changed"]
    assert results(output, "Plugin in the running server") == ["ok", "changed"]
