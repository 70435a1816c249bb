# Copyright (c) 2026, the dbfleet.mysql authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The lab's commands, and the names of what they start."""

from __future__ import annotations

import functools
import json
import os
import subprocess
from pathlib import Path
from types import SimpleNamespace
from typing import Any

CHECKOUT = Path(__file__).resolve().parents[3]
LAB = str(CHECKOUT / "lab" / "lab")
# Each of pytest-xdist's workers has fleets of its own.
WORKER = os.environ.get("PYTEST_XDIST_WORKER", "")


def fleet_name(word: str) -> str:
    """Return the name of this worker's fleet for a purpose."""
    return f"{word}-{WORKER}" if WORKER else word


FLEET = fleet_name("real")


def container(name: str, fleet: str = FLEET) -> str:
    """Return the name of a server's container."""
    return f"{os.environ['LAB_PREFIX']}-{fleet}-{name}"


def run(*command: str, **options: Any) -> subprocess.CompletedProcess[str]:
    """Run a command to its end and return what it printed; a failure of its own is the caller's."""
    return subprocess.run(
        command, check=False, capture_output=True, text=True, cwd=CHECKOUT, **options
    )


def lab(*arguments: str) -> str:
    """Run a command of the lab that must succeed and return what it printed."""
    done = run(LAB, *arguments)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


#: Where the servers that the lab starts keep their files: the fields of lab/dbfleet_lab/layout.py.
LAYOUT = SimpleNamespace(**json.loads(lab("layout")))


@functools.cache
def server_version() -> str:
    """Return the version of the servers, such as 8.4.8."""
    return lab("version").strip()


def at_least(version: str) -> bool:
    """Whether the servers are of a version, such as 8.0.16, or newer."""
    own, other = (tuple(map(int, text.split("."))) for text in (server_version(), version))
    return own >= other


@functools.cache
def libraries() -> list[str]:
    """Return the names of the files in the servers' folder of plugins."""
    image = lab("image").split()[-1]
    command = ("podman", "run", "--rm", "--network=none", "--entrypoint=ls", image)
    done = run(*command, LAYOUT.plugin_dir)
    assert done.returncode == 0, done.stderr
    return done.stdout.split()


def other_plugin() -> str:
    """Return the name of a library that holds another plugin than Group Replication."""
    return next(name for name in ("mysql_clone.so", "semisync_master.so") if name in libraries())
