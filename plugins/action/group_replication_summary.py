# Copyright (c) 2026, the dbfleet.mysql authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Action plugin of dbfleet.mysql.group_replication_summary, whose module documents it."""

from __future__ import annotations

import datetime
import itertools
from typing import Any

from ansible import constants as C  # noqa: N812 - as Ansible itself calls it
from ansible import context
from ansible.plugins.action import ActionBase
from ansible.plugins.callback import default, minimal, oneline
from ansible.plugins.loader import callback_loader
from ansible.utils.display import Display

from ..module_utils._errors import Failure
from ..plugin_utils._summary import report, table
from ..plugin_utils._summary.host import Host, Outcome, host_of
from ..plugin_utils._summary.table import Line

ARGUMENT_SPEC = {
    "step": {"type": "str", "choices": ["batch", "host", "end"], "default": "end"},
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
    "fail_on_change": {"type": "bool", "default": False},
    "max_fail_percentage": {"type": "float", "default": 100},
    "stopped": {"type": "bool", "default": False},
    "report": {"type": "path"},
    "started_at": {"type": "str"},
}


class ActionModule(ActionBase):  # type: ignore[misc]  # ansible-core has no type hints
    """Print the summary, write the report and return each host's outcome."""

    _requires_connection = False

    def run(
        self, tmp: str | None = None, task_vars: dict[str, Any] | None = None
    ) -> dict[str, Any]:
        """Run on the control node, without a connection to a host."""
        result: dict[str, Any] = super().run(tmp, task_vars)
        options = self.validate_argument_spec(ARGUMENT_SPEC)[1]
        step = {"batch": self._batch, "host": self._host, "end": self._end}[options["step"]]
        try:
            result.update(changed=False, **step(options, task_vars or {}))
        except Failure as failure:
            result.update(failed=True, changed=False, **failure.as_result())
        return result

    def _batch(self, options: dict[str, Any], task_vars: dict[str, Any]) -> dict[str, Any]:
        names = task_vars["ansible_play_batch"]
        batch = self._hosts(names, options, task_vars)
        reason = table.stop_reason(batch, options["max_fail_percentage"])
        progress = table.progress(batch, left=len(_to_come(task_vars)))
        _show([Line(progress), *([Line(reason)] if reason else [])])
        return {"stop": bool(reason), **_returned(batch)}

    def _host(self, options: dict[str, Any], task_vars: dict[str, Any]) -> dict[str, Any]:
        """Return the result that counts in the recap and for the exit code."""
        (host,) = self._hosts([task_vars["inventory_hostname"]], options, task_vars)
        if not host.outcome.is_problem:
            return {}
        kind = "unreachable" if host.outcome is Outcome.UNREACHABLE else "failed"
        return {kind: True, "msg": f"{host.heading}; the summary above says what to do"}

    def _end(self, options: dict[str, Any], task_vars: dict[str, Any]) -> dict[str, Any]:
        hosts = self._hosts(task_vars["ansible_play_hosts_all"], options, task_vars)
        # First, for a report may turn out to be impossible to write.
        lines = table.render(hosts, options["state"])
        _show(lines)
        path = None
        if options["report"]:
            path = report.check_path(options["report"])
            run = report.Run(
                playbook=" ".join(context.CLIARGS.get("args") or []),
                state=options["state"],
                check_mode=self._task.check_mode,
                fail_on_change=options["fail_on_change"],
                started_at=options["started_at"],
                finished_at=datetime.datetime.now(datetime.timezone.utc).isoformat(
                    timespec="seconds"
                ),
            )
            report.write(path, run, hosts)
            _show([Line(f"report: {path}")])
        # Where the callback is for a program, the table is for those who read its results, too.
        kept = {} if _is_read_by_people() else {"table": [line.text for line in lines]}
        return {"report": path, **kept, **_returned(hosts)}

    def _hosts(
        self, names: list[str], options: dict[str, Any], task_vars: dict[str, Any]
    ) -> list[Host]:
        everyone = task_vars["ansible_play_hosts_all"]
        to_come = everyone if options["stopped"] else _to_come(task_vars)
        return [
            host_of(
                name,
                task_vars["hostvars"][name],
                options["state"],
                options["fail_on_change"],
                self._task.check_mode,
                name in to_come,
            )
            for name in names
        ]


#: In the colors that Ansible has for a host's result.
_COLORS = {
    **{outcome: C.COLOR_ERROR for outcome in Outcome if outcome.is_problem},
    Outcome.UNREACHABLE: C.COLOR_UNREACHABLE,
    Outcome.NOT_REACHED: C.COLOR_SKIP,
    Outcome.CHANGED: C.COLOR_CHANGED,
    Outcome.WOULD_CHANGE: C.COLOR_CHANGED,
    Outcome.IN_ORDER: C.COLOR_OK,
}


_FOR_PEOPLE = tuple(each.CallbackModule for each in (default, minimal, oneline))


def _show(lines: list[Line]) -> None:
    """Print lines where a person reads them."""
    stderr = not _is_read_by_people()
    for outcome, block in itertools.groupby(lines, lambda line: line.outcome):
        text = "".join(f"{line.text}\n" for line in block)
        Display().display(text, color=_COLORS[outcome] if outcome else None, stderr=stderr)


def _is_read_by_people() -> bool:
    """Whether stdout is as Ansible's own callbacks write it, and not JSON or nothing at all."""
    kind = callback_loader.get(C.DEFAULT_STDOUT_CALLBACK, class_only=True)
    return kind is not None and issubclass(kind, _FOR_PEOPLE)


def _to_come(task_vars: dict[str, Any]) -> list[str]:
    """Return the hosts of the batches to come."""
    everyone: list[str] = task_vars["ansible_play_hosts_all"]
    return everyone[1 + max(map(everyone.index, task_vars["ansible_play_batch"])) :]


def _returned(hosts: list[Host]) -> dict[str, Any]:
    return {
        "outcomes": {host.name: host.heading for host in hosts},
        "problems": {
            host.name: f"{host.cause} {host.next_step}".rstrip()
            for host in hosts
            if host.outcome.is_problem
        },
    }
