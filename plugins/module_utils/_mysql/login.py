# Copyright (c) 2026, the dbfleet.mysql authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The connection options that modules share, and the login that they lead to.

Private to dbfleet.mysql.
"""

from __future__ import annotations

import os
from typing import Any, Mapping, NamedTuple

from .._errors import Failure
from .._files import NotTrusted, account_name, check_trusted
from .._option_file.arguments import option_value
from .._option_file.files import Files, os_reason
from .._option_file.reader import read_group, read_server_options
from .account import server_account

# What is taken from the group [client].
_CLIENT_OPTIONS = (
    *("user", "password", "host", "port", "socket", "server_public_key_path"),
    *("ssl_mode", "ssl_ca", "ssl_cert", "ssl_key"),
    *("ssl_capath", "ssl_crl", "ssl_crlpath"),
)
#: What makes MySQL's own programs verify more than PyMySQL can be told to.
_NOT_SUPPORTED = ("ssl_capath", "ssl_crl", "ssl_crlpath")

DEFAULT_HOST = "localhost"
DEFAULT_PORT = 3306

# Where the packages put the socket: Debian, Red Hat and the official image, the server's default.
WELL_KNOWN_SOCKETS = (
    "/run/mysqld/mysqld.sock",
    "/var/lib/mysql/mysql.sock",
    "/tmp/mysql.sock",  # noqa: S108 - where the server puts it, not a file of ours
)


# The values of ``ssl-mode`` (manual, "Command Options for Encrypted Connections").
SSL_MODES = ("DISABLED", "PREFERRED", "REQUIRED", "VERIFY_CA", "VERIFY_IDENTITY")
_VERIFY = ("VERIFY_CA", "VERIFY_IDENTITY")


class Login(NamedTuple):
    """How to reach a server and who to be there.

    Attributes:
        ssl_mode: one of SSL_MODES; over a Unix socket, PREFERRED uses no TLS.
        server_public_key: a file with the server's RSA key, with which a password may be encrypted
            where there is no TLS.
        connect_timeout: in seconds.
    """

    user: str
    password: str
    host: str
    port: int
    unix_socket: str | None
    ssl_mode: str
    ca_cert: str | None
    client_cert: str | None
    client_key: str | None
    server_public_key: str | None
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
    ``localhost`` means the local socket file, unless another port is asked for (manual, "Connecting
    to the MySQL Server Using Command Options"). Where there is none, nothing is tried by TCP: any
    account can listen on the port of a server that is down.

    Args:
        params: the module's options.
        files: the file system to read the server's option files from, for its socket.

    Raises:
        Failure: a value in the file is not usable.
    """
    client = _client_options(os.path.abspath(params["config_file"]))
    host = params["login_host"]
    if host == DEFAULT_HOST:
        host = client.get("host", host)
    port = params["login_port"]
    if port == DEFAULT_PORT and "port" in client:
        port = _port(client["port"], params["config_file"])
    unix_socket = params["login_unix_socket"]
    # Only the task's own port makes localhost a matter of TCP; mysql passes over the file's, too.
    if unix_socket is None and host == DEFAULT_HOST and params["login_port"] == DEFAULT_PORT:
        unix_socket = client.get("socket") or _find_socket(files)

    def text(option: str, client_option: str) -> str | None:
        given: str | None = params[option]
        return client.get(client_option) if given is None else given

    _refuse_numbers(port, params["connect_timeout"])
    return Login(
        user=text("login_user", "user") or _own_name(),
        password=text("login_password", "password") or "",
        host=host,
        port=port,
        unix_socket=unix_socket,
        ssl_mode=_ssl_mode(params, client, bool(unix_socket)),
        ca_cert=text("ca_cert", "ssl_ca"),
        client_cert=text("client_cert", "ssl_cert"),
        client_key=text("client_key", "ssl_key"),
        server_public_key=client.get("server_public_key_path"),
        connect_timeout=params["connect_timeout"],
    )


def _refuse_numbers(port: int, connect_timeout: int) -> None:
    for name, value, most in (
        ("login_port", port, 65535),
        ("connect_timeout", connect_timeout, 31536000),
    ):
        if not 1 <= value <= most:
            raise Failure(
                "login_invalid",
                f"{name} is {value}, and must be from 1 to {most}.",
                f"Correct {name}.",
            )


def _ssl_mode(params: Mapping[str, Any], client: Mapping[str, str], over_socket: bool) -> str:
    """Return how much TLS is asked for: by ca_cert, which wins, or ssl-mode in the file.

    Raises:
        Failure: ssl-mode has a value that MySQL does not know, or lacks the authority it needs.
    """
    if params["ca_cert"]:
        # ca_cert is about TCP; over a socket of this host it was never used.
        if over_socket:
            return "PREFERRED"
        return "VERIFY_IDENTITY" if params["check_hostname"] else "VERIFY_CA"
    for name in _NOT_SUPPORTED:
        if client.get(name) and not over_socket:
            option = name.replace("_", "-")
            raise Failure(
                "config_file_unusable",
                f"{params['config_file']} has {option} in its group [client], by which this module "
                "cannot verify a server's certificate.",
                "Put the authority's certificate into one file and name that in ca_cert.",
            )
    mode = client.get("ssl_mode", "PREFERRED").upper()
    if mode not in SSL_MODES:
        raise Failure(
            "config_file_unusable",
            f"The ssl-mode in the group [client] of {params['config_file']} is none that MySQL "
            "knows.",
            f"Correct it to one of {', '.join(SSL_MODES)}.",
        )
    if mode in _VERIFY and not client.get("ssl_ca"):
        raise Failure(
            "config_file_unusable",
            f"{params['config_file']} has ssl-mode={mode} in its group [client], and no ssl-ca to "
            "verify the server's certificate with.",
            "Add ssl-ca there, or set ca_cert.",
        )
    if client.get("ssl_ca") and mode in ("PREFERRED", "REQUIRED") and not over_socket:
        # As with the option ca_cert. Named for this, an authority is not just there by chance.
        return "VERIFY_IDENTITY" if params["check_hostname"] else "VERIFY_CA"
    return mode


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
    if os.geteuid() == 0:
        # Whoever can write it sends root's login elsewhere. Another account's own may be as it is.
        for path in options.files:
            _refuse_untrusted(path)
    found = ((name, option_value(options.arguments, name)) for name in _CLIENT_OPTIONS)
    return {name: option.value for name, option in found if option and option.value is not None}


def _refuse_untrusted(path: str) -> None:
    try:
        check_trusted(path)
    except NotTrusted as untrusted:
        raise Failure(
            "config_file_unusable",
            f"The option file {path} is not used for root's login, because {untrusted}, who could "
            "send it elsewhere.",
            f"Run {untrusted.remedy}, or name another file in config_file.",
        ) from None
    except OSError as error:
        raise Failure(
            "config_file_unusable",
            f"The option file {path} is not used for root's login, because it cannot be looked at: "
            f"{os_reason(error)}.",
            "Mend that, or name another file in config_file.",
        ) from None


def _port(text: str, config_file: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise Failure(
            "config_file_unusable",
            f"The port in the group [client] of {config_file} is not a number.",
            "Mend that line, or set login_port.",
        ) from None


def _own_name() -> str:
    """Return the name of the user that the task runs as, as MySQL's client programs find it.

    Not from the environment, which become may leave as it was.
    """
    return account_name(os.geteuid())


def _find_socket(files: Files) -> str:
    """Return the local server's socket file as its option files or its package place it."""
    options = read_server_options(files=files)
    configured = option_value(options.arguments, "socket")
    account = server_account(options)
    trusted = {0, os.geteuid(), *([account.pw_uid] if account else [])}
    if configured is not None and configured.value:
        path = configured.value
        for owner in _owners(path) if os.path.islink(path) else []:
            if owner not in trusted:
                raise not_the_servers(path, f"The link {path} belongs to", account_name(owner))
        # Also where it does not exist: the error names what the server's option file names.
        return path
    found = [(path, owner) for path in WELL_KNOWN_SOCKETS for owner in _owners(path)]
    for path, owner in found:
        if owner in trusted:
            return path
    for path, owner in found:
        # A link of anybody's in /tmp would lead to another server of this machine.
        raise not_the_servers(path, f"The socket {path} belongs to", account_name(owner))
    return WELL_KNOWN_SOCKETS[0]


def _owners(path: str) -> list[int]:
    """Return the owner of a socket or a link to one; nobody where there is none."""
    try:
        return [os.lstat(path).st_uid]
    except OSError:
        return []


def not_the_servers(path: str, beginning: str, account: str) -> Failure:
    """Return the failure of a socket that is another account's; the text goes on with its name."""
    return Failure(
        "server_not_trusted",
        f"{beginning} the account {account}, which is not the server's, so nothing was sent to it.",
        f"If that is the server, write user={account} into the group [mysqld] of its option file, "
        f"which must belong to root, or run the task as that account (become_user: {account}). "
        f"If what answers at {path} is a proxy or a container, set login_unix_socket to the "
        "server's own socket, or log in over TCP (login_host: 127.0.0.1) with ca_cert.",
    )
