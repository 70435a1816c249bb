# Copyright (c) 2026, the dbfleet.mysql authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The servers after the playbook and a restart."""

from __future__ import annotations

from conftest import SERVERS

testinfra_hosts = SERVERS
LINE = "plugin_load_add=group_replication.so"


def test_show_plugins(sql) -> None:
    row = ["group_replication", "ACTIVE", "GROUP REPLICATION", "group_replication.so", "GPL"]
    assert row in sql("SHOW PLUGINS")


def test_main_option_file_has_one_line(host) -> None:
    # Of MySQL's own list: Debian's package has the second, the official image the first.
    main = next(file for file in ("/etc/my.cnf", "/etc/mysql/my.cnf") if host.file(file).exists)
    lines = host.file(main).content_string.splitlines()
    assert [line for line in lines if "group_replication" in line] == [LINE]
    found = host.run("grep -rh ^plugin_load /etc/my.cnf /etc/my.cnf.d /etc/mysql").stdout
    assert found.splitlines() == [LINE]


def test_nothing_is_left_in_mysql_plugin(sql) -> None:
    assert sql("SELECT name FROM mysql.plugin WHERE name = 'group_replication'") == []


def test_the_start_is_clean(last_start) -> None:
    assert "ready for connections" in last_start
    assert "already exists" not in last_start
    assert "Couldn't load plugin" not in last_start


def test_no_group_was_started(sql) -> None:
    states = sql("SELECT MEMBER_STATE FROM performance_schema.replication_group_members")
    assert states == [["OFFLINE"]]


def test_no_errant_transaction(sql) -> None:
    assert sql("SELECT @@global.gtid_executed <> ''") == [["0"]]
