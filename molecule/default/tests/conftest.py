# Copyright (c) 2026, the dbfleet.mysql authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the scenario's tests look at."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from scenario import MYSQL, STEM


@pytest.fixture
def server(host) -> str:
    """Return the server's name in the inventory."""
    return host.backend.name[len(STEM) :]


@pytest.fixture
def variables(server: str) -> dict[str, Any]:
    """Return the server's variables."""
    return {**MYSQL["vars"], **MYSQL["hosts"][server]}


@pytest.fixture
def sql(host) -> Callable[[str], list[list[str]]]:
    """Run SQL as root over the socket and return the rows."""

    def run(statement: str) -> list[list[str]]:
        client = "mysql --socket=$(lab-option socket) --batch --skip-column-names -e %s"
        output = host.check_output(client, statement)
        return [line.split("\t") for line in output.split("\n")] if output else []

    return run


@pytest.fixture
def last_start(host) -> str:
    """Return what the error log holds since the server's last start."""
    log = host.file("/var/log/mysql/error.log").content_string
    starts = log.split("starting as process")
    assert len(starts) > 1, "the error log shows no start"
    return starts[-1]
