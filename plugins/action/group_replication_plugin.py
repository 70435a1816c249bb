# Copyright (c) 2026, the dbfleet.mysql authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Action plugin of dbfleet.mysql.group_replication_plugin; it runs the module of that name."""

from __future__ import annotations

from typing import Any

from ansible.errors import AnsibleConnectionFailure, AnsibleError
from ansible_collections.dbfleet.mysql.plugins.module_utils._errors import Failure
from ansible_collections.dbfleet.mysql.plugins.plugin_utils._role_action import (
    RoleAction,
    failed,
)
from ansible_collections.dbfleet.mysql.plugins.plugin_utils._variables import wrong_variables

# Set by the playbooks alone: the hosts' variables have been checked.
OF_PLAYBOOK = "__group_replication_of_playbook"
REQUEST = "group_replication_start"

# Set by the role's tasks alone. The first is for a run that follows a change of the option file.
VERIFY_AGAIN = "__group_replication_verify_again"
PYMYSQL_TRIED = "__group_replication_pymysql_tried"

PLUGIN_RESULT = "group_replication_plugin_result"
OPTION_FILE_RESULT = "group_replication_option_file_result"


class ActionModule(RoleAction):
    """Run the module, in the role with the options that the role's variables set."""

    OPTIONS = (
        "state",
        "library",
        "registration",
        "defaults_file",
        "allow_group_start",
        "allow_leave_group",
        "lift_super_read_only",
        "lock_wait_timeout",
        "check_mysql_session",
        "login_user",
        "login_password",
        "login_host",
        "login_port",
        "login_unix_socket",
        "config_file",
        "connect_timeout",
        "ca_cert",
        "client_cert",
        "client_key",
        "check_hostname",
    )

    def run_of_role(self, tmp: str | None, variables: dict[str, Any]) -> dict[str, Any]:
        """Run the module; after a change of the option file, keep the first run's result."""
        if variables.get(OF_PLAYBOOK):
            wrong = variables[REQUEST]["wrong_variables"].get(variables["inventory_hostname"])
            if wrong:
                raise wrong_variables(wrong)
        if not variables.get(VERIFY_AGAIN):
            return super().run_of_role(tmp, variables)
        first = {"first_result": variables[PLUGIN_RESULT]}
        try:
            result = super().run_of_role(tmp, variables)
        # Raised, an error would take the place of what the first run changed.
        except AnsibleConnectionFailure as error:
            result = {"unreachable": True, "msg": str(error)}
        except Failure as failure:
            result = failed(failure)
        except AnsibleError as error:
            result = {"failed": True, "msg": str(error)}
        return {**result, **first, **self._unread_option_file(result, variables)}

    def is_to_come(self, result: dict[str, Any], variables: dict[str, Any]) -> bool:
        """Whether it is the server that is missing."""
        missing = result.get("error_code") in ("socket_not_found", "server_down")
        return missing and not self.expects_server(variables)

    def is_put_right(self, result: dict[str, Any], variables: dict[str, Any]) -> bool:
        """Whether it is PyMySQL that is missing, and the role is going to install it."""
        return (
            result.get("error_code") == "pymysql_missing"
            and not variables.get(PYMYSQL_TRIED)
            and self.flag("group_replication_install_pymysql", variables)
        )

    def _unread_option_file(
        self, result: dict[str, Any], variables: dict[str, Any]
    ) -> dict[str, Any]:
        """Return a failure where the running server does not read the changed option file."""
        if result.get("failed"):
            return {}
        if result.get("loaded_by_options", True) or self._task.args.get("state") == "absent":
            return {}
        failure = Failure(
            "option_file_not_read",
            f"The line is in {variables[OPTION_FILE_RESULT]['option_file']} now, but the running "
            "server does not start from that file, so the plugin lasts only by its row in "
            "mysql.plugin.",
            "Take the line out and correct group_replication_option_file: the server starts from "
            f"{result['server']['option_file']}.",
        )
        return failed(failure)
