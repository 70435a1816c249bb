# Copyright (c) 2026, the dbfleet.mysql authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The connection options that modules share, and the login that they lead to.

Private to dbfleet.mysql.
"""

from __future__ import annotations

import os
import pwd
from typing import Any, Mapping, NamedTuple

from .._errors import Failure
from .._option_file.arguments import option_value
from .._option_file.files import Files
from .._option_file.reader import read_group, read_server_options

DEFAULT_HOST = "localhost"
DEFAULT_PORT = 3306

# Where the packages put the socket: Debian, Red Hat and the official image, the server's default.
WELL_KNOWN_SOCKETS = (
    "/run/mysqld/mysqld.sock",
    "/var/lib/mysql/mysql.sock",
    "/tmp/mysql.sock",  # noqa: S108 - where the server puts it, not a file of ours
)


class Login(NamedTuple):
    """How to reach a server and who to be there; ``connect_timeout`` is in seconds."""

    user: str
    password: str
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
        user=text("login_user", "user") or _own_name(),
        password=text("login_password", "password") or "",
        host=host,
        port=port,
        unix_socket=unix_socket,
        ca_cert=text("ca_cert", "ssl_ca"),
        client_cert=text("client_cert", "ssl_cert"),
        client_key=text("client_key", "ssl_key"),
        check_hostname=params["check_hostname"],
        connect_timeout=params["connect_timeout"],
    )


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


def _own_name() -> str:
    """Return the name of the user that the task runs as, as MySQL's client programs find it.

    Not from the environment, which become may leave as it was.
    """
    return pwd.getpwuid(os.geteuid()).pw_name


def _find_socket(files: Files) -> str | None:
    """Return the local server's socket file as its option files or its package place it, if any."""
    configured = option_value(read_server_options(files=files).arguments, "socket")
    if configured is not None and configured.value:
        # Also where it does not exist: the error names what the server's option file names.
        return configured.value
    return next((path for path in WELL_KNOWN_SOCKETS if os.path.exists(path)), None)
