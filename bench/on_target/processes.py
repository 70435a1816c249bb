# Copyright (c) 2026, the dbfleet.mysql authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Runs on a server's host: time commands, each in a process of its own, interleaved.

Reads a JSON object from standard input: "rounds", and "commands", each a list of words by a name.
Prints a list of samples as JSON. One round goes before the first that counts.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time


def main() -> None:
    """Run each command in turn, as often as asked for."""
    wish = json.load(sys.stdin)
    samples = []
    for number in range(wish["rounds"] + 1):
        for name, command in wish["commands"].items():
            start = time.perf_counter()
            process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
            _pid, status, usage = os.wait4(process.pid, 0)
            wall = time.perf_counter() - start
            process.returncode = status
            if status:
                raise SystemExit(name + " failed")
            if number:
                cpu = usage.ru_utime + usage.ru_stime
                samples.append({"name": name, "wall": round(wall, 6), "cpu": round(cpu, 6)})
    json.dump(samples, sys.stdout)


main()
