# Copyright (c) 2026, the dbfleet.mysql authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The servers of the scenario that runs, for its testinfra tests."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import yaml

SCENARIO = Path(os.environ["MOLECULE_SCENARIO_DIRECTORY"])
#: The inventory's only group: the variables of all servers, and each server's own.
MYSQL: dict[str, Any] = yaml.safe_load((SCENARIO / "inventory.yml").read_text())["mysql"]
#: The servers' names in the inventory.
NAMES = list(MYSQL["hosts"])
#: What the name of each server's container begins with.
STEM = f"{os.environ['LAB_PREFIX']}-{os.environ['MOLECULE_SCENARIO_NAME']}-"
#: The hosts for testinfra to look at, each reached over podman.
SERVERS = [f"podman://{STEM}{server}" for server in NAMES]
