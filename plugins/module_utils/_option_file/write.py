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
import pwd
import stat
import time
from typing import Iterator

from .._errors import Failure, option_names
from .._files import NotTrusted, TrustedFile, trusted_file
from .files import MAX_FILE_SIZE

#: How long to wait for another run on the host, in seconds.
LOCK_TIMEOUT = 30.0

_CAUSES = {
    errno.EACCES: "this operating system user may not write there",
    errno.EPERM: "it is immutable, or this operating system user cannot keep its owner and group",
    errno.EROFS: "its file system is read-only",
    errno.ENOSPC: "its file system is full",
    errno.EDQUOT: "its file system's quota is used up",
    errno.EBUSY: "it is a mount point of its own, as in a container",
}
_NEXT_STEPS = {
    errno.EACCES: "Run the task with become: true.",
    errno.EPERM: "Run the task as root, take the immutable flag off (chattr -i), or give the file "
    "this user's own group (chgrp).",
    errno.EBUSY: "Edit it where it is mounted from, name another file in "
    f"{option_names('drop_in')}, or set {option_names('unsafe_writes')} to true.",
}


@contextlib.contextmanager
def locked(timeout: float = LOCK_TIMEOUT) -> Iterator[None]:
    """Keep other runs by the same account out while option files are read, changed and checked.

    The lock is a file that only this account can open, so no other account can hold it. It stays,
    empty: if it went, two runs could lock two files of the same name. An account without a home
    has no lock; a file with other contents than were read is not overwritten all the same.

    Raises:
        Failure: option_file_locked, after the timeout in seconds, or where it cannot be made.
    """
    path = _lock_path()
    if path is None:
        yield
        return
    handle = _open_lock(path)
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


def _lock_path() -> str | None:
    """Return where the lock is: only this account can open it there.

    Root's is in /run, which a restart of the host empties. Another account's is in its home; None
    where it has none, as the account mysql of Debian.
    """
    if os.geteuid() == 0:
        return "/run/dbfleet_mysql.lock"
    try:
        home = pwd.getpwuid(os.geteuid()).pw_dir
    except KeyError:
        return None
    return os.path.join(home, ".dbfleet_mysql.lock") if os.access(home, os.W_OK) else None


def _open_lock(path: str) -> int:
    flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
    try:
        handle = os.open(path, flags, 0o600)
    except OSError as error:
        raise _no_lock(path, f"cannot be made: {error.strerror}") from None
    status = os.fstat(handle)
    if status.st_uid == os.geteuid() and stat.S_ISREG(status.st_mode):
        return handle
    os.close(handle)
    raise _no_lock(path, "belongs to another account")


def _no_lock(path: str, why: str) -> Failure:
    return Failure(
        "option_file_locked",
        f"The file {path}, which keeps other runs out, {why}.",
        "Put that right, or remove the file.",
    )


def _lock(handle: int) -> bool:
    """Lock an open file until it is closed; returns whether that worked."""
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        # Any other number: a file system without locks.
        return error.errno not in (errno.EAGAIN, errno.EACCES)
    return True


def write(
    real_path: str,
    old: bytes | None,
    new: bytes | None,
    in_place: bool = False,
    backup: bool = False,
) -> str | None:
    """Replace, create or remove a file, so that a crash leaves the old one or the new one.

    Args:
        real_path: the file itself, not a link to it.
        old: the bytes that it was found with; None where it did not exist.
        new: its bytes to be; None to remove it.
        in_place: where the file cannot be replaced because it is a mount point, write into it.
        backup: whether to keep a copy of a file that exists.

    Returns:
        The copy's path, None without one.

    Raises:
        Failure: option_file_not_trusted; option_file_not_writable; option_files_changed_meanwhile
            where it has other contents than it was found with.
    """
    with _explained(real_path), trusted_file(real_path) as file:
        if file.read(MAX_FILE_SIZE) != old:
            raise Failure(
                "option_files_changed_meanwhile",
                f"{real_path} was changed by something else while this ran.",
                "Run this again.",
            )
        copy = file.back_up(old) if backup and old is not None else None
        if new is None:
            file.remove()
        else:
            _replace(file, new, in_place)
    return copy


def check_writable(
    real_path: str,
    old: bytes | None,
    new: bytes | None,
    in_place: bool = False,
    backup: bool = False,
) -> None:
    """Raise the Failure that :func:`write` would end with, as far as it can be seen beforehand.

    Arguments as there. Writes nothing.
    """
    sizes = [len(new)] if new is not None else []
    sizes += [len(old)] if backup and old is not None else []
    with _explained(real_path), trusted_file(real_path) as file:
        number = file.obstacle(*sizes)
        if number and not (in_place and new is not None and number == errno.EBUSY):
            raise OSError(number, os.strerror(number))


@contextlib.contextmanager
def _explained(real_path: str) -> Iterator[None]:
    """Turn what keeps a file from being changed into a Failure."""
    try:
        yield
    except NotTrusted as untrusted:
        raise untrusted.failure(real_path) from None
    except OSError as error:
        number = error.errno or 0
        raise Failure(
            "option_file_not_writable",
            f"{real_path} cannot be changed: {_CAUSES.get(number, error.strerror)}.",
            _NEXT_STEPS.get(
                number, f"Put that right, or name a file elsewhere in {option_names('drop_in')}."
            ),
        ) from None


def _replace(file: TrustedFile, data: bytes, in_place: bool) -> None:
    try:
        file.replace(data)
    except OSError as error:
        if not in_place or error.errno != errno.EBUSY:
            raise
        file.overwrite(data)
