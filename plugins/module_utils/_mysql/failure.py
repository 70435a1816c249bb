# Copyright (c) 2026, the dbfleet.mysql authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What it means that a connection or a statement failed, and what to do about it.

Private to dbfleet.mysql.
"""

from __future__ import annotations

import socket
import ssl
import sys

from .._errors import Failure, option_names
from . import errors as numbers
from .errors import ReportedError, shortened
from .login import DEFAULT_PORT, Login
from .meanings import LOGIN, STATEMENT, UNKNOWN_LOGIN, UNKNOWN_STATEMENT

#: What a server does whose answer the client library cannot read.
NO_PROTOCOL = "it does not keep to MySQL's protocol"


class UnsafePassword(Exception):
    """The server asks for the password in a way in which it, or somebody else, would learn it."""


def connection_failure(error: BaseException, login: Login) -> Failure:
    """Say what an error of PyMySQL means that ended a login, and what to do.

    Args:
        error: what PyMySQL raised.
        login: what it was given.
    """
    reported = ReportedError(error)
    if not reported.number:
        return answer_failure(login, NO_PROTOCOL)
    return _refused(reported, getattr(error, "original_exception", None), login)


def unreachable(error: OSError, login: Login) -> Failure:
    """Say what an error of the operating system means that kept us from the server."""
    text = f"Can't connect to MySQL server on {login.address!r} ({error})"
    reported = ReportedError(Exception(numbers.CR_CONN_HOST_ERROR, text))
    return _refused(reported, error, login)


def login_failure(error: Exception, login: Login) -> Failure:
    """Say what any other error means that ended a login, and what to do.

    PyMySQL raises ValueError or RuntimeError where it would encrypt the password with RSA: the
    server's key is none, or a library is missing.
    """
    if isinstance(error, UnsafePassword):
        return password_not_safe(login, "a plugin that gives it away")
    encrypts = isinstance(error, (RuntimeError, ValueError)) and not isinstance(error, UnicodeError)
    if not encrypts:
        return answer_failure(login, NO_PROTOCOL)
    if not login.server_public_key:
        return password_not_safe(login, "encryption with a key that only the server vouches for")
    if isinstance(error, ValueError):
        return tls_file_unusable(login, f"{login.server_public_key}: {error}")
    return Failure(
        "cryptography_missing",
        f"Logging in to {login.address} with a password and without TLS needs the Python "
        "library cryptography, which is missing on this host.",
        "Use the local socket (login_unix_socket) or TLS (ca_cert), or install "
        "python3-cryptography.",
    )


def pymysql_missing() -> Failure:
    """Say that the Python of this task has no PyMySQL, and what installs it for that Python."""
    python = sys.executable
    pip = f"{python} -m pip install PyMySQL"
    if _uses_packages_of_the_distribution():
        where = ""
        next_step = (
            "Install the package python3-pymysql (Debian, Ubuntu) or python3-PyMySQL (Red Hat, "
            "SUSE), or let the role dbfleet.mysql.group_replication do it; where the package is "
            f"for another Python than this one, run {pip}."
        )
    else:
        where = ", which does not see the packages of the distribution"
        next_step = (
            f"Run {pip}, or set ansible_python_interpreter to the distribution's Python "
            "(/usr/bin/python3), for which there is a package."
        )
    return Failure(
        "pymysql_missing",
        f"The Python library PyMySQL is missing for this task's Python, {python}{where}.",
        next_step,
        pymysql_from_package=not where,
    )


def _uses_packages_of_the_distribution() -> bool:
    """Whether this Python is the distribution's, or a virtual environment that sees its packages.

    A folder for packages need not exist before the first one, so the prefix counts too.
    """
    return sys.prefix == "/usr" or any(
        path.startswith("/usr/lib") and path.endswith("-packages") for path in sys.path
    )


def no_server(login: Login) -> Failure:
    """Say that a host without PyMySQL has no sign of a server either."""
    return Failure(
        "server_down",
        "This host has no sign of a MySQL server, so PyMySQL is not asked for: there is no socket "
        f"{login.address}, no program or process mysqld and no option file with options for one.",
        "Let the play name the hosts with MySQL (group_replication_hosts, --limit), or install the "
        "server first; login_unix_socket names the socket of one that runs elsewhere.",
    )


def login_invalid(login: Login, why: object) -> Failure:
    """Say that the login's host or socket cannot be used."""
    return Failure(
        "login_invalid",
        f"The login for {login.address} cannot be used: {why}.",
        f"Check {option_names('login_host', 'login_port', 'login_unix_socket')}.",
    )


def password_not_safe(login: Login, how: str) -> Failure:
    """Say that the password was kept back.

    Args:
        login: what the connection was made with.
        how: the way in which the server asked for it, as half a sentence.
    """
    return Failure(
        "password_not_safe",
        f"The server at {login.address} asks for the password by {how}, so it was not sent: "
        "whoever answers there could read it.",
        "Log in over the local socket, or with verified TLS, or with an account that has another "
        f"authentication plugin: {option_names('login_unix_socket', 'ca_cert', 'login_user')}.",
    )


def answer_failure(login: Login, what: str) -> Failure:
    """Say that what answers does not do so as a MySQL server.

    Args:
        login: what the connection was made with.
        what: what it did, as half a sentence.
    """
    return Failure(
        "server_answer_invalid",
        f"What answers at {login.address} does not behave like a MySQL server: {shortened(what)}.",
        _own_address(login),
    )


def other_program(login: Login, who: str) -> Failure:
    """Say that another program answers than a MySQL server.

    Args:
        login: what the connection was made with.
        who: which one, with its article.
    """
    return Failure(
        "server_answer_invalid",
        f"At {login.address} answers {who}, not a server with MySQL's classic protocol.",
        _own_address(login),
    )


def silent(login: Login) -> Failure:
    """Say that a connection was taken, and nothing said, where a MySQL server speaks first."""
    return Failure(
        "server_unreachable",
        f"What answers at {login.address} took the connection and said nothing within "
        f"{login.connect_timeout} seconds (connect_timeout): a server that hangs, or another "
        "program.",
        f"{_own_address(login)[:-1]}; if it does, see in its error log why it hangs, or raise "
        f"{option_names('connect_timeout')}.",
        mysql_error_number=numbers.CR_CONN_HOST_ERROR,
    )


def _own_address(login: Login) -> str:
    if login.unix_socket:
        named = option_names("login_unix_socket")
        return f"Check that {named} names the MySQL server's own socket."
    return (
        f"Check that {option_names('login_host', 'login_port')} name the MySQL server's classic "
        f"port (by default {DEFAULT_PORT}; 33060 is the X Protocol's), or set "
        f"{option_names('login_unix_socket')}."
    )


def tls_file_unusable(login: Login, why: str) -> Failure:
    """Say that a certificate or key file cannot be used."""
    return Failure(
        "tls_file_unusable",
        f"The TLS files for the connection to {login.address} cannot be used: {why}.",
        f"Check {option_names('ca_cert', 'client_cert', 'client_key')}: each must be a readable "
        "PEM file.",
    )


def _refused(error: ReportedError, original: object, login: Login) -> Failure:
    """Say what an error of the server or the client library means.

    Args:
        error: its number and words.
        original: the operating system's error that PyMySQL wrapped, if any.
        login: what the connection was made with.
    """
    account = f"account {login.user!r}"
    check = "Check that mysqld runs on the host (systemctl status mysql, its error log)"
    if error.number in (numbers.ER_ACCESS_DENIED_ERROR, numbers.ER_ACCESS_DENIED_NO_PASSWORD_ERROR):
        check = f"Check {option_names('login_user', 'login_password', 'config_file')}"
        if login.not_read:
            check += f", for only mysql itself reads {login.not_read}"
        return error.failure(
            "access_denied",
            f"The server at {login.address} does not let {account} log in",
            check + "; for an account with auth_socket run the task as that operating system user "
            "(become: true for root) over the socket.",
        )
    if error.number == numbers.CR_SSL_CONNECTION_ERROR or isinstance(original, ssl.SSLError):
        return error.failure(
            "tls_failed",
            f"No TLS connection to {login.address} that can be trusted",
            "Check that the authority is the one that signed the server's certificate, and the "
            f"host a name in it: {option_names('ca_cert', 'login_host')}.",
        )
    if error.number not in numbers.LOST_CONNECTION_ERRORS:
        meaning = LOGIN.get(error.number, UNKNOWN_LOGIN)
        return meaning.failure(error, address=login.address, account=repr(login.user))
    if login.unix_socket and isinstance(original, FileNotFoundError):
        return error.failure(
            "socket_not_found",
            f"There is no socket file {login.unix_socket}: the server is down, or its socket is "
            "elsewhere",
            f"{check} and that the server's own value of 'socket' is "
            f"{option_names('login_unix_socket')}.",
        )
    if login.unix_socket and isinstance(original, PermissionError):
        return error.failure(
            "socket_not_permitted",
            f"The operating system user of this task may not use the socket {login.unix_socket}",
            "Run the task with become: true, or as a user that may reach the socket's folder.",
        )
    if isinstance(original, socket.gaierror):
        return error.failure(
            "host_not_found",
            f"The name of the server's host at {login.address} is not known here",
            f"Correct {option_names('login_host')}, or leave it out where the server runs on the "
            "host of the task.",
        )
    if isinstance(original, ConnectionRefusedError):
        return error.failure(
            "server_down",
            f"No server listens on {login.address}",
            f"{check} and that it is named by "
            f"{option_names('login_host', 'login_port', 'login_unix_socket')}.",
        )
    return error.failure(
        "server_unreachable",
        f"The server at {login.address} does not answer",
        f"{check} and that it is reachable from here within the seconds of "
        f"{option_names('connect_timeout')}.",
    )


def statement_failure(sql: str, error: ReportedError) -> Failure:
    """Say what an error of a statement means and what to do.

    Args:
        sql: the statement, as people may read it.
        error: what the server or the client library said.
    """
    if error.number in numbers.LOST_CONNECTION_ERRORS:
        return error.failure(
            "connection_lost",
            f"The connection broke during: {sql}; whether it took effect is not known",
            "Check that the server runs, then run this again: it goes on from what it finds.",
        )
    return STATEMENT.get(error.number, UNKNOWN_STATEMENT).failure(error, sql=sql)
