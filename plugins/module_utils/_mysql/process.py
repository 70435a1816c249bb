# Copyright (c) 2026, the dbfleet.mysql authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The running mysqld as this machine's operating system sees it: command line and environment.

Private to dbfleet.mysql.
"""

from __future__ import annotations

import os
import pwd
import time
from typing import NamedTuple


class ServerProcess(NamedTuple):
    """A mysqld on this machine.

    ``argv`` is its command line without the program's own name, ``environ`` its environment,
    ``home`` the home folder in which it looks for ``~/.my.cnf``, where one is known, and
    ``started`` the time of its start in seconds since the epoch.
    """

    argv: list[str]
    environ: dict[str, str]
    home: str | None
    started: float


class UnknownProcess(Exception):
    """The server's process cannot be looked at from here; the text says why, as half a sentence."""


def find_server_process(datadir: str, pid_file: str, server_uuid: str) -> ServerProcess:
    """Find the process of the server that gave these values over its connection.

    The server is on this machine only if the data directory of that name holds its server_uuid
    (``auto.cnf``) and the process sees the same root folder as we do: a server in a container
    reads other option files, even where its socket or data directory is shared with the host.

    Args:
        datadir: the server's ``datadir``, an absolute path.
        pid_file: the server's ``pid_file``, relative to datadir or absolute.
        server_uuid: the server's ``server_uuid``.

    Raises:
        UnknownProcess: it runs elsewhere, or this operating system user may not look.
    """
    try:
        with open(os.path.join(datadir, "auto.cnf"), encoding="utf-8", errors="replace") as auto:
            here = server_uuid in auto.read()
    except PermissionError:
        raise UnknownProcess(f"this operating system user may not read {datadir}") from None
    except OSError:
        raise UnknownProcess("it does not run on this machine") from None
    if not here:
        raise UnknownProcess("it does not run on this machine")
    try:
        with open(os.path.join(datadir, pid_file), encoding="ascii") as pids:
            process = f"/proc/{int(pids.read())}"
        argv = _strings(process + "/cmdline")
        if not argv or "mysqld" not in os.path.basename(argv[0]):
            raise UnknownProcess(f"its pid_file {pid_file} names another process")
        if not _same_root(process):
            raise UnknownProcess("it runs in a container or a changed root folder")
        owner = os.stat(process).st_uid
        started = _started(process)
        environ = _environ(process)
    except (OSError, ValueError):
        raise UnknownProcess("its process cannot be read by this operating system user") from None
    for argument in argv[1:]:
        option, _equals, path = argument.partition("=")
        if option in ("--defaults-file", "--defaults-extra-file") and not os.path.isabs(path):
            # It depended on a working directory that the server has left since.
            raise UnknownProcess(f"it was started with {argument}, which is no absolute path")
    return ServerProcess(argv[1:], environ, environ.get("HOME", _home(owner)), started)


def _same_root(process: str) -> bool:
    """Whether a process has our root folder.

    Inside a container even root may lack the right to look (CAP_SYS_PTRACE). Then the process
    counts as ours where it is in no PID namespace below ours: NSpid in its status has one number
    for each (proc_pid_status(5)).
    """
    try:
        return os.path.samefile(process + "/root", "/")
    except PermissionError:
        with open(process + "/status", encoding="utf-8", errors="replace") as status:
            for line in status:
                if line.startswith("NSpid:"):
                    return len(line.split()) == 2
        return False


def _started(process: str) -> float:
    """Return when a process started; /proc has it in clock ticks since boot (proc_pid_stat(5))."""
    with open(process + "/stat", "rb") as status:
        # The name, in parentheses, may hold anything; starttime is the 20th field after it.
        ticks = int(status.read().rpartition(b")")[2].split()[19])
    age = time.clock_gettime(time.CLOCK_BOOTTIME) - ticks / os.sysconf("SC_CLK_TCK")
    return time.time() - age


def _environ(process: str) -> dict[str, str]:
    """Return a process's environment, empty where we may not read it (as in :func:`_same_root`)."""
    try:
        entries = _strings(process + "/environ")
    except PermissionError:
        return {}
    return dict(entry.split("=", 1) for entry in entries if "=" in entry)


def _home(user_id: int) -> str | None:
    try:
        return pwd.getpwuid(user_id).pw_dir
    except KeyError:
        return None


def _strings(path: str) -> list[str]:
    """Return the NUL-terminated strings of a file in /proc (proc(5))."""
    with open(path, "rb") as proc:
        return [os.fsdecode(part) for part in proc.read().split(b"\0") if part]
