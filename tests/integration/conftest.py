# Copyright (c) 2026, the dbfleet.mysql authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Real servers for the tests: containers of the lab, started once for the whole run."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from helpers.control import Control
from helpers.lab import FLEET, at_least, lab, libraries, server_version
from helpers.playbooks import HOSTS
from helpers.server import KEEP_OPTION_FILES, PASSWORD, Server, reset


@pytest.fixture(scope="session")
def fleet() -> Iterator[None]:
    """Start the fleet once for all tests of this worker."""
    lab("up", FLEET, *HOSTS)
    for name in HOSTS:
        Server(name).sh(KEEP_OPTION_FILES)
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
def account(server: Server) -> dict[str, Any]:
    """Return the login of an account of the server's default kind, which may log in over TCP."""
    server.sql(
        "SET SESSION sql_log_bin = 0; DROP USER IF EXISTS ops@'%';"
        f" CREATE USER ops@'%' IDENTIFIED BY '{PASSWORD}';"
        " GRANT ALL ON *.* TO ops@'%'"
    )
    return {"login_user": "ops", "login_password": PASSWORD}


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
    """Tell pytest of the marks of these tests; tests/hazard_table makes a page of one."""
    for line in (
        "hazard(hazard, plain, ours): what can go wrong, and what becomes of it",
        "main: the main job; `make test` runs these on a second version of MySQL, too",
        "needs_library(name): of a plugin that not every build has; not run without its library",
        "since(version): of what MySQL has from this version on; not run on an older one",
        "soak: short, or long where SOAK=1 is set",
        "transactions(why): the test itself makes transactions",
    ):
        config.addinivalue_line("markers", line)


#: Begins the reason why a test that does not fit the server's version is not run.
NOT_APPLICABLE = "not applicable: "


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out the tests of what the servers' version or build does not have."""
    if config.option.collectonly:
        return
    for item in items:
        lacks = [_older_than(mark.args[0]) for mark in item.iter_markers("since")]
        lacks += [_without_library(mark.args[0]) for mark in item.iter_markers("needs_library")]
        for lack in filter(None, lacks):
            item.add_marker(pytest.mark.skip(reason=NOT_APPLICABLE + lack))


def _older_than(version: str) -> str:
    """Return in words that the servers are older than a version; nothing if they are not."""
    return "" if at_least(version) else f"since MySQL {version}, this is {server_version()}"


def _without_library(name: str) -> str:
    """Return in words that the servers have no library of this name; nothing if they have."""
    return "" if name in libraries() else f"this build has no {name}"


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Show and count the tests that were left out."""
    skipped = terminalreporter.stats.get("skipped", [])
    names = [report.nodeid for report in skipped if NOT_APPLICABLE in str(report.longrepr)]
    if names:
        terminalreporter.section(f"not applicable to this version of MySQL: {len(names)}")
        for name in sorted(names):
            terminalreporter.write_line(name)
