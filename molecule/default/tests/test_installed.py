# Copyright (c) 2026, the dbfleet.mysql authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The servers after the playbook and a restart."""

from __future__ import annotations

from scenario import SERVERS

testinfra_hosts = SERVERS
LINE = "plugin_load_add=group_replication.so"


def test_show_plugins(sql) -> None:
    row = ["group_replication", "ACTIVE", "GROUP REPLICATION", "group_replication.so", "GPL"]
    assert row in sql("SHOW PLUGINS")


def test_the_line_is_where_it_belongs(host, variables) -> None:
    found = host.run("grep -rxF %s /etc/my.cnf /etc/my.cnf.d /etc/mysql /srv", LINE).stdout
    expected = variables["expected_file"]
    assert found == (f"{expected}:{LINE}\n" if expected else "")
    if expected:
        before = host.file(expected).content_string.partition(LINE)[0]
        groups = [line for line in before.splitlines() if line.startswith("[")]
        assert groups[-1] == f"[{variables['expected_group']}]"


def test_nothing_is_left_in_mysql_plugin(sql) -> None:
    assert sql("SELECT name FROM mysql.plugin WHERE name = 'group_replication'") == []


def test_the_start_is_clean(last_start) -> None:
    assert "ready for connections" in last_start
    assert "already exists" not in last_start
    assert "Couldn't load plugin" not in last_start


def test_what_else_was_loaded_is_loaded_still(server, sql) -> None:
    others = "('clone', 'rpl_semi_sync_master')"
    found = sql(f"SELECT 1 FROM information_schema.PLUGINS WHERE PLUGIN_NAME IN {others}")
    assert bool(found) == (server in ("extra-file", "group-suffix"))


def test_no_group_was_started(sql) -> None:
    states = sql("SELECT MEMBER_STATE FROM performance_schema.replication_group_members")
    assert states == [["OFFLINE"]]


def test_no_errant_transaction(sql) -> None:
    assert sql("SELECT @@global.gtid_executed <> ''") == [["0"]]
