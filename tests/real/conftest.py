# Copyright (c) 2026, the dbfleet.mysql authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Real servers for the tests, and ways to run Ansible against them.

The servers are containers of the lab's fleet ``real``, started once for the whole run.
"""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import yaml

CHECKOUT = Path(__file__).resolve().parents[2]
LAB = str(CHECKOUT / "lab" / "lab")
FLEET = "real"
MODULE = "dbfleet.mysql.group_replication_plugin"


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


class Server:
    """One server of the fleet."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.container = lab("name", FLEET, name).strip()

    def sh(self, script: str, check: bool = True) -> str:
        """Run a shell script in the container as root."""
        done = run("podman", "exec", self.container, "sh", "-c", script)
        assert not check or done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def sql(self, statement: str) -> list[list[str]]:
        """Run SQL as root over the socket and return the rows."""
        done = run(
            "podman", "exec", self.container, "mysql", "--batch", "-Ne", statement
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        return [line.split("\t") for line in done.stdout.splitlines()]

    def restart(self) -> None:
        """Restart mysqld for real."""
        lab("restart", FLEET, self.name)

    def plugin_status(self) -> str:
        """Return the plugin's status, empty where the server does not know it."""
        rows = self.sql(
            "SELECT PLUGIN_STATUS FROM information_schema.PLUGINS"
            " WHERE PLUGIN_NAME = 'group_replication'"
        )
        return rows[0][0] if rows else ""

    def registered(self) -> bool:
        """Whether mysql.plugin has the plugin's row."""
        return bool(self.sql("SELECT 1 FROM mysql.plugin WHERE name = 'group_replication'"))

    def option_files(self) -> str:
        """Return all option files with their names, modes and owners."""
        return self.sh(
            "find /etc/mysql -printf '%p %y %m %U:%G %l\\n' | sort;"
            " find /etc/mysql -type f | sort | xargs cat"
        )

    def last_start(self) -> str:
        """Return what the error log holds since the last start."""
        return self.sh("cat /var/log/mysql/error.log").split("MySQL Server - start.")[-1]

    def reset(self) -> None:
        """Bring the server back to where the plugin is nowhere."""
        if self.plugin_status():
            self.sql("STOP GROUP_REPLICATION")
            self.sql("SET GLOBAL super_read_only = 0; UNINSTALL PLUGIN group_replication")
        self.sql("SET GLOBAL super_read_only = 0; SET GLOBAL read_only = 0")
        self.sql(
            "SET SESSION sql_log_bin = 0; DELETE FROM mysql.plugin WHERE name = 'group_replication'"
        )
        # tar notices what differs or is missing, the count what was added.
        self.sh(
            "cd / && rm -rf /root/.my.cnf; [ ! -e /root/etc.tar ] || {"
            " tar -df /root/etc.tar >/dev/null"
            " && [ $(find etc/mysql | wc -l) = $(tar -tf /root/etc.tar | wc -l) ]; }"
            " || { rm -rf /etc/mysql && tar -xf /root/etc.tar; }"
        )
        # The module takes an option file that was touched since the start for one that may have
        # changed what INSTALL does.
        if self.sh("find -L /etc/mysql -newercc /var/run/mysqld/mysqld.pid"):
            self.restart()


class Playbook(NamedTuple):
    """What a run of ansible-playbook gave."""

    code: int
    output: str


class Control:
    """A control node: an inventory of the fleet and Ansible's commands."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def inventory(self, hosts: dict[str, dict[str, Any]]) -> str:
        """Write an inventory; a host's ``server`` names its container, the rest are variables."""
        prefix = os.environ["LAB_PREFIX"]
        entries = {}
        for host, variables in hosts.items():
            server = variables.pop("server", host)
            entries[host] = {
                "ansible_connection": "containers.podman.podman",
                "ansible_host": f"{prefix}-{FLEET}-{server}",
                "ansible_python_interpreter": "/usr/bin/python3",
                **variables,
            }
        path = self.folder / "inventory.yml"
        path.write_text(yaml.safe_dump({"mysql": {"hosts": entries}}))
        return str(path)

    def module(
        self,
        server: Server,
        *flags: str,
        module: str = MODULE,
        **options: Any,
    ) -> dict[str, Any]:
        """Run a module on a server and return its result; ``_output`` is what Ansible printed."""
        done = run(
            *("ansible", "-i", self.inventory({server.name: {}}), server.name),
            *("-m", module, *(("-a", json.dumps(options)) if options else ()), *flags),
        )
        start = done.stdout.find("=> {")
        assert start >= 0, done.stdout + done.stderr
        result: dict[str, Any] = json.JSONDecoder().raw_decode(done.stdout[start + 3 :])[0]
        result["_output"] = done.stdout + done.stderr
        return result

    def playbook(
        self, playbook: str, hosts: dict[str, dict[str, Any]], *flags: str, **environ: str
    ) -> Playbook:
        """Run a playbook against some hosts; see :meth:`inventory`."""
        done = run(
            *("ansible-playbook", "-i", self.inventory(hosts), playbook, *flags),
            env={**os.environ, **environ},
        )
        return Playbook(done.returncode, done.stdout + done.stderr)

    def play(
        self, tasks: list[dict[str, Any]], hosts: dict[str, dict[str, Any]], *flags: str
    ) -> Playbook:
        """Run tasks in a play without fact gathering."""
        return self.plays([{"hosts": "all", "gather_facts": False, "tasks": tasks}], hosts, *flags)

    def plays(
        self, plays: list[dict[str, Any]], hosts: dict[str, dict[str, Any]], *flags: str
    ) -> Playbook:
        """Run plays."""
        path = self.folder / "play.yml"
        path.write_text(yaml.safe_dump(plays))
        return self.playbook(str(path), hosts, *flags)


def remote_executions(output: str) -> int:
    """Return how many modules were sent to hosts, from the output of a run with -vvv."""
    return output.count("AnsiballZ_") and sum(
        "PUT" in line and "AnsiballZ_" in line for line in output.splitlines()
    )


@pytest.fixture(scope="session")
def fleet() -> Iterator[None]:
    """Start the fleet once; leave it after a failure, for a person to look at."""
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
def server(fleet: None) -> Server:
    """Return a server without the plugin."""
    server = Server("mysql1")
    server.reset()
    return server


@pytest.fixture
def servers(fleet: None) -> list[Server]:
    """Return three servers without the plugin."""
    servers = [Server(f"mysql{number}") for number in (1, 2, 3)]
    for server in servers:
        server.reset()
    return servers


def pytest_configure(config: pytest.Config) -> None:
    """Tell pytest of the mark from which tests/hazard_table makes a page."""
    config.addinivalue_line(
        "markers", "hazard(hazard, plain, ours): what can go wrong, and what becomes of it"
    )
