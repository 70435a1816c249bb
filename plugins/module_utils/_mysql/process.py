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
import socket
import stat
import sys
import time
from typing import AbstractSet, Callable, Iterator, NamedTuple

from .._files import Identity, account_name, names_in, read_regular

#: What is read of a file, in bytes: auto.cnf has one line, a pid file a number. A command line and
#: an environment are bounded by the kernel (execve(2)).
_MAX_AUTO_CNF = 4096
_MAX_PID_FILE = 32
_MAX_PROC = 8 * 1024 * 1024
#: In bytes, of the kernel's table of TCP connections: 150 a line.
_MAX_CONNECTIONS = 64 * 1024 * 1024
#: How many processes, or files of one, are looked at.
_MOST_NAMES = 1_000_000
#: What an IPv4 address begins with that is written as one of IPv6.
_IPV4_IN_IPV6 = bytes(10) + b"\xff\xff"

_SERVER_UUID = re.compile(
    rb"(?m)^\s*server[-_]uuid\s*=\s*([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})\s*$"
)


class ServerProcess(NamedTuple):
    """A mysqld on this machine.

    ``argv`` is its command line without the program's own name, ``environ`` its environment,
    ``home`` the home folder in which it looks for ``~/.my.cnf``, where one is known, ``started``
    the time of its start in seconds since the epoch, and ``identity`` the account that it runs as.
    """

    argv: list[str]
    environ: dict[str, str]
    home: str | None
    started: float
    identity: Identity


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
            raise UnknownProcess("its process has become another program meanwhile")
        if not _same_root(process):
            raise UnknownProcess("it runs in a container or a changed root folder")
        identity = _identity(process)
        started = _started(process)
        environ = _environ(process)
    except (OSError, ValueError):
        raise UnknownProcess("its process cannot be read by this operating system user") from None
    for argument in argv[1:]:
        option, _equals, path = argument.partition("=")
        if option in ("--defaults-file", "--defaults-extra-file") and not os.path.isabs(path):
            # It depended on a working directory that the server has left since.
            raise UnknownProcess(f"it was started with {argument}, which is no absolute path")
    home = environ.get("HOME", _home(identity.uid))
    return ServerProcess(argv[1:], environ, home, started, identity)


def is_mysqld(pid: int) -> bool:
    """Whether a process is called mysqld; another program may answer for it, such as a proxy."""
    try:
        return _is_called_mysqld(_strings(f"/proc/{pid}/cmdline"))
    except OSError:
        return False


def _is_called_mysqld(argv: list[str]) -> bool:
    return bool(argv) and "mysqld" in os.path.basename(argv[0])


class OtherEnd(NamedTuple):
    """Who has the other end of a TCP connection on this machine, by the kernel's table."""

    uid: int
    inode: int


def other_end(local: tuple[str, int], remote: tuple[str, int]) -> OtherEnd:
    """Return who has the other end of one of our TCP connections.

    Args:
        local: our address and port.
        remote: the other's.

    Raises:
        UnknownProcess: it is on another machine, or in a container.
    """
    wanted = (_kernel_address(remote), _kernel_address(local))
    with contextlib.suppress(OSError, ValueError, IndexError):
        for table in ("tcp", "tcp6"):
            for line in read_regular(f"/proc/self/net/{table}", _MAX_CONNECTIONS).splitlines()[1:]:
                words = line.decode("ascii").split()
                # One that was closed has no inode, and 0 for an owner.
                if tuple(map(_plain_address, words[1:3])) == wanted and words[9] != "0":
                    return OtherEnd(int(words[7]), int(words[9]))
    raise UnknownProcess("it does not run on this machine")


def _kernel_address(address: tuple[str, int]) -> tuple[bytes, int]:
    host, port = address
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    packed = socket.inet_pton(family, host.partition("%")[0])
    return packed[len(_IPV4_IN_IPV6) :] if packed.startswith(_IPV4_IN_IPV6) else packed, port


def _plain_address(text: str) -> tuple[bytes, int]:
    """Return an address of the kernel's table, whose words of 32 bits are in the host's order."""
    host, _colon, port = text.partition(":")
    words = [int(host[start : start + 8], 16) for start in range(0, len(host), 8)]
    packed = b"".join(word.to_bytes(4, sys.byteorder) for word in words)
    if packed.startswith(_IPV4_IN_IPV6) and len(packed) == 16:
        packed = packed[len(_IPV4_IN_IPV6) :]
    return packed, int(port, 16)


def find_pid(
    end: OtherEnd,
    datadir: str,
    pid_file: str,
    server_uuid: str,
    may_be_server: Callable[[int], bool],
) -> int:
    """Find the process of a server that was reached over TCP.

    It is the mysqld that has the other end of our connection. Where this operating system user may
    not see who has what, as root in a container may not, it is the account's only mysqld or the one
    of its pid_file; and what the server says of itself must fit: the data directory of that name
    holds exactly its server_uuid (``auto.cnf``).

    Args:
        end: who has the other end.
        datadir: the server's ``datadir``, an absolute path.
        pid_file: the server's ``pid_file``, relative to datadir or absolute.
        server_uuid: the server's ``server_uuid``.
        may_be_server: whether a process with that user id may be the server.

    Raises:
        UnknownProcess: it is none, or this operating system user may not look.
    """
    if not may_be_server(end.uid):
        raise UnknownProcess(f"what answers is a program of {account_name(end.uid)}")
    servers = [pid for pid in _pids_of(end.uid) if is_mysqld(pid)]
    try:
        for pid in servers:
            if _has_socket(pid, end.inode):
                return pid
        raise UnknownProcess("what answers is another program than mysqld, such as a proxy")
    except PermissionError:
        return _pid_that_fits(end, servers, datadir, pid_file, server_uuid)


def _pid_that_fits(
    end: OtherEnd, servers: list[int], datadir: str, pid_file: str, server_uuid: str
) -> int:
    try:
        auto = read_regular(os.path.join(datadir, "auto.cnf"), _MAX_AUTO_CNF, owners={0, end.uid})
    except PermissionError:
        raise UnknownProcess(f"this operating system user may not read {datadir}") from None
    except (OSError, ValueError):
        raise UnknownProcess("it does not run on this machine") from None
    found = _SERVER_UUID.search(auto)
    if not found or found.group(1).decode() != server_uuid.lower():
        raise UnknownProcess("it does not run on this machine")
    try:
        pid = servers[0]
        if len(servers) > 1:
            path = os.path.join(datadir, pid_file)
            pid = int(read_regular(path, _MAX_PID_FILE, owners={0, end.uid}))
        if pid not in servers:
            raise ValueError(pid)
        _refuse_other_folder(datadir, pid, {end.uid})
    except (OSError, ValueError, IndexError):
        raise UnknownProcess("its process cannot be found by its pid_file") from None
    return pid


def pids() -> Iterator[int]:
    """Yield the number of each process of this machine. Raises OSError."""
    yield from map(int, filter(str.isdigit, names_in("/proc", _MOST_NAMES)))


def _pids_of(uid: int) -> Iterator[int]:
    for pid in pids():
        with contextlib.suppress(OSError, ValueError):
            if set(_status(f"/proc/{pid}", b"Uid:")) == {uid}:
                yield pid


def _has_socket(pid: int, inode: int) -> bool:
    """Whether a process has a socket. Raises PermissionError where we may not look."""
    with contextlib.suppress(FileNotFoundError, ProcessLookupError):
        for handle in names_in(f"/proc/{pid}/fd", _MOST_NAMES):
            with contextlib.suppress(FileNotFoundError):
                if os.readlink(f"/proc/{pid}/fd/{handle}") == f"socket:[{inode}]":
                    return True
    return False


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


def _identity(process: str) -> Identity:
    """Return whom a process opens files as: the last of its four ids each."""
    uid, gid = _status(process, b"Uid:")[-1], _status(process, b"Gid:")[-1]
    return Identity(uid, gid, tuple(_status(process, b"Groups:")))


def _status(process: str, name: bytes) -> list[int]:
    """Return the numbers of a line of a process's status. Raises OSError and ValueError."""
    for line in read_regular(process + "/status", _MAX_PROC).splitlines():
        if line.startswith(name):
            return list(map(int, line.split()[1:]))
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
        return len(_status(process, b"NSpid:")) == 1


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
