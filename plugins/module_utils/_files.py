# Copyright (c) 2026, the dbfleet.mysql authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Open, read and replace files on a host where other accounts live. Private to dbfleet.mysql.

No other file of the modules opens one; tests/unit/test_security_rules.py holds that.

- A read takes a regular file only, does not wait, and has a limit in bytes.
- A file is changed only where nobody else can put another one in its place: it, each folder above
  it and each link on the way belong to root or to the account that we run as, and no group and no
  other account may write there (as OpenSSH's StrictModes). It is read, replaced and removed
  through the descriptor of its folder, so no name is looked up twice.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import functools
import grp
import os
import pwd
import re
import secrets
import stat
import struct
import time
from typing import AbstractSet, AnyStr, Iterator, NamedTuple

from ._errors import Failure

#: Permissions of a created file.
CREATED_MODE = 0o644
#: In bytes, of the list of mounts: that of a host with many containers is some hundred KiB.
_MAX_MOUNTS = 16 * 1024 * 1024
#: As many links as Linux follows in one path (path_resolution(7)).
_MAX_LINKS = 40
_OTHERS_WRITE = stat.S_IWGRP | stat.S_IWOTH
#: The request for a file's flags, where the machine has Linux's usual numbers (ioctl_iflags(2)).
_GET_FLAGS = 2 << 30 | struct.calcsize("l") << 16 | ord("f") << 8 | 1
#: FS_IMMUTABLE_FL and FS_APPEND_FL: a file with one of them is not replaced, not even by root.
_UNCHANGEABLE = 0x10 | 0x20


def real_path(path: AnyStr) -> AnyStr:
    """Return a path with all links resolved.

    Raises:
        Failure: somebody keeps exchanging links and files on the way. Python before 3.13 then
            raises OSError from between two of its looks.
    """
    for _attempt in range(_MAX_LINKS):
        with contextlib.suppress(OSError):
            return os.path.realpath(path)
    raise Failure(
        "option_files_changed_meanwhile",
        f"{os.fsdecode(path)} was exchanged for another file again and again during this run.",
        "Find out who does that, and run this again.",
    )


class NotTrusted(Exception):
    """Somebody else could put another file in a file's place.

    Args:
        path: the file, folder or link that somebody else controls.
        why: as half a sentence, such as ``belongs to the account bob``.
        remedy: the command that puts it right.
    """

    def __init__(self, path: str, why: str, remedy: str) -> None:
        super().__init__(f"{path} {why}")
        self.path = path
        self.why = why
        self.remedy = remedy

    def failure(self, file: str) -> Failure:
        """Return the failure of a task that would have changed a file."""
        place = "it" if self.path == file else self.path
        return Failure(
            "option_file_not_trusted",
            f"{file} is not changed, because {place} {self.why}, who could put another file in its "
            "place while this runs.",
            f"Run {self.remedy}, or have the account that owns it run the task (become_user).",
        )


def read_regular(
    path: str | bytes,
    limit: int,
    dir_fd: int | None = None,
    owners: AbstractSet[int] | None = None,
) -> bytes:
    """Return the bytes of a regular file.

    Args:
        path: the file; links are followed.
        limit: in bytes.
        dir_fd: the folder that a relative path starts from.
        owners: user ids, to one of which the file must belong; None where it does not matter.

    Raises:
        OSError: it cannot be read; EINVAL where it is no regular file, EFBIG where it is larger,
            EPERM where it belongs to somebody else.
    """
    # O_PATH looks without opening: to open a FIFO waits, and to open a device can do anything.
    found = os.open(path, os.O_PATH | os.O_CLOEXEC, dir_fd=dir_fd)
    try:
        status = os.fstat(found)
        if not stat.S_ISREG(status.st_mode):
            raise OSError(errno.EINVAL, "it is not a regular file")
        if owners is not None:
            if status.st_uid not in owners:
                raise OSError(errno.EPERM, f"it belongs to {account_name(status.st_uid)}")
            if status.st_dev in _process_devices():
                raise OSError(errno.EPERM, "it is in /proc, and so nobody's word")
        # O_NONBLOCK: the owner's lease would hold us up (fcntl(2), F_SETLEASE).
        handle = os.open(f"/proc/self/fd/{found}", os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    finally:
        os.close(found)
    with os.fdopen(handle, "rb") as opened:
        data = opened.read(limit + 1)
    if len(data) > limit:
        raise OSError(errno.EFBIG, f"it is larger than {limit} bytes")
    return data


def names_in(folder: AnyStr, limit: int) -> list[AnyStr]:
    """Return the names in a folder.

    Raises:
        OSError: it cannot be read; EFBIG where it holds more than ``limit`` names.
    """
    names = []
    with os.scandir(folder) as entries:
        for entry in entries:
            names.append(entry.name)
            if len(names) > limit:
                raise OSError(errno.EFBIG, f"it holds more than {limit} names")
    return names


class Identity(NamedTuple):
    """Whom the kernel takes a process for when it opens a file: user id, group id, other groups."""

    uid: int
    gid: int
    groups: tuple[int, ...]


@contextlib.contextmanager
def acting_as(identity: Identity) -> Iterator[None]:
    """Let root open files with the rights of another account for a while, and with no others.

    Raises:
        OSError: this process may not become that account.
    """
    before = Identity(os.geteuid(), os.getegid(), tuple(os.getgroups()))
    try:
        os.setgroups(identity.groups)
        os.setegid(identity.gid)
        os.seteuid(identity.uid)
        yield
    finally:
        os.seteuid(before.uid)
        os.setegid(before.gid)
        os.setgroups(before.groups)


class TrustedFile(NamedTuple):
    """A place for a file that nobody else can exchange; the file need not exist.

    Attributes:
        folder: the descriptor of its folder.
        name: its name there.
        path: the same as a path without links.
    """

    folder: int
    name: bytes
    path: str

    def read(self, limit: int) -> bytes | None:
        """Return its bytes; None where it does not exist. Raises OSError."""
        try:
            return read_regular(self.name, limit, self.folder)
        except FileNotFoundError:
            return None

    def obstacle(self, *sizes: int) -> int:
        """Return the error number that replacing or removing it would fail with; 0: none is seen.

        Looks only. Not to be seen beforehand: a quota, a security module such as SELinux, and the
        immutable flag on a file system that does not tell it.

        Args:
            sizes: of the new files in its folder, in bytes.

        Raises:
            OSError: it cannot be looked at.
        """
        system = os.fstatvfs(self.folder)
        blocks = sum(-(-size // system.f_frsize) for size in sizes)
        if system.f_flag & os.ST_RDONLY:
            return errno.EROFS
        if not os.access(".", os.W_OK | os.X_OK, dir_fd=self.folder, effective_ids=True):
            return errno.EACCES
        if blocks > (system.f_bavail if os.geteuid() else system.f_bfree):
            return errno.ENOSPC
        if sizes and system.f_files and not system.f_ffree:
            return errno.ENOSPC
        if self._is_unchangeable(b"."):
            return errno.EPERM
        status = _status(self.name, self.folder)
        if status is None:
            return 0
        if os.fsencode(self.path) in _mount_points():
            return errno.EBUSY
        if self._is_unchangeable(self.name) or (sizes and not _can_give(status)):
            return errno.EPERM
        return 0

    def _is_unchangeable(self, name: bytes) -> bool:
        """Whether a file here has a flag that keeps it as it is; False where that is not told."""
        flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
        with contextlib.suppress(OSError):
            handle = os.open(name, flags, dir_fd=self.folder)
            try:
                found = fcntl.ioctl(handle, _GET_FLAGS, bytes(struct.calcsize("l")))
            finally:
                os.close(handle)
            return bool(struct.unpack_from("i", found)[0] & _UNCHANGEABLE)
        return False

    def replace(self, data: bytes) -> None:
        """Put new contents in its place, so that a crash leaves the old file or the new one.

        Owner, group, permissions and extended attributes (SELinux context, ACL) are those of the
        old file; a created one may be read by all and written by its owner. Raises OSError.
        """
        with self._new_file(b"." + self.name + b".new") as (handle, temporary):
            _write_all(handle, data)
            self._take_over_attributes(handle)
            os.fsync(handle)
            os.rename(temporary, self.name, src_dir_fd=self.folder, dst_dir_fd=self.folder)
        self._sync_folder()

    def overwrite(self, data: bytes) -> None:
        """Write new contents into the file itself; a crash can leave half. Raises OSError."""
        handle = os.open(
            self.name, os.O_RDWR | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=self.folder
        )
        try:
            if not stat.S_ISREG(os.fstat(handle).st_mode):
                raise OSError(errno.EINVAL, "it is not a regular file")
            _write_all(handle, data)
            os.ftruncate(handle, len(data))
            os.fsync(handle)
        finally:
            os.close(handle)

    def remove(self) -> None:
        """Remove it. Raises OSError."""
        os.unlink(self.name, dir_fd=self.folder)
        self._sync_folder()

    def back_up(self, data: bytes) -> str:
        """Keep a copy beside it, with the same owner and permissions; returns the copy's path.

        Args:
            data: its bytes.

        Raises:
            OSError: the copy cannot be made.
        """
        stamp = time.strftime("%Y-%m-%d@%H:%M:%S", time.localtime())
        copy = self.name + os.fsencode(f".{os.getpid()}.{stamp}~")
        with self._new_file(b"." + self.name + b".backup") as (handle, temporary):
            _write_all(handle, data)
            self._take_over_attributes(handle)
            os.fsync(handle)
            os.rename(temporary, copy, src_dir_fd=self.folder, dst_dir_fd=self.folder)
        return os.path.join(os.path.dirname(self.path), os.fsdecode(copy))

    @contextlib.contextmanager
    def _new_file(self, suffix: bytes) -> Iterator[tuple[int, bytes]]:
        """Make a file in the folder that only we may read yet; remove it where the block fails."""
        name = b"." + os.fsencode(secrets.token_hex(6)) + suffix
        handle = os.open(
            name, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600, dir_fd=self.folder
        )
        try:
            yield handle, name
        except BaseException:
            with contextlib.suppress(OSError):
                os.unlink(name, dir_fd=self.folder)
            raise
        finally:
            os.close(handle)

    def _take_over_attributes(self, handle: int) -> None:
        """Give an open file the owner, permissions and extended attributes of this one.

        Raises:
            OSError: the owner or group cannot be given. Extended attributes are given where that
                is possible.
        """
        try:
            old = os.open(
                self.name,
                os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC,
                dir_fd=self.folder,
            )
        except FileNotFoundError:
            os.fchmod(handle, CREATED_MODE)
            return
        try:
            status, new = os.fstat(old), os.fstat(handle)
            if (status.st_uid, status.st_gid) != (new.st_uid, new.st_gid):
                os.fchown(handle, status.st_uid, status.st_gid)
            os.fchmod(handle, stat.S_IMODE(status.st_mode))
            with contextlib.suppress(OSError):
                for attribute in os.listxattr(old):
                    with contextlib.suppress(OSError):
                        os.setxattr(handle, attribute, os.getxattr(old, attribute))
        finally:
            os.close(old)

    def _sync_folder(self) -> None:
        with contextlib.suppress(OSError):
            handle = os.open(".", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC, dir_fd=self.folder)
            try:
                os.fsync(handle)
            finally:
                os.close(handle)


@contextlib.contextmanager
def trusted_file(
    path: str | bytes, owners: AbstractSet[int] = frozenset()
) -> Iterator[TrustedFile]:
    """Open the folder of a file, from ``/`` down, where nobody else can exchange the file.

    Args:
        path: an absolute path; links on the way are followed where they are trusted themselves.
        owners: user ids that are trusted besides root and the account that we run as.

    Raises:
        NotTrusted: somebody else could.
        OSError: a folder is missing or may not be searched, or there are too many links.
    """
    if not os.fsencode(path).startswith(b"/"):
        raise NotTrusted(
            os.fsdecode(path),
            "is no absolute path, so it is anybody's",
            "the task with an absolute path",
        )
    trusted = {0, os.geteuid(), *owners}
    processes = _process_devices()
    todo = os.fsencode(path).split(b"/")
    links = 0
    with contextlib.ExitStack() as handles:
        # Folders that lead to where we are, with their descriptors.
        stack = [(b"/", _open_folder(handles, b"/", None))]
        _check(os.fstat(stack[0][1]), b"/", trusted)
        while True:
            if os.fstat(stack[-1][1]).st_dev in processes:
                raise NotTrusted(
                    os.fsdecode(path),
                    "is in /proc, where files of root's hold what other accounts' programs say",
                    "the task with a file outside of /proc",
                )
            part = todo.pop(0)
            here, folder = stack[-1]
            full = os.path.join(here, part)
            if part == b"..":
                stack = stack[:-1] or stack
            elif part not in (b"", b"."):
                status = _status(part, folder)
                if status is not None and stat.S_ISLNK(status.st_mode):
                    _check_owner(status, full, trusted)
                    links += 1
                    if links > _MAX_LINKS:
                        raise OSError(errno.ELOOP, os.strerror(errno.ELOOP))
                    target = os.readlink(part, dir_fd=folder)
                    if target.startswith(b"/"):
                        stack = stack[:1]
                    todo = target.split(b"/") + todo
                    continue
                if not any(rest not in (b"", b".") for rest in todo):
                    if status is not None:
                        _check(status, full, trusted)
                    yield TrustedFile(folder, part, os.fsdecode(full))
                    return
                stack.append((full, _open_folder(handles, part, folder)))
                _check(os.fstat(stack[-1][1]), full, trusted)
            if not todo:
                raise OSError(errno.EISDIR, os.strerror(errno.EISDIR))


@functools.lru_cache(maxsize=None)
def _process_devices() -> frozenset[int]:
    """Return the device numbers of all that is mounted as /proc is (proc_pid_mountinfo(5)).

    A file there may be root's, as those of a setuid program are, while whoever started the program
    decides what it holds.
    """
    devices = {os.stat("/proc").st_dev}
    for line in _mounts():
        if b" - proc " in line:
            major, minor = map(int, line.split()[2].split(b":"))
            devices.add(os.makedev(major, minor))
    return frozenset(devices)


def _mount_points() -> set[bytes]:
    """Return where something is mounted; blanks and the like are octal numbers there."""
    points = (line.split()[4] for line in _mounts())
    return {re.sub(rb"\\(\d{3})", lambda code: bytes([int(code[1], 8)]), point) for point in points}


def _mounts() -> list[bytes]:
    return read_regular("/proc/self/mountinfo", _MAX_MOUNTS).splitlines()


def check_trusted(path: str, owners: AbstractSet[int] = frozenset()) -> None:
    """Check that nobody else can exchange a file; arguments and errors of :func:`trusted_file`."""
    with trusted_file(path, owners):
        pass


def is_trusted(path: str, owners: AbstractSet[int] = frozenset()) -> bool:
    """Whether nobody else can exchange a file; arguments of :func:`trusted_file`."""
    try:
        check_trusted(path, owners)
    except (NotTrusted, OSError):
        return False
    return True


def _open_folder(handles: contextlib.ExitStack, name: bytes, folder: int | None) -> int:
    # O_PATH: to search a folder is enough, its names need not be readable.
    flags = os.O_PATH | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
    handle = os.open(name, flags, dir_fd=folder)
    handles.callback(os.close, handle)
    return handle


def _status(name: bytes, folder: int) -> os.stat_result | None:
    try:
        return os.stat(name, dir_fd=folder, follow_symlinks=False)
    except FileNotFoundError:
        return None


def _check(status: os.stat_result, path: bytes, trusted: AbstractSet[int]) -> None:
    _check_owner(status, path, trusted)
    if status.st_mode & _OTHERS_WRITE:
        text = os.fsdecode(path)
        who = "everybody" if status.st_mode & stat.S_IWOTH else f"the group {_group(status.st_gid)}"
        raise NotTrusted(text, f"may be written by {who}", f"chmod go-w {text}")


def _check_owner(status: os.stat_result, path: bytes, trusted: AbstractSet[int]) -> None:
    if status.st_uid not in trusted:
        text = os.fsdecode(path)
        why = f"belongs to the account {account_name(status.st_uid)}"
        raise NotTrusted(text, why, f"chown -h root:root {text}")


def _can_give(status: os.stat_result) -> bool:
    """Whether we may give a new file the owner and the group of another one."""
    if os.geteuid() == 0:
        return True
    return status.st_uid == os.geteuid() and status.st_gid in (os.getegid(), *os.getgroups())


def account_name(uid: int) -> str:
    """Return an account's name, or its number where it has none."""
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)


def _group(gid: int) -> str:
    try:
        return grp.getgrgid(gid).gr_name
    except KeyError:
        return str(gid)


def _write_all(handle: int, data: bytes) -> None:
    written = 0
    while written < len(data):
        written += os.write(handle, data[written:])
