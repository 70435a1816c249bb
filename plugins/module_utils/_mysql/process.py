# Copyright (c) 2026, the dbfleet.mysql authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The running mysqld as this machine's operating system sees it: command line and environment.

Private to dbfleet.mysql.
"""

from __future__ import annotations

import contextlib
import os
import pwd
import re
import stat
import time
from typing import AbstractSet, Callable, NamedTuple

from .._files import account_name, read_regular

#: What is read of a file, in bytes: auto.cnf has one line, a pid file a number. A command line and
#: an environment are bounded by the kernel (execve(2)).
_MAX_AUTO_CNF = 4096
_MAX_PID_FILE = 32
_MAX_PROC = 8 * 1024 * 1024

_SERVER_UUID = re.compile(
    rb"(?m)^\s*server[-_]uuid\s*=\s*([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})\s*$"
)


class ServerProcess(NamedTuple):
    """A mysqld on this machine.

    ``argv`` is its command line without the program's own name, ``environ`` its environment,
    ``home`` the home folder in which it looks for ``~/.my.cnf``, where one is known, ``started``
    the time of its start in seconds since the epoch, and ``uid`` the account that it runs as.
    """

    argv: list[str]
    environ: dict[str, str]
    home: str | None
    started: float
    uid: int


class UnknownProcess(Exception):
    """The server's process cannot be looked at from here; the text says why, as half a sentence."""


def server_process(pid: int) -> ServerProcess:
    """Look at the process that listens on the server's socket.

    It must see the same root folder as we do: a server in a container reads other option files,
    even where its socket is shared with the host.

    Args:
        pid: its number, 0 where it is in a PID namespace that we do not see.

    Raises:
        UnknownProcess: it is no server on this machine, or this operating system user may not look.
    """
    if pid <= 0:
        raise UnknownProcess("it runs in a container or a changed root folder")
    process = f"/proc/{pid}"
    try:
        argv = _strings(process + "/cmdline")
        if not _is_called_mysqld(argv):
            raise UnknownProcess("its pid_file names another program")
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
    return ServerProcess(argv[1:], environ, environ.get("HOME", _home(owner)), started, owner)


def is_mysqld(pid: int) -> bool:
    """Whether a process is called mysqld; another program may answer for it, such as a proxy."""
    try:
        return _is_called_mysqld(_strings(f"/proc/{pid}/cmdline"))
    except OSError:
        return False


def _is_called_mysqld(argv: list[str]) -> bool:
    return bool(argv) and "mysqld" in os.path.basename(argv[0])


def find_pid(
    datadir: str, pid_file: str, server_uuid: str, may_be_server: Callable[[int], bool]
) -> int:
    """Find the process of a server that was not reached directly, by what it says of itself.

    The server is on this machine only if the data directory of that name holds exactly its
    server_uuid (``auto.cnf``), and its process is of an account that the server may run as.

    Args:
        datadir: the server's ``datadir``, an absolute path.
        pid_file: the server's ``pid_file``, relative to datadir or absolute.
        server_uuid: the server's ``server_uuid``.
        may_be_server: whether a process with that user id may be the server.

    Raises:
        UnknownProcess: it runs elsewhere, or this operating system user may not look.
    """
    try:
        auto = read_regular(os.path.join(datadir, "auto.cnf"), _MAX_AUTO_CNF)
    except PermissionError:
        raise UnknownProcess(f"this operating system user may not read {datadir}") from None
    except (OSError, ValueError):
        raise UnknownProcess("it does not run on this machine") from None
    found = _SERVER_UUID.search(auto)
    if not found or found.group(1).decode() != server_uuid.lower():
        raise UnknownProcess("it does not run on this machine")
    try:
        pid_text = read_regular(os.path.join(datadir, pid_file), _MAX_PID_FILE)
        pid = int(pid_text)
        owners = _accounts(f"/proc/{pid}")
        for owner in owners:
            if not may_be_server(owner):
                raise UnknownProcess(f"its pid_file names a process of {account_name(owner)}")
        _refuse_other_folder(datadir, pid, owners)
        # What was read is the server's own, and no other account's.
        for name, text in (("auto.cnf", auto), (pid_file, pid_text)):
            own = read_regular(os.path.join(datadir, name), _MAX_AUTO_CNF, owners={0, *owners})
            if own != text:
                raise ValueError(name)
    except (OSError, ValueError):
        raise UnknownProcess("its process cannot be found by its pid_file") from None
    return pid


def _refuse_other_folder(datadir: str, pid: int, owners: AbstractSet[int]) -> None:
    """Refuse a folder that is no data directory of the process; raises OSError or ValueError.

    A server elsewhere may name any folder. The statement SELECT ... INTO OUTFILE makes a file, of
    whatever name, but no folder as that of the schema ``mysql`` is.
    """
    for folder in (datadir, os.path.join(datadir, "mysql")):
        status = os.stat(folder, follow_symlinks=folder == datadir)
        if not stat.S_ISDIR(status.st_mode) or status.st_uid not in owners:
            raise ValueError(folder)
    with contextlib.suppress(PermissionError):  # in a container even root may lack the right
        # mysqld works in its data directory (mysqld.cc, my_setwd).
        if not os.path.samefile(f"/proc/{pid}/cwd", datadir):
            raise ValueError(datadir)


def _accounts(process: str) -> set[int]:
    """Return the user ids of a process; one that another account started has its id among them.

    They are the real, effective, saved and file system user id (proc_pid_status(5)).
    """
    for line in read_regular(process + "/status", _MAX_PROC).splitlines():
        if line.startswith(b"Uid:"):
            return set(map(int, line.split()[1:]))
    raise ValueError(process)


def _same_root(process: str) -> bool:
    """Whether a process has our root folder.

    Inside a container even root may lack the right to look (CAP_SYS_PTRACE). Then the process
    counts as ours where it is in no PID namespace below ours: NSpid in its status has one number
    for each (proc_pid_status(5)).
    """
    try:
        return os.path.samefile(process + "/root", "/")
    except PermissionError:
        for line in read_regular(process + "/status", _MAX_PROC).splitlines():
            if line.startswith(b"NSpid:"):
                return len(line.split()) == 2
        return False


def _started(process: str) -> float:
    """Return when a process started; /proc has it in clock ticks since boot (proc_pid_stat(5))."""
    status = read_regular(process + "/stat", _MAX_PROC)
    # The name, in parentheses, may hold anything; starttime is the 20th field after it.
    ticks = int(status.rpartition(b")")[2].split()[19])
    age = time.clock_gettime(time.CLOCK_BOOTTIME) - ticks / os.sysconf("SC_CLK_TCK")
    return time.time() - age


def _environ(process: str) -> dict[str, str]:
    """Return a process's environment, empty where root may not read it (as in :func:`_same_root`).

    Raises:
        PermissionError: another account may not, so MYSQL_HOME cannot be known.
    """
    try:
        entries = _strings(process + "/environ")
    except PermissionError:
        if os.geteuid() != 0:
            raise
        return {}
    return dict(entry.split("=", 1) for entry in entries if "=" in entry)


def _home(user_id: int) -> str | None:
    try:
        return pwd.getpwuid(user_id).pw_dir
    except KeyError:
        return None


def _strings(path: str) -> list[str]:
    """Return the NUL-terminated strings of a file in /proc (proc(5))."""
    return [os.fsdecode(part) for part in read_regular(path, _MAX_PROC).split(b"\0") if part]
