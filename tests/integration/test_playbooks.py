# Copyright (c) 2026, the dbfleet.mysql authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The playbooks on a fleet of real servers, some of them with something the matter."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from helpers.control import MODULE, Control, Playbook
from helpers.lab import FLEET, LAYOUT, lab
from helpers.output import group, recap, remote_executions, results, summary
from helpers.playbooks import CONFIRMED, HOSTS, INSTALL, REMOVE, VERIFY
from helpers.server import Server


def nothing_to_change(run: Playbook) -> None:
    """Check that a run on mysql1 and mysql2 changed nothing, and how little it did for that."""
    assert run.code == 0, run.output
    assert remote_executions(run.output) == 2
    # The first host stands for the fleet in the tasks that run once: the check of the request, the
    # record, the summary.
    first, second = recap(run.output, "mysql1"), recap(run.output, "mysql2")
    assert (first["changed"], first["ok"]) == (0, 5)
    # Ansible's check of the variables and the module; PyMySQL, the option file, the verification.
    assert (second["changed"], second["ok"], second["skipped"]) == (0, 2, 3)


@pytest.mark.main
def test_install_verify_and_remove(servers: list[Server], control: Control) -> None:
    """The molecule scenario "default" does the same on more servers, and restarts them."""
    two = servers[:2]
    hosts: dict[str, dict[str, Any]] = {"mysql1": {}, "mysql2": {}}
    before = [server.option_files() for server in two]

    first = control.playbook(INSTALL, hosts, "-vvv")
    assert first.code == 0, first.output
    assert remote_executions(first.output) == 3 * len(two)
    for row in group(first.output, "changed").splitlines()[1:]:
        cells = re.split(r"\s{2,}", row)
        assert cells[2:5] == ["ACTIVE", "group_replication.so", "GPL"]
        assert re.fullmatch(rf"{re.escape(LAYOUT.option_file)}:\d+", cells[5])
        assert cells[6] == "yes"
    assert [server.plugin_status() for server in two] == ["ACTIVE", "ACTIVE"]
    assert [server.registered() for server in two] == [False, False]

    nothing_to_change(control.playbook(INSTALL, hosts, "-vvv"))
    nothing_to_change(control.playbook(VERIFY, hosts, "-vvv"))

    removed = control.playbook(REMOVE, hosts, *CONFIRMED)
    assert removed.code == 0, removed.output
    assert "\nwarnings\n" not in summary(removed.output)
    assert summary(removed.output).splitlines()[1].endswith("  comes back after a restart")
    assert group(removed.output, "changed").splitlines()[1].endswith("  no")
    assert [server.plugin_status() for server in two] == ["", ""]
    assert [server.option_files() for server in two] == before
    nothing_to_change(control.playbook(REMOVE, hosts, *CONFIRMED, "-vvv"))


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
    # As Ansible ends itself where a host cannot be reached; see docs/apply_to_a_fleet.md.
    assert run.code == 4
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
    assert (recap(run.output, "gone")["failed"], recap(run.output, "gone")["unreachable"]) == (0, 1)
    for host in ("down", "refused", "wrongsocket", "nopython"):
        assert recap(run.output, host)["failed"] == 1
    # Nothing half done on those that failed.
    assert servers[1].plugin_status() == servers[2].plugin_status() == ""
    assert [server.option_files() for server in servers[1:]] == untouched


@pytest.mark.main
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


@pytest.mark.main
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
        assert host["changed_files"] == [LAYOUT.option_file_target]
    assert [server.plugin_status() for server in servers] == ["", "", ""]
    assert [server.option_files() for server in servers] == before


def test_hosts_by_variable(control: Control) -> None:
    playbooks = [{"import_playbook": playbook} for playbook in (INSTALL, VERIFY, REMOVE)]
    flags = ("-e", "group_replication_hosts=mysql2", "--list-hosts")
    run = control.plays(playbooks, HOSTS, *flags)
    assert run.code == 0
    # All hosts are in the play that checks the request, which touches none.
    plays = run.output.split("play #")[1:]
    touched = [play for play in plays if "Check the request" not in play]
    assert (len(plays), len(touched)) == (9, 6)
    for play in touched:
        assert set(re.findall(r"^\s+(mysql\d)$", play, flags=re.MULTILINE)) == {"mysql2"}


def test_an_earlier_play_does_not_count(server: Server, control: Control) -> None:
    both = [{"import_playbook": INSTALL}, {"import_playbook": VERIFY}]
    run = control.plays(both, {"mysql1": {}})
    assert run.code == 0, run.output


def test_variables_of_import_playbook(server: Server, control: Control) -> None:
    confirmed = {"import_playbook": REMOVE, "vars": {"group_replication_confirm_remove": True}}
    variables = {"group_replication_state": "{{ wanted }}", "wanted": "nowhere"}
    wrong = {"import_playbook": INSTALL, "vars": variables}
    run = control.plays([confirmed, wrong], {"mysql1": {}})
    assert "hosts: 1, with a problem: 0, in order: 1" in summary(run.output)
    assert run.code != 0
    assert "group_replication_state is nowhere" in " ".join(run.output.split())


def test_plugin_that_will_be_gone_after_a_restart(server: Server, control: Control) -> None:
    server.put_in_order()
    server.add_options("loose-group_replication=OFF")
    run = control.playbook(VERIFY, {"mysql1": {}})
    assert run.code != 0
    assert "will not be after a restart" in run.output


def test_removal_that_would_not_last(server: Server, control: Control) -> None:
    server.put_in_order()
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


def test_a_host_without_pymysql(fleet: None, control: Control) -> None:
    lab("up", FLEET, "nopymysql", "--without", "pymysql")
    host = Server("nopymysql")
    both = [{"import_playbook": INSTALL}, {"import_playbook": VERIFY}]
    # The package is for the distribution's Python.
    python = {"ansible_python_interpreter": "/usr/bin/python3"}
    checked = control.plays(both, {"nopymysql": dict(python)}, "--check")
    assert "with a problem: 0, would change: 1" in checked.output
    assert checked.code != 0
    assert "the package of PyMySQL" in checked.output

    # The installation is a change, and no change where it is against the user's will.
    hosts = {
        "nopymysql": {**python, "group_replication_login_user": "nobody"},
        "unwanted": {
            **python,
            "server": "nopymysql",
            "group_replication_install_pymysql": False,
        },
    }
    try:
        run = control.playbook(INSTALL, hosts, "-vvv")
        host.sh("/usr/bin/python3 -c 'import pymysql'")
    finally:
        # The next test that wants such a host gets it as it was.
        host.sh("apt-get purge -y python3-pymysql >/dev/null 2>&1 || true")
    assert "nopymysql" in group(run.output, "failed after a change: access_denied")
    refused = group(run.output, "failed: pymysql_missing")
    assert "unwanted" in refused
    assert "The Python library PyMySQL is missing" in refused
    assert "python3-pymysql" in refused
    assert recap(run.output, "unwanted")["changed"] == 0
    # The module on both; on the first also the facts, the package and the module once more.
    assert remote_executions(run.output) == 5


def packages(host: Server) -> str:
    """Return the distribution's packages that a host has."""
    return host.sh("dpkg-query --show 2>/dev/null || rpm -qa | sort")


@pytest.mark.hazard(
    "The play names a host without any MySQL, and without PyMySQL",
    "`mysql` is not there",
    "no package is installed, the host is left alone: `server_down`",
)
def test_a_host_without_any_server(fleet: None, control: Control) -> None:
    lab("up", FLEET, "bare", "--without", "server")
    host = Server("bare")
    # As mysql-common brings it for clients.
    host.sh(
        "mkdir -p /etc/mysql/conf.d; echo '!includedir /etc/mysql/conf.d/' > /etc/mysql/my.cnf;"
        " printf '[client]\nport=3306\n[mysql]\n' > /etc/mysql/conf.d/mysql.cnf"
    )
    before = packages(host)
    hosts = {"bare": {"ansible_python_interpreter": "/usr/bin/python3"}}
    run = control.playbook(INSTALL, hosts, "-vvv")
    assert run.code != 0
    assert packages(host) == before
    assert remote_executions(run.output) == 1
    assert "bare" in group(run.output, "failed: server_down")
    said = " ".join(run.output.split())
    assert "no sign of a MySQL server" in said
    assert "group_replication_hosts" in said
    # Each of these is one.
    signs = {
        "touch /run/mysqld.sock": {"login_unix_socket": "/run/mysqld.sock"},
        "true": {"login_host": "127.0.0.1"},
        "echo '[mysqld]\nport=3306' > /etc/mysql/conf.d/server.cnf": {},
        "install -m 755 /bin/true /usr/sbin/mysqld": {},
        "cp /bin/sleep /root/mysqld; (/root/mysqld 60 > /dev/null 2>&1 &)": {},
    }
    taken_back = "rm -f /run/mysqld.sock /etc/mysql/conf.d/server.cnf /usr/sbin/mysqld /root/mysqld"
    for sign, options in signs.items():
        host.sh(sign)
        tasks = [{MODULE: options, "ignore_errors": True}]
        (result,) = results(control.play(tasks, hosts, "-v").output)
        host.sh(taken_back)
        assert result["error_code"] == "pymysql_missing", (sign, result)


@pytest.mark.hazard(
    "Ansible's Python is that of a virtual environment",
    "does not matter to it",
    "says what installs PyMySQL into it, and installs no package: `pymysql_missing`",
)
def test_a_python_of_a_virtual_environment(server: Server, control: Control) -> None:
    python = "/opt/venv/bin/python"
    server.sh(f"{LAYOUT.python} -m venv --without-pip /opt/venv")
    before = packages(server)
    try:
        run = control.playbook(INSTALL, {"mysql1": {"ansible_python_interpreter": python}}, "-vvv")
        # With the packages of the Python that it was made from, where those are in /usr.
        server.sh("sed -i s/=.false/=\\ true/ /opt/venv/pyvenv.cfg")
        whole = control.playbook(VERIFY, {"mysql1": {"ansible_python_interpreter": python}})
    finally:
        server.sh("rm -r /opt/venv")
    assert "mysql1" in group(run.output, "failed: pymysql_missing")
    said = " ".join(run.output.split())
    assert f"{python} -m pip install PyMySQL" in said
    assert "ansible_python_interpreter" in said
    assert remote_executions(run.output) == 1
    assert packages(server) == before
    assert "pymysql_missing" not in whole.output


@pytest.mark.hazard(
    "PyMySQL is missing, and the task may not install packages",
    "does not need it",
    "says who may not: `package_not_installed`",
)
def test_a_package_without_become(fleet: None, control: Control) -> None:
    lab("up", FLEET, "nopymysql", "--without", "pymysql")
    nobody = {
        "server": "nopymysql",
        "ansible_python_interpreter": "/usr/bin/python3",
        "ansible_user": "nobody",
        "ansible_remote_tmp": "/tmp/ansible-nobody",  # noqa: S108 - a container's
    }
    unknown = {**nobody, "ansible_user": "root", "group_replication_pymysql_package": "no-such"}
    run = control.playbook(INSTALL, {"without": nobody, "unknown": unknown})
    refused = " ".join(group(run.output, "failed: package_not_installed").split())
    assert "did not install python3-pymysql for nobody, which is not root" in refused
    assert "become: true" in refused
    assert "did not install no-such: " in refused
