# Copyright (c) 2026, the dbfleet.mysql authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the scenario's tests share."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
import yaml

_STEM = f"{os.environ['LAB_PREFIX']}-option_files-"
_MYSQL = yaml.safe_load(Path(__file__).parents[1].joinpath("inventory.yml").read_text())["mysql"]

# The hosts for testinfra to look at, each reached over podman.
SERVERS = [f"podman://{_STEM}{server}" for server in _MYSQL["hosts"]]


@pytest.fixture
def server(host) -> str:
    """Return the server's name in the inventory."""
    return host.backend.name[len(_STEM) :]


@pytest.fixture
def variables(server: str) -> dict[str, Any]:
    """Return the server's variables."""
    return {**_MYSQL["vars"], **_MYSQL["hosts"][server]}
