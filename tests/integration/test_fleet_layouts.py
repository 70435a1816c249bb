# Copyright (c) 2026, the dbfleet.mysql authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Fleets whose hosts are not one server each: several on one host, or reached from elsewhere.

The inventories and plays are those of docs/apply_to_a_fleet.md, with the lab's containers as hosts.
"""

from __future__ import annotations

import json
from typing import Any

import pytest
import yaml
from helpers.control import Control
from helpers.lab import FLEET, LAYOUT, lab
from helpers.output import group, recap, remote_executions, summary
from helpers.pages import blocks
from helpers.playbooks import HOSTS, INSTALL, VERIFY
from helpers.role import LINE, ROLE
from helpers.server import Server

PAGE = "docs/apply_to_a_fleet.md"
PASSWORD = "only-in-this-test-5678"  # noqa: S105 - a container's, gone after the test
INSTANCES = ("shop", "stock")

START = """
set -e
mkdir -p /srv/{name} && cd /srv/{name}
[ -e data ] || cp -a /usr/local/lib/lab/data data
cat > my.cnf <<END
[mysqld]
datadir = /srv/{name}/data
socket = /run/mysqld/{name}.sock
pid-file = /srv/{name}/data/server.pid
port = {port}
server_id = {port}
log_error = /srv/{name}/data/error.log
loose-mysqlx = OFF
innodb_buffer_pool_size = 32M
innodb_use_native_aio = OFF
[mysqld-5.7]
master_info_repository = TABLE
relay_log_info_repository = TABLE
END
mysqld --defaults-file=/srv/{name}/my.cnf $(lab-option basedir) --user=mysql --daemonize
"""

# A process that has ended, and that nobody has asked for yet, has no command line.
STOP = r"""
for pid in $(cat /srv/*/data/server.pid 2>/dev/null); do
    kill $pid && while [ -n "$(tr -d '\0' < /proc/$pid/cmdline 2>/dev/null)" ]; do sleep 0.1; done
done
rm -rf /srv/*
"""


class Instance(Server):
    """One of several servers in a container."""

    def __init__(self, name: str) -> None:
        super().__init__("several")
        self.socket = f"--socket=/run/mysqld/{name}.sock"
        self.option_file = f"/srv/{name}/my.cnf"

    def sql(self, statement: str) -> list[list[str]]:
        """Run SQL as root over the server's own socket and return the rows."""
        out = self.sh(f'mysql {self.socket} --batch -Ne "{statement}"')
        return [line.split("\t") for line in out.splitlines()]

    def lines(self) -> int:
        """Return how often the option file loads the plugin."""
        return self.sh(f"cat {self.option_file}").count(LINE)


@pytest.fixture
def instances(fleet: None) -> list[Instance]:
    """Return two servers of one container, each with its own option file."""
    lab("up", FLEET, "several", "--stopped")
    host = Server("several")
    host.sh(STOP)
    for port, name in enumerate(INSTANCES, 3307):
        host.sh(START.format(name=name, port=port))
    return [Instance(name) for name in INSTANCES]


def inventory_of_the_page(number: int) -> dict[str, Any]:
    """Return one of the page's inventories, its hosts' and its own variables put together."""
    found = [block["mysql"] for block in blocks(PAGE) if isinstance(block, dict)]
    shared = found[number].get("vars", {})
    return {
        name: {**shared, **(variables or {})} for name, variables in found[number]["hosts"].items()
    }


def test_an_inventory_host_for_each_server_of_a_host(
    instances: list[Instance], control: Control
) -> None:
    hosts = inventory_of_the_page(0)
    assert [variables.pop("ansible_host") for variables in hosts.values()] == ["db1", "db1"]
    hosts = {name: dict(variables, server="several") for name, variables in hosts.items()}
    first = control.playbook(INSTALL, dict(hosts))
    assert first.code == 0, first.output
    for name in INSTANCES:
        assert f"/srv/{name}/my.cnf:" in group(first.output, "changed")
    assert [server.plugin_status() for server in instances] == ["ACTIVE", "ACTIVE"]
    assert [server.lines() for server in instances] == [1, 1]
    assert [server.registered() for server in instances] == [False, False]

    again = {name: dict(variables, server="several") for name, variables in hosts.items()}
    second = control.playbook(INSTALL, again, "-vvv")
    assert second.code == 0
    assert remote_executions(second.output) == 2
    assert "\nin order (2)\n" in summary(second.output)


def test_the_role_once_for_each_server_of_a_host(
    instances: list[Instance], control: Control
) -> None:
    example = next(
        block for block in blocks(PAGE) if isinstance(block, list) and "loop" in str(block)
    )
    path = control.folder / "several.yml"
    path.write_text(yaml.safe_dump(example))
    first = control.playbook(str(path), {"db1": {"server": "several"}})
    assert first.code == 0, first.output
    assert [server.plugin_status() for server in instances] == ["ACTIVE", "ACTIVE"]
    assert [server.lines() for server in instances] == [1, 1]
    second = control.playbook(str(path), {"db1": {"server": "several"}}, "-vvv")
    assert recap(second.output, "db1")["changed"] == 0
    assert remote_executions(second.output) == 2

    # What the first server needed is not taken for the second one's need.
    instances[0].sh(f"sed -i '/{LINE}/d' {instances[0].option_file}")
    third = control.playbook(str(path), {"db1": {"server": "several"}})
    assert third.code == 0, third.output
    assert [server.lines() for server in instances] == [1, 1]


@pytest.fixture
def elsewhere(servers: list[Server]) -> dict[str, dict[str, Any]]:
    """Return mysql2 and mysql3 as the page's hosts, reached from mysql1 over TLS."""
    authorities = ""
    for server in servers[1:]:
        server.sql(
            "SET SESSION sql_log_bin = 0; DROP USER IF EXISTS ops@'%';"
            f" CREATE USER ops@'%' IDENTIFIED BY '{PASSWORD}' REQUIRE SSL; GRANT ALL ON *.* TO ops"
        )
        # MySQL ends the file with a null character.
        authorities += server.sh(f"cat {LAYOUT.datadir}/ca.pem").rstrip("\0")
    servers[0].sh(
        f"mkdir -p /etc/ssl/certs && cat > /etc/ssl/certs/mysql-ca.pem <<'END'\n{authorities}END"
    )
    hosts = {}
    for name, variables in zip(
        ("mysql2", "mysql3"), inventory_of_the_page(1).values(), strict=True
    ):
        assert variables.pop("ansible_host") == "jump1"
        hosts[name] = dict(
            variables,
            server="mysql1",
            vault_ops_password=PASSWORD,
            # The certificates that the servers made for themselves have no host's name in them.
            group_replication_check_hostname=False,
        )
    return hosts


def copy(hosts: dict[str, dict[str, Any]], **more: Any) -> dict[str, dict[str, Any]]:
    """Return the hosts with more variables; Control.inventory takes some away."""
    return {name: {**variables, **more} for name, variables in hosts.items()}


def test_servers_reached_from_elsewhere(
    servers: list[Server], control: Control, elsewhere: dict[str, dict[str, Any]]
) -> None:
    before = [server.option_files() for server in servers]
    bare = control.playbook(VERIFY, copy(elsewhere))
    assert "mysql2" in group(bare.output, "falls short")

    run = control.playbook(INSTALL, copy(elsewhere), "--diff")
    assert run.code == 0, run.output
    assert PASSWORD not in run.output
    assert [server.plugin_status() for server in servers] == ["", "ACTIVE", "ACTIVE"]
    assert [server.option_files() for server in servers] == before
    assert "mysql.plugin" in group(run.output, "changed")
    assert control.playbook(VERIFY, copy(elsewhere)).code == 0
    lab("restart", FLEET, "mysql2", "mysql3")
    assert [server.plugin_status() for server in servers[1:]] == ["ACTIVE", "ACTIVE"]


def test_without_a_row_it_is_not_known_whether_the_plugin_lasts(
    servers: list[Server], control: Control, elsewhere: dict[str, dict[str, Any]]
) -> None:
    for server in servers[1:]:
        server.put_in_order()
    hosts = copy(elsewhere, group_replication_registration="auto")
    report = control.folder / "elsewhere.json"
    look = control.playbook(VERIFY, hosts, "-e", f"group_replication_report={report}")
    assert look.code != 0
    unknown = group(look.output, "not known whether it survives a restart")
    assert [line.split()[-1] for line in unknown.splitlines()[1:3]] == ["unknown", "unknown"]
    assert "group_replication_registration=always" in unknown
    assert json.loads(report.read_text())["hosts"][0]["survives_restart"] is None


def test_delegated_to_another_host(
    servers: list[Server], control: Control, elsewhere: dict[str, dict[str, Any]]
) -> None:
    role = {
        **ROLE,
        "apply": {"delegate_to": "mysql1"},
    }
    hosts = copy(elsewhere)
    for variables in hosts.values():
        del variables["server"]
    tasks = [{"ansible.builtin.include_role": role, "when": "inventory_hostname != 'mysql1'"}]
    run = control.play(tasks, {**HOSTS, **hosts})
    assert run.code == 0, run.output
    assert [server.plugin_status() for server in servers] == ["", "ACTIVE", "ACTIVE"]
