# Copyright (c) 2026, the dbfleet.mysql authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which statements bring the Group Replication plugin into a server, or out of it.

Private to dbfleet.mysql. Changes nothing: it compares a :class:`State` with a :class:`Request`.
"""

from __future__ import annotations

from typing import List, NamedTuple, Sequence

from .._errors import Failure, option_names
from .._mysql.connection import Connection, Statement
from . import refusals
from . import statements as sql
from .group_start import refuse_group_start
from .request import Request
from .state import PLUGIN_TYPE, Plugin, State, options_overridden_by_command_line

#: Statements that go to the server together.
Packet = List[Statement]


class Effect(NamedTuple):
    """What running a plan leads to, or in check mode would.

    Attributes:
        changed: whether something becomes different.
        executed: the statements, in order.
        now: the state as the server says it is.
        after: the state after the statements; not the same as ``now`` in check mode.
    """

    changed: bool
    executed: list[Statement]
    now: State
    after: State


def make_plan(connection: Connection, state: State, request: Request) -> list[Packet]:
    """Decide what must be sent to the server; nothing where all is as asked.

    Reads more of the server only where something must be installed or removed.

    Raises:
        Failure: it must not or cannot be done.
    """
    decide = _present if request.state == "present" else _absent
    statements = decide(connection, state, request)
    writes = [statement for statement in statements if statement.writes]
    if writes and state.server.super_read_only and not request.lift_super_read_only:
        raise Failure(
            "super_read_only",
            f"super_read_only is ON, so the server refuses: {writes[0]}.",
            f"Set {option_names('lift_super_read_only')} to true to lift it for that one "
            "statement, or run this when the server is writable.",
        )
    return packets(state, request, statements)


def packets(state: State, request: Request, statements: Sequence[Statement]) -> list[Packet]:
    """Return the packets in which statements go to the server, each with what it needs around it.

    Lifting super_read_only, the statement and restoring are one packet: the server restores it even
    where this program is killed meanwhile.
    """
    if not statements:
        return []
    result = [[sql.lock_wait_timeout_statement(request.lock_wait_timeout)]]
    for statement in statements:
        if statement.writes and state.server.super_read_only:
            result.append([sql.LIFT_SUPER_READ_ONLY, statement, sql.RESTORE_SUPER_READ_ONLY])
        else:
            result.append([statement])
    return result


def predict(state: State, planned: Sequence[Packet]) -> Effect:
    """Return what a plan would lead to, for check mode."""
    statements = [statement for packet in planned for statement in packet]
    plugin, row = state.plugin, state.row
    for statement in statements:
        if statement == sql.install_statement(state.library):
            plugin = Plugin(sql.PLUGIN_NAME, "ACTIVE", PLUGIN_TYPE, state.library, None, "", "ON")
            row = state.library
        elif statement == sql.insert_row_statement(state.library):
            row = state.library
        elif statement == sql.UNINSTALL:
            plugin, row = None, ""
        elif statement == sql.DELETE_ROW:
            row = ""
    return Effect(bool(planned), statements, state, state._replace(plugin=plugin, row=row))


def notes(state: State, request: Request) -> list[str]:
    """Return what a person should know of a state although the task succeeded."""
    result = []
    if state.options is None:
        result.append(
            f"What loads the plugin at start cannot be seen from here: {state.options_unknown}."
        )
    else:
        result += ["{} is not read: {}.".format(*skipped) for skipped in state.options.skipped]
        if state.doubt:
            result.append(
                f"What loads the plugin at start is not known for sure, because {state.doubt}, and "
                "MySQL passes over a file that the user may not read who starts it, and does not "
                "start without an included folder. So the plugin keeps its row in mysql.plugin. "
                "Let that user read it (chmod)."
            )
        if options_overridden_by_command_line(state.options):
            result.append(
                "The server's command line has plugin_load, which throws away what option files "
                "load, so its option files are left alone."
            )
        elif state.options.main_file and not state.option_file:
            result.append(
                f"The server's process names the option file {state.options.main_file}, which does "
                "not hold the server's datadir or socket, so it is left alone. If it is the right "
                f"one, name it in {option_names('defaults_file', 'defaults_extra_file')}."
            )
    if state.row is None:
        result.append("The account may not read mysql.plugin; grant it SELECT on that table.")
    if request.state == "absent":
        result += [
            f"{place} loads the plugin again at the next start, unless it is taken out too."
            for place in state.loads
            # Another task takes the line out of an option file that is known.
            if request.expect_loaded_by_options is False or not state.option_file
        ]
        return result
    if request.check_mysql_session and state.mysql_session is None:
        result.append(
            "The account may not read mysql.user, so whether 'mysql.session'@'localhost' exists "
            "was not checked."
        )
    if _keeps_duplicate(state, request):
        result.append(
            f"The plugin is loaded both by {state.loads[-1]} and by its row in mysql.plugin, so "
            "each start logs an error; super_read_only is ON and keeps the row. "
            f"Set {option_names('lift_super_read_only')} to true."
        )
    return result


def _present(connection: Connection, state: State, request: Request) -> list[Statement]:
    """Decide which statements bring the plugin in and leave it registered as asked."""
    if state.options is not None:
        refusals.check_section(state.options, request)
        if request.expect_loaded_by_options and not state.loads:
            raise refusals.option_file_not_read(state.options)
    if request.check_mysql_session and state.mysql_session is False:
        raise refusals.mysql_session_missing(state.server)
    statements = []
    row = state.row
    if state.plugin is None:
        refusals.check_installation(connection, state)
        if not request.allow_group_start:
            refuse_group_start(connection, state)
        if row:
            # Left by a start that could not load the library; INSTALL would end in a duplicate key.
            statements += [sql.NO_BINARY_LOG, sql.DELETE_ROW]
        statements.append(sql.install_statement(state.library))
        row = state.library
    else:
        refusals.check_active(state, state.plugin)
        if _keeps_duplicate(state, request):
            return []
    wanted = _row_wanted(state, request)
    if row and wanted is False:
        statements += [sql.NO_BINARY_LOG, sql.DELETE_ROW]
    elif row == "" and wanted:
        statements += [sql.NO_BINARY_LOG, sql.insert_row_statement(state.library)]
    return statements


def _absent(connection: Connection, state: State, request: Request) -> list[Statement]:
    """Decide which statements take the plugin out of the server."""
    if state.plugin is not None:
        refusals.check_removal(connection, state, state.plugin, request)
        return [sql.UNINSTALL]
    # UNINSTALL PLUGIN knows loaded plugins only (error 1305 otherwise).
    return [sql.NO_BINARY_LOG, sql.DELETE_ROW] if state.row else []


def _row_wanted(state: State, request: Request) -> bool | None:
    """Whether ``mysql.plugin`` should have the row; None to leave it as it is."""
    if request.registration != "auto":
        return request.registration == "always"
    if state.options is None:
        return None
    if state.doubt:
        # A row too many costs a line in the log at each start; without one, the plugin may be gone.
        return None if state.server.super_read_only else True
    # A plugin that is in both is loaded twice, and each start logs an ERROR.
    return not state.loads


def _keeps_duplicate(state: State, request: Request) -> bool:
    """Whether a superfluous row stays because the server is read-only.

    It costs a line in the error log at each start, which is no reason to call a read-only member
    of a group, where all else is well, failed.
    """
    return bool(
        state.row
        and state.loads
        and _row_wanted(state, request) is False
        and state.server.super_read_only
        and not request.lift_super_read_only
    )
