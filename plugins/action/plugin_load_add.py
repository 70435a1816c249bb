# Copyright (c) 2026, the dbfleet.mysql authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Action plugin of dbfleet.mysql.plugin_load_add; it runs the module of that name."""

from __future__ import annotations

from typing import Any

from ansible_collections.dbfleet.mysql.plugins.module_utils._errors import Failure
from ansible_collections.dbfleet.mysql.plugins.plugin_utils._role_action import RoleAction

# Set by the role's task alone: the running server has named its option files.
OF_SERVER = "__group_replication_of_server"

# What Ansible puts in place of a secret in a module's result.
MASK = "********"

# The module's options, by the keys of the server's description in the result of
# dbfleet.mysql.group_replication_plugin.
FOUND = {
    "option_file": "option_file",
    "defaults_extra_file": "defaults_extra_file",
    "option_group": "section",
}


class ActionModule(RoleAction):
    """Run the module, in the role with the options that the role's variables set."""

    OPTIONS = (
        "state",
        "library",
        "option_file",
        "defaults_extra_file",
        "section",
        "drop_in",
        "validate_config",
        "backup",
    )

    def found(self, variables: dict[str, Any]) -> dict[str, Any]:
        """Return what the running server said of its option files.

        Raises:
            Failure: Ansible hides the option file's name, and the role's user does not name it.
        """
        if not variables.get(OF_SERVER):
            return {}
        server = variables["group_replication_plugin_result"]["server"]
        if MASK in server["option_file"] and "group_replication_option_file" not in variables:
            raise Failure(
                "option_file_masked",
                "The password is part of the option file's name, so Ansible hides that name from "
                "the role.",
                "Set group_replication_option_file to the option file that the server starts from.",
            )
        return {option: server[key] for key, option in FOUND.items() if server[key]}

    def is_to_come(self, result: dict[str, Any], variables: dict[str, Any]) -> bool:
        """Whether it is the option file's folder that is missing, or an include of the drop-in."""
        # Where the running server named its option file, that file is no matter of an earlier task.
        return (
            result.get("error_code") in ("option_file_folder_missing", "drop_in_not_included")
            and not variables.get(OF_SERVER)
            and not self.expects_server(variables)
        )
