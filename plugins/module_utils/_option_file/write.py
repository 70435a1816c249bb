# Copyright (c) 2026, the dbfleet.mysql authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Put new contents into option files: whole or not at all, one run at a time.

No other file writes an option file. Private to dbfleet.mysql.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import stat
import tempfile
import time
from typing import Iterator

from .._errors import Failure
from .files import bytes_of

#: All runs on a host lock this folder, whichever files they change.
LOCK_FOLDER = "/etc"
#: How long to wait for another run on the host, in seconds.
LOCK_TIMEOUT = 30.0
#: Permissions of a created file.
_CREATED_MODE = 0o644

_CAUSES = {
    errno.EACCES: "this operating system user may not write there",
    errno.EPERM: "the file is immutable, or this operating system user may not replace it",
    errno.EROFS: "its file system is read-only",
    errno.ENOSPC: "its file system is full",
    errno.EDQUOT: "its file system's quota is used up",
    errno.EBUSY: "it is a mount point of its own, as in a container",
}
_NEXT_STEPS = {
    errno.EACCES: "Run the task with become: true.",
    errno.EPERM: "Run the task with become: true, or take the immutable flag off with chattr -i.",
    errno.EBUSY: "Edit it where it is mounted from, use drop_in, or set unsafe_writes: true.",
}


@contextlib.contextmanager
def locked(folder: str = LOCK_FOLDER, timeout: float = LOCK_TIMEOUT) -> Iterator[None]:
    """Keep other runs of this code out while option files are read, changed and checked.

    A folder that is there already is locked, so that nothing is left behind.

    Raises:
        Failure: option_file_locked, after the timeout in seconds.
    """
    handle = os.open(folder, os.O_RDONLY)
    try:
        deadline = time.monotonic() + timeout
        while not _lock(handle):
            if time.monotonic() > deadline:
                raise Failure(
                    "option_file_locked",
                    "Another run has been changing option files on this host for "
                    f"{timeout:.0f} seconds.",
                    "Run this again when that one is done.",
                )
            time.sleep(0.05)
        yield
    finally:
        os.close(handle)


def _lock(handle: int) -> bool:
    """Lock an open file until it is closed; returns whether that worked."""
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        # Any other number: a file system without locks.
        return error.errno not in (errno.EAGAIN, errno.EACCES)
    return True


def write(real_path: str, data: bytes | None, in_place: bool = False) -> None:
    """Replace, create or remove a file, so that a crash leaves the old one or the new one.

    Owner, group, permissions and extended attributes (SELinux context, ACL) are those of the old
    file; a created one may be read by all and written by its owner (0644).

    Args:
        real_path: the file itself, not a link to it.
        data: its bytes; None to remove it.
        in_place: where the file cannot be replaced because it is a mount point, write into it.

    Raises:
        Failure: option_file_not_writable.
    """
    path = bytes_of(real_path)
    try:
        if data is None:
            os.unlink(path)
            _sync_folder(path)
            return
        try:
            _replace(path, data)
        except OSError as error:
            if not in_place or error.errno != errno.EBUSY:
                raise
            with open(path, "r+b") as opened:
                opened.write(data)
                opened.truncate()
                os.fsync(opened.fileno())
    except OSError as error:
        number = error.errno or 0
        raise Failure(
            "option_file_not_writable",
            f"{real_path} cannot be changed: {_CAUSES.get(number, error.strerror)}.",
            _NEXT_STEPS.get(number, "Put that right, or use drop_in for a file elsewhere."),
        ) from None


def _replace(path: bytes, data: bytes) -> None:
    folder, name = os.path.split(path)
    handle, temporary = tempfile.mkstemp(prefix=b".", suffix=b"." + name + b".new", dir=folder)
    try:
        with os.fdopen(handle, "wb") as opened:
            opened.write(data)
            opened.flush()
            _take_over_attributes(path, opened.fileno())
            os.fsync(opened.fileno())
        os.rename(temporary, path)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(temporary)
        raise
    _sync_folder(path)


def _take_over_attributes(path: bytes, handle: int) -> None:
    """Give an open file the owner, permissions and extended attributes of another.

    Raises:
        OSError: the owner or group cannot be given. Extended attributes are given where that is
            possible.
    """
    try:
        old = os.stat(path)
    except FileNotFoundError:
        os.fchmod(handle, _CREATED_MODE)
        return
    new = os.fstat(handle)
    if (old.st_uid, old.st_gid) != (new.st_uid, new.st_gid):
        os.fchown(handle, old.st_uid, old.st_gid)
    os.fchmod(handle, stat.S_IMODE(old.st_mode))
    with contextlib.suppress(OSError):
        for attribute in os.listxattr(path):
            with contextlib.suppress(OSError):
                os.setxattr(handle, attribute, os.getxattr(path, attribute))


def _sync_folder(path: bytes) -> None:
    with contextlib.suppress(OSError):
        folder = os.open(os.path.dirname(path), os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
