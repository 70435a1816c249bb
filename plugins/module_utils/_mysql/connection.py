# Copyright (c) 2026, the dbfleet.mysql authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The connection to a MySQL server. Private to dbfleet.mysql."""

from __future__ import annotations

import contextlib
import os
from typing import Any, Container, List, NamedTuple, Sequence, Tuple

from .._errors import Failure
from .errors import PRIVILEGE_ERRORS, ReportedError
from .failure import connection_failure, statement_failure
from .login import Login

try:
    import pymysql
except ImportError:
    pymysql = None  # type: ignore[assignment]

Rows = List[Tuple[Any, ...]]


class Statement(NamedTuple):
    """One SQL statement that changes something.

    Attributes:
        sql: its text; each ``%s`` in it stands for a parameter.
        parameters: quoted by PyMySQL, never by us.
        writes: whether super_read_only refuses it.
        already_done: MySQL's error number that says that another session did the same; 0 for none.
    """

    sql: str
    parameters: tuple[str, ...] = ()
    writes: bool = False
    already_done: int = 0

    def __str__(self) -> str:
        # For people only.
        return self.sql % tuple(f"'{parameter}'" for parameter in self.parameters)


class Connection:
    """An open connection to a server."""

    def __init__(self, pymysql_connection: Any) -> None:
        self._connection = pymysql_connection

    @property
    def server_version(self) -> str:
        """The version that the server sent when the connection began; costs no round trip."""
        return str(self._connection.get_server_info())

    def rows(self, query: str) -> Rows:
        """Return the rows that answer a query.

        Raises:
            Failure: the server refused it, or the connection broke.
        """
        return self.answers([query])[0] or []

    def answers(self, queries: Sequence[str], refusable: Container[str] = ()) -> list[Rows | None]:
        """Send queries in one packet and return the rows of each, in the same order.

        Args:
            queries: the queries, without parameters.
            refusable: those that the account may lack the privilege for; their rows are None then.

        Raises:
            Failure: the server refused another one, or the connection broke.
        """
        result: list[Rows | None] = []
        while len(result) < len(queries):
            # Once more from after the one that was refused: the server ran none of those.
            try:
                with self._connection.cursor() as cursor:
                    cursor.execute("; ".join(queries[len(result) :]))
                    result.append(list(cursor.fetchall()))
                    while cursor.nextset():
                        result.append(list(cursor.fetchall()))
            except pymysql.err.MySQLError as error:
                query, reported = queries[len(result)], ReportedError(error)
                if reported.number not in PRIVILEGE_ERRORS or query not in refusable:
                    raise statement_failure(query, reported) from error
                result.append(None)
        return result

    def run(self, statements: Sequence[Statement]) -> None:
        """Send statements to the server in one packet.

        The server runs them one after the other up to the first that fails, even where this
        program is killed meanwhile.

        Raises:
            ReportedError: one failed; ``completed`` counts those before it.
        """
        completed = 0
        sql = "; ".join(statement.sql for statement in statements)
        parameters = [value for statement in statements for value in statement.parameters]
        try:
            with self._connection.cursor() as cursor:
                cursor.execute(sql, parameters or None)
                completed = 1
                while cursor.nextset():
                    completed += 1
        except pymysql.err.MySQLError as error:
            raise ReportedError(error, completed) from error

    def reopen(self) -> None:
        """Connect anew, in place of a connection that is broken or in the midst of an answer.

        Raises:
            ReportedError: the server cannot be reached any more.
        """
        self.close()
        try:
            self._connection.connect()
        except pymysql.err.MySQLError as error:
            raise ReportedError(error) from error

    def close(self) -> None:
        """Close the connection; one that is broken already counts as closed."""
        with contextlib.suppress(pymysql.err.MySQLError):
            self._connection.close()


def connect(login: Login, read_timeout: int) -> Connection:
    """Open a connection, in autocommit mode.

    Args:
        login: from :func:`resolve_login`.
        read_timeout: seconds that one answer of the server may take.

    Raises:
        Failure: PyMySQL is missing, or the server cannot be reached or refuses the login.
    """
    if pymysql is None:
        raise Failure(
            "pymysql_missing",
            "The Python library PyMySQL is missing for this host's Python interpreter.",
            "Install the package python3-pymysql (Debian, Ubuntu) or python3-PyMySQL (Red Hat, "
            "SUSE), or let the role dbfleet.mysql.group_replication do it.",
        )
    arguments: dict[str, Any] = {
        "user": login.user,
        # As bytes, because PyMySQL encodes text as latin1, which not every password is.
        "password": login.password.encode("utf-8", "surrogateescape"),
        "connect_timeout": login.connect_timeout,
        # By connect_timeout PyMySQL bounds no more than the TCP connection; these bound the
        # server's greeting and the login.
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
        tls = _tls_arguments(login)
        if tls:
            arguments["ssl"] = tls
    try:
        opened = pymysql.connect(**arguments)
    except (pymysql.err.MySQLError, ValueError, OSError, RuntimeError) as error:
        raise connection_failure(error, login) from error
    # There is no public way to change it once connected.
    opened._read_timeout = read_timeout  # type: ignore[attr-defined]
    connection = Connection(opened)
    if login.ca_cert and not login.unix_socket:
        _require_tls(connection, login)
    return connection


def _tls_arguments(login: Login) -> dict[str, Any]:
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
    """Refuse a connection that is not encrypted although its server should be verified.

    PyMySQL before 1.2 goes on without TLS where the server offers none.
    """
    status = connection.rows("SHOW SESSION STATUS LIKE 'Ssl_cipher'")
    if not status or not status[0][1]:
        connection.close()
        raise Failure(
            "tls_failed",
            f"The server at {login.address} offers no TLS, but ca_cert asks for it.",
            "Enable TLS in the server, or leave out ca_cert where the network can be trusted.",
        )
