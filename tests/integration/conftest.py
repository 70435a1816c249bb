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
from helpers.playbooks import HOSTS
from helpers.server import Server, reset


@pytest.fixture(scope="session")
def fleet() -> Iterator[None]:
    """Start the fleet once for all tests of this worker."""
    lab("up", FLEET, *HOSTS)
    for name in HOSTS:
        Server(name).sh("[ -e /root/etc.tar ] || tar -cf /root/etc.tar -C / etc/mysql")
    yield
    lab("down", FLEET)


@pytest.fixture
def control(tmp_path: Path) -> Control:
    """Return a control node with a folder of its own."""
    return Control(tmp_path)


@pytest.fixture
def server(fleet: None, request: pytest.FixtureRequest) -> Iterator[Server]:
    """Return a server without the plugin; see ``without_plugin``."""
    for servers in without_plugin(request, "mysql1"):
        yield servers[0]


@pytest.fixture
def servers(fleet: None, request: pytest.FixtureRequest) -> Iterator[list[Server]]:
    """Return three servers without the plugin; see ``without_plugin``."""
    yield from without_plugin(request, *HOSTS)


def without_plugin(request: pytest.FixtureRequest, *names: str) -> Iterator[list[Server]]:
    """Give servers without the plugin.

    At the end, none of them has executed a transaction more, unless the test is marked.
    """
    servers = [Server(name) for name in names]
    before = reset(servers)
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
