# Copyright (c) 2026, the dbfleet.mysql authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The role within a play."""

from __future__ import annotations

from typing import Any

ROLE = {"name": "dbfleet.mysql.group_replication"}
#: What the role adds to an option file.
LINE = "plugin_load_add=group_replication.so"


def include(entry: str = "main", **variables: Any) -> dict[str, Any]:
    """Return a task that includes the role."""
    return {
        "name": "Include the role",
        "ansible.builtin.include_role": {
            **ROLE,
            "tasks_from": entry,
        },
        "vars": variables,
    }
