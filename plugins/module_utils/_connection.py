# Copyright (c) 2026, the dbfleet.mysql authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Connection options, the connection to a MySQL server, and what its error numbers mean.

Private to dbfleet.mysql.
"""

from __future__ import annotations

import contextlib
import os
import pwd
from typing import Any, Mapping, NamedTuple, Sequence

from ansible_collections.dbfleet.mysql.plugins.module_utils._errors import Failure
from ansible_collections.dbfleet.mysql.plugins.module_utils._option_arguments import (
    option_value,
)
from ansible_collections.dbfleet.mysql.plugins.module_utils._option_file import (
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

# Server error numbers (manual, "Server Error Message Reference") and client error numbers ("Client
# Error Message Reference") that the collection tells apart.
ER_CON_COUNT_ERROR = 1040
ER_ACCESS_DENIED_ERROR = 1045
ER_DUP_ENTRY = 1062
ER_CANT_INITIALIZE_UDF = 1123
ER_UDF_NO_PATHS = 1124
ER_UDF_EXISTS = 1125
ER_CANT_OPEN_LIBRARY = 1126
ER_CANT_FIND_DL_ENTRY = 1127
ER_HOST_IS_BLOCKED = 1129
ER_HOST_NOT_PRIVILEGED = 1130
ER_TABLEACCESS_DENIED_ERROR = 1142
ER_COLUMNACCESS_DENIED_ERROR = 1143
ER_LOCK_WAIT_TIMEOUT = 1205
ER_SPECIFIC_ACCESS_DENIED_ERROR = 1227
ER_OPTION_PREVENTS_STATEMENT = 1290
ER_SP_DOES_NOT_EXIST = 1305
ER_ACCESS_DENIED_NO_PASSWORD_ERROR = 1698
ER_PLUGIN_IS_PERMANENT = 1702
ER_MUST_CHANGE_PASSWORD = 1820
ER_MUST_CHANGE_PASSWORD_LOGIN = 1862
ER_PLUGIN_CANNOT_BE_UNINSTALLED = 1883
ER_ACCOUNT_HAS_BEEN_LOCKED = 3118
CR_CONN_HOST_ERROR = 2003
CR_SERVER_GONE_ERROR = 2006
CR_SERVER_LOST = 2013
CR_SSL_CONNECTION_ERROR = 2026

PRIVILEGE_ERRORS = frozenset(
    (ER_TABLEACCESS_DENIED_ERROR, ER_COLUMNACCESS_DENIED_ERROR, ER_SPECIFIC_ACCESS_DENIED_ERROR)
)
LOST_CONNECTION_ERRORS = frozenset((0, CR_CONN_HOST_ERROR, CR_SERVER_GONE_ERROR, CR_SERVER_LOST))


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


def resolve_login(params: Mapping[str, Any]) -> Login:
    """Merge the module's options with the ``[client]`` group of its ``config_file``.

    An option given to the module wins over the file. As in MySQL's own client programs the host
    ``localhost`` means the local socket file, where there is one, unless another port is asked for
    (manual, "Connecting to the MySQL Server Using Command Options").

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
        unix_socket = client.get("socket") or _find_socket()

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
        "user": login.user or _own_name(),
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
        tls = _tls(login)
        if tls:
            arguments["ssl"] = tls
    try:
        opened = pymysql.connect(**arguments)
    except pymysql.err.MySQLError as error:
        raise connection_failure(error, login) from error
    except ValueError as error:
        raise Failure(
            "login_invalid",
            f"The login for {login.address} cannot be used: {error}.",
            "Check login_host, login_port and connect_timeout (from 1 to 31536000 seconds).",
        ) from error
    except OSError as error:
        # PyMySQL wraps what the network does; what is left are files: the certificates.
        raise Failure(
            "tls_file_unusable",
            f"The TLS files for the connection to {login.address} cannot be used: {error}.",
            "Check ca_cert, client_cert and client_key: each must be a readable PEM file.",
        ) from error
    except RuntimeError as error:
        # The only RuntimeError that PyMySQL raises: caching_sha2_password or sha256_password
        # wants to encrypt the password with RSA, which needs a library that is not there.
        raise Failure(
            "cryptography_missing",
            f"Logging in to {login.address} with a password and without TLS needs the Python "
            "library cryptography, which is missing on this host.",
            "Use the local socket (login_unix_socket) or TLS (ca_cert), or install "
            "python3-cryptography.",
        ) from error
    # There is no public way to change it once connected.
    opened._read_timeout = read_timeout  # type: ignore[attr-defined]
    connection = Connection(opened)
    if login.ca_cert and not login.unix_socket:
        _require_tls(connection, login)
    return connection


def _own_name() -> str:
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


def connection_failure(error: BaseException, login: Login) -> Failure:
    """Say what a failed connection means and what to do."""
    number = error_number(error)
    account = f"account {login.user or _own_name()!r}"

    def failure(error_code: str, cause: str, next_step: str) -> Failure:
        said = f" (error {number}: {error_text(error)})."
        return Failure(error_code, cause + said, next_step, mysql_error_number=number)

    if number in (ER_ACCESS_DENIED_ERROR, ER_ACCESS_DENIED_NO_PASSWORD_ERROR):
        return failure(
            "access_denied",
            f"The server at {login.address} does not let {account} log in",
            "Check login_user and login_password (or config_file); for an account with auth_socket "
            "run the task as that operating system user (become: true for root) over the socket.",
        )
    if number in (ER_HOST_NOT_PRIVILEGED, ER_HOST_IS_BLOCKED):
        return failure(
            "host_not_allowed",
            f"The server at {login.address} accepts no connection from this host",
            "Create an account for this host, or run FLUSH HOSTS if it was blocked after errors, "
            "or use the local socket.",
        )
    if number == ER_ACCOUNT_HAS_BEEN_LOCKED:
        return failure(
            "account_locked",
            f"{account.capitalize()} at {login.address} is locked",
            "Unlock it with ALTER USER ... ACCOUNT UNLOCK, or use another account.",
        )
    if number in (ER_MUST_CHANGE_PASSWORD, ER_MUST_CHANGE_PASSWORD_LOGIN):
        return failure(
            "password_expired",
            f"The password of {account} at {login.address} has expired",
            "Set a new one with ALTER USER, then run this again.",
        )
    if number == ER_CON_COUNT_ERROR:
        return failure(
            "too_many_connections",
            f"The server at {login.address} has no connection left",
            "Run this again when it is less busy, or raise max_connections.",
        )
    if number == CR_SSL_CONNECTION_ERROR or _is_tls_error(error):
        return failure(
            "tls_failed",
            f"No TLS connection to {login.address} that can be trusted",
            "Check that ca_cert is the authority that signed the server's certificate and that "
            "login_host is a name in that certificate.",
        )
    if number in LOST_CONNECTION_ERRORS:
        return _unreachable(error, login)
    return failure(
        "connection_failed",
        f"The connection to {login.address} failed",
        "Look the error number up in the MySQL manual and in the server's error log.",
    )


def _unreachable(error: BaseException, login: Login) -> Failure:
    """Tell apart a server that is down, one that is silent, and a wrong address."""
    import socket

    number = error_number(error)
    original = getattr(error, "original_exception", None)
    check = "Check that mysqld runs on the host (systemctl status mysql, its error log)"

    def failure(error_code: str, cause: str, next_step: str) -> Failure:
        return Failure(
            error_code, f"{cause} (error {number}).", next_step, mysql_error_number=number
        )

    if login.unix_socket and isinstance(original, FileNotFoundError):
        return failure(
            "socket_not_found",
            f"There is no socket file {login.unix_socket}: the server is down, or its socket is "
            "elsewhere",
            check + " and that login_unix_socket is the server's own value of 'socket'.",
        )
    if login.unix_socket and isinstance(original, PermissionError):
        return failure(
            "socket_not_permitted",
            f"The operating system user of this task may not use the socket {login.unix_socket}",
            "Run the task with become: true, or as a user that may reach the socket's folder.",
        )
    if isinstance(original, socket.gaierror):
        return failure(
            "host_not_found",
            f"The name of the server's host at {login.address} is not known here: "
            f"{original.strerror}",
            "Correct login_host, or leave it out where the server runs on the host of the task.",
        )
    if isinstance(original, ConnectionRefusedError):
        return failure(
            "server_down",
            f"No server listens on {login.address}",
            check + " and that login_host, login_port or login_unix_socket name it.",
        )
    return failure(
        "server_unreachable",
        f"The server at {login.address} does not answer: {error_text(error)}",
        check + " and that it is reachable from here within connect_timeout seconds.",
    )


def _is_tls_error(error: BaseException) -> bool:
    """Whether the TLS handshake failed; ``ssl.SSLError`` is an OSError, which PyMySQL wraps."""
    import ssl

    return isinstance(getattr(error, "original_exception", None), ssl.SSLError)


def _tls(login: Login) -> dict[str, Any]:
    """Return PyMySQL's ``ssl`` argument; empty leaves TLS to PyMySQL's own default.

    Raises:
        Failure: a file is not a regular one; OpenSSL would wait for a FIFO's writer for ever.
    """
    for path in (login.ca_cert, login.client_cert, login.client_key):
        if path and not os.path.isfile(path):
            raise Failure(
                "tls_file_unusable",
                f"{path}, for the TLS connection to {login.address}, is missing or not a regular "
                "file.",
                "Check ca_cert, client_cert and client_key: each must be a readable PEM file.",
            )
    tls: dict[str, Any] = {}
    if login.ca_cert:
        tls["ca"] = login.ca_cert
        tls["check_hostname"] = login.check_hostname
    if login.client_cert:
        tls["cert"] = login.client_cert
    if login.client_key:
        tls["key"] = login.client_key
    return tls


def _require_tls(connection: Connection, login: Login) -> None:
    """Refuse a connection that was to be verified and is not encrypted at all.

    PyMySQL before 1.2 goes on without TLS where the server offers none.
    """
    row = connection.row("SHOW SESSION STATUS LIKE 'Ssl_cipher'")
    if not row or not row[1]:
        connection.close()
        raise Failure(
            "tls_failed",
            f"The server at {login.address} offers no TLS, but ca_cert asks for it.",
            "Enable TLS in the server, or leave out ca_cert where the network can be trusted.",
        )


def _find_socket() -> str | None:
    """Return the local server's socket file as its option files or its package place it, if any."""
    configured = option_value(read_server_options().arguments, "socket")
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
