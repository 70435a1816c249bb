# Copyright (c) 2026, the dbfleet.mysql authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Real servers for the tests: containers of the lab, started once for the whole run."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from helpers.control import Control
from helpers.lab import FLEET, lab
from helpers.server import Server


@pytest.fixture(scope="session")
def fleet() -> Iterator[None]:
    """Start the fleet once for all tests of this worker."""
    lab("up", FLEET, "mysql1", "mysql2", "mysql3")
    for name in ("mysql1", "mysql2", "mysql3"):
        Server(name).sh("[ -e /root/etc.tar ] || tar -cf /root/etc.tar -C / etc/mysql")
    yield
    lab("down", FLEET)


@pytest.fixture
def control(tmp_path: Path) -> Control:
    """Return a control node with a folder of its own."""
    return Control(tmp_path)


@pytest.fixture
def server(servers: list[Server]) -> Server:
    """Return a server without the plugin."""
    return servers[0]


@pytest.fixture
def servers(fleet: None, request: pytest.FixtureRequest) -> Iterator[list[Server]]:
    """Return servers without the plugin, three where the test asks for this fixture itself.

    At the end, none of them has executed a transaction more, unless the test is marked.
    """
    count = 3 if "servers" in request.function.__code__.co_varnames else 1
    servers = [Server(f"mysql{number}") for number in range(1, count + 1)]
    for server in servers:
        server.reset()
    before = [server.gtid_executed() for server in servers]
    yield servers
    if not request.node.get_closest_marker("transactions"):
        assert [server.gtid_executed() for server in servers] == before


def pytest_configure(config: pytest.Config) -> None:
    """Tell pytest of the mark from which tests/hazard_table makes a page."""
    config.addinivalue_line(
        "markers", "hazard(hazard, plain, ours): what can go wrong, and what becomes of it"
    )
    config.addinivalue_line("markers", "soak: short, or long where SOAK=1 is set")
    config.addinivalue_line("markers", "transactions(why): the test itself makes transactions")
