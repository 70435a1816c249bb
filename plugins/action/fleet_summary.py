# Copyright (c) 2026, the dbfleet.mysql authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Action plugin of dbfleet.mysql.fleet_summary; its documentation is the module's of that name."""

from __future__ import annotations

from typing import Any

from ansible.plugins.action import ActionBase
from ansible.utils.display import Display
from ansible_collections.dbfleet.mysql.plugins.plugin_utils._fleet import host_row, render


class ActionModule(ActionBase):  # type: ignore[misc]  # ansible-core has no type hints
    """Print the fleet's table and return each host's problem."""

    _requires_connection = False

    def run(
        self, tmp: str | None = None, task_vars: dict[str, Any] | None = None
    ) -> dict[str, Any]:
        """Run on the control node, without a connection to a host."""
        result: dict[str, Any] = super().run(tmp, task_vars)
        options = self.validate_argument_spec(
            {
                "state": {
                    "type": "str",
                    "choices": ["present", "absent"],
                    "default": "present",
                },
                "fail_on_change": {"type": "bool", "default": False},
            }
        )[1]
        task_vars = task_vars or {}
        hostvars = task_vars["hostvars"]
        hosts = [
            host_row(
                name,
                hostvars[name],
                options["state"],
                options["fail_on_change"],
                bool(task_vars.get("ansible_check_mode")),
            )
            for name in task_vars["ansible_play_hosts_all"]
        ]
        Display().display(render(hosts))
        result.update(
            changed=False,
            problems={host.name: host.problem for host in hosts if host.problem},
        )
        return result
