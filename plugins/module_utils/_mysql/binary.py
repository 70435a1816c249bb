# Copyright (c) 2026, the dbfleet.mysql authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Ask the server's own binary what it thinks of its option files. Private to dbfleet.mysql.

No other file starts a program. ``mysqld --validate-config`` (from 8.0.16) reads option files and
loads plugin libraries as at a start, and ends before it touches data, sockets or a group. It exits
1 where the server would not start. A library that cannot be loaded is an ERROR line of its output
only: the server starts. Before, ``mysqld --help --verbose`` comes nearest: it reads option files
and opens libraries too, but it notices less, and how much differs between versions.
"""

from __future__ import annotations

import contextlib
import os
import pwd
import re
import resource
import shutil
import signal
import subprocess
import tempfile
from typing import NamedTuple, Sequence

from .._errors import Failure
from .._files import NotTrusted, account_name, check_trusted, is_trusted
from .._option_file.arguments import Argument, list_entries, load_arguments, plain_name
from .._option_file.reader import ServerOptions
from .account import server_account

#: Where mysqld is looked for before the folders of PATH.
FOLDERS = ("/usr/sbin", "/usr/libexec", "/usr/local/mysql/bin", "/usr/local/sbin", "/sbin")

#: The first version that knows --validate-config; 5.7 fails with it on every file.
_FIRST_VERSION = (8, 0, 16)

#: What ER_PLUGIN_CANT_LOAD begins with. 5.7 has no error codes in its log.
_CANNOT_LOAD = "Couldn't load plugin"

#: What the program may write, in bytes, and how long it may take, in seconds.
_MAX_OUTPUT = 4 * 1024 * 1024
TIMEOUT = 20
_ENDS_WITHIN = 5
#: How many errors are shown, and how much of each, in characters.
_MOST_ERRORS = 20
_LONGEST_ERROR = 600
#: Values this short, in characters, are numbers and words such as ON.
_SHORTEST_SECRET = 3

_ERROR_LINE = re.compile(r"\[ERROR\] (?:\[MY-\d+\] )?(?:\[\w+\] )?(.*)")


class Binary(NamedTuple):
    """The server's program on this host.

    Attributes:
        path: where it is.
        version: such as ``8.0.36``; empty where it does not tell one.
        can_validate: whether it knows ``--validate-config``.
    """

    path: str
    version: str
    can_validate: bool


class Verdict(NamedTuple):
    """What mysqld says of the option files: would it start, and which errors it reports."""

    starts: bool
    errors: list[str]

    @property
    def cannot_load(self) -> bool:
        """Whether a library that cannot be loaded is among the errors."""
        return any(error.startswith(_CANNOT_LOAD) for error in self.errors)


def binary_path() -> str | None:
    """Return where mysqld is; None where there is none."""
    folders = [*FOLDERS, os.environ.get("PATH", os.defpath)]
    return shutil.which("mysqld", path=os.pathsep.join(folders))


def find_binary() -> Binary | None:
    """Find mysqld and ask for its version; None where there is none.

    Raises:
        Failure: it is MariaDB, which reads other groups of its option files than MySQL does.
    """
    path = binary_path()
    if path is None:
        return None
    if not _is_root() and not is_trusted(path):
        # It would run as this account, and do whatever its owner likes.
        return Binary(path, "", False)
    # Without option files: it would read them first, whoever's they are.
    output = _run(
        [path, "--no-defaults", "--version"], _account("mysql") or _account("nobody")
    ).output
    match = re.search(r"Ver ((\d{1,4})\.(\d{1,4})\.(\d{1,4})\S{0,60})", output)
    if match is None:
        return Binary(path, "", False)
    version, *numbers = match.groups()
    if "MariaDB" in output:
        raise Failure(
            "mariadb",
            f"The server on this host is MariaDB ({version}), whose option files are read in "
            "another way than MySQL's.",
            "Take this host out of the play.",
        )
    return Binary(path, version, tuple(map(int, numbers)) >= _FIRST_VERSION)


def program_account(options: ServerOptions) -> pwd.struct_passwd | None:
    """Return the account that mysqld is asked as about its option files.

    That is our own where we are not root, else the server's; never root. None where the host has
    no such account.

    Args:
        options: what the server gets from its option files.
    """
    if not _is_root():
        return _account(account_name(os.geteuid()))
    account = server_account(options)
    return account if account is not None and account.pw_uid != 0 else _account("mysql")


class Asked(NamedTuple):
    """The server's program, one that told its version, and the account that it is asked as."""

    binary: Binary
    account: pwd.struct_passwd


def whom_to_ask(binary: Binary | None, options: ServerOptions) -> tuple[Asked | None, str]:
    """Return the program to ask about the option files, if any, and what to say about that.

    Args:
        binary: from :func:`find_binary`.
        options: what the server gets from its option files.
    """
    account = program_account(options)
    if binary is None:
        return None, "There is no mysqld on this host to ask."
    if account is None:
        return None, "There is no account mysql on this host to ask mysqld as."
    if not binary.version:
        note = f"{binary.path} was not asked: it tells no version, or others can change it."
        return None, note
    stranger = _stranger(options, account.pw_uid)
    if stranger:
        note = f"mysqld was not asked, because it would do what an option file says: {stranger}."
        return None, note
    if binary.can_validate:
        return Asked(binary, account), ""
    note = f"MySQL {binary.version} has no --validate-config; "
    note += "--help --verbose was asked, which notices less."
    return Asked(binary, account), note


def _stranger(options: ServerOptions, account: int) -> str:
    """Return which option file somebody else than root and the server's account controls."""
    for path in dict.fromkeys([*options.files, *options.folders]):
        try:
            check_trusted(path, {account})
        except NotTrusted as untrusted:
            return str(untrusted)
        except OSError:
            continue
    return ""


def validate(asked: Asked, options: Sequence[str], arguments: Sequence[Argument]) -> Verdict | None:
    """Return what mysqld says of the option files as they are; None where it does not end.

    Args:
        asked: from :func:`whom_to_ask`.
        options: those at the head of its command line that decide which option files it reads.
        arguments: what the option files hold. An error shows no value of these.
    """
    question = ["--validate-config"] if asked.binary.can_validate else ["--help", "--verbose"]
    done = _run([asked.binary.path, *options, *question], asked.account)
    if done.status is None:
        return None
    errors = [error[:_LONGEST_ERROR] for error in _ERROR_LINE.findall(done.output)[:_MOST_ERRORS]]
    return Verdict(done.status == 0, [without_values(error, arguments) for error in errors])


class _Done(NamedTuple):
    """How a program ended: its status, None where it did not by itself, and what it wrote."""

    status: int | None
    output: str


def _is_root() -> bool:
    return os.geteuid() == 0


def _account(name: str) -> pwd.struct_passwd | None:
    try:
        return pwd.getpwnam(name)
    except KeyError:
        return None


def _run(command: Sequence[str], account: pwd.struct_passwd | None) -> _Done:
    """Run the server's own program as an account that cannot do more than the server can.

    As root, mysqld would read files that others may write, load the libraries that they name, and
    become whom they say. It gets nothing of our environment, and its output and time are limited.
    """
    if _is_root() and account is None:
        return _Done(1, "")

    def become() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (_MAX_OUTPUT, _MAX_OUTPUT))
        if account is not None and _is_root():
            os.initgroups(account.pw_name, account.pw_gid)
            os.setgid(account.pw_gid)
            os.setuid(account.pw_uid)

    home = account.pw_dir if account is not None else "/"
    with tempfile.TemporaryFile() as output:
        # To a file: a child that it leaves behind would hold a pipe open.
        started = subprocess.Popen(  # noqa: S603 - the server's own program, without a shell
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env={"PATH": os.defpath, "LC_ALL": "C", "HOME": home},
            cwd="/",
            start_new_session=True,
            preexec_fn=become,  # there are no threads; Python before 3.9 has no user=
        )
        status = None
        try:
            status = started.wait(TIMEOUT)
        except subprocess.TimeoutExpired:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(started.pid, signal.SIGKILL)
            # A file system that does not answer holds up even what was killed.
            with contextlib.suppress(subprocess.TimeoutExpired):
                started.wait(_ENDS_WITHIN)
        output.seek(0)
        return _Done(status, output.read(_MAX_OUTPUT).decode("utf-8", "replace"))


def _without_word(text: str, word: str) -> str:
    """Return a text with three points for each place where a word stands alone."""
    start = text.find(word)
    while start >= 0:
        end = start + len(word)
        if _is_end(text[start - 1 : start]) and _is_end(text[end : end + 1]):
            text, end = text[:start] + "..." + text[end:], start + 3
        start = text.find(word, end)
    return text


def _is_end(character: str) -> bool:
    return not (character.isalnum() or character == "_")


def without_values(text: str, arguments: Sequence[Argument]) -> str:
    """Return an error's text without the values of options, one of which may be a password.

    Of what MySQL quotes, the names of options and plugin libraries stay, and nothing else.
    """
    libraries = {
        name
        for load in map(list_entries, load_arguments(arguments))
        for entry in load
        for name in (entry.library, entry.plugin)
    }
    names = {argument.name for argument in arguments} | libraries
    for argument in arguments:
        value = argument.value or ""
        if len(value) >= _SHORTEST_SECRET and value not in names:
            text = _without_word(text, value)

    def shown(match: re.Match[str]) -> str:
        name, equals, _value = match.group(1).partition("=")
        known = plain_name(name.lstrip("-")) in names or name in libraries
        return f"'{name}=...'" if known and equals else f"'{name}'" if known else "'...'"

    # An apostrophe within a word, as in "can't", is no quote.
    return re.sub(r"(?<!\w)'([^']*)'(?!\w)", shown, text)
