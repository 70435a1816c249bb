# Copyright (c) 2026, the dbfleet.mysql authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Both servers of the host, after a restart."""

from __future__ import annotations

import os

import pytest
from scenario import STEM

testinfra_hosts = [f"podman://{STEM}two-servers"]
LINE = "plugin_load_add=group_replication.so"

# A server's name, its folder in /run, and the file that the line belongs to.
if os.environ["LAB_TARBALL"] == "yes":
    MAIN, FOLDER = "/etc/my.cnf", "/etc/second.d"
else:
    MAIN, FOLDER = "/etc/mysql/mysql.cnf", "/etc/mysql/second.d"
SERVERS = [
    ("first", "/run/mysqld", MAIN),
    ("second", "/run/mysqld-second", f"{FOLDER}/group_replication.cnf"),
]


@pytest.mark.parametrize(("name", "folder", "file"), SERVERS)
def test_the_plugin_is_there_without_a_row(host, name: str, folder: str, file: str) -> None:
    client = f"mysql --socket={folder}/mysqld.sock --user=root --batch -Ne "
    row = "group_replication\tACTIVE\tGROUP REPLICATION\tgroup_replication.so\tGPL"
    assert row in host.check_output(client + "'SHOW PLUGINS'").splitlines()
    rows = host.check_output(client + "'SELECT name FROM mysql.plugin'").splitlines()
    assert "group_replication" not in rows


@pytest.mark.parametrize(("name", "folder", "file"), SERVERS)
def test_the_line_is_in_the_servers_own_file(host, name: str, folder: str, file: str) -> None:
    assert host.file(file).content_string.splitlines().count(LINE) == 1


def test_no_other_file_has_the_line(host) -> None:
    found = host.check_output("grep -rlxF %s /etc --include=*.cnf", LINE).splitlines()
    assert sorted(found) == sorted(file for _name, _folder, file in SERVERS)


@pytest.mark.parametrize(("name", "folder", "file"), SERVERS)
def test_the_start_is_clean(host, name: str, folder: str, file: str) -> None:
    starts = host.file(f"/var/log/mysql/{name}.log").content_string.split("starting as process")
    assert len(starts) == 3, "the first start and the restart"
    for log in starts[1:]:
        assert "ready for connections" in log
        assert "already exists" not in log
        assert "Couldn't load plugin" not in log
