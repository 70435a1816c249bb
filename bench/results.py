# Copyright (c) 2026, the dbfleet.mysql authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The recorded samples: one file, a section for each subject, each with its own circumstances."""

from __future__ import annotations

import datetime
import json
import os
import platform
from pathlib import Path
from typing import Any

from fleet import BENCH, FLEET, output
from runs import FORKS, Sample

PATH = BENCH / "results/samples.json"
SECTIONS = ("repeat", "first", "module", "option_files", "scale")


def read(path: Path = PATH) -> dict[str, Any]:
    """Return the recorded sections, empty where there are none in this form."""
    if not path.exists():
        return {}
    found = json.loads(path.read_text())
    return {name: found[name] for name in SECTIONS if name in found}


def circumstances() -> dict[str, Any]:
    """Return what the samples depend on, as it is before a section is measured."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    target = output("podman", "exec", _first_container(), "python3", "--version")
    return {
        "date": datetime.datetime.now(datetime.UTC).date().isoformat(),
        "cores": os.cpu_count(),
        "memory_gib": round(memory),
        "architecture": platform.machine(),
        "ansible_core": output("ansible", "--version").partition("]")[0].partition("core ")[2],
        "python": platform.python_version(),
        "python_on_servers": target.split()[-1],
        "mysql": output("lab/lab", "sql", FLEET, "mysql1", "SELECT VERSION()").split()[-1],
        "forks": FORKS,
        "load_before": load(),
    }


def load() -> float:
    """Return the load of the last minute."""
    return round(os.getloadavg()[0], 1)


def record(name: str, around: dict[str, Any], samples: list[Sample]) -> None:
    """Put a section's samples in the place of those that it had; the other sections stay."""
    sections = read() | {name: {**around, "load_after": load(), "samples": samples}}
    PATH.parent.mkdir(exist_ok=True)
    ordered = {name: sections[name] for name in SECTIONS if name in sections}
    lines = []
    for section, content in ordered.items():
        head = {key: value for key, value in content.items() if key != "samples"}
        rows = ",\n".join(f"   {json.dumps(sample)}" for sample in content["samples"])
        start = json.dumps(head, indent=2).rstrip("}\n ").replace("\n", "\n ")
        lines.append(f' "{section}": {start},\n   "samples": [\n{rows}\n  ]\n }}')
    fresh = PATH.with_suffix(".new")
    fresh.write_text("{\n" + ",\n".join(lines) + "\n}\n")
    fresh.replace(PATH)


def _first_container() -> str:
    return f"{os.environ['LAB_PREFIX']}-{FLEET}-mysql1"
