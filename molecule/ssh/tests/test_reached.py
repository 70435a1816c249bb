# Copyright (c) 2026, the dbfleet.mysql authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The servers after the playbook: how they were reached, and what is seen of them without sudo."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import testinfra
from ops import LOGIN, PASSWORD, without_sudo
from scenario import NAMES, SERVERS, STEM

testinfra_hosts = SERVERS


def test_ansible_came_as_the_normal_user(host) -> None:
    folder = host.file("/home/ops/.ansible/tmp")
    assert folder.is_directory
    assert folder.user == "ops"


def test_pymysql_was_installed_only_where_it_was_missing(host) -> None:
    in_virtualenv = host.backend.name == STEM + "virtualenv"
    there = host.run("/usr/bin/python3 -c 'import pymysql'").succeeded
    assert there == (not in_virtualenv)


@pytest.fixture
def my_cnf() -> Iterator[None]:
    """Put the login into the user's own option file."""
    file = "/home/ops/.my.cnf"
    hosts = testinfra.get_hosts(SERVERS)
    for host in hosts:
        host.check_output("install -m 0600 -o ops /dev/null %s", file)
        host.check_output("printf '[client]\\nuser=ops\\npassword=%s\\n' > %s", PASSWORD, file)
    yield
    for host in hosts:
        host.check_output("rm %s", file)


def test_what_is_unknown_without_sudo_is_not_guessed(my_cnf) -> None:
    install = without_sudo("dbfleet.mysql.group_replication_plugin", "-vvv")
    assert install.code == 0, install.output
    assert "its process cannot be read by this operating system user" in install.output
    for server in NAMES:
        lines = install.output.splitlines()
        row = next(line.split() for line in lines if line.startswith(server + "  "))
        assert "ACTIVE" in row
        assert row[-1] == "unknown"
    assert PASSWORD not in install.output
    verify = without_sudo("dbfleet.mysql.group_replication_plugin_verify")
    assert verify.code != 0
    assert f"not known whether it survives a restart ({len(NAMES)})" in verify.output
    assert "Whether the plugin is there after a restart is not known" in verify.output
    assert "--become" in verify.output


def test_password_in_variables_is_not_shown() -> None:
    run = without_sudo("dbfleet.mysql.group_replication_plugin", "-vvv", **LOGIN)
    assert run.code == 0, run.output
    assert run.output.count("changed=0") == len(NAMES)
    assert run.output.count("AnsiballZ_") > 0
    assert PASSWORD not in run.output
