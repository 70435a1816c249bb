# Copyright (c) 2026, the dbfleet.mysql authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The module plugin_load_add on large trees of option files, against the reading of their bytes."""

from __future__ import annotations

import json
from typing import Any

from fleet import Fleet
from module_time import payload
from runs import Sample

SIZES = (0, 50, 100, 200, 300, 400, 500)
READ = "read alone"
# The state of the tree that each run is made on, and what Ansible is told besides.
RUNS: dict[str, tuple[str, tuple[str, ...]]] = {
    "nothing to change": ("there", ()),
    "check mode": ("missing", ("--check",)),
}

_MODULE = "dbfleet.mysql.plugin_load_add"
_FOLDER = "/srv/bench"


def option_files(fleet: Fleet, rounds: int) -> list[Sample]:
    """Measure the module on trees of growing size, each in a process of its own, interleaved."""
    name = fleet.names[0]
    fleet.run(name, "rm", "-rf", _FOLDER)
    trees = fleet.put(name, "option_trees")
    fleet.run(name, "python3", trees, _FOLDER, *map(str, SIZES))
    reader = fleet.put(name, "read_bytes")
    commands: dict[str, list[str]] = {}
    sizes: dict[str, dict[str, int]] = {}
    payloads = {}
    for run, (state, flags) in RUNS.items():
        wish = {"library": "group_replication.so", "validate_config": "never"}
        wish["option_file"] = _main_file(state, 0)
        payloads[run] = payload(fleet, name, _MODULE, wish, flags)
    for files in SIZES:
        for run, (state, _flags) in RUNS.items():
            path = _for_tree(fleet, name, payloads[run], state, files)
            read = _result(fleet, name, path, files, changed=state == "missing")
            names = f"{_FOLDER}/{state}/{files}/names"
            fleet.run(name, "sh", "-c", f"cat > {names}", text="\n".join([*read, ""]))
            commands.setdefault(f"{files}:{READ}", ["python3", reader, names])
            commands[f"{files}:{run}"] = ["python3", path]
            size = int(fleet.sh(name, f"xargs cat < {names} | wc -c"))
            sizes.setdefault(str(files), {"files": files, "bytes": size})
    print(f"option_files: {rounds} rounds of {len(commands)} processes on one host", flush=True)
    text = json.dumps({"rounds": rounds, "commands": commands})
    program = fleet.put(name, "processes")
    samples = json.loads(fleet.run(name, "python3", program, text=text))
    fleet.run(name, "rm", "-rf", _FOLDER)
    print(f"option_files: round {rounds} of {rounds}", flush=True)
    result = []
    for sample in samples:
        files, _colon, run = sample.pop("name").partition(":")
        result.append({"run": run, **sizes[files], **sample})
    return result


def _main_file(state: str, files: int) -> str:
    return f"{_FOLDER}/{state}/{files}/my.cnf"


def _for_tree(fleet: Fleet, name: str, path: str, state: str, files: int) -> str:
    """Make a payload for a tree of another one's; returns its path."""
    old, new = _main_file(state, 0), _main_file(state, files)
    text = fleet.run(name, "cat", path)
    if text.count(old) != 1:
        raise SystemExit(f"{_MODULE}: its payload has {old} {text.count(old)} times, not once")
    own = f"{_FOLDER}/{state}/{files}/payload.py"
    fleet.run(name, "sh", "-c", f"cat > {own}", text=text.replace(old, new))
    return own


def _result(fleet: Fleet, name: str, path: str, files: int, changed: bool) -> list[str]:
    """Run a payload once, check that it did its work, and return the files that it read."""
    result: dict[str, Any] = json.loads(fleet.run(name, "python3", path))
    read = list(map(str, result["files"]))
    if len(read) != files + 1 or result["changed"] is not changed:
        raise SystemExit(
            f"{_MODULE}: read {len(read)} files of {files + 1}, changed: {result['changed']}"
        )
    return read
