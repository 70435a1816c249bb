# Copyright (c) 2026, the dbfleet.mysql authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Runs on a server's host: time payloads as they are and in parts, interleaved.

Reads a JSON object from standard input: "rounds", "program" (the path of parts.py), and "payloads",
each with its "path" and the "functions" to time, by a name. Prints a list of samples as JSON.
"""

from __future__ import annotations

import ast
import json
import os
import subprocess
import sys
import time

REPORT = "/root/parts.report"


def run(command: list[str]) -> tuple[float, float, float, float]:
    """Run a command; returns its start, its end, and its wall-clock and CPU time."""
    start = time.perf_counter()
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    _pid, status, usage = os.wait4(process.pid, 0)
    end = time.perf_counter()
    process.returncode = status
    if status:
        raise SystemExit(" ".join(command[1:3]) + " failed")
    return start, end, end - start, usage.ru_utime + usage.ru_stime


def main() -> None:
    """Run each payload in turn, as it is and in parts, one round before the first that counts."""
    wish = json.load(sys.stdin)
    samples = []
    for number in range(wish["rounds"] + 1):
        for name, payload in wish["payloads"].items():
            _start, _end, wall, cpu = run([sys.executable, payload["path"]])
            start, end, parts_wall, parts_cpu = run(
                [sys.executable, wish["program"], payload["path"], REPORT, *payload["functions"]]
            )
            with open(REPORT) as file:
                report = ast.literal_eval(file.read())
            parts = report["parts"]
            inside_cpu = sum(times[1] for times in parts.values())
            # The clock is the system's, the same in each process.
            parts["Python's start"] = [report["first"] - start, parts_cpu - inside_cpu]
            parts["Python's end"] = [end - report["last"], 0.0]
            if number:
                samples.append(
                    {
                        "run": name,
                        "wall": round(wall, 6),
                        "cpu": round(cpu, 6),
                        "parts_wall": round(parts_wall, 6),
                        "parts_cpu": round(parts_cpu, 6),
                        "parts": {
                            part: [round(value, 7) for value in times]
                            for part, times in parts.items()
                        },
                    }
                )
    json.dump(samples, sys.stdout)


main()
