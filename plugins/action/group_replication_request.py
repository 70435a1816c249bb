# Copyright (c) 2026, the dbfleet.mysql authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Action plugin of dbfleet.mysql.group_replication_request, whose module documents it."""

from __future__ import annotations

import datetime
import os
from typing import Any

from ansible.plugins.action import ActionBase
from ansible.utils.vars import load_extra_vars

from ..module_utils._errors import Failure
from ..plugin_utils._request import PREFIX, Request, Variables, refusals, states_of
from ..plugin_utils._text import visible

ARGUMENT_SPEC = {
    "playbook": {"type": "str", "choices": ["install", "verify", "remove"], "required": True},
    "hosts": {"type": "str", "required": True},
    "matched_hosts": {"type": "list", "elements": "str", "required": True},
    "state": {"type": "str"},
    "serial": {"type": "list", "elements": "str", "default": ["100%"]},
    "max_fail_percentage": {"type": "str"},
    "report": {"type": "path"},
    "confirm_remove": {"type": "bool", "default": False},
}
_ROLE = os.path.join(os.path.dirname(__file__), "..", "..", "roles", "group_replication")


class ActionModule(ActionBase):  # type: ignore[misc]  # ansible-core has no type hints
    """Refuse a run that cannot be meant, and return what steers it."""

    _requires_connection = False

    def run(
        self, tmp: str | None = None, task_vars: dict[str, Any] | None = None
    ) -> dict[str, Any]:
        """Run on the control node, without a connection to a host."""
        result: dict[str, Any] = super().run(tmp, task_vars)
        options = self.validate_argument_spec(ARGUMENT_SPEC)[1]
        task_vars = task_vars or {}
        check_mode = options["playbook"] == "verify" or self._task.check_mode
        hostvars = task_vars["hostvars"]
        # What the checking host's own variables say, the play does not say.
        own = hostvars[task_vars["inventory_hostname"]].get(PREFIX + "state")
        request = Request(
            **{
                **options,
                "state": options["state"] if options["state"] != own else None,
                "confirm_remove": options["confirm_remove"] or check_mode,
            }
        )
        states = states_of(
            request,
            {name: hostvars[name].get(PREFIX + "state") for name in request.matched_hosts},
        )
        found = list(refusals(request, states, self._variables(task_vars)))
        if found:
            result.update(failed=True, changed=False, **_refused(found))
            return result
        now = datetime.datetime.now(datetime.timezone.utc)
        result.update(
            changed=False,
            state=states[0],
            check_mode=check_mode,
            fail_on_change=request.playbook == "verify",
            max_fail_percentage=float(request.max_fail_percentage or 100),
            report=request.report or "",
            started_at=now.isoformat(timespec="seconds"),
        )
        return result

    def _variables(self, task_vars: dict[str, Any]) -> Variables:
        hostvars = task_vars["hostvars"]
        names = task_vars["ansible_play_hosts_all"]
        # The role's documentation is the list of its variables.
        path = os.path.join(_ROLE, "meta", "argument_specs.yml")
        specs = self._loader.load_from_file(path)["argument_specs"]
        return Variables(
            known={name for entry in specs.values() for name in entry["options"]},
            of_command=list(load_extra_vars(self._loader)),
            of_play=[name for name in task_vars if isinstance(name, str)],
            of_hosts={name: [str(key) for key in hostvars[name]] for name in names},
            facts={
                str(fact) for name in hostvars for fact in hostvars[name].get("ansible_facts") or {}
            },
        )


def _refused(found: list[Failure]) -> dict[str, Any]:
    """Return the result of a run that is refused; the first reason gives the error code."""
    reasons = [
        {
            "error_code": failure.error_code,
            "cause": visible(failure.cause, ""),
            "next_step": visible(failure.next_step, ""),
        }
        for failure in found
    ]
    return {
        "msg": "\n".join(f"{reason['cause']} {reason['next_step']}" for reason in reasons),
        "refusals": reasons,
        **reasons[0],
    }
