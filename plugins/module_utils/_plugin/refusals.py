# Copyright (c) 2026, the dbfleet.mysql authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is refused at the Group Replication plugin in a server, and why. Private to dbfleet.mysql.

Whether an installation would start a group is in ``group_start.py``.
"""

from __future__ import annotations

from .._errors import Failure, option_names
from .._mysql.connection import Connection
from .._option_file.reader import ServerOptions
from .request import Request
from .state import PLUGIN_TYPE, Plugin, Server, State
from .statements import INITIALISATION_QUERY, MEMBERS_QUERY, PLUGIN_NAME

# Member states that mean "in the group" (manual, "Group Replication Server States").
IN_GROUP_STATES = frozenset(("ONLINE", "RECOVERING"))


def mysql_session_missing(server: Server) -> Failure:
    """Say that the account is missing which Group Replication works with."""
    if server.version_tuple < (8, 0, 16):
        advice = "Run mysql_upgrade on this server, which creates it, and restart the server."
    else:
        advice = "Start the server once with --upgrade=FORCE, which creates it."
    return Failure(
        "mysql_session_missing",
        "The account 'mysql.session'@'localhost' does not exist, and without it START "
        "GROUP_REPLICATION fails with error 3092.",
        advice,
    )


def option_file_not_read(options: ServerOptions) -> Failure:
    """Say that an earlier task made a file load the plugin from which the server does not start."""
    if options.main_file is None:
        start = "it was started with --no-defaults"
        next_step = "Take the line out, or start the server without --no-defaults."
    else:
        start = f"it starts from {options.main_file}"
        next_step = (
            "Take the line out and name the file that the server starts from "
            f"({options.main_file}) in option_file, in the role in group_replication_option_file."
        )
    return Failure(
        "option_file_not_read",
        f"The server does not start from the option file that was changed: {start}, so the plugin "
        "lasts only by its row in mysql.plugin.",
        next_step,
    )


def check_section(options: ServerOptions, request: Request) -> None:
    """Refuse a group for the line that the running server does not read.

    Raises:
        Failure: section_not_read.
    """
    if not request.section or options.has_group(request.section):
        return
    raise Failure(
        "section_not_read",
        f"The running server was not started with the group [{request.section}] of its option "
        f"files, but with [{options.main_group}].",
        f"Leave {option_names('section')} out. Where mysqld_multi passes that group's lines on, "
        f"let the plugin last by its row: set {option_names('registration')} to always.",
    )


def check_installation(connection: Connection, state: State) -> None:
    """Check that INSTALL PLUGIN can bring the plugin in, and not just its row.

    Raises:
        Failure: an option keeps the plugin disabled, or MySQL 5.7 lacks settings that it needs.
    """
    if state.disabled_by:
        raise Failure(
            "plugin_disabled",
            f"The option group_replication=OFF ({state.disabled_by}) keeps the plugin disabled, "
            "whatever loads it.",
            "Take that option out of {} and run this again.".format(
                state.disabled_by.partition(":")[0]
            ),
        )
    _refuse_old_repositories(connection, state.server)


def check_removal(connection: Connection, state: State, plugin: Plugin, request: Request) -> None:
    """Check that UNINSTALL PLUGIN works, and does not take a member out of its group unasked.

    Raises:
        Failure: it does not work, or is not allowed.
    """
    if plugin.load_option == "FORCE_PLUS_PERMANENT":
        raise Failure(
            "plugin_permanent",
            f"The plugin was loaded with FORCE_PLUS_PERMANENT{_where(state)}, so the "
            "running server refuses to unload it.",
            "Take that option out (state: absent of dbfleet.mysql.plugin_load_add removes the line "
            "that loads the library) and restart the server.",
        )
    if plugin.status == "ACTIVE":
        _refuse_leaving_group(connection, state.server, request.allow_leave_group)


def check_active(state: State, plugin: Plugin) -> None:
    """Check what the server says of a plugin that it has.

    Raises:
        Failure: it is of another type, not from the asked library, or not ACTIVE.
    """
    if plugin.type != PLUGIN_TYPE or plugin.library != state.library:
        raise Failure(
            "other_library",
            f"The server has a plugin group_replication of type {plugin.type} from "
            f"{plugin.library}, not of type {PLUGIN_TYPE} from {state.library}.",
            f"Set {option_names('library')} to the one that is meant, or remove the other with "
            "state: absent.",
        )
    if plugin.status == "DISABLED":
        raise Failure(
            "plugin_disabled",
            f"The plugin is loaded but DISABLED{_where(state)}, which only a restart can change.",
            "Take group_replication=OFF out of the server's options and restart the server.",
        )
    if plugin.status != "ACTIVE":
        raise Failure(
            "plugin_not_active",
            f"The plugin's status is {plugin.status}, not ACTIVE.",
            "An older copy is still in use or being unloaded: restart the server, then run this "
            "again.",
        )


def _where(state: State) -> str:
    """Return `` (file:line)`` of the option about the plugin, empty where that is not known."""
    option = state.option(PLUGIN_NAME)
    return f" ({option.source})" if option else ""


def _refuse_old_repositories(connection: Connection, server: Server) -> None:
    """MySQL 5.7 fails INSTALL with a bare 1123 unless these are set (measured on 5.7.20)."""
    if server.version_tuple >= (8, 0, 0):
        return
    values = connection.rows(INITIALISATION_QUERY, columns=3, least=1)[0]
    lines = []
    if str(values[0]) == "0":
        lines.append("server_id=<a number unique in the group>")
    for name, value in zip(("master_info_repository", "relay_log_info_repository"), values[1:]):
        if value != "TABLE":
            lines.append(name + "=TABLE")
    if lines:
        raise Failure(
            "settings_missing",
            "MySQL {} cannot initialise the plugin without these settings: {}.".format(
                server.version, ", ".join(lines)
            ),
            "Add them to the [mysqld] group of the option file and restart the server.",
        )


def _refuse_leaving_group(connection: Connection, server: Server, allowed: bool) -> None:
    """Refuse to take a member out of its group unasked, or at the cost of the group's majority."""
    members: dict[str, str] = dict(connection.rows(MEMBERS_QUERY, columns=2))
    state = members.get(server.uuid)
    if state not in IN_GROUP_STATES:
        return
    if not allowed:
        raise Failure(
            "member_of_group",
            f"This server is {state} in a group of {len(members)}, and UNINSTALL PLUGIN would take "
            "it out.",
            "Run STOP GROUP_REPLICATION on it first, or set "
            f"{option_names('allow_leave_group')} to true.",
        )
    left = len(members) - 1
    reachable = sum(member in IN_GROUP_STATES for member in members.values()) - 1
    if left and reachable * 2 <= left:
        raise Failure(
            "group_majority",
            f"Without this server only {reachable} of the group's {left} other members would be "
            "reachable, which is no majority, and the group would block.",
            "Bring the unreachable members back or expel them first.",
        )
