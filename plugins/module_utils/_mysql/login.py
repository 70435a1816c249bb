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
from .._option_file.arguments import Argument, option_value
from .._option_file.files import Files, os_reason
from .._option_file.reader import ServerOptions, read_groups, read_server_options
from .account import server_account

#: The groups that the program mysql reads; the last line of either has the last word.
_CLIENT_GROUPS = ("client", "mysql")
# What is taken from them.
_CLIENT_OPTIONS = (
    *("user", "password", "host", "port", "socket", "protocol", "server_public_key_path"),
    *("ssl_mode", "ssl_ca", "ssl_cert", "ssl_key"),
    *("ssl_capath", "ssl_crl", "ssl_crlpath", "ssl", "ssl_verify_server_cert"),
)
#: What has a second name since 8.0.27.
_SECOND_NAMES = {"password1": "password"}
#: What mysql takes without a value, for it asks for a password, and the others are switches of 5.7;
#: and the value that each has where ``skip-`` or ``disable-`` is in front of it.
_WITHOUT_VALUE = {"password": "", "ssl": "OFF", "ssl_verify_server_cert": "OFF"}
#: What makes MySQL's own programs verify more than PyMySQL can be told to, and what to do instead.
_ONE_FILE = "Put the authority's certificate into one file and name that in ca_cert."
_NOT_SUPPORTED = {
    "ssl_capath": _ONE_FILE,
    "ssl_crl": _ONE_FILE,
    "ssl_crlpath": _ONE_FILE,
    "ssl": "Write ssl-mode=REQUIRED in its place.",
    "ssl_verify_server_cert": "Write ssl-mode=VERIFY_IDENTITY in its place.",
}
_OFF = ("0", "OFF", "FALSE")
#: Where the program mysql_config_editor keeps logins; what it holds would win over the option file.
_LOGIN_PATHS = "~/.mylogin.cnf"

DEFAULT_HOST = "localhost"
DEFAULT_PORT = 3306
_LAST_PORT = 65535

# Where the packages put the socket: Debian, Red Hat and the official image, the server's default.
WELL_KNOWN_SOCKETS = (
    "/run/mysqld/mysqld.sock",
    "/var/lib/mysql/mysql.sock",
    "/tmp/mysql.sock",  # noqa: S108 - where the server puts it, not a file of ours
)


# The packages' data directory.
_DATADIR = "/var/lib/mysql"

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
        not_read: a file with logins that mysql would have taken the password from, if there is one.
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
    not_read: str | None = None

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
    """Merge the module's options with the groups of its ``config_file`` that ``mysql`` reads.

    An option given to the module wins over the file. As in MySQL's own client programs the host
    ``localhost`` means the local socket file, unless another port is asked for (manual, "Connecting
    to the MySQL Server Using Command Options") or the file says ``protocol=tcp``. Where there is
    none, nothing is tried by TCP: any account can listen on the port of a server that is down.

    Args:
        params: the module's options.
        files: the file system to read the server's option files from, for its socket.

    Raises:
        Failure: a line of the file is one that ``mysql`` stops at, or not usable here.
    """
    client = _client_options(os.path.abspath(params["config_file"]))

    def text(option: str, client_option: str) -> str | None:
        given: str | None = params[option]
        return _value(client, client_option) if given is None else given

    password = text("login_password", "password")
    if params["login_password"] is None and "password" in client and password is None:
        raise _unusable(
            client["password"],
            "has no password, so mysql would ask for it",
            "Write password=... there, or set login_password.",
        )
    host = params["login_host"]
    if host == DEFAULT_HOST:
        host = _value(client, "host") or host
    port = params["login_port"]
    if port == DEFAULT_PORT and "port" in client:
        port = _port(client["port"])
    unix_socket = params["login_unix_socket"]
    # Of the file, only its protocol makes localhost a matter of TCP; mysql passes over its port.
    by_tcp = params["login_port"] != DEFAULT_PORT or _by_tcp(client, host)
    if unix_socket is None and host == DEFAULT_HOST and not by_tcp:
        unix_socket = _socket(client["socket"]) if "socket" in client else _find_socket(files)

    _refuse_numbers(port, params["connect_timeout"])
    login_paths = os.path.expanduser(_LOGIN_PATHS)
    unread = params["login_password"] is None and os.path.exists(login_paths)
    return Login(
        user=text("login_user", "user") or _own_name(),
        password=password or "",
        host=host,
        port=port,
        unix_socket=unix_socket,
        ssl_mode=_ssl_mode(params, client, bool(unix_socket)),
        ca_cert=text("ca_cert", "ssl_ca"),
        client_cert=text("client_cert", "ssl_cert"),
        client_key=text("client_key", "ssl_key"),
        server_public_key=_value(client, "server_public_key_path"),
        connect_timeout=params["connect_timeout"],
        not_read=login_paths if unread else None,
    )


def _refuse_numbers(port: int, connect_timeout: int) -> None:
    for name, value, most in (
        ("login_port", port, _LAST_PORT),
        ("connect_timeout", connect_timeout, 31536000),
    ):
        if not 1 <= value <= most:
            raise Failure(
                "login_invalid",
                f"{name} is {value}, and must be from 1 to {most}.",
                f"Correct {name}.",
            )


def _ssl_mode(params: Mapping[str, Any], client: Mapping[str, Argument], over_socket: bool) -> str:
    """Return how much TLS is asked for: by ca_cert, which wins, or ssl-mode in the file.

    Raises:
        Failure: the file asks for what MySQL does not know, or for more than can be done here.
    """
    if params["ca_cert"]:
        # ca_cert is about TCP; over a socket of this host it was never used.
        if over_socket:
            return "PREFERRED"
        return "VERIFY_IDENTITY" if params["check_hostname"] else "VERIFY_CA"
    for name, instead in _NOT_SUPPORTED.items():
        wanted = name in client and (_value(client, name) or "").upper() not in _OFF
        if wanted and not over_socket:
            why = "asks for a check of the server that this module does not make"
            raise _unusable(client[name], why, instead)
    mode = (client["ssl_mode"].value or "").upper() if "ssl_mode" in client else "PREFERRED"
    if mode not in SSL_MODES:
        raise _unusable(
            client["ssl_mode"],
            "has a value that MySQL does not know",
            f"Correct it to one of {', '.join(SSL_MODES)}.",
        )
    ca_file = _value(client, "ssl_ca")
    if mode in _VERIFY and not ca_file:
        raise _unusable(
            client["ssl_mode"],
            "asks for a verified certificate, and there is no ssl-ca to verify it with",
            "Add ssl-ca there, or set ca_cert.",
        )
    if ca_file and mode in ("PREFERRED", "REQUIRED") and not over_socket:
        # As with the option ca_cert. Named for this, an authority is not just there by chance.
        return "VERIFY_IDENTITY" if params["check_hostname"] else "VERIFY_CA"
    return mode


def _by_tcp(client: Mapping[str, Argument], host: str) -> bool:
    """Whether the file asks for TCP whatever the host is called.

    Raises:
        Failure: it asks for a protocol that this host does not have, or MySQL does not know.
    """
    if "protocol" not in client:
        return False
    protocol = (_value(client, "protocol") or "").upper()
    # MySQL takes a part of a name too (find_type in typelib.cc).
    if protocol and "TCP".startswith(protocol):
        return True
    if protocol and "SOCKET".startswith(protocol) and host == DEFAULT_HOST:
        return False
    raise _unusable(
        client["protocol"],
        f"names no protocol by which mysql reaches {host}",
        "Correct it to tcp, or to socket where the host is localhost.",
    )


def _client_options(config_file: str) -> dict[str, Argument]:
    """Return the lines of an option file that a login is made of, by the option's name.

    Raises:
        Failure: the file is there, but MySQL's own programs pass it over or stop at a line.
    """
    options = read_groups(config_file, _CLIENT_GROUPS, os.path.expanduser("~"))
    for path, reason in options.skipped:
        if not os.path.lexists(path):
            continue  # an include of a file that may come one day
        raise Failure(
            "config_file_unusable",
            f"The option file {path} is not read: {reason}.",
            "Mend that, or name another file in config_file.",
        )
    if options.fatal:
        raise Failure(
            "config_file_unusable",
            f"The program mysql stops at a line of its option file: {options.fatal}.",
            "Mend that line, or name another file in config_file.",
        )
    if os.geteuid() == 0:
        # Whoever can write it sends root's login elsewhere. Another account's own may be as it is.
        for path in options.files:
            _refuse_untrusted(path)
    found = {}
    for argument in options.arguments:
        name, value = _SECOND_NAMES.get(argument.name, argument.name), argument.value
        switch, _underscore, rest = name.partition("_")
        if switch in ("skip", "disable") and rest in _WITHOUT_VALUE:
            name, value = rest, _WITHOUT_VALUE[rest]
        if name in _CLIENT_OPTIONS:
            if value is None and name not in _WITHOUT_VALUE:
                raise _unusable(argument, "has no value, so mysql stops there", "Write its value.")
            found[name] = argument._replace(value=value)
    return found


def _value(client: Mapping[str, Argument], name: str) -> str | None:
    """Return an option's value in the file; None where it has none."""
    return client[name].value if name in client else None


def _unusable(line: Argument, why: str, next_step: str) -> Failure:
    """Return the failure of a line of the option file; no value is shown, it may be a password."""
    option = line.text[len("--") :].partition("=")[0]
    return Failure(
        "config_file_unusable",
        f"The option {option} at {line.source} {why}.",
        next_step,
    )


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


def _port(line: Argument) -> int:
    """Return the port that a line names; 0 is MySQL's own.

    Raises:
        Failure: it is none.
    """
    text = line.value or ""
    if text.isascii() and text.isdigit() and len(text) <= 5 and int(text) <= _LAST_PORT:
        return int(text) or DEFAULT_PORT
    raise _unusable(line, "is not the number of a port", "Mend that line, or set login_port.")


def _socket(line: Argument) -> str:
    """Return the socket that a line names. Raises Failure where it names none."""
    if line.value:
        return line.value
    raise _unusable(line, "names no socket", "Mend that line, or set login_unix_socket.")


def _own_name() -> str:
    """Return the name of the user that the task runs as, as MySQL's client programs find it.

    Not from the environment, which become may leave as it was.
    """
    return account_name(os.geteuid())


def _find_socket(files: Files) -> str:
    """Return the local server's socket file as its option files or its package place it."""
    options = read_server_options(files=files)
    path = _configured_socket(options)
    account = server_account(options)
    trusted = {0, os.geteuid(), *([account.pw_uid] if account else [])}
    if path:
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


def _configured_socket(options: ServerOptions) -> str:
    """Return the server's socket as its option files name it, empty where they do not.

    A relative one is in the data directory, where mysqld works (my_setwd in mysqld.cc).
    """
    values = [option_value(options.arguments, name) for name in ("datadir", "socket")]
    datadir, path = [(option.value or "") if option else "" for option in values]
    if path and not os.path.isabs(path):
        path = os.path.join(datadir or _DATADIR, path)
    return path if os.path.isabs(path) else ""


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
