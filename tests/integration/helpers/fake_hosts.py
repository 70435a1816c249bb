# Copyright (c) 2026, the dbfleet.mysql authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Hosts that answer Ansible with what they like, seen from the control node.

Each is this machine with another program in the place of Python.
"""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

#: What group_replication_plugin returns of a server in order.
IN_ORDER: dict[str, Any] = {
    "changed": False,
    "check_mode": False,
    "executed_statements": [],
    "plugin": {
        "name": "group_replication",
        "status": "ACTIVE",
        "type": "GROUP REPLICATION",
        "library": "group_replication.so",
        "license": "GPL",
        "version": "1.1",
        "load_option": "ON",
    },
    "server": {
        "version": "8.4.3",
        "flavor": "MySQL",
        "plugin_dir": "/usr/lib/mysql/plugin/",
        "super_read_only": False,
        "option_file": "/etc/mysql/my.cnf",
        "defaults_extra_file": None,
        "option_group": "mysqld",
    },
    "registered": False,
    "loaded_by_options": True,
    "loaded_at_start_by": ["/etc/mysql/my.cnf:12"],
    "survives_restart": True,
}


def answer(**more: Any) -> dict[str, Any]:
    """Return the answer of a server in order, but for what is given."""
    return {**copy.deepcopy(IN_ORDER), **more}


class FakeHosts:
    """Hosts that answer as they are told; the folder keeps their programs, and who was asked."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.log = folder / "asked"
        self.log.write_text("")

    def host(self, name: str, answers: dict[str, Any] | str, **variables: Any) -> dict[str, Any]:
        """Return a host's variables.

        Args:
            name: the host's.
            answers: what it returns for whatever module, as text or as what becomes JSON.
            variables: further ones of the inventory.
        """
        text = answers if isinstance(answers, str) else json.dumps(answers)
        (self.folder / f"{name}.json").write_text(text)
        program = self.folder / f"python-{name}"
        program.write_text(
            f'#!/bin/sh\necho "{name} $*" >> {self.log}\nexec cat {self.folder}/{name}.json\n'
        )
        program.chmod(0o755)
        return {
            "ansible_connection": "ansible.builtin.local",
            "ansible_python_interpreter": str(program),
            **variables,
        }

    def asked(self) -> list[str]:
        """Return the names of the hosts that were asked for something, in order."""
        return [line.split()[0] for line in self.log.read_text().splitlines()]
