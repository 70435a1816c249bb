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

import os
import pwd
import re
import shutil
import subprocess
from typing import NamedTuple, Sequence

from .._errors import Failure

#: Where mysqld is looked for before the folders of PATH.
FOLDERS = ("/usr/sbin", "/usr/libexec", "/usr/local/mysql/bin", "/usr/local/sbin", "/sbin")

#: The first version that knows --validate-config; 5.7 fails with it on every file.
_FIRST_VERSION = (8, 0, 16)

#: What ER_PLUGIN_CANT_LOAD begins with. 5.7 has no error codes in its log.
_CANNOT_LOAD = "Couldn't load plugin"

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


def find_binary() -> Binary | None:
    """Find mysqld and ask for its version; None where there is none.

    Raises:
        Failure: it is MariaDB, which reads other groups of its option files than MySQL does.
    """
    path = shutil.which(
        "mysqld", path=os.pathsep.join([*FOLDERS, os.environ.get("PATH", os.defpath)])
    )
    if path is None:
        return None
    output = _run([path, "--version"]).stdout
    match = re.search(r"Ver ((\d+)\.(\d+)\.(\d+)\S*)", output)
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


def validate(binary: Binary, options: Sequence[str]) -> Verdict:
    """Return what mysqld says of the option files as they are.

    Args:
        binary: one that told its version.
        options: those at the head of its command line that decide which option files it reads.
    """
    question = ["--validate-config"] if binary.can_validate else ["--help", "--verbose"]
    done = _run([binary.path, *options, *question, *_user_options()])
    errors = _ERROR_LINE.findall(done.stderr)
    return Verdict(done.returncode == 0, [_without_values(error) for error in errors])


def _user_options() -> list[str]:
    """Return the option that says whom mysqld shall run as: it does not run as root unless told."""
    if os.geteuid() != 0:
        return []
    try:
        return ["--user=" + pwd.getpwnam("mysql").pw_name]
    except KeyError:
        return ["--user=root"]


def _run(command: Sequence[str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(  # noqa: S603 - the server's own program, without a shell
        command,
        check=False,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        encoding="utf-8",
        errors="replace",
        env={**os.environ, "LC_ALL": "C"},
    )


def _without_values(text: str) -> str:
    """Return an error's text without the values of options, one of which may be a password."""
    return re.sub(r"'(-{0,2}[\w-]+)=[^']*'", r"'\1=...'", text)
