# Copyright (c) 2026, the dbfleet.mysql authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the action plugins of the role's modules share. Private to dbfleet.mysql.

The role has a variable for each option of its modules. In its tasks they would be a template each,
set or not, and so would be what counts as failed. Ansible compiles each of them anew in the process
that it makes for each host, and that took a third of what a host costs the control node.
"""

from __future__ import annotations

from typing import Any

from ansible.module_utils.parsing.convert_bool import boolean
from ansible.plugins.action.normal import ActionModule as NormalAction
from ansible_collections.dbfleet.mysql.plugins.module_utils._errors import Failure
from ansible_collections.dbfleet.mysql.plugins.plugin_utils._variables import values_of

# Set by the role's tasks alone.
OF_ROLE = "__group_replication_of_role"

PREFIX = "group_replication_"


def failed(failure: Failure) -> dict[str, Any]:
    """Return a failure as the result of an action plugin."""
    return {"failed": True, **failure.as_result()}


class RoleAction(NormalAction):  # type: ignore[misc]  # ansible-core has no type hints
    """Run the module of the same name, in the role with the options that its variables set.

    Attributes:
        OPTIONS: the module's options that are variables of the role, with a prefix.
    """

    OPTIONS: tuple[str, ...] = ()

    def run(
        self, tmp: str | None = None, task_vars: dict[str, Any] | None = None
    ) -> dict[str, Any]:
        """Run the module on the host."""
        variables = task_vars or {}
        if variables.get(OF_ROLE):
            try:
                return self.run_of_role(tmp, variables)
            except Failure as failure:
                return failed(failure)
        result: dict[str, Any] = super().run(tmp, task_vars)
        return result

    def run_of_role(self, tmp: str | None, variables: dict[str, Any]) -> dict[str, Any]:
        """Run the module as the role's task; where that puts up with a failure, it is none.

        Raises:
            Failure: a variable has no value, or what was found is of no use.
        """
        names = [PREFIX + option for option in self.OPTIONS]
        values = values_of(names, variables, self._templar)
        options = {name[len(PREFIX) :]: value for name, value in values.items()}
        self._task.args = {**self._task.args, **self.found(variables), **options}
        result: dict[str, Any] = super().run(tmp, variables)
        if result.get("failed"):
            to_come = self._task.check_mode and self.is_to_come(result, variables)
            if to_come or self.is_put_right(result, variables):
                result["failed"] = False
                result["changed"] = bool(to_come)
                # ansible-core 2.19 and later would show it with the result.
                result.pop("exception", None)
        return result

    def found(self, variables: dict[str, Any]) -> dict[str, Any]:
        """Return the options that an earlier task of the role found out."""
        return {}

    def is_to_come(self, result: dict[str, Any], variables: dict[str, Any]) -> bool:
        """Whether a task of the role's user would have brought what is missing in check mode."""
        return False

    def is_put_right(self, result: dict[str, Any], variables: dict[str, Any]) -> bool:
        """Whether a later task of the role puts right what is the matter."""
        return False

    def flag(self, name: str, variables: dict[str, Any]) -> bool:
        """Return a variable's value, or False where it is not set."""
        return bool(boolean(values_of([name], variables, self._templar).get(name, False)))

    def expects_server(self, variables: dict[str, Any]) -> bool:
        """Whether the server is there before the role runs, in check mode as well."""
        return self.flag("group_replication_expect_server", variables)
