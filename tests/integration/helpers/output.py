# Copyright (c) 2026, the dbfleet.mysql authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a run of ansible-playbook printed."""

from __future__ import annotations

import json
import re
from typing import Any


def summary(output: str) -> str:
    """Return the fleet's table, without its head."""
    text = output[output.index("TASK [Show what became of each host]") :]
    return text[text.index("\nhost  ") : text.index("\nok: ")]


def group(output: str, heading: str) -> str:
    """Return what the summary says under a heading."""
    return summary(output).split(f"\n{heading} (")[1].split("\n\n")[0]


def recap(output: str, host: str) -> dict[str, int]:
    """Return a host's numbers in the play recap."""
    line = next(line for line in output.splitlines() if re.match(rf"{host}\s+: ok=", line))
    return {name: int(number) for name, number in re.findall(r"(\w+)=(\d+)", line)}


def remote_executions(output: str) -> int:
    """Return how many modules were sent to hosts, from the output of a run with -vvv."""
    return output.count("Using module file ")


def results(output: str) -> list[dict[str, Any]]:
    """Return what each task returned, from the output of a run with -v on one host."""
    begins = re.finditer(r"^(?:ok|changed|fatal): \[.*?\].*? => (?={)", output, re.MULTILINE)
    return [json.JSONDecoder().raw_decode(output, begin.end())[0] for begin in begins]
