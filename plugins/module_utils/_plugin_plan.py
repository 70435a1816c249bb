# Copyright (c) 2026, the dbfleet.mysql authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What must be done to the Group Replication plugin in a server, and what must be refused.

Private to dbfleet.mysql. Changes nothing: it compares a :class:`State` with a :class:`Request`.
"""

from __future__ import annotations

import contextlib
import os
import re

from ansible_collections.dbfleet.mysql.plugins.module_utils._connection import Connection
from ansible_collections.dbfleet.mysql.plugins.module_utils._errors import Failure
from ansible_collections.dbfleet.mysql.plugins.module_utils._option_arguments import option_value
from ansible_collections.dbfleet.mysql.plugins.module_utils._option_file import ServerOptions
from ansible_collections.dbfleet.mysql.plugins.module_utils._plugin import (
    DELETE_ROW,
    NO_BINARY_LOG,
    PLUGIN_NAME,
    UNINSTALL,
    Plugin,
    Request,
    Server,
    State,
    Statement,
    insert_row_statement,
    install_statement,
    read_plugin,
)

PLUGIN_TYPE = "GROUP REPLICATION"
LIBRARY_PATTERN = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.+-]*\Z")

# How the server itself writes "no" for a boolean option (sql/set_var.cc, my_getopt.cc).
OFF_VALUES = frozenset(("OFF", "0", "FALSE"))
GROUP_SETTINGS = (
    "group_replication_start_on_boot",
    "group_replication_group_name",
    "group_replication_bootstrap_group",
)
# 8.0 reads the option files again for INSTALL and 9.7 does not; those between were not measured.
READS_AT_START_ONLY = (8, 1, 0)
# Member states that mean "in the group" (manual, "Group Replication Server States").
IN_GROUP_STATES = frozenset(("ONLINE", "RECOVERING"))


def check_request(request: Request) -> None:
    """Refuse what no server can be asked for.

    Raises:
        Failure: the library's name is not a plain file name (INSTALL PLUGIN refuses a path with
            error 1124), or a number is out of range.
    """
    if request.library is not None and not LIBRARY_PATTERN.match(request.library):
        raise Failure(
            "library_name_invalid",
            "library must be a plain file name of letters, digits, '_', '-', '.' and '+', not "
            f"{request.library!r}.",
            "Give the name of a file in the server's plugin_dir, such as group_replication.so.",
        )
    if not 1 <= request.lock_wait_timeout <= 31536000:
        raise Failure(
            "lock_wait_timeout_invalid",
            "lock_wait_timeout must be from 1 to 31536000 seconds, not "
            f"{request.lock_wait_timeout}.",
            "Give a number of seconds in that range.",
        )


def plan_present(connection: Connection, state: State, request: Request) -> list[Statement]:
    """Decide which statements bring the plugin in and leave it registered as asked.

    Reads more of the server only where something is to be installed. Changes nothing.

    Raises:
        Failure: it must not or cannot be done.
    """
    if request.check_mysql_session and state.mysql_session is False:
        raise _mysql_session_missing(state.server)
    if state.plugin is None:
        _refuse_disabled_by_option(state)
        _refuse_old_repositories(connection, state.server)
        if not request.allow_group_start:
            _refuse_group_start(connection, state)
    else:
        _refuse_other_plugin(state.plugin, state.library)
        _refuse_status(state, state.plugin)

    statements = []
    row: bool | None = None if state.row is None else bool(state.row)
    if state.plugin is None:
        if row:
            # Left by a start that could not load the library; INSTALL would end in a duplicate key.
            statements += [NO_BINARY_LOG, DELETE_ROW]
        statements.append(install_statement(state.library))
        row = True
    wanted = _row_wanted(state, request.register)
    if row is True and wanted is False:
        statements += [NO_BINARY_LOG, DELETE_ROW]
    elif row is False and wanted is True:
        statements += [NO_BINARY_LOG, insert_row_statement(state.library)]
    if state.plugin is not None and row is True and _kept_duplicate(state, request):
        return []
    return _refuse_super_read_only(state, request, statements)


def plan_absent(connection: Connection, state: State, request: Request) -> list[Statement]:
    """Decide which statements take the plugin out of the server. Changes nothing.

    Raises:
        Failure: it must not or cannot be done.
    """
    plugin = state.plugin
    if plugin is None:
        if not state.row:
            return []
        # UNINSTALL PLUGIN knows loaded plugins only (error 1305 otherwise).
        return _refuse_super_read_only(state, request, [NO_BINARY_LOG, DELETE_ROW])
    if plugin.load_option == "FORCE_PLUS_PERMANENT":
        raise Failure(
            "plugin_permanent",
            f"The plugin was loaded with FORCE_PLUS_PERMANENT{_where(state, PLUGIN_NAME)}, so the "
            "running server refuses to unload it.",
            "Take that option out (state: absent of dbfleet.mysql.plugin_load_add removes the line "
            "that loads the library) and restart the server.",
        )
    if plugin.status == "ACTIVE":
        _refuse_leaving_group(connection, state.server, request)
    return _refuse_super_read_only(state, request, [UNINSTALL])


def predict(state: State, statements: list[Statement]) -> State:
    """Return the state that these statements lead to; check mode shows it."""
    plugin, row = state.plugin, state.row
    for statement in statements:
        verb = statement.sql.partition(" ")[0]
        if verb == "INSTALL":
            plugin = Plugin(PLUGIN_NAME, "ACTIVE", PLUGIN_TYPE, state.library, None, "", "ON")
        elif verb == "UNINSTALL":
            plugin = None
        if verb in ("INSTALL", "INSERT"):
            row = state.library
        elif verb in ("UNINSTALL", "DELETE"):
            row = ""
    return state._replace(plugin=plugin, row=row)


def notes(state: State, request: Request) -> list[str]:
    """Return what a person should know of a state although the task succeeded."""
    result = []
    if state.options is None:
        result.append(
            f"What loads the plugin at start cannot be seen from here: {state.options_unknown}."
        )
    else:
        result += ["{} is not read: {}.".format(*skipped) for skipped in state.options.skipped]
    if state.row is None:
        result.append("The account may not read mysql.plugin; grant it SELECT on that table.")
    if request.state == "absent":
        result += [
            f"{load.argument.source} loads the plugin again at the next start, unless it is taken "
            "out too."
            for load in state.loads
        ]
        return result
    if request.check_mysql_session and state.mysql_session is None:
        result.append(
            "The account may not read mysql.user, so whether 'mysql.session'@'localhost' exists "
            "was not checked."
        )
    if _kept_duplicate(state, request):
        result.append(
            f"The plugin is loaded both by {state.loads[-1].argument.source} and by its row in "
            "mysql.plugin, so each start logs an error; super_read_only is ON and keeps the row. "
            "Set lift_super_read_only: true."
        )
    return result


def survives_restart(state: State) -> bool | None:
    """Whether the next start loads the plugin; None where that cannot be known from here."""
    if state.options is not None and _disabled_by_option(state) is not None:
        return False
    if state.loads or state.row:
        return True
    if state.options is None or state.row is None:
        return None
    return False


def _kept_duplicate(state: State, request: Request) -> bool:
    """Whether a superfluous row stays because the server is read-only.

    It costs a line in the error log at each start, which is no reason to call a read-only member
    of a group, where all else is well, failed.
    """
    return bool(
        state.row
        and _row_wanted(state, request.register) is False
        and state.loads
        and state.server.super_read_only
        and not request.lift_super_read_only
    )


def _row_wanted(state: State, register: str) -> bool | None:
    """Whether ``mysql.plugin`` should have the row; None to leave it as it is."""
    if register != "auto":
        return register == "always"
    if state.options is None:
        return None
    # A plugin that is in both is loaded twice, and each start logs an ERROR.
    return not state.loads


def _mysql_session_missing(server: Server) -> Failure:
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


def _disabled_by_option(state: State) -> str | None:
    """Return where an option turns the plugin off at start, None where none does."""
    if state.options is None:
        return None
    option = option_value(state.options.arguments, PLUGIN_NAME)
    if option is None or (option.value or "").upper() not in OFF_VALUES:
        return None
    return str(option.source)


def _refuse_disabled_by_option(state: State) -> None:
    where = _disabled_by_option(state)
    if where is not None:
        raise Failure(
            "plugin_disabled",
            f"The option group_replication=OFF ({where}) keeps the plugin disabled, whatever loads "
            "it.",
            "Take that option out of {} and run this again.".format(where.partition(":")[0]),
        )


def _where(state: State, option: str) -> str:
    """Return `` (file:line)`` of an option, empty where that is not known."""
    found = None if state.options is None else option_value(state.options.arguments, option)
    return f" ({found.source})" if found else ""


def _refuse_other_plugin(plugin: Plugin, library: str) -> None:
    if plugin.type != PLUGIN_TYPE or plugin.library != library:
        raise Failure(
            "other_library",
            f"The server has a plugin group_replication of type {plugin.type} from "
            f"{plugin.library}, not of type {PLUGIN_TYPE} from {library}.",
            "Set library to the one that is meant, or remove the other with state: absent.",
        )


def _refuse_status(state: State, plugin: Plugin) -> None:
    if plugin.status == "ACTIVE":
        return
    if plugin.status == "DISABLED":
        raise Failure(
            "plugin_disabled",
            f"The plugin is loaded but DISABLED{_where(state, PLUGIN_NAME)}, which only a restart "
            "can change.",
            "Take group_replication=OFF out of the server's options and restart the server.",
        )
    raise Failure(
        "plugin_not_active",
        f"The plugin's status is {plugin.status}, not ACTIVE.",
        "An older copy is still in use or being unloaded: restart the server, then run this again.",
    )


def _refuse_old_repositories(connection: Connection, server: Server) -> None:
    """MySQL 5.7 fails INSTALL with a bare 1123 unless these are set (measured on 5.7.20)."""
    if server.version_tuple >= (8, 0, 0):
        return
    values = connection.rows(
        "SELECT @@global.server_id, @@global.master_info_repository,"
        " @@global.relay_log_info_repository"
    )[0]
    lines = []
    if not int(values[0]):
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


def _refuse_group_start(connection: Connection, state: State) -> None:
    """Refuse an INSTALL that would start Group Replication in the same statement.

    With a group name and ``group_replication_start_on_boot`` not OFF (its default is ON), the
    plugin starts the group when it is initialised, or bootstraps a second one. MySQL 5.7 and 8.0
    read the option files again for INSTALL (sql/sql_plugin.cc, mysql_install_plugin); 9.7 takes the
    options that the server was started with (measured). So both must be harmless.
    """
    allow = "or set allow_group_start: true where that is what you want."
    unknown = "Whether INSTALL PLUGIN would start Group Replication cannot be known, because "
    if state.options is None:
        raise Failure(
            "group_start_unknown",
            f"{unknown}the server's option files cannot be read from here: "
            f"{state.options_unknown}.",
            "Run the task on the server's own host as root, " + allow,
        )
    in_files = _group_settings(state.options)
    # When the plugin gets what is persisted is not the same in all versions; so it counts only
    # where it makes things worse.
    for settings in (in_files, {**in_files, **_persisted_group_settings(connection)}):
        effect = _group_start(settings)
        if effect:
            raise Failure(
                "group_would_start",
                f"INSTALL PLUGIN would {effect}.",
                "Set loose-group_replication_start_on_boot=OFF in the option file and restart the "
                "server, " + allow,
            )
    if state.server.version_tuple < READS_AT_START_ONLY or not _may_start_group(connection):
        return
    changed = _changed_since_start(state.options, state.started)
    if changed:
        raise Failure(
            "group_start_unknown",
            f"{unknown}{changed} was changed after the server started, and MySQL "
            f"{state.server.version} installs a plugin with the options of its start.",
            "Restart the server and run this again, " + allow,
        )


def _group_settings(options: ServerOptions) -> dict[str, tuple[str, str]]:
    """Return value and place of the settings that decide whether INSTALL starts a group."""
    found = ((name, option_value(options.arguments, name)) for name in GROUP_SETTINGS)
    return {name: (option.value or "", str(option.source)) for name, option in found if option}


def _persisted_group_settings(connection: Connection) -> dict[str, tuple[str, str]]:
    """Return the same from ``mysqld-auto.cnf``, which MySQL has from 8.0 on."""
    if connection.server_version.startswith("5."):
        return {}
    persisted = connection.rows(
        "SELECT VARIABLE_NAME, VARIABLE_VALUE FROM performance_schema.persisted_variables"
        " WHERE VARIABLE_NAME LIKE 'group\\_replication\\_%'"
    )
    return {name: (value, "SET PERSIST") for name, value in persisted if name in GROUP_SETTINGS}


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


def _may_start_group(connection: Connection) -> bool:
    """Whether the server meets Group Replication's requirements so far that a start can succeed."""
    return bool(connection.rows("SELECT @@global.gtid_mode")[0][0] == "ON")


def _changed_since_start(options: ServerOptions, started: float) -> str:
    """Return an option file, or a folder of them, that was changed after the server started.

    The time of the inode's change counts, because a copy may keep an older time of modification.
    A file of /etc itself that is gone by now is not noticed: something in /etc always changes.
    """
    folders = {os.path.dirname(path) for path in options.files} - {"/etc"}
    for path in [*options.files, *options.folders, *sorted(folders)]:
        for status in (os.stat, os.lstat):
            with contextlib.suppress(FileNotFoundError):
                if status(path).st_ctime > started:
                    return path
    return ""


def _refuse_leaving_group(connection: Connection, server: Server, request: Request) -> None:
    """Refuse to take a member out of its group unasked, or at the cost of the group's majority."""
    members = dict(
        connection.rows(
            "SELECT MEMBER_ID, MEMBER_STATE FROM performance_schema.replication_group_members",
        )
    )
    state = members.get(server.uuid)
    if state not in IN_GROUP_STATES:
        return
    if not request.allow_leave_group:
        raise Failure(
            "member_of_group",
            f"This server is {state} in a group of {len(members)}, and UNINSTALL PLUGIN would take "
            "it out.",
            "Run STOP GROUP_REPLICATION on it first, or set allow_leave_group: true.",
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


def _refuse_super_read_only(
    state: State, request: Request, statements: list[Statement]
) -> list[Statement]:
    """Return the statements, unless super_read_only forbids them and may not be lifted."""
    writes = [statement for statement in statements if statement.writes]
    if not state.server.super_read_only or request.lift_super_read_only or not writes:
        return statements
    raise Failure(
        "super_read_only",
        f"super_read_only is ON, so the server refuses: {writes[0]}.",
        "Set lift_super_read_only: true to lift it for that one statement, or run this when the "
        "server is writable.",
    )


def verify_present(connection: Connection, state: State) -> None:
    """Check that the server now shows the plugin as ACTIVE.

    Raises:
        Failure: it is not ACTIVE from the asked library, whatever the statements said.
    """
    plugin = read_plugin(connection)
    if plugin is None:
        raise Failure(
            "plugin_not_active",
            "INSTALL PLUGIN reported no error, but the server does not show the plugin.",
            "Read the server's error log, and check whether another task removes the plugin.",
        )
    _refuse_other_plugin(plugin, state.library)
    _refuse_status(state, plugin)


def verify_absent(connection: Connection) -> None:
    """Check that the server no longer knows the plugin.

    Raises:
        Failure: it still shows it.
    """
    plugin = read_plugin(connection)
    if plugin is not None:
        raise Failure(
            "plugin_in_use",
            f"The plugin's status after UNINSTALL PLUGIN is {plugin.status}: it is still in use.",
            "It goes when its last user does, at the latest with a restart of the server.",
        )
