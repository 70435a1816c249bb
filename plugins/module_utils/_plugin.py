# Copyright (c) 2026, the dbfleet.mysql authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The Group Replication plugin in a running server: what the server says of it, and its statements.

Private to dbfleet.mysql. What must be done or refused is decided in ``_plugin_plan.py``.
"""

from __future__ import annotations

import contextlib
import re
import signal
import time
from typing import Iterator, NamedTuple

from ansible_collections.dbfleet.mysql.plugins.module_utils import _connection as mysql
from ansible_collections.dbfleet.mysql.plugins.module_utils._errors import Failure
from ansible_collections.dbfleet.mysql.plugins.module_utils._option_arguments import (
    PluginLoad,
    find_loads,
)
from ansible_collections.dbfleet.mysql.plugins.module_utils._option_file import (
    ServerOptions,
    read_server_options,
)
from ansible_collections.dbfleet.mysql.plugins.module_utils._server_process import (
    UnknownProcess,
    find_server_process,
)

PLUGIN_NAME = "group_replication"
# The manual's first release with Group Replication.
OLDEST_VERSION = (5, 7, 17)


class Request(NamedTuple):
    """What the task asks for; the fields are the module's options of the same names."""

    state: str
    library: str | None
    register: str
    allow_group_start: bool
    allow_leave_group: bool
    lift_super_read_only: bool
    lock_wait_timeout: int
    check_mysql_session: bool


class Server(NamedTuple):
    """What a server says of itself."""

    version: str
    flavor: str
    plugin_dir: str
    datadir: str
    pid_file: str
    compile_os: str
    uuid: str
    super_read_only: bool

    @property
    def default_library(self) -> str:
        """The library's name on the server's operating system."""
        windows = self.compile_os.lower().startswith("win")
        return PLUGIN_NAME + (".dll" if windows else ".so")

    @property
    def version_tuple(self) -> tuple[int, ...]:
        """The version's three numbers."""
        return version_tuple(self.version)


class Plugin(NamedTuple):
    """A row of ``information_schema.PLUGINS``; the same that SHOW PLUGINS says, and more."""

    name: str
    status: str
    type: str
    library: str | None
    license: str | None
    version: str
    load_option: str


class State(NamedTuple):
    """All that is known before something is decided.

    ``library`` is the one that the plugin is to come from. ``row`` is the library in the plugin's
    row of ``mysql.plugin``, empty without such a row, None where the account may not read that
    table. ``options`` is None where the server's option files cannot be read from here, and
    ``options_unknown`` then says why. ``started`` is the time of the server's start in seconds
    since the epoch, 0 where options is None.
    """

    server: Server
    library: str
    plugin: Plugin | None
    row: str | None
    mysql_session: bool | None
    options: ServerOptions | None
    options_unknown: str
    started: float

    @property
    def loads(self) -> list[PluginLoad]:
        """What loads the plugin at start besides ``mysql.plugin``; empty where that is unknown."""
        if self.options is None:
            return []
        return find_loads(self.options.arguments, self.library, PLUGIN_NAME)


class Statement(NamedTuple):
    """One SQL statement; ``parameters`` are quoted by PyMySQL, never by us."""

    sql: str
    parameters: tuple[str, ...] = ()
    # Whether super_read_only refuses it, so that it must be lifted around this statement.
    writes: bool = False

    def __str__(self) -> str:
        # For people only. The parameters hold no quote: see check_request in _plugin_plan.py.
        return self.sql % tuple(f"'{parameter}'" for parameter in self.parameters)


# What stands for a query of the module's own in an error.
OWN_QUERY = "a query of its own state"

UNINSTALL = Statement("UNINSTALL PLUGIN " + PLUGIN_NAME, writes=True)
# DELETE and INSERT on mysql.plugin would take a GTID, an errant transaction on a group's member.
NO_BINARY_LOG = Statement("SET SESSION sql_log_bin = 0")
DELETE_ROW = Statement("DELETE FROM mysql.plugin WHERE name = %s", (PLUGIN_NAME,), writes=True)
LIFT_SUPER_READ_ONLY = Statement("SET GLOBAL super_read_only = 0")
RESTORE_SUPER_READ_ONLY = Statement("SET GLOBAL super_read_only = 1")

# The error by which the server says that another session was faster.
_ALREADY_DONE = {
    "INSTALL": mysql.ER_UDF_EXISTS,
    "UNINSTALL": mysql.ER_SP_DOES_NOT_EXIST,
    "INSERT": mysql.ER_DUP_ENTRY,
}


def install_statement(library: str) -> Statement:
    """Return INSTALL PLUGIN for a library."""
    return Statement("INSTALL PLUGIN " + PLUGIN_NAME + " SONAME %s", (library,), writes=True)


def insert_row_statement(library: str) -> Statement:
    """Return the statement that writes the row which INSTALL PLUGIN would have written."""
    sql = "INSERT INTO mysql.plugin (name, dl) VALUES (%s, %s)"
    return Statement(sql, (PLUGIN_NAME, library), writes=True)


def version_tuple(version: str) -> tuple[int, ...]:
    """Return ``(8, 0, 36)`` for ``8.0.36-28-log``; missing numbers are 0."""
    match = re.match(r"(\d+)(?:\.(\d+))?(?:\.(\d+))?", version)
    return tuple(int(part or 0) for part in match.groups()) if match else (0, 0, 0)


def read_server(connection: mysql.Connection) -> Server:
    """Ask the server what it is.

    Raises:
        Failure: it is a server that has no Group Replication plugin.
    """
    # From the handshake, so it costs nothing; and what follows would fail there.
    version = connection.server_version
    if "mariadb" in version.lower():
        raise Failure(
            "mariadb",
            f"The server is MariaDB ({version}), which has no Group Replication plugin.",
            "Take this host out of the play; MariaDB's own clustering is Galera.",
        )
    if version_tuple(version) < OLDEST_VERSION:
        raise Failure(
            "version_too_old",
            f"MySQL {version} has no Group Replication plugin, which came with 5.7.17.",
            "Upgrade the server to 5.7.17 or later, or take this host out of the play.",
        )
    variables = connection.rows(
        "SELECT @@global.version_comment, @@global.plugin_dir, @@global.datadir,"
        " @@global.pid_file, @@global.version_compile_os, @@global.server_uuid,"
        " @@global.super_read_only"
    )
    comment, plugin_dir, datadir, pid_file, compile_os, uuid, super_read_only = variables[0]
    flavor = "Percona Server" if "percona" in comment.lower() else "MySQL"
    if connection.row("SHOW GLOBAL VARIABLES LIKE 'wsrep_provider'"):
        raise Failure(
            "percona_xtradb_cluster",
            "The server is Percona XtraDB Cluster, which replicates by wsrep and refuses Group "
            "Replication.",
            "Take this host out of the play.",
        )
    return Server(
        version=version,
        flavor=flavor,
        plugin_dir=plugin_dir,
        datadir=datadir,
        pid_file=pid_file,
        compile_os=compile_os,
        uuid=uuid,
        super_read_only=bool(super_read_only),
    )


def read_state(connection: mysql.Connection, request: Request, defaults_file: str | None) -> State:
    """Read all that a decision needs.

    Args:
        defaults_file: the option file that the server starts from; None to find it out.

    Raises:
        Failure: the server has no Group Replication plugin.
        StatementError: a query failed.
    """
    server = read_server(connection)
    options: ServerOptions | None = None
    unknown = ""
    started = 0.0
    try:
        process = find_server_process(server.datadir, server.pid_file, server.uuid)
        options = read_server_options(
            argv=process.argv,
            environ=process.environ,
            home=process.home,
            server_version=server.version,
            defaults_file=defaults_file,
        )
        started = process.started
        if options.fatal is not None:
            if defaults_file is not None:
                raise Failure(
                    "option_file_broken",
                    f"MySQL does not start with this defaults_file: {options.fatal}.",
                    "Correct defaults_file, or leave it out to have it found.",
                )
            raise UnknownProcess(f"MySQL itself stops at {options.fatal}")
    except UnknownProcess as reason:
        options = None
        unknown = str(reason)
    return State(
        server=server,
        library=request.library or server.default_library,
        plugin=read_plugin(connection),
        row=read_row(connection),
        mysql_session=read_mysql_session(connection) if request.check_mysql_session else None,
        options=options,
        options_unknown=unknown,
        started=started,
    )


def read_plugin(connection: mysql.Connection, patience: float = 10.0) -> Plugin | None:
    """Return what the server says of the plugin, None where it does not know it.

    Args:
        patience: for how many seconds to wait where the plugin is just being initialised by
            another session; its status is INACTIVE then.
    """
    end = time.monotonic() + patience
    while True:
        row = connection.row(
            "SELECT PLUGIN_NAME, PLUGIN_STATUS, PLUGIN_TYPE, PLUGIN_LIBRARY, PLUGIN_LICENSE,"
            " PLUGIN_VERSION, LOAD_OPTION FROM information_schema.PLUGINS WHERE PLUGIN_NAME = %s",
            (PLUGIN_NAME,),
        )
        plugin = Plugin(*row) if row else None
        if plugin is None or plugin.status != "INACTIVE" or time.monotonic() >= end:
            return plugin
        time.sleep(0.1)


def read_row(connection: mysql.Connection) -> str | None:
    """Return the library in the plugin's row of ``mysql.plugin``.

    Empty without a row, None where the account may not read the table.
    """
    try:
        row = connection.row("SELECT dl FROM mysql.plugin WHERE name = %s", (PLUGIN_NAME,))
    except mysql.StatementError as error:
        if error.number in mysql.PRIVILEGE_ERRORS:
            return None
        raise
    return str(row[0]) if row else ""


def read_mysql_session(connection: mysql.Connection) -> bool | None:
    """Whether ``mysql.session``@``localhost`` exists; None where that may not be read."""
    try:
        return bool(
            connection.row(
                "SELECT 1 FROM mysql.user WHERE User = 'mysql.session' AND Host = 'localhost'",
            )
        )
    except mysql.StatementError as error:
        if error.number in mysql.PRIVILEGE_ERRORS:
            return None
        raise


def planned(state: State, request: Request, statements: list[Statement]) -> list[Statement]:
    """Return all statements that :func:`execute` runs for these, in order."""
    return [statement for group in _groups(state, request, statements) for statement in group]


def execute(
    connection: mysql.Connection,
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
    connection: mysql.Connection, state: State, request: Request, executed: list[Statement]
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


def _run(connection: mysql.Connection, group: list[Statement], executed: list[Statement]) -> bool:
    """Run a group of statements; returns whether it changed something.

    Raises:
        Failure: the server refused one of them.
    """
    lifts = LIFT_SUPER_READ_ONLY in group
    try:
        with _signals_raise() if lifts else contextlib.nullcontext():
            connection.run(*((statement.sql, statement.parameters) for statement in group))
    except mysql.StatementError as error:
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


def _restore_super_read_only(connection: mysql.Connection, executed: list[Statement]) -> None:
    """Turn super_read_only on again, over a new connection where the old one is of no use.

    Raises:
        Failure: it could not be done.
    """
    executed.append(RESTORE_SUPER_READ_ONLY)
    restore = (RESTORE_SUPER_READ_ONLY.sql, RESTORE_SUPER_READ_ONLY.parameters)
    try:
        try:
            connection.run(restore)
        except mysql.StatementError:
            connection.reopen()
            connection.run(restore)
    except mysql.StatementError as error:
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


def statement_failure(statement: str, error: mysql.StatementError) -> Failure:
    """Say what a refused statement means and what to do."""
    number = error.number
    said = f" (error {number}: {error.text})."

    def failure(error_code: str, cause: str, next_step: str) -> Failure:
        return Failure(error_code, cause + said, next_step, mysql_error_number=number)

    if number in mysql.PRIVILEGE_ERRORS and statement == OWN_QUERY:
        return failure(
            "privilege_missing",
            "The account may not read what the module must know",
            "Grant it SELECT on the table that the server names.",
        )
    if number in mysql.PRIVILEGE_ERRORS:
        return failure(
            "privilege_missing",
            f"The account may not run: {statement}",
            "Grant it what the statement needs: INSERT on mysql.plugin for INSTALL, DELETE for "
            "UNINSTALL, SYSTEM_VARIABLES_ADMIN (SUPER on 5.7) for SET.",
        )
    if number in (mysql.ER_CANT_OPEN_LIBRARY, mysql.ER_UDF_NO_PATHS, mysql.ER_CANT_FIND_DL_ENTRY):
        return failure(
            "library_not_loadable",
            "The server cannot load the plugin's library",
            "Install the package of the server's own version that holds it (with its shared "
            "libraries), and check plugin_dir and the file's permissions.",
        )
    if number == mysql.ER_CANT_INITIALIZE_UDF:
        return failure(
            "plugin_init_failed",
            "The library was loaded, but the plugin did not initialise",
            "The reason is in the server's error log; mend it and run this again.",
        )
    if number == mysql.ER_LOCK_WAIT_TIMEOUT:
        return failure(
            "lock_wait_timeout",
            "A backup lock or a global read lock held the statement up for longer than "
            "lock_wait_timeout",
            "Wait for the backup to end, or see who holds it in "
            "performance_schema.metadata_locks, then run this again.",
        )
    if number == mysql.ER_OPTION_PREVENTS_STATEMENT:
        return failure(
            "super_read_only",
            f"An option of the server, such as read_only, refuses: {statement}",
            "Run this when the server is writable, or with an account that read_only lets through "
            "(CONNECTION_ADMIN, on MySQL 5.7 SUPER); for super_read_only set lift_super_read_only.",
        )
    if number in (mysql.ER_PLUGIN_IS_PERMANENT, mysql.ER_PLUGIN_CANNOT_BE_UNINSTALLED):
        return failure(
            "plugin_in_use",
            "The server refuses to unload the plugin",
            "Run STOP GROUP_REPLICATION first, or take the line out of the option file and restart "
            "the server.",
        )
    if number in mysql.LOST_CONNECTION_ERRORS:
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
