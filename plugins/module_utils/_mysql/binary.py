# Copyright (c) 2026, the dbfleet.mysql authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Ask the server's own binary what it thinks of its option files. Private to dbfleet.mysql.

``mysqld --validate-config`` (from 8.0.16) reads option files and loads plugin libraries as at a
start, and ends before it touches data, sockets or a group. It exits 1 where the server would not
start. A library that cannot be loaded is an ERROR line of its output only: the server starts.
Before, ``mysqld --help --verbose`` comes nearest: it reads option files and opens libraries too,
but it notices less, and how much differs between versions.
"""

from __future__ import annotations

import re
from typing import Callable, NamedTuple, Sequence

from ansible_collections.dbfleet.mysql.plugins.module_utils._errors import Failure

#: The first version that knows the option; 5.7 fails with it on every file.
FIRST_VERSION = (8, 0, 16)
VALIDATE = ("--validate-config",)
HELP = ("--help", "--verbose")

#: What ER_PLUGIN_CANT_LOAD begins with. 5.7 has no error codes in its log.
_CANNOT_LOAD = "Couldn't load plugin"

_ERROR_LINE = re.compile(r"\[ERROR\] (?:\[(MY-\d+)\] )?(?:\[\w+\] )?(.*)")

#: Runs a command; returns exit status, standard output and standard error.
Run = Callable[[Sequence[str]], "tuple[int, str, str]"]


class Verdict(NamedTuple):
    """What mysqld says: would it start, and which errors it reports, as (code, text)."""

    starts: bool
    errors: tuple[tuple[str, str], ...]

    def new_since(self, earlier: Verdict) -> tuple[tuple[str, str], ...]:
        """The errors that it did not report before."""
        return tuple(error for error in self.errors if error not in earlier.errors)


def cannot_load(errors: Sequence[tuple[str, str]]) -> bool:
    """Whether a library that cannot be loaded is among the errors."""
    return any(text.startswith(_CANNOT_LOAD) for _code, text in errors)


def server_version(run: Run, mysqld: str) -> tuple[str, tuple[str, ...]]:
    """Return the version of a server's binary, and the options that make it check option files.

    The version is empty where the binary does not tell one.

    Raises:
        Failure: it is MariaDB, which reads other groups of its option files than MySQL does.
    """
    _status, output, _errors = run([mysqld, "--version"])
    match = re.search(r"Ver (\d+)\.(\d+)\.(\d+)\S*", output)
    if match is None:
        return "", ()
    numbers = tuple(int(number) for number in match.groups())
    version = match.group(0)[len("Ver ") :]
    if "MariaDB" in output:
        raise Failure(
            "mariadb",
            f"The server on this host is MariaDB ({version}), whose option files are read in "
            "another way than MySQL's.",
            "Take this host out of the play.",
        )
    return version, VALIDATE if numbers >= FIRST_VERSION else HELP


def validate(
    run: Run,
    mysqld: str,
    check: Sequence[str],
    options: Sequence[str],
    user: str | None,
) -> Verdict:
    """Return what mysqld says of the option files.

    Args:
        run: runs a command.
        mysqld: path of the binary.
        check: what :func:`server_version` says.
        options: those at the head of its command line that decide which option files it reads.
        user: an operating system user to become; mysqld refuses to run as root without one.
    """
    command = [mysqld, *options, *check]
    if user is not None:
        command.append("--user=" + user)
    status, _output, errors = run(command)
    found = []
    for line in errors.splitlines():
        match = _ERROR_LINE.search(line)
        if match is not None:
            found.append((match.group(1) or "", _without_values(match.group(2))))
    return Verdict(status == 0, tuple(found))


def _without_values(text: str) -> str:
    """Return an error's text without the values of options, one of which may be a password."""
    return re.sub(r"'(-{0,2}[\w-]+)=[^']*'", r"'\1=...'", text)
