# Copyright (c) 2026, the dbfleet.mysql authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Runs of ansible-playbook, timed in turn."""

from __future__ import annotations

import os
import re
import resource
import subprocess
import sys
import time
from collections.abc import Sequence
from typing import NamedTuple

from fleet import CHECKOUT, LOCAL, PODMAN, Fleet

PING, PEERS, ROLE, PLAYBOOK = "ping", "peers", "role", "playbook"
REPEAT, FIRST, SCALE = "repeat", "first", "scale"
RUNS = {
    REPEAT: (PING, PEERS, ROLE, PLAYBOOK),
    FIRST: (PEERS, ROLE, PLAYBOOK),
    SCALE: (PING, PLAYBOOK),
}
FORKS = 20

_PATHS = {
    **{run: f"bench/playbooks/{run}.yml" for run in (PING, PEERS, ROLE)},
    PLAYBOOK: "dbfleet.mysql.group_replication_plugin",
}
_RECAP = re.compile(r"^\S+ +: ok=\d+ +changed=(\d+) ", re.MULTILINE)


class Sample(NamedTuple):
    """What one run took: seconds on the clock, and of the control node's processors."""

    run: str
    hosts: int
    connection: str
    kind: str
    wall: float
    cpu: float


def measure(
    fleet: Fleet, kind: str, connections: Sequence[str], sizes: Sequence[int], rounds: int
) -> list[Sample]:
    """Measure all runs of a kind in turn: one of each, then the next round.

    For each size, a round before the first that counts opens connections and fills caches.
    """
    samples = []
    if kind != FIRST:
        play(fleet, PLAYBOOK, fleet.size, PODMAN, may_change=True)
    for hosts in sizes:
        for number in range(rounds + 1):
            for connection in connections:
                for run in RUNS[kind]:
                    if kind == FIRST:
                        fleet.reset(hosts)
                    times = play(fleet, run, hosts, connection, may_change=kind == FIRST)
                    sample = Sample(run, hosts, connection, kind, *times)
                    print(f"round {number} of {rounds}: {sample}", flush=True)
                    if number:
                        samples.append(sample)
    return samples


def play(
    fleet: Fleet, run: str, hosts: int, connection: str, may_change: bool
) -> tuple[float, float]:
    """Run a playbook; one that fails, or changes what it may not, ends the benchmark.

    Returns:
        Its wall-clock time and its CPU time in seconds.
    """
    inventory = fleet.inventory(connection, hosts)
    cpu, start = _cpu_time(), time.perf_counter()
    process = subprocess.Popen(
        ["ansible-playbook", f"--inventory={inventory}", f"--forks={FORKS}", _PATHS[run]],
        cwd=CHECKOUT,
        env={**os.environ, "ANSIBLE_NOCOLOR": "true"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        text = process.communicate()[0]
    except KeyboardInterrupt:
        # Asked to end, it ends its workers; killed, it would leave them behind.
        process.terminate()
        process.communicate()
        raise
    wall, cpu = time.perf_counter() - start, _cpu_time() - cpu
    if connection == LOCAL:
        cpu -= fleet.take_module_time()
    changed = [number != "0" for number in _RECAP.findall(text)]
    if process.returncode or len(changed) != hosts or (any(changed) and not may_change):
        sys.stderr.write(text)
        raise SystemExit(f"{run}: it failed, or missed a host, or changed something (see above)")
    return round(wall, 3), round(cpu, 3)


def _cpu_time() -> float:
    """Return the seconds of CPU time of all processes that this one has waited for."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime
