# Copyright (c) 2026, the dbfleet.mysql authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Action plugin of dbfleet.mysql.pymysql_package, whose module documents it.

The same is two tasks with C(setup) and C(package), but these take facts from the host, which beat
the inventory's variables.
"""

from __future__ import annotations

from typing import Any

from ansible.plugins.action.package import ActionModule as PackageAction

from ..module_utils._errors import Failure
from ..plugin_utils._from_host import FromHost
from ..plugin_utils._host_result import host_result

ARGUMENT_SPEC = {"name": {"type": "str"}}
#: Names by package manager, and the name with all others.
_NAMES = {"apt": "python3-pymysql"}
_OTHER_NAME = "python3-PyMySQL"


class ActionModule(FromHost, PackageAction):  # type: ignore[misc]  # ansible-core has no type hints
    """Ask the host for its package manager, and have that install the package."""

    returned = frozenset(("stdout", "stderr"))

    def run(
        self, tmp: str | None = None, task_vars: dict[str, Any] | None = None
    ) -> dict[str, Any]:
        """Run on the host."""
        name = self.validate_argument_spec(ARGUMENT_SPEC)[1]["name"]
        facts = self._execute_module(
            module_name="ansible.legacy.setup",
            module_args={"gather_subset": ["!all", "!min", "pkg_mgr"]},
            task_vars=task_vars,
        )
        if facts.get("failed") or facts.get("unreachable"):
            return host_result(facts, self.returned)
        manager = str((facts.get("ansible_facts") or {}).get("ansible_pkg_mgr"))
        if manager not in self.BUILTIN_PKG_MGR_MODULES:
            failure = Failure(
                "package_manager_unknown",
                "The host names no package manager that Ansible knows, so PyMySQL cannot be "
                "installed.",
                "Install PyMySQL for the Python that Ansible uses there, and set "
                "group_replication_install_pymysql: false.",
            )
            return {"failed": True, "changed": False, **failure.as_result()}
        given = self._task.args
        self._task.args = {
            "name": name or _NAMES.get(manager, _OTHER_NAME),
            "state": "present",
            "use": manager,
            # dnf would refresh its cache in check mode too.
            "update_cache": not self._task.check_mode,
        }
        try:
            return super().run(tmp, task_vars)
        finally:
            self._task.args = given  # for another attempt, where the task has retries
