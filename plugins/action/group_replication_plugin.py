# Copyright (c) 2026, the dbfleet.mysql authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Runs the module dbfleet.mysql.group_replication_plugin, and takes what it returns."""

from __future__ import annotations

from ansible.plugins.action.normal import ActionModule as NormalAction

from ..plugin_utils._from_host import FromHost


class ActionModule(FromHost, NormalAction):  # type: ignore[misc]  # ansible-core has no type hints
    """As Ansible runs any module; a host in the wrong hands returns more than the module does."""

    returned = frozenset(
        (
            "cause",
            "check_mode",
            "error_code",
            "executed_statements",
            "left_behind",
            "loaded_at_start_by",
            "loaded_by_options",
            "mysql_error_number",
            "next_step",
            "plugin",
            "pymysql_from_package",
            "registered",
            "server",
            "survives_restart",
            "next_start",
            "warnings",
        )
    )
