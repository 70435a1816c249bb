# Copyright (c) 2026, the dbfleet.mysql authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Action plugin of dbfleet.mysql.pymysql_package, whose module documents it.

The same is two tasks with C(setup) and C(package), but these take facts from the host, which beat
the inventory's variables.
"""

from __future__ import annotations

from typing import Any, Mapping

from ansible.plugins.action.package import ActionModule as PackageAction

from ..module_utils._errors import Failure
from ..module_utils._mysql.errors import shortened
from ..plugin_utils._from_host import FromHost
from ..plugin_utils._host_result import host_result
from ..plugin_utils._text import visible

ARGUMENT_SPEC = {"name": {"type": "str"}}
#: Names by package manager, and the name with all others.
_NAMES = {"apt": "python3-pymysql"}
_OTHER_NAME = "python3-PyMySQL"
#: Of an account, in characters; Linux allows 32.
_LONGEST_NAME = 64


class ActionModule(FromHost, PackageAction):  # type: ignore[misc]  # ansible-core has no type hints
    """Ask the host for its package manager, and have that install the package."""

    returned = frozenset(("stdout", "stderr", "error_code", "cause", "next_step"))

    def run(
        self, tmp: str | None = None, task_vars: dict[str, Any] | None = None
    ) -> dict[str, Any]:
        """Run on the host."""
        name = self.validate_argument_spec(ARGUMENT_SPEC)[1]["name"]
        facts = self._execute_module(
            module_name="ansible.legacy.setup",
            module_args={"gather_subset": ["!all", "!min", "pkg_mgr", "user"]},
            task_vars=task_vars,
        )
        if facts.get("failed") or facts.get("unreachable"):
            return host_result(facts, self.returned)
        found = facts.get("ansible_facts") or {}
        manager = str(found.get("ansible_pkg_mgr"))
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
        package = name or _NAMES.get(manager, _OTHER_NAME)
        self._task.args = {
            "name": package,
            "state": "present",
            "use": manager,
            # dnf would refresh its cache in check mode too.
            "update_cache": not self._task.check_mode,
        }
        try:
            result = super().run(tmp, task_vars)
        finally:
            self._task.args = given  # for another attempt, where the task has retries
        if result.get("failed"):
            refused = f"The package manager {manager} did not install {package}"
            user = str(found.get("ansible_user_id"))
            is_root = found.get("ansible_effective_user_id") in (None, 0)
            failure = _failure(result, refused, "" if is_root else user)
            # Once more: the host's own words are among it.
            result = host_result({**result, **failure.as_result()}, self.returned)
        return result


def _failure(result: Mapping[str, Any], refused: str, user: str) -> Failure:
    """Say why a package was not installed.

    Args:
        result: the package manager's.
        refused: that it did not install it, as a sentence without its end.
        user: whom it ran as; empty for root.
    """
    if user:
        return Failure(
            "package_not_installed",
            f"{refused} for {visible(user[:_LONGEST_NAME], '')}, which is not root.",
            "Run this with become: true (--become), or install PyMySQL beforehand.",
        )
    said = str(result.get("msg") or "it did not say why").strip().partition("\n")[0]
    return Failure(
        "package_not_installed",
        f"{refused}: {shortened(said).rstrip('.')}.",
        "Install PyMySQL by hand, or name the package in group_replication_pymysql_package.",
    )
