# Copyright (c) 2026, the dbfleet.mysql authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a host more costs the control node: real servers, and many simulated hosts.

A simulated host is a local connection of the control node, with a Python interpreter that is in the
container of one of the real servers. Its modules' CPU time is recorded by itself, so that it can be
taken off.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from pathlib import Path

from fleet import PODMAN, Fleet, output
from runs import Sample, play, settle

LOCAL = "local"
RUNS = ("ping", "playbook")
# Many hosts take minutes: their memory is watched once only.
MANY = 100

# Python for the modules of simulated hosts: runs the payload, a file of the control node, in a
# container, and adds what each run took to a file.
_INTERPRETER = """#!/bin/bash
nsenter --target {pid} --all --root --wd python3 - < "$1"
code=$?
times >> "{times}"
exit $code
"""
_TIMES = re.compile(r"(\d+)m([\d.]+)s")


class Simulated:
    """Simulated hosts of a fleet."""

    def __init__(self, fleet: Fleet) -> None:
        self._fleet = fleet
        self._times = fleet.folder / "times"
        self._variables = {
            "ansible_connection": "ansible.builtin.local",
            "ansible_remote_tmp": str(fleet.folder / "tmp"),
        }
        containers = [fleet.container(name) for name in fleet.names]
        pids = output("podman", "inspect", "--format", "{{.State.Pid}}", *containers).split()
        self._interpreters = []
        for name, pid in zip(fleet.names, pids, strict=True):
            interpreter = fleet.folder / f"python-of-{name}"
            interpreter.write_text(_INTERPRETER.format(pid=pid, times=self._times))
            interpreter.chmod(0o755)
            self._interpreters.append(str(interpreter))

    def play(self, run: str, size: int, watch: Callable[[int], None] | None = None) -> Sample:
        """Run a playbook on as many hosts, which take the servers in turn."""
        hosts = {
            f"host{number:03}": {
                "ansible_python_interpreter": self._interpreters[number % len(self._interpreters)]
            }
            for number in range(size)
        }
        inventory = self._fleet.write_inventory(f"simulated{size}", self._variables, hosts)
        self._times.write_text("")
        sample = play(run, inventory, list(hosts), watch=watch)
        found = _TIMES.findall(self._times.read_text())
        # For each host: user and system time, of the shell and of Python.
        if len(found) != 4 * size:
            raise SystemExit(f"{run}: {len(found) / 4:g} modules ran on {size} hosts")
        modules = sum(60 * int(minutes) + float(seconds) for minutes, seconds in found)
        return {"connection": LOCAL, **sample, "modules_cpu": round(modules, 3)}


def scale(
    fleet: Fleet, sizes: list[int], simulated: list[int], rounds: int, many_rounds: int
) -> list[Sample]:
    """Measure times of simulated hosts, and memory of these and of real servers.

    Args:
        fleet: the servers.
        sizes: how many of them to watch the memory for.
        simulated: how many simulated hosts to have.
        rounds: the samples of each run.
        many_rounds: the samples of each run on more than 100 hosts.
    """
    settle(fleet, fleet.names)
    hosts = Simulated(fleet)
    for run in RUNS:
        hosts.play(run, min(simulated))
    result = []
    for number in range(1, rounds + 1):
        for size in simulated:
            if size <= MANY or number <= many_rounds:
                result += [hosts.play(run, size) for run in RUNS]
                print(f"scale, {size} simulated hosts: round {number} of {rounds}", flush=True)
    return result + _memory(fleet, hosts, sizes, simulated, min(rounds, 3))


def _memory(
    fleet: Fleet, hosts: Simulated, sizes: list[int], simulated: list[int], rounds: int
) -> list[Sample]:
    """Watch the memory of runs, which do not count for their time."""
    result = []
    inventory = fleet.inventory(PODMAN)
    for number in range(1, rounds + 1):
        for run in RUNS:
            for connection, size in [(PODMAN, size) for size in sizes] + [
                (LOCAL, size) for size in simulated
            ]:
                if size > MANY and number > 1:
                    continue
                peak = Peak()
                if connection == PODMAN:
                    play(run, inventory, fleet.names[:size], watch=peak.watch)
                else:
                    hosts.play(run, size, watch=peak.watch)
                mib = round(peak.kib / 1024, 1)
                result.append({"connection": connection, "run": run, "hosts": size, "pss_mib": mib})
        print(f"scale, memory: round {number} of {rounds}", flush=True)
    return result


class Peak:
    """The most memory that the processes of a run had at one moment, in KiB.

    Memory that several processes share counts once (the kernel's proportional set size). Modules of
    simulated hosts are left out, as on real hosts they run elsewhere.
    """

    def __init__(self) -> None:
        self.kib = 0

    def watch(self, pid: int) -> None:
        """Look twice a second until the process has ended."""
        while _state(pid) not in ("Z", ""):
            self.kib = max(self.kib, sum(map(_pss, _tree(pid))))
            time.sleep(0.5)


def _state(pid: int) -> str:
    return _stat(Path("/proc", str(pid)))[0]


def _stat(folder: Path) -> tuple[str, int]:
    """Return a process's state and its parent; an empty state where it is gone."""
    try:
        words = (folder / "stat").read_text().rpartition(")")[2].split()
    except OSError:
        return "", 0
    return words[0], int(words[1])


def _tree(root: int) -> list[int]:
    """Return a process and its descendants, but for modules and what is below them."""
    children: dict[int, list[int]] = {}
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            children.setdefault(_stat(folder)[1], []).append(int(folder.name))
    found = [root]
    for pid in found:
        found += [child for child in children.get(pid, []) if not _is_module(child)]
    return found


def _is_module(pid: int) -> bool:
    try:
        words = Path("/proc", str(pid), "cmdline").read_bytes().split(b"\0")
    except OSError:
        return False
    # A client such as podman names the payload, too, and runs on the control node.
    own = words[0].rpartition(b"/")[2] in (b"sh", b"bash", b"python")
    return own and any(b"AnsiballZ_" in word for word in words)


def _pss(pid: int) -> int:
    try:
        text = Path("/proc", str(pid), "smaps_rollup").read_text()
    except OSError:
        # It ended, or is ending.
        return 0
    found = re.search(r"^Pss: +(\d+) kB", text, re.MULTILINE)
    return int(found[1]) if found else 0
