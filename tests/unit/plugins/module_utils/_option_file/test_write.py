# Copyright (c) 2026, the dbfleet.mysql authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Files are replaced whole or not at all, one run at a time."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
import time

import pytest
from ansible_collections.dbfleet.mysql.plugins.module_utils._errors import Failure
from ansible_collections.dbfleet.mysql.plugins.module_utils._option_file import (
    write as _option_file_write,
)
from ansible_collections.dbfleet.mysql.plugins.module_utils._option_file.write import (
    locked,
    write,
)

MODULE = "ansible_collections.dbfleet.mysql.plugins.module_utils._option_file.write"


@pytest.fixture
def path(tmp_path):
    target = tmp_path / "my.cnf"
    target.write_bytes(b"old")
    return target


def test_replace_create_remove(path):
    write(str(path), b"new")
    assert path.read_bytes() == b"new"
    created = path.with_name("x.cnf")
    write(str(created), b"x")
    assert created.stat().st_mode & 0o777 == 0o644
    write(str(created), None)
    assert [entry.name for entry in path.parent.iterdir()] == ["my.cnf"]


def test_permissions_and_owner_stay(path):
    path.chmod(0o640)
    if os.geteuid() == 0:
        os.chown(path, 12345, 23456)
    before = path.stat()
    write(str(path), b"new")
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
    write(str(path), b"new")
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

    def rename(_old, _new):
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(_option_file_write.os, "rename", rename)
    with pytest.raises(Failure) as caught:
        write(str(path), b"new")
    assert caught.value.error_code == "option_file_not_writable"
    assert word in caught.value.cause
    assert path.read_bytes() == b"old"
    assert len(list(path.parent.iterdir())) == 1


def test_a_mount_point_can_be_written_in_place(path, monkeypatch):
    def rename(_old, _new):
        raise OSError(errno.EBUSY, "busy")

    monkeypatch.setattr(_option_file_write.os, "rename", rename)
    path.write_bytes(b"a longer old text")
    inode = path.stat().st_ino
    write(str(path), b"new", in_place=True)
    assert path.read_bytes() == b"new"
    assert path.stat().st_ino == inode


def test_a_kill_leaves_the_old_or_the_new_file(path):
    texts = [b"a" * 200000, b"b" * 100000]
    path.write_bytes(texts[0])
    program = (
        f"from {MODULE} import write\n"
        "import sys\n"
        "print(flush=True)\n"
        "while True:\n"
        "    write(sys.argv[1], b'b' * 100000)\n"
        "    write(sys.argv[1], b'a' * 200000)\n"
    )
    for number in range(10):
        with subprocess.Popen(
            [sys.executable, "-c", program, str(path)],
            stdout=subprocess.PIPE,
            env=dict(os.environ, PYTHONPATH=os.pathsep.join(sys.path)),
        ) as child:
            child.stdout.readline()
            time.sleep(0.005 * number)
            child.send_signal(signal.SIGKILL)
        assert path.read_bytes() in texts


def test_no_update_is_lost_between_two_runs(path):
    program = (
        f"from {MODULE} import locked, write\n"
        "import os, sys\n"
        "for number in range(20):\n"
        "    with locked(os.path.dirname(sys.argv[1])):\n"
        "        old = open(sys.argv[1], 'rb').read()\n"
        "        write(sys.argv[1], old + b'x')\n"
    )
    path.write_bytes(b"")
    children = [
        subprocess.Popen(
            [sys.executable, "-c", program, str(path)],
            env=dict(os.environ, PYTHONPATH=os.pathsep.join(sys.path)),
        )
        for dummy in range(3)
    ]
    assert [child.wait() for child in children] == [0, 0, 0]
    assert path.read_bytes() == b"x" * 60


def test_a_lock_is_not_waited_for_forever(path):
    folder = str(path.parent)
    with locked(folder), pytest.raises(Failure) as caught, locked(folder, timeout=0.1):
        pass
    assert caught.value.error_code == "option_file_locked"
