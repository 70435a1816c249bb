# Copyright (c) 2026, the dbfleet.mysql authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The modules alone, on a server's host: their whole time, and where it goes."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Sequence

from fleet import PODMAN, Fleet
from runs import OURS, Sample, settle

# Timed by themselves; each must be in the payload and be called, whichever file it is in.
FUNCTIONS = (
    "resolve_login",
    "connect",
    "read_state",
    "find_server_process",
    "read_server_options",
)
_REMOTE_TMP = "/tmp/bench"  # noqa: S108 - in a container of ours


def payload(
    fleet: Fleet,
    name: str,
    module: str,
    options: dict[str, str] | None = None,
    flags: Sequence[str] = (),
) -> str:
    """Let Ansible run a module and keep what it sent; returns its path on the host."""
    environ = {"ANSIBLE_KEEP_REMOTE_FILES": "1", "ANSIBLE_REMOTE_TMP": _REMOTE_TMP}
    fleet.run(name, "rm", "-rf", _REMOTE_TMP)
    done = subprocess.run(
        [
            *("ansible", "-i", fleet.inventory(PODMAN), name, "-m", module),
            *(("-a", json.dumps(options)) if options else ()),
            *flags,
        ],
        env={**os.environ, **environ},
        stdout=subprocess.PIPE,
        text=True,
        check=False,
    )
    if done.returncode:
        raise SystemExit(f"{module}: status {done.returncode}\n{done.stdout}")
    stem = module.rpartition(".")[2]
    found = fleet.run(name, "find", _REMOTE_TMP, "-name", f"AnsiballZ_{stem}.py").split()
    if len(found) != 1:
        raise SystemExit(f"{module}: Ansible left {len(found)} payloads instead of one")
    path = f"/root/AnsiballZ_{stem}{'_'.join(['', *flags]).replace('--', '')}.py"
    fleet.run(name, "mv", found[0], path)
    return path


def modules(fleet: Fleet, rounds: int) -> list[Sample]:
    """Measure ping and our module as they are, and in parts."""
    name = fleet.names[0]
    settle(fleet, [name])
    payloads = {
        "ping": {"path": payload(fleet, name, "ansible.builtin.ping"), "functions": []},
        "group_replication_plugin": {
            "path": payload(fleet, name, OURS),
            "functions": list(FUNCTIONS),
        },
    }
    wish = {"rounds": rounds, "program": fleet.put(name, "parts"), "payloads": payloads}
    print(f"module: {rounds} rounds of 4 processes on one host", flush=True)
    program = fleet.put(name, "module_parts")
    samples: list[Sample] = json.loads(fleet.run(name, "python3", program, text=json.dumps(wish)))
    print(f"module: round {rounds} of {rounds}", flush=True)
    return samples
