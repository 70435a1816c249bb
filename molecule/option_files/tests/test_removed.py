# Copyright (c) 2026, the dbfleet.mysql authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The servers after removal and a restart: as they were before, byte for byte."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from conftest import SERVERS
from scenario_fixtures import tree

testinfra_hosts = SERVERS


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


def test_the_start_is_clean(last_start) -> None:
    assert "ready for connections" in last_start
    assert "already exists" not in last_start
    assert "Couldn't load plugin" not in last_start
