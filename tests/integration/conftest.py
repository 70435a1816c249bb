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

import ansible
import pytest
import yaml

CHECKOUT = Path(__file__).resolve().parents[2]
LAB = str(CHECKOUT / "lab" / "lab")
# Each of pytest-xdist's workers has fleets of its own.
WORKER = os.environ.get("PYTEST_XDIST_WORKER", "")
MODULE = "dbfleet.mysql.group_replication_plugin"


def fleet_name(word: str) -> str:
    """Return the name of this worker's fleet for a purpose."""
    return f"{word}-{WORKER}" if WORKER else word


FLEET = fleet_name("real")


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

    def __init__(self, name: str, fleet: str = FLEET) -> None:
        self.name = name
        self.fleet = fleet
        self.container = lab("name", fleet, name).strip()

    def sh(self, script: str, check: bool = True) -> str:
        """Run a shell script in the container as root."""
        done = run("podman", "exec", self.container, "sh", "-c", script)
        assert not check or done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def read(self, path: str) -> bytes:
        """Return a file's bytes."""
        return subprocess.run(
            ["podman", "exec", self.container, "cat", path], check=True, capture_output=True
        ).stdout

    def write(self, path: str, data: bytes) -> None:
        """Write a file that everyone may read; a process that has the old one open keeps it."""
        command = f"cat > {path}.new && chmod 0644 {path}.new && mv {path}.new {path}"
        subprocess.run(
            ["podman", "exec", "-i", self.container, "sh", "-c", command], check=True, input=data
        )

    def sql(self, statement: str) -> list[list[str]]:
        """Run SQL as root over the socket and return the rows."""
        done = run(
            "podman", "exec", self.container, "mysql", "--batch", "-Ne", statement
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        return [line.split("\t") for line in done.stdout.splitlines()]

    def python(self, script: str, *arguments: str) -> list[dict[str, Any]]:
        """Run a program of tests/integration/on_target on the server's host.

        Returns:
            The JSON objects that it printed, one a line.
        """
        folder = "/root/on_target"
        sources = (
            (str(Path(ansible.__file__).parent), "ansible", "module_utils"),
            (str(CHECKOUT), "ansible_collections/dbfleet/mysql", "plugins"),
            (str(CHECKOUT / "tests/integration/on_target"), ".", "."),
        )
        for source, place, names in sources:
            self.sh(f"mkdir -p {folder}/{place} && touch {folder}/{place}/__init__.py")
            pipe = f"tar -C {source} -c {names} | podman exec -i {self.container} tar -xC {folder}/"
            done = run("sh", "-c", pipe + place)
            assert done.returncode == 0, done.stderr
        done = run(
            *("podman", "exec", f"--env=PYTHONPATH={folder}", self.container),
            *("python3", f"{folder}/{script}.py", *arguments),
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return [json.loads(line) for line in done.stdout.splitlines()]

    def restart(self) -> None:
        """Restart mysqld for real."""
        lab("restart", self.fleet, self.name)

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
        if self.sh(RESET).strip():
            self.restart()

    def gtid_executed(self) -> str:
        """Return the set of transactions that the server has executed."""
        return self.sql("SELECT @@global.gtid_executed")[0][0]


# Prints something where the server must be restarted: the module takes an option file that was
# touched since the start for one that may have changed what INSTALL does.
RESET = """
set -eu
mysql -e 'SET GLOBAL super_read_only = 0; SET GLOBAL read_only = 0'
if mysql -Ne 'SHOW PLUGINS' | grep -q ^group_replication; then
    mysql -e 'STOP GROUP_REPLICATION' || true
    mysql -e 'SET GLOBAL super_read_only = 0; UNINSTALL PLUGIN group_replication'
    mysql -e 'SET GLOBAL super_read_only = 0; SET GLOBAL read_only = 0'
fi
mysql -e "SET sql_log_bin = 0; DELETE FROM mysql.plugin WHERE name = 'group_replication'"
rm -rf /root/.my.cnf
cd /
# tar notices what differs or is missing, the count what was added.
if [ -e /root/etc.tar ] && ! { tar -df /root/etc.tar >/dev/null 2>&1 &&
        [ "$(find etc/mysql | wc -l)" = "$(tar -tf /root/etc.tar | wc -l)" ]; }; then
    rm -rf /etc/mysql
    tar -xf /root/etc.tar
fi
find -L /etc/mysql -newercc /var/run/mysqld/mysqld.pid
"""


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
            *(
                "ansible",
                "-i",
                self.inventory({server.name: {"ansible_host": server.container}}),
                server.name,
            ),
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
    config.addinivalue_line("markers", "transactions(why): the test itself makes transactions")
