# Copyright (c) 2026, the dbfleet.mysql authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The servers after removal and a restart: as they were before, byte for byte."""

from __future__ import annotations

import io
import os
import subprocess
import tarfile
from pathlib import Path

from scenario import SERVERS

testinfra_hosts = SERVERS


def tree(archive: bytes) -> dict[str, tuple[object, ...]]:
    """Return what a tar archive says of each file: kind, mode, owner, link target and content."""
    files: dict[str, tuple[object, ...]] = {}
    with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
        for member in tar:
            content = tar.extractfile(member).read() if member.isfile() else b""
            owner = (member.uid, member.gid)
            files[member.name] = (member.type, member.mode, owner, member.linkname, content)
    return files


def test_the_plugin_is_gone(server, sql) -> None:
    there = "group_replication" in [row[0] for row in sql("SHOW PLUGINS")]
    assert there == (server == "command-line")  # whose argument is nobody's to change here
    assert sql("SELECT name FROM mysql.plugin WHERE name = 'group_replication'") == []


def test_the_option_files_are_as_before(host, server) -> None:
    recorded = Path(os.environ["MOLECULE_EPHEMERAL_DIRECTORY"], server + ".tar").read_bytes()
    script = "cd / && tar -cf - $(ls -d etc/my.cnf* etc/mysql srv/mysql 2>/dev/null)"
    now = subprocess.run(
        ["podman", "exec", host.backend.name, "sh", "-c", script], check=True, capture_output=True
    ).stdout
    assert tree(recorded)
    assert tree(now) == tree(recorded)


def test_the_start_is_clean(server, last_start) -> None:
    assert "ready for connections" in last_start
    assert "already exists" not in last_start
    assert "Couldn't load plugin" not in last_start
    assert ("group_replication" in last_start) == (server == "command-line")


def test_no_errant_transaction(sql) -> None:
    assert sql("SELECT @@global.gtid_executed <> ''") == [["0"]]
