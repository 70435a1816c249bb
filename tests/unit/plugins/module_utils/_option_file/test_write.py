# Copyright (c) 2026, the dbfleet.mysql authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Files are replaced whole or not at all, one run at a time.

Kills in the middle, and runs at once: tests/integration/test_option_files.py.
"""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest
from ansible_collections.dbfleet.mysql.plugins.module_utils._errors import Failure
from ansible_collections.dbfleet.mysql.plugins.module_utils._option_file import (
    write as _option_file_write,
)
from ansible_collections.dbfleet.mysql.plugins.module_utils._option_file.write import (
    locked,
    write,
)


@pytest.fixture
def path(tmp_path):
    target = tmp_path / "my.cnf"
    target.write_bytes(b"old")
    return target


def test_replace_create_remove(path):
    write(str(path), b"old", b"new")
    assert path.read_bytes() == b"new"
    created = path.with_name("x.cnf")
    write(str(created), None, b"x")
    assert created.stat().st_mode & 0o777 == 0o644
    write(str(created), b"x", None)
    assert [entry.name for entry in path.parent.iterdir()] == ["my.cnf"]


def test_permissions_and_owner_stay(path):
    path.chmod(0o640)
    if os.geteuid() == 0:
        os.chown(path, 0, 23456)
    before = path.stat()
    write(str(path), b"old", b"new")
    after = path.stat()
    assert (before.st_mode, before.st_uid, before.st_gid) == (
        after.st_mode,
        after.st_uid,
        after.st_gid,
    )


def test_extended_attributes_stay(path):
    try:
        os.setxattr(path, "user.label", b"kept")
    except OSError:
        pytest.skip("this file system has no extended attributes")
    write(str(path), b"old", b"new")
    assert os.getxattr(path, "user.label") == b"kept"


@pytest.mark.parametrize(
    ("number", "word"),
    [
        (errno.EROFS, "read-only"),
        (errno.ENOSPC, "full"),
        (errno.EPERM, "immutable"),
        (errno.EBUSY, "mount point"),
        (errno.EACCES, "may not write"),
    ],
)
def test_what_the_file_system_refuses(path, monkeypatch, number, word):
    """A stand-in for rename(2): no test can bring a file system into each of these states."""

    def rename(_old, _new, src_dir_fd, dst_dir_fd):
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, "rename", rename)
    with pytest.raises(Failure) as caught:
        write(str(path), b"old", b"new")
    assert caught.value.error_code == "option_file_not_writable"
    assert word in caught.value.cause
    assert path.read_bytes() == b"old"
    assert len(list(path.parent.iterdir())) == 1


def test_a_mount_point_can_be_written_in_place(path, monkeypatch):
    def rename(_old, _new, src_dir_fd, dst_dir_fd):
        raise OSError(errno.EBUSY, "busy")

    monkeypatch.setattr(os, "rename", rename)
    path.write_bytes(b"a longer old text")
    inode = path.stat().st_ino
    write(str(path), b"a longer old text", b"new", in_place=True)
    assert path.read_bytes() == b"new"
    assert path.stat().st_ino == inode


def test_a_lock_is_not_waited_for_forever(tmp_path, monkeypatch):
    lock = tmp_path / "lock"
    monkeypatch.setattr(_option_file_write, "_lock_path", lambda: str(lock))
    with locked(), pytest.raises(Failure) as caught, locked(timeout=0.1):
        pass
    assert caught.value.error_code == "option_file_locked"
    assert lock.stat().st_mode & 0o777 == 0o600


def test_a_lock_that_is_a_link_is_not_followed(tmp_path, monkeypatch):
    (tmp_path / "lock").symlink_to("other")
    monkeypatch.setattr(_option_file_write, "_lock_path", lambda: str(tmp_path / "lock"))
    with pytest.raises(Failure) as caught, locked():
        pass
    assert caught.value.error_code == "option_file_locked"
    assert not (tmp_path / "other").exists()


def test_other_contents_than_were_read_stay(path):
    with pytest.raises(Failure) as caught:
        write(str(path), b"what was read", b"new")
    assert caught.value.error_code == "option_files_changed_meanwhile"
    assert path.read_bytes() == b"old"


def test_a_backup_has_the_permissions_of_the_file(path):
    path.chmod(0o600)
    copy = Path(write(str(path), b"old", b"new", backup=True))
    assert copy.read_bytes() == b"old"
    assert copy.stat().st_mode & 0o777 == 0o600
    assert sorted(entry.name for entry in path.parent.iterdir()) == sorted(["my.cnf", copy.name])
