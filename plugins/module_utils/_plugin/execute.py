# Copyright (c) 2026, the dbfleet.mysql authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Run the statements that change the Group Replication plugin in a server.

Private to dbfleet.mysql. Which ones is decided in ``_plugin_plan.py``.
"""

from __future__ import annotations

import contextlib
import signal
from typing import Iterator

from ansible_collections.dbfleet.mysql.plugins.module_utils._errors import Failure
from ansible_collections.dbfleet.mysql.plugins.module_utils._mysql import errors as numbers
from ansible_collections.dbfleet.mysql.plugins.module_utils._mysql.connection import (
    Connection,
    StatementError,
)
from ansible_collections.dbfleet.mysql.plugins.module_utils._plugin.plan import (
    DELETE_ROW,
    LIFT_SUPER_READ_ONLY,
    NO_BINARY_LOG,
    RESTORE_SUPER_READ_ONLY,
    UNINSTALL,
    Statement,
    check_active,
    insert_row_statement,
)
from ansible_collections.dbfleet.mysql.plugins.module_utils._plugin.state import (
    Request,
    State,
    read_plugin,
    read_row,
)

# What stands for a query of the module's own in an error.
OWN_QUERY = "a query of its own state"

# The error by which the server says that another session was faster.
_ALREADY_DONE = {
    "INSTALL": numbers.ER_UDF_EXISTS,
    "UNINSTALL": numbers.ER_SP_DOES_NOT_EXIST,
    "INSERT": numbers.ER_DUP_ENTRY,
}


def planned(state: State, request: Request, statements: list[Statement]) -> list[Statement]:
    """Return all statements that :func:`execute` runs for these, in order."""
    return [statement for group in _groups(state, request, statements) for statement in group]


def execute(
    connection: Connection,
    state: State,
    request: Request,
    statements: list[Statement],
    executed: list[Statement],
) -> bool:
    """Run the statements, each with super_read_only lifted where it is on and the statement writes.

    Lifting, statement and restoring go to the server in one packet: it restores even where this
    program is killed meanwhile.

    Args:
        executed: receives each statement as it is run, so that it is right after a failure too.

    Returns:
        Whether one of them changed something; not where another session did the same a moment
        before.

    Raises:
        Failure: the server refused one; super_read_only is back as it was.
    """
    changed = False
    for group in _groups(state, request, statements):
        if _run(connection, group, executed):
            changed = True
    return changed


def _groups(state: State, request: Request, statements: list[Statement]) -> list[list[Statement]]:
    """Return the statements in the groups in which they are sent."""
    if not statements:
        return []
    groups = [[_lock_wait_timeout(request)]]
    for statement in statements:
        if statement.writes and state.server.super_read_only:
            groups.append([LIFT_SUPER_READ_ONLY, statement, RESTORE_SUPER_READ_ONLY])
        else:
            groups.append([statement])
    return groups


def undo_install(
    connection: Connection, state: State, request: Request, executed: list[Statement]
) -> None:
    """Bring back what was before an INSTALL that failed: no plugin, and the row or none.

    A plugin that is ACTIVE now stays: someone else's.
    """
    plugin = read_plugin(connection)
    if plugin is not None and plugin.status == "ACTIVE":
        return
    if plugin is not None:
        execute(connection, state, request, [UNINSTALL], executed)
    row = read_row(connection)
    if row and not state.row:
        execute(connection, state, request, [NO_BINARY_LOG, DELETE_ROW], executed)
    elif state.row and row == "":
        put_back = [NO_BINARY_LOG, insert_row_statement(state.row)]
        execute(connection, state, request, put_back, executed)


def _lock_wait_timeout(request: Request) -> Statement:
    """Bound the wait for a backup lock or the global read lock; the server's default is a year."""
    return Statement(f"SET SESSION lock_wait_timeout = {request.lock_wait_timeout}")


def _run(connection: Connection, group: list[Statement], executed: list[Statement]) -> bool:
    """Run a group of statements; returns whether it changed something.

    Raises:
        Failure: the server refused one of them.
    """
    lifts = LIFT_SUPER_READ_ONLY in group
    try:
        with _signals_raise() if lifts else contextlib.nullcontext():
            connection.run(*((statement.sql, statement.parameters) for statement in group))
    except StatementError as error:
        failed = group[error.completed]
        executed += group[: error.completed + 1]
        if lifts and error.completed > 0:
            _restore_super_read_only(connection, executed)
        if error.number == _ALREADY_DONE.get(failed.sql.partition(" ")[0]):
            return False
        raise statement_failure(str(failed), error) from error
    except BaseException:
        # A signal, or an error of our own: it is not known how far the server came.
        executed += group
        if lifts:
            _restore_super_read_only(connection, executed)
        raise
    executed += group
    return any(statement.writes for statement in group)


def _restore_super_read_only(connection: Connection, executed: list[Statement]) -> None:
    """Turn super_read_only on again, over a new connection where the old one is of no use.

    Raises:
        Failure: it could not be done.
    """
    executed.append(RESTORE_SUPER_READ_ONLY)
    restore = (RESTORE_SUPER_READ_ONLY.sql, RESTORE_SUPER_READ_ONLY.parameters)
    try:
        try:
            connection.run(restore)
        except StatementError:
            connection.reopen()
            connection.run(restore)
    except StatementError as error:
        raise Failure(
            "super_read_only_left_off",
            "super_read_only was lifted and could not be turned on again "
            f"(error {error.number}: {error.text}).",
            "If the server runs, run SET GLOBAL super_read_only = 1 on it now; after a restart its "
            "option file decides.",
            mysql_error_number=error.number,
        ) from error


@contextlib.contextmanager
def _signals_raise() -> Iterator[None]:
    """Let the signals that end a program raise SystemExit, so that what must be restored is."""

    def leave(number: int, _frame: object) -> None:
        raise SystemExit(128 + number)

    numbers = (signal.SIGTERM, signal.SIGHUP)
    before = [signal.signal(number, leave) for number in numbers]
    try:
        yield
    finally:
        for number, handler in zip(numbers, before):
            signal.signal(number, handler)


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
    check_active(state, plugin)


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


def statement_failure(statement: str, error: StatementError) -> Failure:
    """Say what a refused statement means and what to do."""
    number = error.number
    said = f" (error {number}: {error.text})."

    def failure(error_code: str, cause: str, next_step: str) -> Failure:
        return Failure(error_code, cause + said, next_step, mysql_error_number=number)

    if number in numbers.PRIVILEGE_ERRORS and statement == OWN_QUERY:
        return failure(
            "privilege_missing",
            "The account may not read what the module must know",
            "Grant it SELECT on the table that the server names.",
        )
    if number in numbers.PRIVILEGE_ERRORS:
        return failure(
            "privilege_missing",
            f"The account may not run: {statement}",
            "Grant it what the statement needs: INSERT on mysql.plugin for INSTALL, DELETE for "
            "UNINSTALL, SYSTEM_VARIABLES_ADMIN (SUPER on 5.7) for SET.",
        )
    if number in (
        numbers.ER_CANT_OPEN_LIBRARY,
        numbers.ER_UDF_NO_PATHS,
        numbers.ER_CANT_FIND_DL_ENTRY,
    ):
        return failure(
            "library_not_loadable",
            "The server cannot load the plugin's library",
            "Install the package of the server's own version that holds it (with its shared "
            "libraries), and check plugin_dir and the file's permissions.",
        )
    if number == numbers.ER_CANT_INITIALIZE_UDF:
        return failure(
            "plugin_init_failed",
            "The library was loaded, but the plugin did not initialise",
            "The reason is in the server's error log; mend it and run this again.",
        )
    if number == numbers.ER_LOCK_WAIT_TIMEOUT:
        return failure(
            "lock_wait_timeout",
            "A backup lock or a global read lock held the statement up for longer than "
            "lock_wait_timeout",
            "Wait for the backup to end, or see who holds it in "
            "performance_schema.metadata_locks, then run this again.",
        )
    if number == numbers.ER_OPTION_PREVENTS_STATEMENT:
        return failure(
            "super_read_only",
            f"An option of the server, such as read_only, refuses: {statement}",
            "Run this when the server is writable, or with an account that read_only lets through "
            "(CONNECTION_ADMIN, on MySQL 5.7 SUPER); for super_read_only set lift_super_read_only.",
        )
    if number in (numbers.ER_PLUGIN_IS_PERMANENT, numbers.ER_PLUGIN_CANNOT_BE_UNINSTALLED):
        return failure(
            "plugin_in_use",
            "The server refuses to unload the plugin",
            "Run STOP GROUP_REPLICATION first, or take the line out of the option file and restart "
            "the server.",
        )
    if number in numbers.LOST_CONNECTION_ERRORS:
        return failure(
            "connection_lost",
            f"The connection broke during: {statement}; whether it took effect is not known",
            "Check that the server runs, then run this again: it goes on from what it finds.",
        )
    return failure(
        "statement_failed",
        f"The server refused: {statement}",
        "Look the error number up in the MySQL manual and in the server's error log.",
    )
