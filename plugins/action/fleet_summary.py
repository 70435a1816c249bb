# Copyright (c) 2026, the dbfleet.mysql authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Action plugin of dbfleet.mysql.fleet_summary; its documentation is the module's of that name."""

from __future__ import annotations

import datetime
from typing import Any

from ansible import context
from ansible.plugins.action import ActionBase
from ansible.utils.display import Display
from ansible_collections.dbfleet.mysql.plugins.module_utils._errors import Failure
from ansible_collections.dbfleet.mysql.plugins.plugin_utils import _fleet_report as fleet_report
from ansible_collections.dbfleet.mysql.plugins.plugin_utils._fleet import Host, host_of
from ansible_collections.dbfleet.mysql.plugins.plugin_utils._fleet_summary import (
    progress,
    render,
    stop_reason,
)

ARGUMENT_SPEC = {
    "step": {"type": "str", "choices": ["start", "batch", "end"], "default": "end"},
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
    "fail_on_change": {"type": "bool", "default": False},
    "max_fail_percentage": {"type": "float", "default": 100},
    "report": {"type": "path"},
}


class ActionModule(ActionBase):  # type: ignore[misc]  # ansible-core has no type hints
    """Print the fleet's summary, write the report and return each host's outcome."""

    _requires_connection = False

    def run(
        self, tmp: str | None = None, task_vars: dict[str, Any] | None = None
    ) -> dict[str, Any]:
        """Run on the control node, without a connection to a host."""
        result: dict[str, Any] = super().run(tmp, task_vars)
        result["changed"] = False
        options = self.validate_argument_spec(ARGUMENT_SPEC)[1]
        steps = {"start": self._start, "batch": self._batch, "end": self._end}
        try:
            result.update(steps[options["step"]](options, task_vars or {}))
        except Failure as failure:
            result.update(failed=True, **failure.as_result())
        return result

    def _start(self, options: dict[str, Any], task_vars: dict[str, Any]) -> dict[str, Any]:
        if options["report"]:
            fleet_report.check_path(options["report"])
        return {"started_at": _now()}

    def _batch(self, options: dict[str, Any], task_vars: dict[str, Any]) -> dict[str, Any]:
        hosts = self._hosts(options, task_vars)
        members = set(task_vars["ansible_play_batch"])
        batch = [host for host in hosts if host.name in members]
        Display().display(progress(batch, hosts))
        reason = stop_reason(batch, options["max_fail_percentage"])
        if reason:
            Display().display(reason)
        return {"stop": bool(reason), **_returned(batch)}

    def _end(self, options: dict[str, Any], task_vars: dict[str, Any]) -> dict[str, Any]:
        hosts = self._hosts(options, task_vars)
        report = fleet_report.check_path(options["report"]) if options["report"] else ""
        Display().display(render(hosts, report))
        if report:
            run = fleet_report.Run(
                playbook=" ".join(context.CLIARGS.get("args") or []),
                state=options["state"],
                check_mode=self._task.check_mode,
                fail_on_change=options["fail_on_change"],
                started_at=task_vars.get("group_replication_start", {}).get("started_at"),
                finished_at=_now(),
            )
            fleet_report.write(report, run, hosts)
        return {"report": report or None, **_returned(hosts)}

    def _hosts(self, options: dict[str, Any], task_vars: dict[str, Any]) -> list[Host]:
        return [
            host_of(
                name,
                task_vars["hostvars"][name],
                options["state"],
                options["fail_on_change"],
                self._task.check_mode,
            )
            for name in task_vars["ansible_play_hosts_all"]
        ]


def _returned(hosts: list[Host]) -> dict[str, Any]:
    return {
        "outcomes": {host.name: host.heading for host in hosts},
        "problems": {
            host.name: f"{host.cause} {host.next_step}".rstrip()
            for host in hosts
            if host.outcome.is_problem
        },
    }


def _now() -> str:
    return datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds")
