# Copyright (c) 2026, the dbfleet.mysql authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The Group Replication plugin in a running server: what the server says of it.

Private to dbfleet.mysql. What must be done is decided in ``_plugin_plan.py``, and done in
``_plugin_execute.py``. A module travels without bytecode, so that each host compiles all that its
module imports; a healthy host gets by with this file and the plan.
"""

from __future__ import annotations

import re
import time
from typing import NamedTuple

from ansible_collections.dbfleet.mysql.plugins.module_utils._errors import Failure
from ansible_collections.dbfleet.mysql.plugins.module_utils._mysql.connection import (
    Connection,
    Rows,
)
from ansible_collections.dbfleet.mysql.plugins.module_utils._mysql.process import (
    UnknownProcess,
    find_server_process,
)
from ansible_collections.dbfleet.mysql.plugins.module_utils._option_file.arguments import (
    COMMAND_LINE,
    find_loads,
)
from ansible_collections.dbfleet.mysql.plugins.module_utils._option_file.reader import (
    Files,
    ServerOptions,
    read_server_options,
)

PLUGIN_NAME = "group_replication"
PLUGIN_TYPE = "GROUP REPLICATION"
# The manual's first release with Group Replication.
OLDEST_VERSION = (5, 7, 17)

# What a decision is made of.
SETTINGS_QUERY = (
    "SELECT @@global.version_comment, @@global.plugin_dir, @@global.datadir, @@global.pid_file,"
    " @@global.version_compile_os, @@global.server_uuid, @@global.super_read_only"
)
WSREP_QUERY = "SHOW GLOBAL VARIABLES LIKE 'wsrep_provider'"
PLUGIN_QUERY = (
    "SELECT PLUGIN_NAME, PLUGIN_STATUS, PLUGIN_TYPE, PLUGIN_LIBRARY, PLUGIN_LICENSE,"
    " PLUGIN_VERSION, LOAD_OPTION FROM information_schema.PLUGINS"
    " WHERE PLUGIN_NAME = 'group_replication'"
)
ROW_QUERY = "SELECT dl FROM mysql.plugin WHERE name = 'group_replication'"
SESSION_QUERY = "SELECT 1 FROM mysql.user WHERE User = 'mysql.session' AND Host = 'localhost'"
# An account may lack the privilege to read these tables.
REFUSABLE = (ROW_QUERY, SESSION_QUERY)


class Request(NamedTuple):
    """What the task asks for; the fields are the module's options of the same names."""

    state: str
    library: str | None
    registration: str
    allow_group_start: bool
    allow_leave_group: bool
    lift_super_read_only: bool
    lock_wait_timeout: int
    check_mysql_session: bool
    expect_loaded_by_options: bool | None


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
    since the epoch, 0 where options is None. ``loads`` are the places of the options that load the
    plugin at start, such as ``/etc/my.cnf:12``; empty where options is None.
    """

    server: Server
    library: str
    plugin: Plugin | None
    row: str | None
    mysql_session: bool | None
    options: ServerOptions | None
    options_unknown: str
    started: float
    loads: list[str]


def version_tuple(version: str) -> tuple[int, ...]:
    """Return ``(8, 0, 36)`` for ``8.0.36-28-log``; missing numbers are 0."""
    match = re.match(r"(\d+)(?:\.(\d+))?(?:\.(\d+))?", version)
    return tuple(int(part or 0) for part in match.groups()) if match else (0, 0, 0)


def refuse_without_plugin(version: str) -> None:
    """Refuse a server that has no Group Replication plugin.

    Args:
        version: from the handshake, so that it costs no question.

    Raises:
        Failure: it is MariaDB, or MySQL before 5.7.17.
    """
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


def read_state(
    connection: Connection, request: Request, defaults_file: str | None, files: Files
) -> State:
    """Read all that a decision needs.

    Args:
        connection: the server.
        request: the task.
        defaults_file: the option file that the server starts from; None to find it out.
        files: the file system to read the server's option files from.

    Raises:
        Failure: the server has no Group Replication plugin.
        StatementError: a query failed.
    """
    refuse_without_plugin(connection.server_version)
    questions = [SETTINGS_QUERY, PLUGIN_QUERY, ROW_QUERY]
    if request.check_mysql_session:
        questions.append(SESSION_QUERY)
    settings, plugins, row, *session = connection.answers(questions, REFUSABLE)
    plugin = _plugin(plugins)
    if plugin is None or plugin.status != "ACTIVE":
        # An active plugin is answer enough, as none is active beside wsrep; and the query takes the
        # server longer than all the others together.
        _refuse_wsrep(connection)
    server = _server(connection.server_version, settings or [])
    library = request.library or server.default_library
    options: ServerOptions | None = None
    unknown = ""
    started = 0.0
    loads: list[str] = []
    try:
        process = find_server_process(server.datadir, server.pid_file, server.uuid)
        options = read_server_options(
            argv=process.argv,
            environ=process.environ,
            home=process.home,
            server_version=server.version,
            defaults_file=defaults_file,
            files=files,
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
        loads = [
            load.argument.source for load in find_loads(options.arguments, library, PLUGIN_NAME)
        ]
    except UnknownProcess as reason:
        options = None
        unknown = str(reason)
    return State(
        server=server,
        library=library,
        plugin=_initialised(connection, plugin),
        row=_row(row),
        mysql_session=bool(session[0]) if session and session[0] is not None else None,
        options=options,
        options_unknown=unknown,
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


def _refuse_wsrep(connection: Connection) -> None:
    """Refuse a server that replicates by wsrep.

    Raises:
        Failure: it is Percona XtraDB Cluster.
        StatementError: the query failed.
    """
    if connection.rows(WSREP_QUERY):
        raise Failure(
            "percona_xtradb_cluster",
            "The server is Percona XtraDB Cluster, which replicates by wsrep and refuses Group "
            "Replication.",
            "Take this host out of the play.",
        )


def _server(version: str, settings: Rows) -> Server:
    comment, plugin_dir, datadir, pid_file, compile_os, uuid, super_read_only = settings[0]
    flavor = "Percona Server" if "percona" in comment.lower() else "MySQL"
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


def read_plugin(connection: Connection) -> Plugin | None:
    """Return what the server says of the plugin, None where it does not know it.

    Raises:
        StatementError: the query failed.
    """
    return _initialised(connection, _plugin(connection.rows(PLUGIN_QUERY)))


def _initialised(
    connection: Connection, plugin: Plugin | None, patience: float = 10.0
) -> Plugin | None:
    """Return the plugin, after a while where another session is just initialising it.

    Args:
        patience: for how many seconds to wait while its status is INACTIVE.
    """
    end = time.monotonic() + patience
    while plugin is not None and plugin.status == "INACTIVE" and time.monotonic() < end:
        time.sleep(0.1)
        plugin = _plugin(connection.rows(PLUGIN_QUERY))
    return plugin


def _plugin(answer: Rows | None) -> Plugin | None:
    return Plugin(*answer[0]) if answer else None


def read_row(connection: Connection) -> str | None:
    """Return the library in the plugin's row of ``mysql.plugin``.

    Empty without a row, None where the account may not read the table.

    Raises:
        StatementError: the query failed.
    """
    return _row(connection.answers([ROW_QUERY], REFUSABLE)[0])


def _row(answer: Rows | None) -> str | None:
    if answer is None:
        return None
    return str(answer[0][0]) if answer else ""
