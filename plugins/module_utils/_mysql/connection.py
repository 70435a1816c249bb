# Copyright (c) 2026, the dbfleet.mysql authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The connection to a MySQL server. Private to dbfleet.mysql."""

from __future__ import annotations

import contextlib
import ssl
import time
from typing import Any, Callable, Container, List, NamedTuple, Sequence, Tuple

from .._errors import Failure
from .._files import account_name, read_regular
from .errors import ER_LOCK_WAIT_TIMEOUT, ER_NO_SUCH_THREAD, PRIVILEGE_ERRORS, ReportedError
from .failure import (
    NO_PROTOCOL,
    UnsafePassword,
    answer_failure,
    connection_failure,
    login_failure,
    login_invalid,
    no_server,
    other_program,
    password_not_safe,
    pymysql_missing,
    silent,
    statement_failure,
    tls_file_unusable,
    unreachable,
)
from .login import Login, not_the_servers
from .transport import (
    LimitedContext,
    LimitedSocket,
    Limits,
    NotMySQL,
    Peer,
    Silent,
    open_socket,
    open_tcp,
    peek_greeting,
    peer_of,
    tls_context,
)

try:
    import pymysql
except ImportError:
    pymysql = None  # type: ignore[assignment]

Rows = List[Tuple[Any, ...]]

#: The longest PEM file that is read, in bytes.
_MAX_PEM = 1024 * 1024
#: Given for the server's RSA key where none is known: PyMySQL then asks the server for no key, and
#: encrypts nothing with it.
_NO_PUBLIC_KEY = b"none"
#: As the server says it where it keeps to lock_wait_timeout itself.
_WAITED_TOO_LONG = Exception(
    ER_LOCK_WAIT_TIMEOUT, "the statement did not end in time, and was ended by KILL"
)
#: Beyond MySQL's largest integer.
_LARGEST_NUMBER = 2**64
#: How long a killed statement may take to end, in seconds.
_KILLED_WITHIN = 10
#: Undoes what a server, or its init_connect, may have preset for our session and what would change
#: our statements: whether they last, what their texts mean, how much is answered, how long they and
#: the pauses between them may take. Each of these has been there since 5.7.17, and needs no
#: privilege.
_SET_UP = (
    "SET NAMES utf8mb4, autocommit = 1, sql_mode = 'STRICT_ALL_TABLES', sql_big_selects = 1,"
    " sql_select_limit = 18446744073709551615, sql_safe_updates = 0, max_execution_time = 0,"
    " wait_timeout = 28800, net_read_timeout = 60, net_write_timeout = 60, completion_type = 0",
    "SET SESSION TRANSACTION READ WRITE",
)
_SESSION_QUERY = "SELECT 1 FROM information_schema.PROCESSLIST WHERE ID = {:d}"
#: Ways to prove a password in which the server learns it, or enough of it.
_UNSAFE_PLUGINS = ("mysql_clear_password", "dialog", "mysql_old_password")


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


def _is_plain(value: object) -> bool:
    """Whether a value is of a kind that we ask for.

    To make a number of a DECIMAL such as 1E2000000 takes minutes.
    """
    if isinstance(value, int):
        return abs(value) < _LARGEST_NUMBER
    return value is None or isinstance(value, (str, bytes))


class Connection:
    """An open connection to a server.

    Attributes:
        peer: the process that listened on the Unix socket; None over TCP.
        ends: over TCP, our address and port, and the server's; None over a Unix socket.
        may_be_server: whether a process with a user id may be the server.
    """

    def __init__(self, login: Login, may_be_server: Callable[[int], bool], read_timeout: int):
        self.peer: Peer | None = None
        self.ends: tuple[tuple[str, int], tuple[str, int]] | None = None
        self.may_be_server = may_be_server
        self._login = login
        self._read_timeout = read_timeout
        self._limits = Limits()
        self._connection: Any = None
        self._is_set_up = False

    @property
    def unix_socket(self) -> str | None:
        """The socket that was logged in to; None over TCP."""
        return self._login.unix_socket

    @property
    def server_version(self) -> str:
        """The version that the server sent when the connection began; costs no round trip."""
        return str(self._connection.get_server_info())

    def rows(self, query: str, columns: int = 1, least: int = 0) -> Rows:
        """Return the rows that answer a query.

        Args:
            query: without parameters.
            columns: how many values each row has.
            least: how many rows there are at least.

        Raises:
            Failure: the server refused it, it answers otherwise, or the connection broke.
        """
        found = self.answers([query])[0] or []
        right = all(
            len(row) == columns and all(isinstance(value, (str, int)) for value in row)
            for row in found
        )
        if not right or len(found) < least:
            raise self.invalid_answer(query)
        return found

    def answers(self, queries: Sequence[str], refusable: Container[str] = ()) -> list[Rows | None]:
        """Send queries in one packet and return the rows of each, in the same order.

        Args:
            queries: the queries, without parameters.
            refusable: those that the account may lack the privilege for; their rows are None then.

        Raises:
            Failure: the server refused another one, or the connection broke.
        """
        result: list[Rows | None] = []
        # The session is set up on the way: a packet of its own would be one more round trip.
        first = () if self._is_set_up else _SET_UP
        sent = [*first, *queries]
        while len(result) < len(sent):
            # Once more from after the one that was refused: the server ran none of those.
            try:
                with self._limits.clock(self._read_timeout), self._connection.cursor() as cursor:
                    cursor.execute("; ".join(sent[len(result) :]))
                    result.append(list(cursor.fetchall()))
                    while cursor.nextset():
                        result.append(list(cursor.fetchall()))
            except pymysql.err.MySQLError as error:
                query, reported = sent[min(len(result), len(sent) - 1)], ReportedError(error)
                if self._limits.exceeded:
                    raise answer_failure(self._login, self._limits.exceeded) from error
                if reported.number not in PRIVILEGE_ERRORS or query not in refusable:
                    raise statement_failure(query, reported) from error
                result.append(None)
            except Exception as error:
                # What a server answers that does not keep to the protocol can raise anything.
                raise answer_failure(self._login, NO_PROTOCOL) from error
        if len(result) > len(sent):
            raise answer_failure(self._login, "it sends more answers than it was asked")
        self._is_set_up = True
        found = result[len(first) :]
        for query, rows in zip(queries, found):
            if not all(map(_is_plain, (value for row in rows or [] for value in row))):
                raise self.invalid_answer(query)
        return found

    def invalid_answer(self, query: str) -> Failure:
        """Return the failure of a server whose answer to a query has another form than asked."""
        return answer_failure(self._login, f"it does not answer {query}")

    def run(self, statements: Sequence[Statement]) -> None:
        """Send statements to the server in one packet.

        The server runs them one after the other up to the first that fails, even where this
        program is killed meanwhile.

        Raises:
            ReportedError: one failed; ``completed`` counts those before it.
            Failure: the server's answer is none.
        """
        if not self._is_set_up:
            # Before the parameters are quoted: sql_mode decides how.
            self.answers([])
        completed = 0
        sql = "; ".join(statement.sql for statement in statements)
        parameters = [value for statement in statements for value in statement.parameters]
        try:
            # Each of them may wait for a lock.
            seconds = self._read_timeout * len(statements)
            with self._limits.clock(seconds), self._connection.cursor() as cursor:
                cursor.execute(sql, parameters or None)
                completed = 1
                while completed < len(statements) and cursor.nextset():
                    completed += 1
        except pymysql.err.MySQLError as error:
            if self._limits.timed_out:
                with contextlib.suppress(Failure):
                    self._kill_statement()
                    raise ReportedError(_WAITED_TOO_LONG, completed) from error
            raise ReportedError(error, completed) from error
        except Exception as error:
            raise answer_failure(self._login, NO_PROTOCOL) from error

    def _kill_statement(self) -> None:
        """End the statement that still waits in the server, over a new connection.

        INSTALL PLUGIN of MySQL 5.7 waits for a global read lock whatever lock_wait_timeout says.

        Raises:
            Failure: the server cannot be reached any more, or does not end it.
        """
        waiting = self._connection.thread_id()
        self.reopen()
        try:
            with self._limits.clock(self._read_timeout), self._connection.cursor() as cursor:
                cursor.execute("KILL %s", (waiting,))
        except pymysql.err.MySQLError as error:
            if ReportedError(error).number != ER_NO_SUCH_THREAD:
                raise statement_failure(f"KILL {waiting}", ReportedError(error)) from error
        end = time.monotonic() + _KILLED_WITHIN
        while self.rows(_SESSION_QUERY.format(waiting)) and time.monotonic() < end:
            time.sleep(0.1)

    def open(self) -> None:
        """Log in.

        Raises:
            Failure: the server cannot be reached, is not to be trusted, or refuses the login.
        """
        self._limits = Limits()
        self._is_set_up = False
        try:
            with self._limits.clock(self._login.connect_timeout):
                self._log_in()
        except BaseException:
            self._limits.release()
            raise

    def _log_in(self) -> None:
        login = self._login
        opened = self._open_wire()
        self._limits.guard(opened)
        try:
            arguments = {**self._arguments(), **self._tls_arguments(opened)}
            self._connection = pymysql.connect(defer_connect=True, **arguments)
            if login.unix_socket:
                # PyMySQL knows only of a socket that it opened itself that nobody listens in.
                self._connection._secure = True
            self._connection.connect(opened)
        except Failure:
            opened.close()
            raise
        except pymysql.err.MySQLError as error:
            if self._limits.exceeded:
                raise answer_failure(login, self._limits.exceeded) from error
            raise connection_failure(error, login) from error
        except Exception as error:
            opened.close()
            raise login_failure(error, login) from error

    def reopen(self) -> None:
        """Connect anew, in place of a connection that is broken or in the midst of an answer.

        Raises:
            Failure: as :meth:`open`.
        """
        self.close()
        self.open()

    def close(self) -> None:
        """Close the connection; one that is broken already counts as closed."""
        self._limits.release()
        if self._connection is not None:
            with contextlib.suppress(pymysql.err.MySQLError):
                self._connection.close()

    def _open_wire(self) -> LimitedSocket:
        """Connect, and look at who answers. Raises Failure."""
        login = self._login
        try:
            if not login.unix_socket:
                opened = open_tcp(login.host, login.port, self._limits)
                self.ends = opened.getsockname()[:2], opened.getpeername()[:2]
                return opened
            opened = open_socket(login.unix_socket, self._limits)
        except OSError as error:
            raise unreachable(error, login) from error
        except ValueError as error:
            raise login_invalid(login, error) from error
        self.peer = peer_of(opened)
        if self.may_be_server(self.peer.uid):
            return opened
        opened.close()
        raise not_the_servers(
            login.unix_socket,
            f"The program that answers at {login.unix_socket} runs as",
            account_name(self.peer.uid),
        )

    def _arguments(self) -> dict[str, Any]:
        login = self._login
        key = _NO_PUBLIC_KEY
        if login.server_public_key:
            key = _read_pem(login.server_public_key, login)
            _given_keys.add(key)
        return {
            "host": login.host,
            "user": login.user,
            # As bytes, because PyMySQL encodes text as latin1, which not every password is.
            "password": login.password.encode("utf-8", "surrogateescape"),
            "connect_timeout": login.connect_timeout,
            # They bound the TLS handshake; our limits bound what is read after it.
            "read_timeout": login.connect_timeout,
            "write_timeout": login.connect_timeout,
            # For statements of ours that the server must run together; no text of a user is among
            # them.
            "client_flag": pymysql.constants.CLIENT.MULTI_STATEMENTS,
            "charset": "utf8mb4",
            # What the server says of it in its greeting is wrong where it was preset.
            "autocommit": None,
            "server_public_key": key,
            "auth_plugin_map": dict.fromkeys(_UNSAFE_PLUGINS, _Refusal),
        }

    def _tls_arguments(self, opened: LimitedSocket) -> dict[str, Any]:
        """Return PyMySQL's arguments about TLS for the server that answers.

        Raises:
            Failure: TLS is asked for, and the server does not offer it; or the password could only
                be sent unencrypted.
        """
        login = self._login
        try:
            greeting = peek_greeting(opened)
        except NotMySQL as other:
            raise other_program(login, str(other)) from other
        except Silent as error:
            raise silent(login) from error
        if greeting is None:
            return _no_tls()
        required = login.ssl_mode not in ("DISABLED", "PREFERRED")
        if required and not greeting.offers_tls:
            raise Failure(
                "tls_failed",
                f"The server at {login.address} offers no TLS, but ca_cert or ssl-mode asks for "
                "it, so nothing was sent.",
                "Enable TLS in the server, or leave out ca_cert or ssl-mode where the network can "
                "be trusted.",
            )
        wanted = required or (login.ssl_mode == "PREFERRED" and not login.unix_socket)
        if wanted and greeting.offers_tls:
            return {"ssl": _context(login, self._limits)}
        if greeting.auth_plugin == "sha256_password" and login.password and not login.unix_socket:
            # PyMySQL would ask for the server's key, whatever key it was given.
            raise password_not_safe(login, "sha256_password without TLS")
        return _no_tls()


def connect(
    login: Login,
    may_be_server: Callable[[int], bool],
    read_timeout: int,
    is_sign_of_server: Callable[[], bool] = lambda: True,
) -> Connection:
    """Open a connection.

    Args:
        login: from :func:`resolve_login`.
        may_be_server: whether a process with that user id, at the other end of a Unix socket, may
            be the server.
        read_timeout: seconds that the answer to some queries, or to one statement, may take.
        is_sign_of_server: asked where PyMySQL is missing, which nobody shall install on a host that
            has no server.

    Raises:
        Failure: PyMySQL is missing, or the server cannot be reached, is not to be trusted or
            refuses the login.
    """
    if pymysql is None:
        raise pymysql_missing() if is_sign_of_server() else no_server(login)
    connection = Connection(login, may_be_server, read_timeout)
    connection.open()
    return connection


def _refuse_old_password(_password: object, _nonce: object) -> None:
    """Take the place of PyMySQL's proof of a password as before MySQL 4.1, which gives it away."""
    raise UnsafePassword


#: The keys of servers that the task gave.
_given_keys: set[bytes] = set()


def with_given_key(encrypt: Callable[..., bytes]) -> Callable[..., bytes]:
    """Return PyMySQL's encryption of a password for keys alone that did not come from a server."""

    def encrypted(password: object, nonce: object, key: bytes) -> bytes:
        if key not in _given_keys:
            raise UnsafePassword
        return encrypt(password, nonce, key)

    return encrypted


_auth: Any = getattr(pymysql, "_auth", None)
if _auth is not None:
    _auth.sha2_rsa_encrypt = with_given_key(_auth.sha2_rsa_encrypt)
if hasattr(_auth, "scramble_old_password"):
    # PyMySQL before 1.1 uses it wherever a server asks, without a setting against that.
    _auth.scramble_old_password = _refuse_old_password


class _Refusal:
    """Takes the place of PyMySQL's code for a plugin that would give the password away."""

    def __init__(self, connection: Any) -> None:
        pass

    def authenticate(self, _packet: Any) -> None:
        """Refuse it."""
        raise UnsafePassword


def _no_tls() -> dict[str, Any]:
    # PyMySQL before 1.0 uses TLS only where it is asked to, and does not know this argument.
    return {"ssl_disabled": True} if int(pymysql.VERSION[0]) >= 1 else {}


def _context(login: Login, limits: Limits) -> LimitedContext:
    """Return the TLS context for a login.

    Raises:
        Failure: a file cannot be used.
    """
    context = tls_context(limits)
    for path in (login.client_cert, login.client_key):
        if path:
            # OpenSSL would wait for a FIFO's writer for ever.
            _read_pem(path, login)
    try:
        if login.ca_cert:
            pem = _read_pem(login.ca_cert, login).decode("ascii", "replace")
            context.load_verify_locations(cadata=pem)
        if login.ssl_mode.startswith("VERIFY"):
            context.verify_mode = ssl.CERT_REQUIRED
            context.check_hostname = login.ssl_mode == "VERIFY_IDENTITY"
        if login.client_cert:
            context.load_cert_chain(login.client_cert, login.client_key)
    except (OSError, ValueError) as error:
        raise tls_file_unusable(login, str(error)) from error
    return context


def _read_pem(path: str, login: Login) -> bytes:
    try:
        return read_regular(path, _MAX_PEM)
    except OSError as error:
        raise tls_file_unusable(login, f"{path}: {error.strerror}") from error
