# Copyright (c) 2026, the dbfleet.mysql authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Ansible's commands against the servers."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any, NamedTuple

import yaml
from helpers.lab import FLEET, LAYOUT, run
from helpers.output import results
from helpers.server import Server

#: The module that most tests of a module are about.
MODULE = "dbfleet.mysql.group_replication_plugin"


class Playbook(NamedTuple):
    """What a run of ansible-playbook gave."""

    code: int
    output: str
    #: The part of the output that came to stdout.
    stdout: str


class Control:
    """A control node: an inventory of the fleet and Ansible's commands."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def inventory(self, hosts: dict[str, dict[str, Any]]) -> str:
        """Write an inventory; a host's ``server`` names its container, the rest are variables."""
        stem = f"{os.environ['LAB_PREFIX']}-{FLEET}-"
        entries = {
            host: {
                "ansible_connection": "containers.podman.podman",
                "ansible_host": stem + variables.get("server", host),
                "ansible_python_interpreter": LAYOUT.python,
                # A task is then one call of podman, not six (off in the molecule scenario "ssh").
                "ansible_pipelining": True,
                **{name: value for name, value in variables.items() if name != "server"},
            }
            for host, variables in hosts.items()
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

    def modules(self, server: Server, *cases: dict[str, Any]) -> list[dict[str, Any]]:
        """Run the module on a server with each of several sets of options, in one play.

        Returns:
            The result of each, whether it failed or not.
        """
        tasks = [{MODULE: options, "ignore_errors": True} for options in cases]
        run = self.play(tasks, {server.name: {"ansible_host": server.container}}, "-v")
        found = results(run.output)
        assert len(found) == len(cases), run.output
        return found

    def playbook(
        self, playbook: str, hosts: dict[str, dict[str, Any]], *flags: str, **environ: str
    ) -> Playbook:
        """Run a playbook against some hosts; see :meth:`inventory`."""
        done = run(
            *("ansible-playbook", "-i", self.inventory(hosts), playbook, *flags),
            env={**os.environ, **environ},
        )
        return Playbook(done.returncode, done.stdout + done.stderr, done.stdout)

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
