# Copyright (c) 2026, the dbfleet.mysql authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the scenarios' testinfra tests share; tasks/restart_and_test.yml names it to pytest."""

from __future__ import annotations

import io
import tarfile
from collections.abc import Callable

import pytest


@pytest.fixture
def sql(host) -> Callable[[str], list[list[str]]]:
    """Run SQL as root over the socket and return the rows."""

    def run(statement: str) -> list[list[str]]:
        output = host.check_output("mysql --batch --skip-column-names -e %s", statement)
        return [line.split("\t") for line in output.split("\n")] if output else []

    return run


@pytest.fixture
def last_start(host) -> str:
    """Return what the error log holds since the server's last start."""
    log = host.file("/var/log/mysql/error.log").content_string
    starts = log.split("[MY-010116]")  # "starting as process", of every version from 8.0 on
    assert len(starts) > 1, "the error log shows no start"
    return starts[-1]


def tree(archive: bytes) -> dict[str, tuple[object, ...]]:
    """Return what a tar archive says of each file: kind, mode, owner, link target and content."""
    files: dict[str, tuple[object, ...]] = {}
    with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
        for member in tar:
            content = tar.extractfile(member).read() if member.isfile() else b""
            owner = (member.uid, member.gid)
            files[member.name] = (member.type, member.mode, owner, member.linkname, content)
    return files
