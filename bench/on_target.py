# Copyright (c) 2026, the dbfleet.mysql authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Runs on a server's host: time AnsiballZ payloads by themselves, interleaved.

Arguments: the number of samples, then the payloads. Prints a list of samples as JSON.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time


def main() -> None:
    """Run each payload in turn, one round before the first that counts."""
    count, payloads = int(sys.argv[1]), sys.argv[2:]
    samples = []
    for number in range(count + 1):
        for path in payloads:
            start = time.perf_counter()
            process = subprocess.Popen([sys.executable, path], stdout=subprocess.DEVNULL)
            _pid, status, usage = os.wait4(process.pid, 0)
            wall = time.perf_counter() - start
            if status:
                raise SystemExit(path + " failed")
            if number:
                cpu = usage.ru_utime + usage.ru_stime
                samples.append({"payload": path, "wall": wall, "cpu": cpu})
    json.dump(samples, sys.stdout)


main()
