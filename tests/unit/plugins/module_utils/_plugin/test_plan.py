# Copyright (c) 2026, the dbfleet.mysql authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is decided about a server's state.

Most of it is shown on real servers in tests/integration. Here stand the states that a test's server
cannot be brought into: other versions, and a group with members that are not there.
"""

from __future__ import annotations

import time

import pytest
from ansible_collections.dbfleet.mysql.plugins.module_utils._errors import Failure
from ansible_collections.dbfleet.mysql.plugins.module_utils._option_file.reader import (
    Files,
    read_server_options,
)
from ansible_collections.dbfleet.mysql.plugins.module_utils._plugin import execute as execute
from ansible_collections.dbfleet.mysql.plugins.module_utils._plugin import plan as plan
from ansible_collections.dbfleet.mysql.plugins.module_utils._plugin import state as plugin

REQUEST = plugin.Request(
    state="present",
    library=None,
    registration="auto",
    allow_group_start=False,
    allow_leave_group=False,
    lift_super_read_only=False,
    lock_wait_timeout=60,
    check_mysql_session=True,
    expect_loaded_by_options=None,
)
SERVER = plugin.Server(
    version="8.4.3",
    flavor="MySQL",
    plugin_dir="/usr/lib/mysql/plugin/",
    datadir="/var/lib/mysql/",
    pid_file="mysqld.pid",
    compile_os="Linux",
    uuid="uuid-of-this-server",
    super_read_only=False,
)
ACTIVE = plugin.Plugin(
    "group_replication", "ACTIVE", "GROUP REPLICATION", "group_replication.so", "GPL", "1.1", "ON"
)


# What a server answers that has neither the plugin nor the account.
NOTHING = {"information_schema.PLUGINS": [], "mysql.plugin": [], "mysql.user": []}


class Answers:
    """Stands in for a connection: the rows for each query that contains a given word."""

    def __init__(self, version, **rows):
        self.server_version = version
        self._rows = rows

    def rows(self, sql, parameters=()):
        for word, rows in self._rows.items():
            if word in sql:
                return rows
        raise AssertionError("not expected: " + sql)

    def answers(self, questions, refusable=()):
        return [self.rows(sql) for sql in questions]


@pytest.fixture
def state(tmp_path):
    option_file = tmp_path / "my.cnf"
    option_file.write_text("[mysqld]\n")
    option_file.chmod(0o644)
    return plugin.State(
        server=SERVER,
        library="group_replication.so",
        plugin=None,
        row="",
        mysql_session=True,
        options=read_server_options(defaults_file=str(option_file)),
        options_unknown="",
        started=time.time() + 1,
        loads=[],
    )


def texts(statements):
    return [str(statement) for statement in statements]


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
        plugin.read_state(Answers(version), REQUEST, None, Files())
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
        plugin.read_state(connection, REQUEST, None, Files())
    assert failure.value.error_code == "percona_xtradb_cluster"


def test_percona_server():
    connection = Answers(
        "8.0.36-28",
        version_comment=[("Percona Server (GPL)", "/p/", "/d/", "pid", "Linux", "u", 1)],
        wsrep_provider=[],
        **NOTHING,
    )
    server = plugin.read_state(connection, REQUEST, None, Files()).server
    assert server.flavor == "Percona Server"
    assert server.super_read_only is True


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


@pytest.mark.parametrize(
    ("settings", "missing"),
    [
        ((1, "TABLE", "TABLE"), []),
        ((0, "TABLE", "TABLE"), ["server_id"]),
        ((1, "FILE", "TABLE"), ["master_info_repository"]),
        ((0, "FILE", "FILE"), ["server_id", "master_info_repository", "relay_log_info_repository"]),
    ],
)
def test_mysql_5_7_needs_its_repositories_in_tables(state, settings, missing):
    state = state._replace(server=SERVER._replace(version="5.7.36"))
    connection = Answers("5.7.36", server_id=[settings])
    if not missing:
        assert len(plan.plan_present(connection, state, REQUEST)) == 1
        return
    with pytest.raises(Failure) as failure:
        plan.plan_present(connection, state, REQUEST)
    assert failure.value.error_code == "settings_missing"
    for name in ("server_id", "master_info_repository", "relay_log_info_repository"):
        assert ((name + "=") in failure.value.cause) is (name in missing)


@pytest.mark.parametrize(
    ("version", "words"), [("5.7.36", "mysql_upgrade"), ("8.0.16", "--upgrade=FORCE")]
)
def test_missing_mysql_session(state, version, words):
    state = state._replace(server=SERVER._replace(version=version), mysql_session=False)
    with pytest.raises(Failure) as failure:
        plan.plan_present(Answers(version), state, REQUEST)
    assert failure.value.error_code == "mysql_session_missing"
    assert words in failure.value.next_step


@pytest.mark.parametrize("status", ["INACTIVE", "DELETING", "DELETED"])
def test_status_that_install_cannot_mend(state, status):
    state = state._replace(plugin=ACTIVE._replace(status=status))
    with pytest.raises(Failure) as failure:
        plan.plan_present(Answers("8.4.3"), state, REQUEST)
    assert failure.value.error_code == "plugin_not_active"
    assert status in failure.value.cause


def test_plugin_of_another_type(state):
    state = state._replace(plugin=ACTIVE._replace(type="DAEMON"))
    with pytest.raises(Failure) as failure:
        plan.plan_present(Answers("8.4.3"), state, REQUEST)
    assert failure.value.error_code == "other_library"


def test_option_files_out_of_reach(state):
    state = state._replace(options=None, options_unknown="it does not run on this machine")
    with pytest.raises(Failure) as failure:
        plan.plan_present(Answers("8.4.3"), state, REQUEST)
    assert failure.value.error_code == "group_start_unknown"
    allowed = REQUEST._replace(allow_group_start=True)
    assert len(plan.plan_present(Answers("8.4.3"), state, allowed)) == 1
    # What is there already is left as it is, and its future is not guessed.
    state = state._replace(plugin=ACTIVE)
    assert plan.plan_present(Answers("8.4.3"), state, REQUEST) == []
    assert plan.survives_restart(state) is None
    assert plan.survives_restart(state._replace(row="group_replication.so")) is True


def test_persisted_variables_count_for_the_start_of_a_group(state):
    connection = Answers(
        "8.4.3",
        persisted_variables=[
            ("group_replication_group_name", "11111111-2222-3333-4444-555555555555")
        ],
    )
    with pytest.raises(Failure) as failure:
        plan.plan_present(connection, state, REQUEST)
    assert failure.value.error_code == "group_would_start"
    assert "SET PERSIST" in failure.value.cause


def test_row_of_a_plugin_that_could_not_be_loaded(state):
    connection = Answers("8.4.3", persisted_variables=[], gtid_mode=[("OFF",)])
    state = state._replace(row="group_replication.so")
    assert texts(plan.plan_present(connection, state, REQUEST)) == [
        "SET SESSION sql_log_bin = 0",
        "DELETE FROM mysql.plugin WHERE name = 'group_replication'",
        "INSTALL PLUGIN group_replication SONAME 'group_replication.so'",
    ]
    absent = REQUEST._replace(state="absent")
    assert texts(plan.plan_absent(connection, state, absent)) == [
        "SET SESSION sql_log_bin = 0",
        "DELETE FROM mysql.plugin WHERE name = 'group_replication'",
    ]


@pytest.mark.parametrize(
    ("version", "gtid_mode", "age", "refused"),
    [
        ("9.7.4", "ON", 1000, True),
        ("8.4.3", "ON", 1000, True),
        ("9.7.4", "ON", -1, False),  # the file is older than the start
        ("9.7.4", "OFF", 1000, False),  # no group can start
        ("8.0.36", "ON", 1000, False),  # reads the file again
    ],
)
def test_option_file_changed_after_the_start(state, version, gtid_mode, age, refused):
    server = SERVER._replace(version=version)
    state = state._replace(server=server, started=time.time() - age)
    connection = Answers(version, persisted_variables=[], gtid_mode=[(gtid_mode,)])
    if not refused:
        assert len(plan.plan_present(connection, state, REQUEST)) == 1
        return
    with pytest.raises(Failure) as failure:
        plan.plan_present(connection, state, REQUEST)
    assert failure.value.error_code == "group_start_unknown"
    assert "my.cnf was changed after the server started" in failure.value.cause
    assert "Restart the server" in failure.value.next_step


def test_persisted_start_on_boot_does_not_make_an_option_file_harmless(state, tmp_path):
    option_file = tmp_path / "my.cnf"
    option_file.write_text("[mysqld]\nloose-group_replication_group_name=x\n")
    state = state._replace(options=read_server_options(defaults_file=str(option_file)))
    connection = Answers("9.7.4", persisted_variables=[("group_replication_start_on_boot", "OFF")])
    with pytest.raises(Failure) as failure:
        plan.plan_present(connection, state, REQUEST)
    assert failure.value.error_code == "group_would_start"


def members(*states):
    uuids = ["uuid-of-this-server", *(f"other-{number}" for number in range(len(states) - 1))]
    return Answers("8.4.3", replication_group_members=list(zip(uuids, states)))


@pytest.mark.parametrize(
    ("states", "error_code"),
    [
        (("ONLINE", "ONLINE", "ONLINE"), None),
        (("ONLINE",), None),
        (("OFFLINE",), None),
        (("ERROR", "UNREACHABLE", "UNREACHABLE"), None),
        (("ONLINE", "ONLINE", "UNREACHABLE"), "group_majority"),
        (("ONLINE", "UNREACHABLE", "UNREACHABLE"), "group_majority"),
        (("ONLINE", "ONLINE", "ONLINE", "ONLINE", "UNREACHABLE"), None),
        (("ONLINE", "ONLINE", "ONLINE", "UNREACHABLE", "UNREACHABLE"), "group_majority"),
    ],
)
def test_leaving_a_group_must_not_cost_its_majority(state, states, error_code):
    state = state._replace(plugin=ACTIVE)
    request = REQUEST._replace(state="absent", allow_leave_group=True)
    if error_code is None:
        assert plan.plan_absent(members(*states), state, request) == [plan.UNINSTALL]
        return
    with pytest.raises(Failure) as failure:
        plan.plan_absent(members(*states), state, request)
    assert failure.value.error_code == error_code


def test_leaving_a_group_must_be_allowed(state):
    state = state._replace(plugin=ACTIVE)
    with pytest.raises(Failure) as failure:
        plan.plan_absent(members("ONLINE", "ONLINE"), state, REQUEST._replace(state="absent"))
    assert failure.value.error_code == "member_of_group"


def test_superfluous_row_of_a_read_only_member_is_left_with_a_note(state):
    state = state._replace(
        server=SERVER._replace(super_read_only=True),
        plugin=ACTIVE,
        row="group_replication.so",
        loads=["/etc/my.cnf:2"],
    )
    assert plan.plan_present(Answers("8.4.3"), state, REQUEST) == []
    assert any("lift_super_read_only" in note for note in plan.notes(state, REQUEST))
    lifting = REQUEST._replace(lift_super_read_only=True)
    statements = plan.plan_present(Answers("8.4.3"), state, lifting)
    assert texts(execute.planned(state, lifting, statements)) == [
        "SET SESSION lock_wait_timeout = 60",
        "SET SESSION sql_log_bin = 0",
        "SET GLOBAL super_read_only = 0",
        "DELETE FROM mysql.plugin WHERE name = 'group_replication'",
        "SET GLOBAL super_read_only = 1",
    ]


EXPECTING = REQUEST._replace(expect_loaded_by_options=True)


def test_option_file_that_the_server_does_not_start_from(state):
    loaded = state._replace(plugin=ACTIVE, row="group_replication.so")
    with pytest.raises(Failure) as failure:
        plan.plan_present(Answers("8.4.3"), loaded, EXPECTING)
    assert failure.value.error_code == "option_file_not_read"
    assert f"it starts from {state.options.main_file}" in failure.value.cause
    assert f"({state.options.main_file}) in option_file" in failure.value.next_step
    without_files = loaded._replace(options=read_server_options(argv=["--no-defaults"]))
    with pytest.raises(Failure) as failure:
        plan.plan_present(Answers("8.4.3"), without_files, EXPECTING)
    assert "it was started with --no-defaults" in failure.value.cause


def test_expected_option_files_that_cannot_be_seen(state):
    unseen = state._replace(plugin=ACTIVE, row="group_replication.so", options=None)
    for expected in (True, False):
        assert plugin.as_expected(unseen, expected) == unseen
    assert plan.plan_present(Answers("8.4.3"), unseen, EXPECTING) == []


def test_check_mode_takes_it_that_the_option_files_will_load_the_plugin(state):
    connection = Answers("8.4.3", persisted_variables=[], gtid_mode=[("OFF",)])
    expected = plugin.as_expected(state, True)
    statements = plan.plan_present(connection, expected, EXPECTING)
    assert texts(statements) == [
        "INSTALL PLUGIN group_replication SONAME 'group_replication.so'",
        "SET SESSION sql_log_bin = 0",
        "DELETE FROM mysql.plugin WHERE name = 'group_replication'",
    ]
    after = plan.predict(expected, statements)
    assert after.loads == ["an option file"]
    assert plan.survives_restart(after) is True
    known = state._replace(loads=["/etc/my.cnf:2"])
    assert plugin.as_expected(known, True) == known


@pytest.mark.parametrize(
    ("loads", "left"),
    [(["/etc/my.cnf:2"], []), (["/etc/my.cnf:2", "command line"], ["command line"])],
)
def test_check_mode_takes_it_that_no_option_file_will_load_the_plugin(state, loads, left):
    absent = REQUEST._replace(state="absent", expect_loaded_by_options=False)
    loaded = state._replace(plugin=ACTIVE, row="group_replication.so", loads=loads)
    expected = plugin.as_expected(loaded, False)
    after = plan.predict(expected, plan.plan_absent(members("OFFLINE"), expected, absent))
    assert after.loads == left
    assert plan.survives_restart(after) is bool(left)
    assert len(plan.notes(after, absent)) == len(left)


@pytest.mark.parametrize("seconds", [0, -1, 31536001])
def test_lock_wait_timeout_out_of_range(seconds):
    with pytest.raises(Failure) as failure:
        plan.check_request(REQUEST._replace(lock_wait_timeout=seconds))
    assert failure.value.error_code == "lock_wait_timeout_invalid"
