# Copyright (c) 2026, the dbfleet.mysql authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The playbooks on a fleet of real servers, some of them with something the matter."""

from __future__ import annotations

import json
import re

import pytest
from helpers.control import Control
from helpers.lab import FLEET, lab
from helpers.output import group, recap, remote_executions, summary
from helpers.playbooks import CONFIRMED, HOSTS, INSTALL, REMOVE, VERIFY
from helpers.server import Server


def test_install_verify_restart_and_remove(servers: list[Server], control: Control) -> None:
    before = [server.option_files() for server in servers]

    bare = control.playbook(VERIFY, HOSTS)
    assert bare.code != 0
    assert "\nfalls short (3)\n" in summary(bare.output)
    assert summary(bare.output).count("This is still to be done: INSTALL PLUGIN") == 1
    assert [server.option_files() for server in servers] == before
    assert [server.plugin_status() for server in servers] == ["", "", ""]

    first = control.playbook(INSTALL, HOSTS, "-vvv")
    assert first.code == 0, first.output
    assert remote_executions(first.output) == 3 * len(servers)
    for row in group(first.output, "changed").splitlines()[1:]:
        cells = re.split(r"\s{2,}", row)
        assert cells[2:5] == ["ACTIVE", "group_replication.so", "GPL"]
        assert re.fullmatch(r"/etc/mysql/my\.cnf:\d+", cells[5])
        assert cells[6] == "yes"

    second = control.playbook(INSTALL, HOSTS, "-vvv")
    assert second.code == 0
    assert remote_executions(second.output) == len(servers)
    assert all(recap(second.output, host)["changed"] == 0 for host in HOSTS)

    lab("restart", FLEET)
    verified = control.playbook(VERIFY, HOSTS, "-vvv")
    assert verified.code == 0, verified.output
    assert remote_executions(verified.output) == len(servers)
    for server in servers:
        assert server.plugin_status() == "ACTIVE"
        assert not server.registered()
        assert "already exists" not in server.last_start()
        assert "Couldn't load plugin" not in server.last_start()

    removed = control.playbook(REMOVE, HOSTS, *CONFIRMED)
    assert removed.code == 0, removed.output
    assert "\nwarnings\n" not in summary(removed.output)
    assert [server.plugin_status() for server in servers] == ["", "", ""]
    assert [server.option_files() for server in servers] == before
    again = control.playbook(REMOVE, HOSTS, *CONFIRMED)
    assert all(recap(again.output, host)["changed"] == 0 for host in HOSTS)


def test_failing_hosts_do_not_keep_the_others_back(servers: list[Server], control: Control) -> None:
    password = "not-to-be-seen-4711"  # noqa: S105 - planted, to be looked for
    untouched = [server.option_files() for server in servers[1:]]
    lab("up", FLEET, "nopython", "--without", "python")
    lab("stop-server", FLEET, "mysql3")
    try:
        run = control.playbook(
            INSTALL,
            {
                "well": {"server": "mysql1"},
                "gone": {"server": "no-such-container"},
                "down": {"server": "mysql3"},
                "refused": {
                    "server": "mysql2",
                    "group_replication_login_user": "nobody",
                    "group_replication_login_password": password,
                },
                "wrongsocket": {
                    "server": "mysql2",
                    "group_replication_login_unix_socket": "/run/nowhere.sock",
                },
                "nopython": {},
            },
            "-vvv",
            "--diff",
        )
    finally:
        lab("start-server", FLEET, "mysql3")
    assert run.code != 0
    assert password not in run.output
    assert recap(run.output, "well")["failed"] == 0
    assert servers[0].plugin_status() == "ACTIVE"
    assert "gone" in group(run.output, "unreachable")
    assert "The host cannot be reached" in group(run.output, "unreachable")
    assert "does not let account 'nobody' log in" in group(run.output, "failed: access_denied")
    no_socket = group(run.output, "failed: socket_not_found")
    assert "/run/nowhere.sock" in no_socket
    assert "There is no socket file" in no_socket
    assert {"down", "wrongsocket"} <= set(re.findall(r"^\w+", no_socket, re.MULTILINE))
    assert "Install the package python3" in group(run.output, "failed")
    for host in ("gone", "down", "refused", "wrongsocket", "nopython"):
        assert recap(run.output, host)["failed"] == 1
    # Nothing half done on those that failed.
    assert servers[1].plugin_status() == servers[2].plugin_status() == ""
    assert [server.option_files() for server in servers[1:]] == untouched


def test_all_hosts_failing_still_gives_a_summary(server: Server, control: Control) -> None:
    run = control.playbook(
        INSTALL, {"mysql1": {"group_replication_login_unix_socket": "/run/nowhere.sock"}}
    )
    assert run.code != 0
    assert "hosts: 1, with a problem: 1, in order: 0" in summary(run.output)


def test_what_is_refused_is_not_left_to_the_option_file(
    servers: list[Server], control: Control
) -> None:
    refused, well = servers[:2]
    refused.sql("SET GLOBAL super_read_only = 1")
    before = refused.option_files()
    run = control.playbook(INSTALL, {"mysql1": {}, "mysql2": {}})
    assert run.code != 0
    assert "mysql1" in group(run.output, "failed: super_read_only")
    assert refused.option_files() == before
    assert well.plugin_status() == "ACTIVE"
    assert not well.registered()


def test_check_mode_changes_nothing(servers: list[Server], control: Control) -> None:
    before = [server.option_files() for server in servers]
    report = control.folder / "checked.json"
    flags = ("--check", "--diff", "-e", f"group_replication_report={report}")
    run = control.playbook(INSTALL, HOSTS, *flags)
    assert run.code == 0, run.output
    assert "+plugin_load_add=group_replication.so" in run.output
    assert "\nwould change (3)\n" in summary(run.output)
    assert "with a problem: 0, would change: 3, in order: 0" in summary(run.output)
    # All that the run itself does, the last step included, each once.
    for host in json.loads(report.read_text())["hosts"]:
        verbs = [text.split()[0] for text in host["executed_statements"]]
        assert verbs == ["INSTALL", "DELETE"]
        assert host["changed_files"] == ["/etc/mysql/mysql.cnf"]
    assert [server.plugin_status() for server in servers] == ["", "", ""]
    assert [server.option_files() for server in servers] == before


@pytest.mark.parametrize("playbook", [INSTALL, VERIFY, REMOVE])
def test_hosts_by_variable(server: Server, control: Control, playbook: str) -> None:
    run = control.playbook(playbook, HOSTS, "-e", "group_replication_hosts=mysql2", "--list-hosts")
    assert run.code == 0
    # All hosts are in the play that checks the request, which touches none.
    checked, *touched = run.output.split("play #")[1:]
    assert "Check the request" in checked
    for play in touched:
        assert set(re.findall(r"^\s+(mysql\d)$", play, flags=re.MULTILINE)) == {"mysql2"}


def test_an_earlier_play_does_not_count(server: Server, control: Control) -> None:
    site = control.folder / "site.yml"
    site.write_text(
        f"- ansible.builtin.import_playbook: {INSTALL}\n"
        f"- ansible.builtin.import_playbook: {VERIFY}\n"
    )
    run = control.playbook(str(site), {"mysql1": {}})
    assert run.code == 0, run.output


def test_variables_of_import_playbook(server: Server, control: Control) -> None:
    confirmed = {"import_playbook": REMOVE, "vars": {"group_replication_confirm_remove": True}}
    run = control.plays([confirmed], {"mysql1": {}})
    assert run.code == 0, run.output
    variables = {"group_replication_state": "{{ wanted }}", "wanted": "nowhere"}
    run = control.plays([{"import_playbook": INSTALL, "vars": variables}], {"mysql1": {}})
    assert run.code != 0
    assert "group_replication_state is nowhere" in " ".join(run.output.split())


def test_plugin_that_will_be_gone_after_a_restart(server: Server, control: Control) -> None:
    assert control.playbook(INSTALL, {"mysql1": {}}).code == 0
    server.sh("printf '[mysqld]\\nloose-group_replication=OFF\\n' >> /etc/mysql/my.cnf")
    run = control.playbook(VERIFY, {"mysql1": {}})
    assert run.code != 0
    assert "will not be after a restart" in run.output


def test_removal_that_would_not_last(server: Server, control: Control) -> None:
    assert control.playbook(INSTALL, {"mysql1": {}}).code == 0
    server.sql(
        "SET SESSION sql_log_bin = 0; DROP USER IF EXISTS ops@'%';"
        " CREATE USER ops@'%' IDENTIFIED BY 'only-here-99'; GRANT ALL ON *.* TO ops@'%'"
    )
    # An operating system user who may not see the server's files.
    host = {
        "ansible_user": "nobody",
        "ansible_remote_tmp": "/tmp/ansible-nobody",  # noqa: S108 - in the container
        "group_replication_login_user": "ops",
        "group_replication_login_password": "only-here-99",
    }
    run = control.playbook(REMOVE, {"mysql1": host}, *CONFIRMED)
    assert run.code != 0
    assert "may be loaded again" in run.output


def test_one_host_at_a_time(servers: list[Server], control: Control) -> None:
    run = control.playbook(INSTALL, HOSTS, "-e", "group_replication_serial=1")
    assert run.code == 0, run.output
    left = re.findall(r"^Batch of 1, .*; hosts left: (\d)$", run.output, re.MULTILINE)
    assert left == ["2", "1", "0"]
    assert "hosts: 3, with a problem: 0, changed: 3, in order: 0" in summary(run.output)
    assert run.output.count("TASK [Show what became of each host]") == 1


def test_check_mode_on_a_host_without_pymysql(fleet: None, control: Control) -> None:
    lab("up", FLEET, "nopymysql", "--without", "pymysql")
    run = control.playbook(INSTALL, {"nopymysql": {}}, "--check")
    assert run.code == 0, run.output
    verified = control.playbook(VERIFY, {"nopymysql": {}})
    assert verified.code != 0
    assert "PyMySQL is to be installed" in verified.output


def test_installing_pymysql_is_a_change(fleet: None, control: Control) -> None:
    lab("up", FLEET, "nopymysql", "--without", "pymysql")
    host = {"group_replication_login_user": "nobody"}
    try:
        run = control.playbook(INSTALL, {"nopymysql": host}, "-vvv")
    finally:
        Server("nopymysql").sh("apt-get purge -y python3-pymysql >/dev/null 2>&1 || true")
    assert "nopymysql" in group(run.output, "failed after a change: access_denied")
    assert remote_executions(run.output) == 4
