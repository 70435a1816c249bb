# Copyright (c) 2026, the dbfleet.mysql authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The Group Replication plugin in a running server: what the server says of it.

Private to dbfleet.mysql.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import re
import time
from typing import AbstractSet, NamedTuple, Sequence

from .._errors import Failure
from .._files import account_name, acting_as
from .._mysql.connection import Connection, Rows
from .._mysql.process import (
    ServerProcess,
    UnknownProcess,
    find_pid,
    is_mysqld,
    other_end,
    server_process,
)
from .._option_file.arguments import (
    COMMAND_LINE,
    Argument,
    find_loads,
    load_arguments,
    option_value,
)
from .._option_file.files import Files
from .._option_file.reader import DEFAULT_FILES, ServerOptions, read_server_options
from . import statements as sql
from .request import Request

PLUGIN_TYPE = "GROUP REPLICATION"
# The manual's first release with Group Replication.
OLDEST_VERSION = (5, 7, 17)
# How the server itself writes "no" for a boolean option (sql/set_var.cc, my_getopt.cc).
OFF_VALUES = frozenset(("OFF", "0", "FALSE"))


class Server(NamedTuple):
    """What a server says of itself: its greeting's version, and the answer to SETTINGS_QUERY."""

    version: str
    version_comment: str
    plugin_dir: str
    datadir: str
    pid_file: str
    compile_os: str
    uuid: str
    super_read_only: int

    @property
    def flavor(self) -> str:
        """Whose build of MySQL it is."""
        return "Percona Server" if "percona" in self.version_comment.lower() else "MySQL"

    @property
    def default_library(self) -> str:
        """The library's name on the server's operating system."""
        windows = self.compile_os.lower().startswith("win")
        return sql.PLUGIN_NAME + (".dll" if windows else ".so")

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


class NextStart(NamedTuple):
    """What a server's next start does.

    Attributes:
        loads_plugin: whether it loads the plugin; None where that cannot be known from here.
        reason: why it does not, or why that is not known, as half a sentence; empty where it does.
    """

    loads_plugin: bool | None
    reason: str = ""


class State(NamedTuple):
    """All that is known before something is decided.

    Attributes:
        server: what the server says of itself.
        library: the one that the plugin should come from.
        plugin: None where the server does not have it.
        row: the library in the plugin's row of ``mysql.plugin``, empty without such a row, None
            where the account may not read that table.
        mysql_session: whether the account ``mysql.session`` exists, None where that was not read.
        readings: what the server's next start may be given, as far as it differs: what this task
            reads, and what the account reads that the server runs as, which may have started it
            too. Empty where that cannot be read from here.
        options_unknown: why it cannot, as half a sentence.
        doubt: why the first reading may not be the server's, as half a sentence, where that makes a
            difference to the plugin; empty where it does not.
        option_file: the file that a line of ours belongs in, None where none is known for sure.
        library_missing: the library's path where it is not there any more; empty where it is, or
            where that cannot be seen from here.
        start_options: those of the server's command line that decide which option files it reads.
        started: the time of the server's start in seconds since the epoch, 0 without options.
        loads: the places of the options that load the plugin at start, such as ``/etc/my.cnf:12``.
    """

    server: Server
    library: str
    plugin: Plugin | None
    row: str | None
    mysql_session: bool | None
    readings: list[ServerOptions]
    options_unknown: str
    doubt: str
    option_file: str | None
    library_missing: str
    start_options: list[str]
    started: float
    loads: list[str]

    @property
    def options(self) -> ServerOptions | None:
        """What the server's next start is given, None where that cannot be read from here."""
        return self.readings[0] if self.readings else None

    def option(self, name: str) -> Argument | None:
        """Return an option of the server's next start, None where it has none that is known."""
        return option_value(self.options.arguments, name) if self.options else None

    @property
    def row_passed_over_by(self) -> str:
        """The place of ``skip_grant_tables``, with which a start reads no row of mysql.plugin."""
        option = self.option("skip_grant_tables")
        return option.source if option and not _is_off(option) else ""

    @property
    def disabled_by(self) -> str:
        """The place of an option that turns the plugin off at start, empty where none does."""
        option = self.option(sql.PLUGIN_NAME)
        return option.source if option and _is_off(option) else ""

    @property
    def survives_restart(self) -> bool | None:
        """Whether the next start loads the plugin; None where that cannot be known from here."""
        return self.next_start.loads_plugin

    @property
    def next_start(self) -> NextStart:
        """What the server's next start does, as things are."""
        if self.disabled_by:
            return NextStart(False, f"an option turns it off ({self.disabled_by})")
        if self.library_missing:
            return NextStart(False, f"its library {self.library_missing} is missing")
        starts = not any(reading.fatal for reading in self.readings)
        if starts and self.row and not self.row_passed_over_by:
            return NextStart(True)
        if self.options is None:
            unknown = f"the option files cannot be read from here: {self.options_unknown}"
            return NextStart(None, unknown)
        if self.doubt:
            return NextStart(None, self.doubt)
        if self.loads:
            return NextStart(True)
        if self.row is None:
            return NextStart(None, "the account may not read mysql.plugin")
        if self.row:
            place = self.row_passed_over_by
            passed_over = f"skip_grant_tables ({place}) makes it pass over the row in mysql.plugin"
            return NextStart(False, passed_over)
        return NextStart(False, "neither an option file nor a row in mysql.plugin loads it")


def version_tuple(version: str) -> tuple[int, ...]:
    """Return ``(8, 0, 36)`` for ``8.0.36-28-log``; missing numbers are 0."""
    match = re.match(r"(\d+)(?:\.(\d+))?(?:\.(\d+))?", version)
    return tuple(int(part or 0) for part in match.groups()) if match else (0, 0, 0)


def read_state(connection: Connection, request: Request, files: Files) -> State:
    """Read all that a decision needs.

    Args:
        connection: the server.
        request: the task.
        files: the file system to read the server's option files from.

    Raises:
        Failure: the server has no Group Replication plugin, or a query failed.
    """
    _refuse_without_plugin(connection.server_version)
    queries = [sql.SETTINGS_QUERY, sql.PLUGIN_QUERY, sql.ROW_QUERY]
    if request.check_mysql_session:
        queries.append(sql.SESSION_QUERY)
    settings, plugin, row, *session = connection.answers(queries, sql.REFUSABLE)
    found = _parse_plugin(connection, plugin)
    if found is None or found.status != "ACTIVE":
        # None is active beside wsrep; and this query takes the server longer than all the others.
        _refuse_wsrep(connection)
    server = _parse_server(connection, settings)
    library = request.library or server.default_library
    readings: list[ServerOptions] = []
    started, start_options, loads, doubt, unknown = 0.0, [], [], "", ""
    own: set[tuple[str, str]] = set()
    try:
        process = _find_process(connection, server)
        started, own = process.started, _own_places(connection, server, process)
        start_options = _start_options(process, request.defaults_file)
        readings = _readings(process, server, request.defaults_file, files)
        loads = _loads(readings[0], library)
        doubt = _doubt(readings, library, process)
    except UnknownProcess as reason:
        unknown = str(reason)
    return State(
        server=server,
        library=library,
        plugin=_initialised(connection, found),
        row=_row(row),
        mysql_session=bool(session[0]) if session and session[0] is not None else None,
        readings=readings,
        options_unknown=unknown,
        doubt=doubt,
        option_file=_file_to_edit(readings[0], own, request) if readings else None,
        library_missing=_library_missing(server, library) if readings else "",
        start_options=start_options,
        started=started,
        loads=loads,
    )


def as_expected(state: State, loaded_by_options: bool | None) -> State:
    """Return the state that check mode plans with, after a task that changed no option file yet.

    Args:
        state: as it was read.
        loaded_by_options: whether the option files will load the plugin; None: what they do now.
    """
    if state.options is None or loaded_by_options is None:
        return state
    if loaded_by_options:
        return state._replace(loads=state.loads or ["an option file"])
    return state._replace(loads=[place for place in state.loads if place == COMMAND_LINE])


def read_plugin(connection: Connection) -> tuple[Plugin | None, str | None]:
    """Return the state's ``plugin`` and ``row`` as they are now. Raises Failure."""
    plugin, row = connection.answers([sql.PLUGIN_QUERY, sql.ROW_QUERY], sql.REFUSABLE)
    return _initialised(connection, _parse_plugin(connection, plugin)), _row(row)


def _refuse_without_plugin(version: str) -> None:
    """Refuse MariaDB, and MySQL before 5.7.17, by the version in the server's greeting."""
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


def _refuse_wsrep(connection: Connection) -> None:
    """Refuse Percona XtraDB Cluster, the only one that knows wsrep."""
    if connection.rows(sql.WSREP_QUERY, columns=2):
        raise Failure(
            "percona_xtradb_cluster",
            "The server is Percona XtraDB Cluster, which replicates by wsrep and refuses Group "
            "Replication.",
            "Take this host out of the play.",
        )


def _find_process(connection: Connection, server: Server) -> ServerProcess:
    """Return the server's process. Raises UnknownProcess where it cannot be looked at."""
    peer, ends = connection.peer, connection.ends
    if peer is not None and peer.pid > 0 and not is_mysqld(peer.pid):
        raise UnknownProcess("what answers is another program than mysqld, such as a proxy")
    if peer is not None:
        return server_process(peer.pid)
    if ends is None:
        raise UnknownProcess("it does not run on this machine")
    end = other_end(*ends)
    return server_process(
        find_pid(end, server.datadir, server.pid_file, server.uuid, connection.may_be_server)
    )


def _readings(
    process: ServerProcess, server: Server, defaults_file: str | None, files: Files
) -> list[ServerOptions]:
    """Return the possible options of the server's next start.

    MySQL passes over an option file that the user may not read who starts it. That is root, as with
    mysqld_safe, or the account that the server runs as, as with systemd's ``User=``; a running
    process does not show which.

    Raises:
        Failure: MySQL does not start with its option files.
        UnknownProcess: they cannot be read from here.
    """
    ours = _read_options(process, server, defaults_file, files)
    if os.geteuid() != 0 or process.identity.uid == 0:
        return [_refuse_broken(ours, defaults_file)]
    try:
        with acting_as(process.identity):
            theirs = _read_options(process, server, defaults_file, Files())
    except OSError as error:
        raise UnknownProcess(f"its account cannot be taken on here ({error.strerror})") from None
    if theirs.arguments == ours.arguments and theirs.fatal == ours.fatal:
        return [_refuse_broken(ours, defaults_file)]
    return [_refuse_broken(ours, defaults_file), theirs]


def _library_missing(server: Server, library: str) -> str:
    path = os.path.join(server.plugin_dir, library)
    try:
        os.stat(path)
    except FileNotFoundError:
        return path
    except (OSError, ValueError):
        pass  # not to be seen from here
    return ""


def _start_options(process: ServerProcess, defaults_file: str | None) -> list[str]:
    if defaults_file is not None:
        return [f"--defaults-file={defaults_file}"]
    about_files = ("--no-defaults", "--defaults-")
    return list(itertools.takewhile(lambda word: word.startswith(about_files), process.argv))


def _loads(options: ServerOptions, library: str) -> list[str]:
    entries = find_loads(options.arguments, library, sql.PLUGIN_NAME)
    return [entry.argument.source for entry in entries]


def _doubt(readings: Sequence[ServerOptions], library: str, process: ServerProcess) -> str:
    """Return why the first reading may not be the server's, where that matters to the plugin."""

    def meaning(options: ServerOptions) -> tuple[object, ...]:
        plugin = option_value(options.arguments, sql.PLUGIN_NAME)
        return _loads(options, library), plugin and plugin.value, options.fatal

    ours = readings[0]
    if ours.unreadable:
        return f"this task may not read {ours.unreadable[0]}"
    for theirs in readings[1:]:
        if meaning(theirs) != meaning(ours):
            path = (theirs.unreadable or [str(theirs.fatal)])[0]
            return f"the account {account_name(process.identity.uid)} may not read {path}"
    return ""


def _read_options(
    process: ServerProcess, server: Server, defaults_file: str | None, files: Files
) -> ServerOptions:
    return read_server_options(
        argv=process.argv,
        environ=process.environ,
        home=process.home,
        server_version=server.version,
        defaults_file=defaults_file,
        files=files,
    )


def _refuse_broken(options: ServerOptions, defaults_file: str | None) -> ServerOptions:
    """Return the options with which MySQL starts.

    Raises:
        Failure: it does not.
        UnknownProcess: that is not known, because this task may not read all of them.
    """
    if options.fatal is None:
        return options
    if options.unreadable:
        raise UnknownProcess(f"this operating system user may not read {options.unreadable[0]}")
    if defaults_file is None:
        raise Failure(
            "option_file_broken",
            f"The running server does not start again with its option files: {options.fatal}.",
            "Correct that line before the server's next start, and run this again.",
        )
    raise Failure(
        "option_file_broken",
        f"MySQL does not start with this defaults_file: {options.fatal}.",
        "Correct defaults_file, or leave it out to have it found.",
    )


def _own_places(
    connection: Connection, server: Server, process: ServerProcess
) -> set[tuple[str, str]]:
    """Return the options, with values, by which an option file shows that it is this server's.

    The server's own words are not enough. The socket counts that we logged in to, and the data
    directory if it belongs to the account that the process runs as.
    """
    places = set()
    if connection.unix_socket:
        places.add(("socket", os.path.normpath(connection.unix_socket)))
    with contextlib.suppress(OSError, ValueError):
        if os.stat(server.datadir).st_uid == process.identity.uid:
            places.add(("datadir", os.path.normpath(server.datadir)))
    return places


def _file_to_edit(
    options: ServerOptions, own: AbstractSet[tuple[str, str]], request: Request
) -> str | None:
    """Return the option file that a line of ours belongs in; None where only the process names it.

    A process can show any command line and environment, and root must not change a file for that.
    So a file that is not one of MySQL's own list counts where the task names it, or where it holds
    one of the places of :func:`_own_places`. Nor is there a file where a line would load nothing.
    """
    if options_overridden_by_command_line(options):
        return None
    path = options.main_file
    if path in (*DEFAULT_FILES, request.defaults_file, request.defaults_extra_file):
        return path
    named = [argument for argument in options.arguments if argument.path == path and argument.value]
    if any((argument.name, os.path.normpath(argument.value or "")) in own for argument in named):
        return path
    return None


def options_overridden_by_command_line(options: ServerOptions) -> bool:
    """Whether the command line has ``plugin_load``, which throws away what option files load."""
    return any(
        load.path == COMMAND_LINE and load.name == "plugin_load"
        for load in load_arguments(options.arguments)
    )


def _is_off(option: Argument) -> bool:
    return (option.value or "").upper() in OFF_VALUES


def _parse_server(connection: Connection, rows: Rows | None) -> Server:
    """Return the server from the answer to SETTINGS_QUERY. Raises Failure where it is none."""
    try:
        *texts, super_read_only = (rows or [])[0]
        return Server._make([connection.server_version, *map(str, texts), int(super_read_only)])
    except (IndexError, TypeError, ValueError):
        raise connection.invalid_answer(sql.SETTINGS_QUERY) from None


def _parse_plugin(connection: Connection, rows: Rows | None) -> Plugin | None:
    """Return the plugin from the answer to PLUGIN_QUERY. Raises Failure where it is none."""
    if not rows:
        return None
    try:
        return Plugin._make(None if value is None else str(value) for value in rows[0])
    except TypeError:
        raise connection.invalid_answer(sql.PLUGIN_QUERY) from None


def _initialised(connection: Connection, plugin: Plugin | None) -> Plugin | None:
    """Wait up to 10 seconds while another session is just initialising the plugin."""
    end = time.monotonic() + 10
    while plugin is not None and plugin.status == "INACTIVE" and time.monotonic() < end:
        time.sleep(0.1)
        plugin = _parse_plugin(connection, connection.answers([sql.PLUGIN_QUERY])[0])
    return plugin


def _row(rows: Rows | None) -> str | None:
    if rows is None:
        return None
    return str(rows[0][0]) if rows else ""
