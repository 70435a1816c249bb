# Copyright (c) 2026, the dbfleet.mysql authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Runs of ansible-playbook, timed: repeat runs and first runs."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from typing import Any

from fleet import BENCH, PODMAN, SSH_PIPELINING, Fleet

Sample = dict[str, Any]

FORKS = 20
OURS = "dbfleet.mysql.group_replication_plugin"
PLAYBOOKS = {
    "ping": str(BENCH / "playbooks/ping.yml"),
    "peer": str(BENCH / "playbooks/peer.yml"),
    "role": str(BENCH / "playbooks/role.yml"),
    "playbook": OURS,
    "verify": "dbfleet.mysql.group_replication_plugin_verify",
}
RECAP = re.compile(r"^\S+ +: ok=\d+ +changed=(\d+) +unreachable=(\d+) +failed=(\d+) ", re.MULTILINE)


def play(
    run: str,
    inventory: str,
    hosts: list[str],
    changes: bool = False,
    watch: Callable[[int], None] | None = None,
) -> Sample:
    """Run a playbook once.

    Args:
        run: a key of PLAYBOOKS.
        inventory: a file with at least these hosts.
        hosts: those that the run is limited to.
        changes: whether the run may change something; one that may not and does ends the benchmark.
        watch: is called with the process's id while it runs, and must return by itself.

    Returns:
        The run, the number of hosts, and what it took.
    """
    limit = hosts if len(hosts) <= 20 else ["mysql"]
    command = ["ansible-playbook", "-i", inventory, f"--forks={FORKS}", "--limit", ",".join(limit)]
    environ = {**os.environ, "ANSIBLE_LOCALHOST_WARNING": "false", "ANSIBLE_NOCOLOR": "true"}
    with tempfile.TemporaryFile() as log:
        start = time.perf_counter()
        process = subprocess.Popen([*command, PLAYBOOKS[run]], stdout=log, stderr=log, env=environ)
        try:
            if watch is not None:
                watch(process.pid)
            _pid, status, usage = os.wait4(process.pid, 0)
        except BaseException:
            process.terminate()
            process.wait()
            raise
        wall = time.perf_counter() - start
        # It was waited for already, for the sake of its CPU time.
        process.returncode = os.waitstatus_to_exitcode(status)
        log.seek(0)
        text = log.read().decode(errors="replace")
    problem = _problem(process.returncode, text, len(hosts), changes)
    if problem:
        sys.stderr.write(text[-4000:])
        raise SystemExit(f"{run}: {problem}")
    return {
        "run": run,
        "hosts": len(hosts),
        "wall": round(wall, 3),
        "cpu": round(usage.ru_utime + usage.ru_stime, 3),
        "memory_mib": round(usage.ru_maxrss / 1024, 1),
    }


def _problem(code: int, text: str, hosts: int, changes: bool) -> str:
    if code:
        return f"failed with status {code}"
    recap = RECAP.findall(text)
    if len(recap) != hosts:
        return f"ran on {len(recap)} hosts instead of {hosts}"
    if any(unreachable != "0" or failed != "0" for _changed, unreachable, failed in recap):
        return "failed on a host"
    if not changes and any(changed != "0" for changed, _unreachable, _failed in recap):
        return "changed something, so this was no repeat run"
    return ""


def settle(fleet: Fleet, hosts: list[str]) -> None:
    """Bring servers to the state that the playbook leaves new ones in."""
    inventory = fleet.inventory(PODMAN)
    fleet.reset(hosts)
    play("playbook", inventory, hosts, changes=True)
    play("playbook", inventory, hosts)


def repeats(fleet: Fleet, sizes: list[int], connections: list[str], rounds: int) -> list[Sample]:
    """Measure runs that have nothing to change; a round before the first that counts."""
    settle(fleet, fleet.names)
    inventories = {connection: fleet.inventory(connection) for connection in connections}
    result = []
    for size in sizes:
        for number in range(rounds + 1):
            for connection, inventory in inventories.items():
                for run in PLAYBOOKS:
                    sample = play(run, inventory, fleet.names[:size])
                    if number:
                        result.append({"connection": connection, **sample})
            print(f"repeat, {size} servers: round {number} of {rounds}", flush=True)
    return result


def firsts(fleet: Fleet, size: int, connections: list[str], rounds: int) -> list[Sample]:
    """Measure first runs, each on servers without the plugin that were just restarted."""
    hosts = fleet.names[:size]
    wanted = [connection for connection in (PODMAN, SSH_PIPELINING) if connection in connections]
    inventories = {connection: fleet.inventory(connection) for connection in wanted}
    for inventory in inventories.values():
        # Opens the connections that ssh keeps.
        play("ping", inventory, hosts)
    result = []
    for number in range(1, rounds + 1):
        for connection, inventory in inventories.items():
            for run in ("peer", "role", "playbook"):
                fleet.reset(hosts)
                sample = play(run, inventory, hosts, changes=True)
                result.append({"connection": connection, **sample})
        print(f"first, {size} servers: round {number} of {rounds}", flush=True)
    return result
