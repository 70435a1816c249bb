# Copyright (c) 2026, the dbfleet.mysql authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whether INSTALL PLUGIN would start a group. Private to dbfleet.mysql."""

from __future__ import annotations

import contextlib
import os

from .._errors import Failure, option_names
from .._mysql.connection import Connection
from .._option_file.arguments import option_value
from .._option_file.reader import ServerOptions
from .state import OFF_VALUES, State
from .statements import GTID_MODE_QUERY, PERSISTED_QUERY, START_LOG_QUERY

# What decides whether INSTALL starts a group.
GROUP_SETTINGS = (
    "group_replication_start_on_boot",
    "group_replication_group_name",
    "group_replication_bootstrap_group",
)

# The first version that has performance_schema.error_log.
_FIRST_WITH_LOG = (8, 0, 22)
# A server writes of its start within seconds.
_LOGGED_WITHIN = 60


def refuse_group_start(connection: Connection, state: State) -> None:
    """Refuse an INSTALL that would start Group Replication in the same statement.

    With a group name and ``group_replication_start_on_boot`` not OFF (its default is ON), the
    plugin starts the group when it is initialised, or bootstraps a second one. 5.7 reads the option
    files again for INSTALL (its source; measured on 5.7.20). 8.0.39, 8.4.8 and 9.7.4 take what the
    server was started with (measured), earlier releases of 8.0 read the files too (source). So from
    8.0 on both must be harmless.

    Raises:
        Failure: it would, or that cannot be known.
    """
    allow = f"or set {option_names('allow_group_start')} to true where that is what you want."
    unknown = "Whether INSTALL PLUGIN would start Group Replication cannot be known, because "
    if state.options is None:
        raise Failure(
            "group_start_unknown",
            f"{unknown}the server's option files cannot be read from here: "
            f"{state.options_unknown}.",
            "Run the task on the server's own host as root, " + allow,
        )
    persisted = {}
    if state.server.version_tuple >= (8, 0, 0):
        persisted = _persisted_group_settings(connection)
    for reading in state.readings:
        options = ((name, option_value(reading.arguments, name)) for name in GROUP_SETTINGS)
        in_files = {name: (option.value or "", option.source) for name, option in options if option}
        # When the plugin gets what is persisted is not the same in all versions; so it counts only
        # where it makes things worse.
        for settings in (in_files, {**in_files, **persisted}):
            effect = _group_start(settings)
            if effect:
                raise Failure(
                    "group_would_start",
                    f"INSTALL PLUGIN would {effect}.",
                    "Set loose-group_replication_start_on_boot=OFF in the option file and restart "
                    "the server, " + allow,
                )
    if state.options.unreadable:
        raise Failure(
            "group_start_unknown",
            f"{unknown}this task may not read {state.options.unreadable[0]}.",
            "Run the task on the server's own host as root, " + allow,
        )
    # Without GTIDs no start of a group succeeds.
    if connection.rows(GTID_MODE_QUERY, least=1)[0][0] != "ON":
        return
    if state.server.version_tuple < (8, 0, 0):
        return
    changed = _changed_since_start(state.options, state.started)
    if changed and not _started_without_group(connection, state):
        raise Failure(
            "group_start_unknown",
            f"{unknown}{changed} was changed after the server started, and the options of that "
            "start may still count.",
            "Restart the server and run this again, " + allow,
        )


def _started_without_group(connection: Connection, state: State) -> bool:
    """Whether the server's own error log proves that it was started without a group's name.

    Measured: 8.0.39, 8.4.8, 9.7.4. The account may lack the privilege to read it.
    """
    if state.server.version_tuple < _FIRST_WITH_LOG:
        return False
    rows = connection.answers([START_LOG_QUERY], [START_LOG_QUERY])[0]
    try:
        [(logged, proven)] = rows or []
        # The log of another start does not count, such as after the clock was set back.
        return bool(proven == 1 and abs(logged - state.started) < _LOGGED_WITHIN)
    except (TypeError, ValueError):
        return False


def _persisted_group_settings(connection: Connection) -> dict[str, tuple[str, str]]:
    """Return value and place of the settings in ``mysqld-auto.cnf``, which 5.7 does not have."""
    persisted = connection.rows(PERSISTED_QUERY, columns=2)
    return {
        name: (str(value), "SET PERSIST") for name, value in persisted if name in GROUP_SETTINGS
    }


def _group_start(settings: dict[str, tuple[str, str]]) -> str:
    """Return what INSTALL would do to the group with these settings and why, empty if nothing."""
    start, start_where = settings.get("group_replication_start_on_boot", ("ON", "the default"))
    name, name_where = settings.get("group_replication_group_name", ("", ""))
    if not name or start.upper() in OFF_VALUES:
        return ""
    effect = "start Group Replication on this server at once"
    why = (
        f"group_replication_group_name is set ({name_where}), "
        f"group_replication_start_on_boot={start} ({start_where})"
    )
    bootstrap, bootstrap_where = settings.get("group_replication_bootstrap_group", ("OFF", ""))
    if bootstrap.upper() not in OFF_VALUES:
        effect = "bootstrap a new group at once"
        why += f", group_replication_bootstrap_group={bootstrap} ({bootstrap_where})"
    return f"{effect}: {why}"


def _changed_since_start(options: ServerOptions, started: float) -> str:
    """Return an option file, or a folder of them, that was changed after the server started.

    A file without an option of the server, such as one for client programs, does not matter. The
    time of the inode's change counts, because a copy may keep an older time of modification. A file
    of /etc itself that is gone by now is not noticed: something in /etc always changes.
    """
    holding = {argument.path for argument in options.arguments}
    files = [path for path in options.files if path in holding]
    folders = {os.path.dirname(path) for path in options.files} - {"/etc"}
    for path in [*files, *options.folders, *sorted(folders)]:
        for status in (os.stat, os.lstat):
            with contextlib.suppress(FileNotFoundError):
                if status(path).st_ctime > started:
                    return path
    return ""
