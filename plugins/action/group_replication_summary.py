# Copyright (c) 2026, the dbfleet.mysql authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Action plugin of dbfleet.mysql.group_replication_summary, whose module documents it."""

from __future__ import annotations

import datetime
from pathlib import Path
from typing import Any

from ansible import context
from ansible.module_utils.common.yaml import yaml_load
from ansible.plugins.action import ActionBase
from ansible.template import Templar
from ansible.utils.display import Display
from ansible_collections.dbfleet.mysql.plugins.module_utils._errors import Failure
from ansible_collections.dbfleet.mysql.plugins.plugin_utils import _fleet_request as fleet_request
from ansible_collections.dbfleet.mysql.plugins.plugin_utils._summary import report as fleet_report
from ansible_collections.dbfleet.mysql.plugins.plugin_utils._summary.host import (
    ROLE_RESULTS,
    Host,
    host_of,
    is_done,
)
from ansible_collections.dbfleet.mysql.plugins.plugin_utils._summary.table import (
    progress,
    render,
    stop_reason,
)
from ansible_collections.dbfleet.mysql.plugins.plugin_utils._variables import (
    values_and_errors,
    values_of,
)

ARGUMENT_SPEC = {
    "step": {"type": "str", "choices": ["request", "start", "batch", "end"], "default": "end"},
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
    "fail_on_change": {"type": "bool", "default": False},
    "max_fail_percentage": {"type": "float", "default": 100},
    "report": {"type": "path"},
    "hosts": {"type": "list", "elements": "str"},
    "more_tasks": {"type": "bool", "default": False},
}

ROLE = Path(__file__).parents[2] / "roles" / "group_replication"


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
        steps = {
            "request": self._request,
            "start": self._start,
            "batch": self._batch,
            "end": self._end,
        }
        try:
            result.update(steps[options["step"]](options, task_vars or {}))
        except Failure as failure:
            result.update(failed=True, **failure.as_result())
        return result

    def _start(self, options: dict[str, Any], task_vars: dict[str, Any]) -> dict[str, Any]:
        if options["report"]:
            fleet_report.check_path(options["report"])
        return {"started_at": _now()}

    def _request(self, options: dict[str, Any], task_vars: dict[str, Any]) -> dict[str, Any]:
        """Check what a playbook of the collection was asked for, and each host's variables."""
        state, look = options["state"], options["fail_on_change"]
        hostvars = task_vars["hostvars"]
        own = hostvars.raw_get(task_vars["inventory_hostname"])
        # What the play has beyond this task's own host, such as the vars of an import_playbook.
        of_the_play = {
            name: value
            for name, value in task_vars.items()
            if name not in self._task.vars
            and (name not in own or (own[name] is not value and own[name] != value))
        }
        spec = yaml_load((ROLE / "meta" / "argument_specs.yml").read_text(encoding="utf-8"))
        role_options = spec["argument_specs"]["main"]["options"]
        states, wrong, left_over = set(), {}, False
        for name in options["hosts"]:
            variables = hostvars.raw_get(name)
            left_over = left_over or any(variables.get(result) for result in ROLE_RESULTS)
            variables = {**variables, **of_the_play}
            templar = Templar(loader=self._loader, variables=variables)
            values, errors = values_and_errors(role_options, variables, templar)
            states.add(str(values.pop("group_replication_state", "present" if look else state)))
            errors += fleet_request.wrong_values(role_options, values)
            if errors:
                wrong[name] = errors
        fleet_request.check(
            fleet_request.Request(
                state=state,
                look=look,
                check_mode=self._task.check_mode,
                hosts=options["hosts"],
                variables=self._of_the_run(task_vars),
                states=states,
                inventories=task_vars.get("ansible_inventory_sources") or [],
                limit=task_vars.get("ansible_limit"),
            )
        )
        start = self._start(options, task_vars)
        return {**start, "wrong_variables": wrong, "left_over": left_over}

    def _of_the_run(self, variables: dict[str, Any]) -> dict[str, Any]:
        """Return the values of the variables that are about the whole run.

        Raises:
            Failure: one has no value.
        """
        templar = Templar(loader=self._loader, variables=variables)
        return values_of(fleet_request.VARIABLES, variables, templar)

    def _batch(self, options: dict[str, Any], task_vars: dict[str, Any]) -> dict[str, Any]:
        names = task_vars["ansible_play_batch"]
        if options["more_tasks"]:
            results = [task_vars["hostvars"][name] for name in names]
            if not all(is_done(variables, options["state"]) for variables in results):
                return {"done": False, "stop": False}
        everyone = task_vars["ansible_play_hosts_all"]
        if len(names) == len(everyone):
            return {"done": True, "stop": False}
        batch = self._hosts(names, options, task_vars)
        left = len(everyone) - 1 - max(map(everyone.index, names))
        Display().display(progress(batch, left))
        reason = stop_reason(batch, options["max_fail_percentage"])
        if reason:
            Display().display(reason)
        return {"done": True, "stop": bool(reason), **_returned(batch)}

    def _end(self, options: dict[str, Any], task_vars: dict[str, Any]) -> dict[str, Any]:
        hosts = self._hosts(task_vars["ansible_play_hosts_all"], options, task_vars)
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

    def _hosts(
        self, names: list[str], options: dict[str, Any], task_vars: dict[str, Any]
    ) -> list[Host]:
        return [
            host_of(
                name,
                task_vars["hostvars"][name],
                options["state"],
                options["fail_on_change"],
                self._task.check_mode,
            )
            for name in names
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
