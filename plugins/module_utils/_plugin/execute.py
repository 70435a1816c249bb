# Copyright (c) 2026, the dbfleet.mysql authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Run the statements that change the Group Replication plugin in a server.

Private to dbfleet.mysql. Which ones is decided in ``plan.py``.
"""

from __future__ import annotations

import contextlib
import signal
from typing import Iterator, Sequence

from .._errors import Failure
from .._mysql import errors as numbers
from .._mysql.connection import Connection, Statement
from .._mysql.errors import ReportedError
from .._mysql.failure import statement_failure
from .._mysql.meanings import Meaning, by_number
from . import statements as sql
from .plan import Effect, Packet, packets
from .refusals import check_active
from .request import Request
from .state import Plugin, State, read_plugin

_LEFT_OFF = "super_read_only was lifted, or may have been, and could not be turned on again"
_LIFTED_PERHAPS = numbers.LOST_CONNECTION_ERRORS | {numbers.ER_LOCK_WAIT_TIMEOUT}
_TURN_ON = (
    "If the server runs, run SET GLOBAL super_read_only = 1 on it now; after a restart its option "
    "file decides."
)


def execute(
    connection: Connection, before: State, request: Request, planned: Sequence[Packet]
) -> Effect:
    """Run a plan, and verify what the server says afterwards.

    Args:
        connection: the server.
        before: the state that the plan was made for.
        request: the task.
        planned: from :func:`make_plan`.

    Raises:
        Failure: the server refused a statement, or does not show what was asked for. What an
            INSTALL left is taken back, and super_read_only is as it was. The failure's details have
            ``executed_statements``, ``changed`` where something is not as it was before, and
            ``left_behind`` where something could not be taken back.
    """
    if not planned:
        # The server has just said itself that all is as asked.
        return Effect(False, [], before, before)
    execution = _Execution(connection)
    try:
        execution.run(planned)
        plugin, row = read_plugin(connection)
        _verify(before, request, plugin)
    except Failure as failure:
        if request.state == "present" and before.plugin is None:
            try:
                _undo_install(execution, before, request)
            except Failure as left:
                failure.details["left_behind"] = str(left)
        failure.details["executed_statements"] = [str(done) for done in execution.executed]
        if execution.changed and not _is_as_before(connection, before):
            failure.details["changed"] = True
        raise
    after = before._replace(plugin=plugin, row=row)
    return Effect(execution.changed, execution.executed, after, after)


class _Execution:
    """Packets that are run one after the other.

    Attributes:
        connection: the server.
        executed: the statements that were run so far. One that the server refused was not; one of
            which that is not known counts, such as where the connection broke.
        changed: whether one of them changed something for sure; one does not where another session
            did the same a moment before.
    """

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self.executed: list[Statement] = []
        self.changed = False

    def run(self, planned: Sequence[Packet]) -> None:
        """Run packets.

        Raises:
            Failure: the server refused a statement; super_read_only is back as it was.
        """
        for packet in planned:
            self._send(packet)

    def _send(self, packet: Packet) -> None:
        lifts = sql.LIFT_SUPER_READ_ONLY in packet
        try:
            with _signals_raise() if lifts else contextlib.nullcontext():
                self.connection.run(packet)
        except ReportedError as error:
            self._note(packet[: error.completed])
            failed = packet[error.completed]
            if error.number in numbers.LOST_CONNECTION_ERRORS:
                self.executed.append(failed)
            # Where our own time was up, or the connection broke, it may be lifted, and the rest cut
            # off: by KILL, or by a statement that failed.
            if lifts and (error.completed > 0 or error.number in _LIFTED_PERHAPS):
                self._restore_super_read_only()
            if failed.already_done and error.number == failed.already_done:
                return
            raise _refused(failed, error) from error
        except BaseException:
            # A signal, or an error of our own: it is not known how far the server came.
            self.executed += packet
            if lifts:
                self._restore_super_read_only()
            raise
        self._note(packet)

    def _note(self, done: Sequence[Statement]) -> None:
        """Note statements that the server has run."""
        self.executed += done
        self.changed = self.changed or any(statement.writes for statement in done)

    def _restore_super_read_only(self) -> None:
        """Turn super_read_only on again, over a new connection where the old one is of no use."""
        with contextlib.suppress(ReportedError, Failure):
            self.connection.run([sql.RESTORE_SUPER_READ_ONLY])
            self.executed.append(sql.RESTORE_SUPER_READ_ONLY)
            return
        try:
            self.connection.reopen()
            self.connection.run([sql.RESTORE_SUPER_READ_ONLY])
            self.executed.append(sql.RESTORE_SUPER_READ_ONLY)
        except ReportedError as error:
            raise error.failure("super_read_only_left_off", _LEFT_OFF, _TURN_ON) from error
        except Failure as failure:
            raise Failure(
                "super_read_only_left_off",
                f"{_LEFT_OFF}: {failure.cause}",
                _TURN_ON,
                **failure.details,
            ) from failure


@contextlib.contextmanager
def _signals_raise() -> Iterator[None]:
    """Let the signals that end a program raise SystemExit, so that what must be restored is."""

    def leave(number: int, _frame: object) -> None:
        raise SystemExit(128 + number)

    ending = (signal.SIGTERM, signal.SIGHUP)
    before = [signal.signal(number, leave) for number in ending]
    try:
        yield
    finally:
        for number, handler in zip(ending, before):
            signal.signal(number, handler)


def _verify(before: State, request: Request, plugin: Plugin | None) -> None:
    """Refuse to call it done unless the server shows what was asked for."""
    if request.state == "absent":
        if plugin is not None:
            raise Failure(
                "plugin_in_use",
                f"The plugin's status after UNINSTALL PLUGIN is {plugin.status}: it is in use.",
                "It goes when its last user does, at the latest with a restart of the server.",
            )
    elif plugin is None:
        raise Failure(
            "plugin_not_active",
            "INSTALL PLUGIN reported no error, but the server does not show the plugin.",
            "Read the server's error log, and check whether another task removes the plugin.",
        )
    else:
        check_active(before, plugin)


def _is_as_before(connection: Connection, before: State) -> bool:
    """Whether the server shows the plugin and its row as they were; no where it cannot be asked."""
    with contextlib.suppress(Failure):
        return read_plugin(connection) == (before.plugin, before.row)
    return False


def _undo_install(execution: _Execution, before: State, request: Request) -> None:
    """Bring back what was before an INSTALL that failed: no plugin, and the row or none.

    A plugin that is ACTIVE now stays: someone else's.
    """
    plugin, row = read_plugin(execution.connection)
    if plugin is not None and plugin.status == "ACTIVE":
        return
    if plugin is not None:
        execution.run(packets(before, request, [sql.UNINSTALL]))
        _plugin, row = read_plugin(execution.connection)
    if row and not before.row:
        execution.run(packets(before, request, [sql.NO_BINARY_LOG, sql.DELETE_ROW]))
    elif before.row and row == "":
        put_back = [sql.NO_BINARY_LOG, sql.insert_row_statement(before.row)]
        execution.run(packets(before, request, put_back))


#: What errors of a statement about the plugin mean, beside those of any statement.
_MEANINGS = by_number(
    (
        (numbers.ER_CANT_OPEN_LIBRARY, numbers.ER_UDF_NO_PATHS, numbers.ER_CANT_FIND_DL_ENTRY),
        Meaning(
            "library_not_loadable",
            "The server cannot load the plugin's library",
            "Install the package of the server's own version that holds it (with its shared "
            "libraries), and check plugin_dir and the file's permissions.",
        ),
    ),
    (
        (numbers.ER_CANT_INITIALIZE_UDF,),
        Meaning(
            "plugin_init_failed",
            "The library was loaded, but the plugin did not initialise",
            "The reason is in the server's error log; mend it and run this again.",
        ),
    ),
    (
        (numbers.ER_PLUGIN_IS_PERMANENT, numbers.ER_PLUGIN_CANNOT_BE_UNINSTALLED),
        Meaning(
            "plugin_in_use",
            "The server refuses to unload the plugin",
            "Run STOP GROUP_REPLICATION first, or take the line out of the option file and restart "
            "the server.",
        ),
    ),
)


def _refused(statement: Statement, error: ReportedError) -> Failure:
    """Say what the error of a statement about the plugin means and what to do."""
    if error.number in _MEANINGS:
        return _MEANINGS[error.number].failure(error)
    return statement_failure(str(statement), error)
