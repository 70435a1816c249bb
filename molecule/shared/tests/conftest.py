# Copyright (c) 2026, the dbfleet.mysql authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The servers of the scenario that runs, each reached over podman."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
import yaml

_STEM = f"{os.environ['LAB_PREFIX']}-{os.environ['MOLECULE_SCENARIO_NAME']}-"
_INVENTORY = Path(os.environ["MOLECULE_SCENARIO_DIRECTORY"], "inventory.yml")
SERVERS = [
    f"podman://{_STEM}{server}"
    for server in yaml.safe_load(_INVENTORY.read_text())["mysql"]["hosts"]
]


@pytest.fixture
def server(host) -> str:
    """Return the server's name in the inventory."""
    return host.backend.name[len(_STEM) :]
