# Copyright (c) 2026, the dbfleet.mysql authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is read of servers that the tests cannot start: other products, versions and systems."""

from __future__ import annotations

import pytest
from ansible_collections.dbfleet.mysql.plugins.module_utils._errors import Failure
from ansible_collections.dbfleet.mysql.plugins.module_utils._option_file.files import Files
from ansible_collections.dbfleet.mysql.plugins.module_utils._option_file.reader import (
    read_server_options,
)
from ansible_collections.dbfleet.mysql.plugins.module_utils._plugin import state as plugin
from made_up_servers import REQUEST, SERVER, Answers

# What a server answers that has neither the plugin nor the account.
NOTHING = {"information_schema.PLUGINS": [], "mysql.plugin": [], "mysql.user": []}


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("8.0.36-28-log", (8, 0, 36)),
        ("5.7.17", (5, 7, 17)),
        ("9.7.4-2", (9, 7, 4)),
        ("10", (10, 0, 0)),
        ("unknown", (0, 0, 0)),
    ],
)
def test_version_tuple(text, numbers):
    assert plugin.version_tuple(text) == numbers


@pytest.mark.parametrize(
    ("version", "error_code"),
    [
        ("5.5.5-10.11.14-MariaDB-0+deb12u2", "mariadb"),
        ("11.8.2-MariaDB", "mariadb"),
        ("5.7.16-log", "version_too_old"),
        ("5.6.51", "version_too_old"),
    ],
)
def test_servers_without_the_plugin(version, error_code):
    with pytest.raises(Failure) as failure:
        plugin.read_state(Answers(version), REQUEST, Files())
    assert failure.value.error_code == error_code


@pytest.mark.parametrize("status", [None, "DISABLED", "INACTIVE"])
def test_percona_xtradb_cluster(status):
    row = (
        "group_replication",
        status,
        "GROUP REPLICATION",
        "group_replication.so",
        "GPL",
        "1",
        "ON",
    )
    plugins = {"information_schema.PLUGINS": [row] if status else []}
    connection = Answers(
        "8.0.36-28.1",
        version_comment=[("Percona XtraDB Cluster (GPL)", "/p/", "/d/", "pid", "Linux", "u", 0)],
        wsrep_provider=[("wsrep_provider", "/usr/lib/libgalera_smm.so")],
        **{**NOTHING, **plugins},
    )
    with pytest.raises(Failure) as failure:
        plugin.read_state(connection, REQUEST, Files())
    assert failure.value.error_code == "percona_xtradb_cluster"


def test_percona_server():
    connection = Answers(
        "8.0.36-28",
        version_comment=[("Percona Server (GPL)", "/p/", "/d/", "pid", "Linux", "u", 1)],
        wsrep_provider=[],
        **NOTHING,
    )
    server = plugin.read_state(connection, REQUEST, Files()).server
    assert server.flavor == "Percona Server"
    assert server.super_read_only


@pytest.mark.parametrize(
    ("text", "named", "is_known"),
    [
        ("[mysqld]\ndatadir=/d\n", None, True),
        ("[mysqld]\nsocket = /s\n", None, True),
        ("[mysqld]\ndatadir=/other\n", None, False),
        ("[server]\nhost-name=db1\n", None, False),
        ("[mysqld]\nport=3307\n", "defaults_file", True),
        ("[mysqld]\nport=3307\n", "defaults_extra_file", True),
    ],
)
def test_a_file_that_the_process_names_says_itself_whose_it_is(tmp_path, text, named, is_known):
    path = tmp_path / "my.cnf"
    path.write_text(text)
    options = read_server_options(defaults_file=str(path))
    own = {("datadir", "/d"), ("socket", "/s")}
    request = REQUEST._replace(**({named: str(path)} if named else {}))
    expected = str(path) if is_known else None
    assert plugin._file_to_edit(options, own, request) == expected


def test_a_line_would_load_nothing_where_the_command_line_has_plugin_load(tmp_path):
    path = tmp_path / "my.cnf"
    path.write_text("[mysqld]\ndatadir=/d\n")
    options = read_server_options(
        [f"--defaults-file={path}", "--plugin-load=a.so"], server_version="8.4.3"
    )
    assert plugin._file_to_edit(options, {("datadir", "/d")}, REQUEST) is None


@pytest.mark.parametrize(
    ("compile_os", "library"),
    [
        ("Linux", "group_replication.so"),
        ("debian-linux-gnu", "group_replication.so"),
        ("Win64", "group_replication.dll"),
    ],
)
def test_default_library(compile_os, library):
    assert SERVER._replace(compile_os=compile_os).default_library == library
