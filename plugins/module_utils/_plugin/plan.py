# Copyright (c) 2026, the dbfleet.mysql authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What must be done to the Group Replication plugin in a server.

Private to dbfleet.mysql. Changes nothing: it compares a :class:`State` with a :class:`Request`.
What it refuses, and why, is in ``_plugin_refusals.py``, imported where something is to be done or
refused: a healthy host need not compile it.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from ansible_collections.dbfleet.mysql.plugins.module_utils._errors import Failure
from ansible_collections.dbfleet.mysql.plugins.module_utils._mysql.connection import Connection
from ansible_collections.dbfleet.mysql.plugins.module_utils._option_file.arguments import (
    option_value,
)
from ansible_collections.dbfleet.mysql.plugins.module_utils._plugin.state import (
    PLUGIN_NAME,
    PLUGIN_TYPE,
    Plugin,
    Request,
    State,
)

LIBRARY_PATTERN = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.+-]*\Z")

# How the server itself writes "no" for a boolean option (sql/set_var.cc, my_getopt.cc).
OFF_VALUES = frozenset(("OFF", "0", "FALSE"))


class Statement(NamedTuple):
    """One SQL statement; ``parameters`` are quoted by PyMySQL, never by us."""

    sql: str
    parameters: tuple[str, ...] = ()
    # Whether super_read_only refuses it, so that it must be lifted around this statement.
    writes: bool = False

    def __str__(self) -> str:
        # For people only. The parameters hold no quote: see check_request.
        return self.sql % tuple(f"'{parameter}'" for parameter in self.parameters)


UNINSTALL = Statement("UNINSTALL PLUGIN " + PLUGIN_NAME, writes=True)
# DELETE and INSERT on mysql.plugin would take a GTID, an errant transaction on a group's member.
NO_BINARY_LOG = Statement("SET SESSION sql_log_bin = 0")
DELETE_ROW = Statement("DELETE FROM mysql.plugin WHERE name = %s", (PLUGIN_NAME,), writes=True)
LIFT_SUPER_READ_ONLY = Statement("SET GLOBAL super_read_only = 0")
RESTORE_SUPER_READ_ONLY = Statement("SET GLOBAL super_read_only = 1")


def install_statement(library: str) -> Statement:
    """Return INSTALL PLUGIN for a library."""
    return Statement("INSTALL PLUGIN " + PLUGIN_NAME + " SONAME %s", (library,), writes=True)


def insert_row_statement(library: str) -> Statement:
    """Return the statement that writes the row which INSTALL PLUGIN would have written."""
    sql = "INSERT INTO mysql.plugin (name, dl) VALUES (%s, %s)"
    return Statement(sql, (PLUGIN_NAME, library), writes=True)


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
    if request.expect_loaded_by_options and state.options is not None and not state.loads:
        from ansible_collections.dbfleet.mysql.plugins.module_utils._plugin import (
            refusals as _plugin_refusals,
        )

        raise _plugin_refusals.option_file_not_read(state.options)
    if request.check_mysql_session and state.mysql_session is False:
        from ansible_collections.dbfleet.mysql.plugins.module_utils._plugin import (
            refusals as _plugin_refusals,
        )

        raise _plugin_refusals.mysql_session_missing(state.server)
    if state.plugin is None:
        from ansible_collections.dbfleet.mysql.plugins.module_utils._plugin import (
            refusals as _plugin_refusals,
        )

        _plugin_refusals.check_installation(connection, state)
        if not request.allow_group_start:
            from ansible_collections.dbfleet.mysql.plugins.module_utils._plugin import (
                group_start as _group_start,
            )

            _group_start.refuse_group_start(connection, state)
    else:
        check_active(state, state.plugin)

    statements = []
    row: bool | None = None if state.row is None else bool(state.row)
    if state.plugin is None:
        if row:
            # Left by a start that could not load the library; INSTALL would end in a duplicate key.
            statements += [NO_BINARY_LOG, DELETE_ROW]
        statements.append(install_statement(state.library))
        row = True
    wanted = _row_wanted(state, request.registration)
    if row is True and wanted is False:
        statements += [NO_BINARY_LOG, DELETE_ROW]
    elif row is False and wanted is True:
        statements += [NO_BINARY_LOG, insert_row_statement(state.library)]
    if state.plugin is not None and row is True and _kept_duplicate(state, request):
        return []
    return _writable(state, request, statements)


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
        return _writable(state, request, [NO_BINARY_LOG, DELETE_ROW])
    from ansible_collections.dbfleet.mysql.plugins.module_utils._plugin import (
        refusals as _plugin_refusals,
    )

    _plugin_refusals.check_removal(connection, state, plugin, request)
    return _writable(state, request, [UNINSTALL])


def check_active(state: State, plugin: Plugin) -> None:
    """Check what the server says of a plugin that it has.

    Raises:
        Failure: it is not ACTIVE, of another type, or not from the asked library.
    """
    if (plugin.type, plugin.library, plugin.status) != (PLUGIN_TYPE, state.library, "ACTIVE"):
        from ansible_collections.dbfleet.mysql.plugins.module_utils._plugin import (
            refusals as _plugin_refusals,
        )

        raise _plugin_refusals.not_as_asked(state, plugin)


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
            f"{place} loads the plugin again at the next start, unless it is taken out too."
            for place in state.loads
        ]
        return result
    if request.check_mysql_session and state.mysql_session is None:
        result.append(
            "The account may not read mysql.user, so whether 'mysql.session'@'localhost' exists "
            "was not checked."
        )
    if _kept_duplicate(state, request):
        result.append(
            f"The plugin is loaded both by {state.loads[-1]} and by its row in "
            "mysql.plugin, so each start logs an error; super_read_only is ON and keeps the row. "
            "Set lift_super_read_only: true."
        )
    return result


def survives_restart(state: State) -> bool | None:
    """Whether the next start loads the plugin; None where that cannot be known from here."""
    if state.options is not None and disabled_by_option(state) is not None:
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
        and _row_wanted(state, request.registration) is False
        and state.loads
        and state.server.super_read_only
        and not request.lift_super_read_only
    )


def _row_wanted(state: State, registration: str) -> bool | None:
    """Whether ``mysql.plugin`` should have the row; None to leave it as it is."""
    if registration != "auto":
        return registration == "always"
    if state.options is None:
        return None
    # A plugin that is in both is loaded twice, and each start logs an ERROR.
    return not state.loads


def disabled_by_option(state: State) -> str | None:
    """Return where an option turns the plugin off at start, None where none does."""
    if state.options is None:
        return None
    option = option_value(state.options.arguments, PLUGIN_NAME)
    if option is None or (option.value or "").upper() not in OFF_VALUES:
        return None
    return str(option.source)


def _writable(state: State, request: Request, statements: list[Statement]) -> list[Statement]:
    """Return the statements, unless super_read_only forbids them and may not be lifted."""
    writes = [statement for statement in statements if statement.writes]
    if not state.server.super_read_only or request.lift_super_read_only or not writes:
        return statements
    from ansible_collections.dbfleet.mysql.plugins.module_utils._plugin import (
        refusals as _plugin_refusals,
    )

    raise _plugin_refusals.super_read_only(writes[0])
