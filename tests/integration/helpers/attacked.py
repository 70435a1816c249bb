# Copyright (c) 2026, the dbfleet.mysql authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A host on which the accounts bob and mysql mean no good, for the tests of what they get."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from helpers.debian import RESTORE, debian_host
from helpers.lab import fleet_name
from helpers.server import Server

FLEET = fleet_name("attacked")

#: Folders of each account, and one for what an attacker takes.
CLEAN = f"""
set -e
cd /
rm -rf /srv/* /root/private.cnf /root/.aws /root/.my.cnf /var/lib/mysql/*
rm -rf /tmp/mysql.sock /run/mysqld/* /etc/cron.d/*.cnf
{RESTORE}
for account in bob mysql root; do install -d -o $account -g $account -m 0755 /srv/$account; done
install -d -m 1777 /srv/loot
"""


def attacked() -> Iterator[Server]:
    """Give a host with MySQL's programs, whose server does not run, and with an account bob."""
    for host in debian_host(FLEET):
        host.sh("id bob 2>/dev/null || useradd bob; mkdir -p /etc/cron.d")
        yield host


def modules(host: Server, *runs: dict[str, Any]) -> list[dict[str, Any]]:
    """Run modules as root, as on_target/run_modules.py says."""
    return host.python("run_modules", json.dumps(runs))


def hostile(host: Server, *cases: dict[str, Any]) -> list[dict[str, Any]]:
    """Run the module against hostile servers, as on_target/against_hostile_server.py says."""
    return host.python("against_hostile_server", json.dumps(cases))


def refused(outcome: dict[str, Any], *error_codes: str) -> bool:
    """Whether a module failed as it should: with a code, and not with an error of its own."""
    result = outcome["result"] or {}
    return not outcome["hung"] and result.get("error_code") in error_codes


def brief(outcome: dict[str, Any]) -> dict[str, Any]:
    """Return what a person wants to see of an outcome that is not as it should be."""
    result = outcome["result"] or {}
    return {
        "ended": result.get("error_code", "in a result" if result else outcome["errors"][-200:]),
        "hung": outcome["hung"],
        "seconds": round(outcome["seconds"], 1),
        "megabytes": round(outcome["megabytes"]),
        "received": outcome.get("received", "")[-200:],
    }


def put(host: Server, path: str, text: str, owner: str = "root", mode: str = "0644") -> None:
    """Write a file of an account's."""
    host.write(path, text.encode())
    host.sh(f"chown {owner}:{owner} {path}; chmod {mode} {path}")
