# Copyright (c) 2026, the dbfleet.mysql authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Connection options, and the connection to a MySQL server.

Private to dbfleet.mysql.
"""

from __future__ import annotations

import contextlib
import os
import pwd
from typing import Any, Container, List, Mapping, NamedTuple, Sequence, Tuple

from ansible_collections.dbfleet.mysql.plugins.module_utils._errors import Failure
from ansible_collections.dbfleet.mysql.plugins.module_utils._mysql.errors import PRIVILEGE_ERRORS
from ansible_collections.dbfleet.mysql.plugins.module_utils._option_file.arguments import (
    option_value,
)
from ansible_collections.dbfleet.mysql.plugins.module_utils._option_file.reader import (
    Files,
    read_group,
    read_server_options,
)

DEFAULT_HOST = "localhost"
DEFAULT_PORT = 3306

# Where the packages put the socket: Debian, Red Hat and the official image, the server's default.
WELL_KNOWN_SOCKETS = (
    "/run/mysqld/mysqld.sock",
    "/var/lib/mysql/mysql.sock",
    "/tmp/mysql.sock",  # noqa: S108 - where the server puts it, not a file of ours
)

Rows = List[Tuple[Any, ...]]


class Login(NamedTuple):
    """How to reach a server and who to be there."""

    user: str | None
    password: str | None
    host: str
    port: int
    unix_socket: str | None
    ca_cert: str | None
    client_cert: str | None
    client_key: str | None
    check_hostname: bool
    connect_timeout: int

    @property
    def address(self) -> str:
        """Where the connection goes, as a person would write it."""
        return self.unix_socket or f"{self.host}:{self.port}"


def connection_argument_spec() -> dict[str, dict[str, Any]]:
    """Return the module options that every module with a connection has."""
    return {
        "login_user": {"type": "str"},
        "login_password": {"type": "str", "no_log": True},
        "login_host": {"type": "str", "default": DEFAULT_HOST},
        "login_port": {"type": "int", "default": DEFAULT_PORT},
        "login_unix_socket": {"type": "path"},
        "config_file": {"type": "path", "default": "~/.my.cnf"},
        "connect_timeout": {"type": "int", "default": 30},
        "ca_cert": {"type": "path", "aliases": ["ssl_ca"]},
        "client_cert": {"type": "path", "aliases": ["ssl_cert"]},
        "client_key": {"type": "path", "aliases": ["ssl_key"]},
        "check_hostname": {"type": "bool", "default": True},
    }


def resolve_login(params: Mapping[str, Any], files: Files) -> Login:
    """Merge the module's options with the ``[client]`` group of its ``config_file``.

    An option given to the module wins over the file. As in MySQL's own client programs the host
    ``localhost`` means the local socket file, where there is one, unless another port is asked for
    (manual, "Connecting to the MySQL Server Using Command Options").

    Args:
        params: the module's options.
        files: the file system to read the server's option files from, for its socket.

    Raises:
        Failure: a value in the file is not usable.
    """
    client = _client_options(params["config_file"])
    host = params["login_host"]
    if host == DEFAULT_HOST:
        host = client.get("host", host)
    port = params["login_port"]
    if port == DEFAULT_PORT and "port" in client:
        port = _port(client["port"], params["config_file"])
    unix_socket = params["login_unix_socket"]
    if unix_socket is None and host == DEFAULT_HOST and port == DEFAULT_PORT:
        unix_socket = client.get("socket") or _find_socket(files)

    def text(option: str, client_option: str) -> str | None:
        given: str | None = params[option]
        return client.get(client_option) if given is None else given

    return Login(
        user=text("login_user", "user"),
        password=text("login_password", "password"),
        host=host,
        port=port,
        unix_socket=unix_socket,
        ca_cert=text("ca_cert", "ssl_ca"),
        client_cert=text("client_cert", "ssl_cert"),
        client_key=text("client_key", "ssl_key"),
        check_hostname=params["check_hostname"],
        connect_timeout=params["connect_timeout"],
    )


class StatementError(Exception):
    """A statement that failed.

    ``number`` is MySQL's error number, 0 where there is none; ``text`` is for people only: never
    branch on it. ``completed`` says how many of the statements that were sent together came before.
    """

    def __init__(self, number: int, text: str, completed: int = 0) -> None:
        super().__init__(f"{number}: {text}")
        self.number = number
        self.text = text
        self.completed = completed


class Connection:
    """An open connection to a server; errors come as :class:`StatementError`."""

    def __init__(self, pymysql_connection: Any) -> None:
        self._connection = pymysql_connection

    @property
    def server_version(self) -> str:
        """The version that the server sent when the connection began; costs no round trip."""
        return str(self._connection.get_server_info())

    def rows(self, sql: str, parameters: Sequence[str] = ()) -> list[tuple[Any, ...]]:
        """Run a statement and return all its rows; ``%s`` in it stand for the parameters.

        Raises:
            StatementError: the server refused it, or the connection broke.
        """
        import pymysql

        try:
            with self._connection.cursor() as cursor:
                cursor.execute(sql, tuple(parameters) or None)
                return list(cursor.fetchall())
        except pymysql.err.MySQLError as error:
            raise StatementError(error_number(error), error_text(error)) from error

    def answers(
        self, questions: Sequence[str], refusable: Container[str] = ()
    ) -> list[Rows | None]:
        """Send queries in one packet and return the rows of each, in the same order.

        Args:
            questions: the queries, without parameters.
            refusable: those that the account may lack the privilege for; their rows are None then.

        Raises:
            StatementError: the server refused another one, or the connection broke.
        """
        import pymysql

        result: list[Rows | None] = []
        while len(result) < len(questions):
            # Once more from after the one that was refused: the server ran none of those.
            rest = questions[len(result) :]
            try:
                with self._connection.cursor() as cursor:
                    cursor.execute("; ".join(rest))
                    result.append(list(cursor.fetchall()))
                    while cursor.nextset():
                        result.append(list(cursor.fetchall()))
            except pymysql.err.MySQLError as error:
                number = error_number(error)
                if number not in PRIVILEGE_ERRORS or questions[len(result)] not in refusable:
                    raise StatementError(number, error_text(error)) from error
                result.append(None)
        return result

    def run(self, *statements: tuple[str, Sequence[str]]) -> None:
        """Send statements, each with its parameters, to the server in one packet.

        The server runs them one after the other up to the first that fails, even where this
        program is killed meanwhile.

        Raises:
            StatementError: one failed; ``completed`` counts those before it.
        """
        import pymysql

        completed = 0
        sql = "; ".join(text for text, _parameters in statements)
        parameters = [value for _text, values in statements for value in values]
        try:
            with self._connection.cursor() as cursor:
                cursor.execute(sql, parameters or None)
                completed = 1
                while cursor.nextset():
                    completed += 1
        except pymysql.err.MySQLError as error:
            raise StatementError(error_number(error), error_text(error), completed) from error

    def reopen(self) -> None:
        """Connect anew, in place of a connection that is broken or in the midst of an answer.

        Raises:
            StatementError: the server cannot be reached any more.
        """
        import pymysql

        self.close()
        try:
            self._connection.connect()
        except pymysql.err.MySQLError as error:
            raise StatementError(error_number(error), error_text(error)) from error

    def row(self, sql: str, parameters: Sequence[str] = ()) -> tuple[Any, ...] | None:
        """Run a statement and return its first row, None without one.

        Raises:
            StatementError: the server refused it, or the connection broke.
        """
        rows = self.rows(sql, parameters)
        return rows[0] if rows else None

    def close(self) -> None:
        """Close the connection; one that is broken already counts as closed."""
        import pymysql

        with contextlib.suppress(pymysql.err.MySQLError):
            self._connection.close()


def _client_options(config_file: str) -> dict[str, str]:
    """Return the values of the ``[client]`` group of an option file.

    Raises:
        Failure: the file is there, but MySQL's own programs would pass it over.
    """
    options = read_group(config_file, "client", os.path.expanduser("~"))
    for path, reason in options.skipped:
        raise Failure(
            "config_file_unusable",
            f"The option file {path} is not read: {reason}.",
            "Mend that, or name another file in config_file.",
        )
    names = ("user", "password", "host", "port", "socket", "ssl_ca", "ssl_cert", "ssl_key")
    found = ((name, option_value(options.arguments, name)) for name in names)
    return {name: option.value for name, option in found if option and option.value is not None}


def _port(text: str, config_file: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise Failure(
            "config_file_unusable",
            f"The port in the group [client] of {config_file} is not a number.",
            "Mend that line, or set login_port.",
        ) from None


def connect(login: Login, read_timeout: int) -> Connection:
    """Open a connection, in autocommit mode.

    Args:
        login: from :func:`resolve_login`.
        read_timeout: seconds that one answer of the server may take.

    Raises:
        Failure: PyMySQL is missing, or the server cannot be reached or refuses the login.
    """
    try:
        import pymysql
    except ImportError as error:
        raise Failure(
            "pymysql_missing",
            "The Python library PyMySQL is missing for this host's Python interpreter.",
            "Install the package python3-pymysql (Debian, Ubuntu) or python3-PyMySQL (Red Hat, "
            "SUSE), or let the role dbfleet.mysql.group_replication do it.",
        ) from error
    arguments: dict[str, Any] = {
        "user": login.user or own_name(),
        # As bytes, because PyMySQL encodes text as latin1, which not every password is.
        "password": (login.password or "").encode("utf-8", "surrogateescape"),
        "connect_timeout": login.connect_timeout,
        # PyMySQL bounds no more than the TCP connection by connect_timeout. The server's greeting
        # and the login are to be bounded by it too.
        "read_timeout": login.connect_timeout,
        "write_timeout": login.connect_timeout,
        # For statements of ours that the server must run together; no text of a user is among them.
        "client_flag": pymysql.constants.CLIENT.MULTI_STATEMENTS,
        "charset": "utf8mb4",
        "autocommit": True,
    }
    if login.unix_socket:
        arguments["unix_socket"] = login.unix_socket
        if int(pymysql.VERSION[0]) >= 1:
            # A socket file is private to the machine; TLS over it would only cost time.
            arguments["ssl_disabled"] = True
    else:
        arguments["host"] = login.host
        arguments["port"] = login.port
        from ansible_collections.dbfleet.mysql.plugins.module_utils._mysql import (
            tls as _connection_tls,
        )

        tls = _connection_tls.tls_arguments(login)
        if tls:
            arguments["ssl"] = tls
    try:
        opened = pymysql.connect(**arguments)
    except (pymysql.err.MySQLError, ValueError, OSError, RuntimeError) as error:
        from ansible_collections.dbfleet.mysql.plugins.module_utils._mysql import (
            failure as _connection_failure,
        )

        raise _connection_failure.connection_failure(error, login) from error
    # There is no public way to change it once connected.
    opened._read_timeout = read_timeout  # type: ignore[attr-defined]
    connection = Connection(opened)
    if login.ca_cert and not login.unix_socket:
        _connection_tls.require_tls(connection, login)
    return connection


def own_name() -> str:
    """Return the name of the user that the task runs as, as MySQL's client programs find it.

    Not from the environment, which become may leave as it was.
    """
    return pwd.getpwuid(os.geteuid()).pw_name


def error_number(error: BaseException) -> int:
    """Return MySQL's error number from a PyMySQL exception, 0 where it has none.

    The exception's class says too little: which number raises which class changed between
    releases of PyMySQL.
    """
    number = error.args[0] if error.args else 0
    return number if isinstance(number, int) else 0


def error_text(error: BaseException) -> str:
    """Return the words of the server or the client library, for people; never to branch on."""
    return str(error.args[1] if len(error.args) > 1 else error).rstrip(".")


def _find_socket(files: Files) -> str | None:
    """Return the local server's socket file as its option files or its package place it, if any."""
    configured = option_value(read_server_options(files=files).arguments, "socket")
    candidates: Sequence[str] = WELL_KNOWN_SOCKETS
    if configured is not None and configured.value:
        candidates = (configured.value, *WELL_KNOWN_SOCKETS)
        if not os.path.exists(configured.value):
            # Named by the server's own option file: the error should name it too.
            return configured.value
    for path in candidates:
        if os.path.exists(path):
            return path
    return None
