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
    read_server_options,
)
from ansible_collections.dbfleet.mysql.plugins.module_utils._plugin.plan import (
    make_plan,
    notes,
    predict,
)
from ansible_collections.dbfleet.mysql.plugins.module_utils._plugin.request import check_request
from ansible_collections.dbfleet.mysql.plugins.module_utils._plugin.state import as_expected
from made_up_servers import ABSENT, ACTIVE, REQUEST, ROW, SERVER, STATE, Answers

EXPECTING = REQUEST._replace(expect_loaded_by_options=True)
TIMEOUT = "SET SESSION lock_wait_timeout = 60"
NO_BINARY_LOG = "SET SESSION sql_log_bin = 0"
DELETE = "DELETE FROM mysql.plugin WHERE name = 'group_replication'"
INSTALL = "INSTALL PLUGIN group_replication SONAME 'group_replication.so'"
UNINSTALL = "UNINSTALL PLUGIN group_replication"


@pytest.fixture
def state(tmp_path):
    option_file = tmp_path / "my.cnf"
    option_file.write_text("[mysqld]\nport=3306\n")
    option_file.chmod(0o644)
    options = read_server_options(defaults_file=str(option_file))
    return STATE._replace(
        readings=[options],
        options_unknown="",
        option_file=options.main_file,
        started=time.time() + 1,
    )


def planned(connection, state, request=REQUEST):
    return [
        str(statement) for packet in make_plan(connection, state, request) for statement in packet
    ]


def refusal(connection, state, request=REQUEST):
    with pytest.raises(Failure) as failure:
        make_plan(connection, state, request)
    return failure.value


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
    connection = Answers("5.7.36", server_id=[settings], gtid_mode=[("OFF",)])
    if not missing:
        assert planned(connection, state) == [TIMEOUT, INSTALL]
        return
    refused = refusal(connection, state)
    assert refused.error_code == "settings_missing"
    for name in ("server_id", "master_info_repository", "relay_log_info_repository"):
        assert ((name + "=") in refused.cause) is (name in missing)


@pytest.mark.parametrize(
    ("version", "words"), [("5.7.36", "mysql_upgrade"), ("8.0.16", "--upgrade=FORCE")]
)
def test_missing_mysql_session(state, version, words):
    state = state._replace(server=SERVER._replace(version=version), mysql_session=False)
    refused = refusal(Answers(version), state)
    assert refused.error_code == "mysql_session_missing"
    assert words in refused.next_step


@pytest.mark.parametrize("status", ["INACTIVE", "DELETING", "DELETED"])
def test_status_that_install_cannot_mend(state, status):
    refused = refusal(Answers(), state._replace(plugin=ACTIVE._replace(status=status)))
    assert refused.error_code == "plugin_not_active"
    assert status in refused.cause


def test_plugin_of_another_type(state):
    refused = refusal(Answers(), state._replace(plugin=ACTIVE._replace(type="DAEMON")))
    assert refused.error_code == "other_library"


def test_option_files_out_of_reach():
    assert refusal(Answers(), STATE).error_code == "group_start_unknown"
    allowed = REQUEST._replace(allow_group_start=True)
    assert planned(Answers(), STATE, allowed) == [TIMEOUT, INSTALL]
    # What is there already is left as it is, and its future is not guessed.
    active = STATE._replace(plugin=ACTIVE)
    assert planned(Answers(), active) == []
    assert active.survives_restart is None
    assert active._replace(row=ROW).survives_restart is True


def test_persisted_variables_count_for_the_start_of_a_group(state):
    name = ("group_replication_group_name", "11111111-2222-3333-4444-555555555555")
    refused = refusal(Answers(persisted_variables=[name]), state)
    assert refused.error_code == "group_would_start"
    assert "SET PERSIST" in refused.cause


def test_row_of_a_plugin_that_could_not_be_loaded(state):
    connection = Answers(persisted_variables=[], gtid_mode=[("OFF",)])
    state = state._replace(row=ROW)
    assert planned(connection, state) == [TIMEOUT, NO_BINARY_LOG, DELETE, INSTALL]
    assert planned(connection, state, ABSENT) == [TIMEOUT, NO_BINARY_LOG, DELETE]


@pytest.mark.parametrize(
    ("version", "gtid_mode", "age", "refused"),
    [
        ("9.7.4", "ON", 1000, True),
        ("8.0.36", "ON", 1000, True),
        ("5.7.36", "ON", 1000, False),  # INSTALL reads the files again
        ("9.7.4", "ON", -1, False),  # the file is older than the start
        ("9.7.4", "OFF", 1000, False),  # no group can start
    ],
)
def test_option_file_changed_after_the_start(state, version, gtid_mode, age, refused):
    server = SERVER._replace(version=version)
    state = state._replace(server=server, started=time.time() - age)
    settings = [(1, "TABLE", "TABLE")]
    connection = Answers(
        version,
        persisted_variables=[],
        gtid_mode=[(gtid_mode,)],
        server_id=settings,
        error_log=[(int(state.started), 0)],
    )
    if not refused:
        assert planned(connection, state) == [TIMEOUT, INSTALL]
        return
    failure = refusal(connection, state)
    assert failure.error_code == "group_start_unknown"
    assert "my.cnf was changed after the server started" in failure.cause
    assert "Restart the server" in failure.next_step


@pytest.mark.parametrize(
    ("version", "log", "refused"),
    [
        ("8.0.22", [(0, 1)], False),
        ("8.0.21", [(0, 1)], True),  # its log is not asked
        ("9.7.4", [(0, 0)], True),  # the log does not prove it
        ("9.7.4", [(-3600, 1)], True),  # of an earlier start
        ("9.7.4", [(None, 0)], True),  # of no start
        ("9.7.4", [], True),
        ("9.7.4", None, True),  # may not be read
        ("9.7.4", [("x", "1")], True),
        ("9.7.4", [(1,)], True),
    ],
)
def test_log_that_proves_that_the_start_was_without_a_group(state, version, log, refused):
    started = time.time() - 1000
    state = state._replace(server=SERVER._replace(version=version), started=started)
    if log and len(log[0]) == 2 and isinstance(log[0][0], int):
        log = [(int(started) + log[0][0], log[0][1])]
    connection = Answers(
        version, persisted_variables=[], gtid_mode=[("ON",)], server_id=[(1,)], error_log=log
    )
    if refused:
        assert refusal(connection, state).error_code == "group_start_unknown"
    else:
        assert planned(connection, state) == [TIMEOUT, INSTALL]


def test_changed_file_without_an_option_of_the_server_does_not_matter(state, tmp_path):
    files = [tmp_path / "my.cnf", tmp_path / "client.cnf"]
    files[0].write_text(f"[mysqld]\nport=1\n!include {files[1]}\n")
    files[1].write_text("[client]\nuser=root\n")
    options = read_server_options(defaults_file=str(files[0]))
    started = max(path.stat().st_ctime for path in [tmp_path, files[0]])
    time.sleep(0.01)
    files[1].chmod(0o640)
    assert files[1].stat().st_ctime > started
    state = state._replace(readings=[options], started=started)
    connection = Answers(persisted_variables=[], gtid_mode=[("ON",)])
    assert planned(connection, state) == [TIMEOUT, INSTALL]


def test_each_reading_of_the_option_files_must_be_harmless(state, tmp_path):
    option_file = tmp_path / "group.cnf"
    option_file.write_text("[mysqld]\nloose-group_replication_group_name=x\n")
    other = read_server_options(defaults_file=str(option_file))
    state = state._replace(readings=[*state.readings, other])
    connection = Answers(persisted_variables=[], gtid_mode=[("ON",)])
    assert refusal(connection, state).error_code == "group_would_start"


def test_option_file_that_this_task_may_not_read(state):
    state.options.unreadable.append("/etc/mysql/conf.d/secret.cnf")
    connection = Answers(persisted_variables=[], gtid_mode=[("ON",)])
    refused = refusal(connection, state)
    assert refused.error_code == "group_start_unknown"
    assert "secret.cnf" in refused.cause


def test_what_is_in_doubt_is_neither_known_nor_deleted(state):
    state = state._replace(plugin=ACTIVE, loads=["/etc/my.cnf:2"], doubt="mysql may not read it")
    # A row is added, where the server takes one.
    assert planned(Answers(), state)[-1].startswith("INSERT INTO mysql.plugin")
    read_only = state._replace(server=SERVER._replace(super_read_only=1))
    assert planned(Answers(), read_only) == []
    assert state.survives_restart is None
    assert "mysql may not read it" in state.next_start.reason
    with_row = state._replace(row=ROW)
    assert planned(Answers(), with_row) == []
    assert with_row.survives_restart is True
    assert "mysql may not read it" in notes(with_row, REQUEST)[0]


def test_library_that_is_gone(state):
    state = state._replace(plugin=ACTIVE, row=ROW, library_missing="/p/group_replication.so")
    assert state.survives_restart is False
    assert "/p/group_replication.so is missing" in state.next_start.reason


def test_included_folder_that_the_account_may_not_read(state, tmp_path):
    option_file = tmp_path / "fatal.cnf"
    option_file.write_text("[mysqld]\n[broken\n")
    fatal = read_server_options(defaults_file=str(option_file))
    state = state._replace(plugin=ACTIVE, row=ROW, readings=[*state.readings, fatal], doubt="x")
    assert state.survives_restart is None


def test_row_counts_for_nothing_with_skip_grant_tables(state, tmp_path):
    option_file = tmp_path / "my.cnf"
    option_file.write_text("[mysqld]\nskip-grant-tables\n")
    readings = [read_server_options(defaults_file=str(option_file))]
    state = state._replace(plugin=ACTIVE, row=ROW, readings=readings)
    assert state.survives_restart is False
    assert state._replace(loads=["/etc/my.cnf:2"]).survives_restart is True


def test_section_that_the_server_does_not_read(state):
    refused = refusal(Answers(), state, REQUEST._replace(section="mysqld1"))
    assert refused.error_code == "section_not_read"
    state = state._replace(plugin=ACTIVE, row=ROW)
    for section in ("mysqld", "SERVER", "mysqld-8.4"):
        request = REQUEST._replace(section=section)
        options = read_server_options(server_version="8.4.3", defaults_file=state.option_file)
        assert planned(Answers(), state._replace(readings=[options]), request) == []


def test_persisted_start_on_boot_does_not_make_an_option_file_harmless(state, tmp_path):
    option_file = tmp_path / "my.cnf"
    option_file.write_text("[mysqld]\nloose-group_replication_group_name=x\n")
    state = state._replace(readings=[read_server_options(defaults_file=str(option_file))])
    connection = Answers("9.7.4", persisted_variables=[("group_replication_start_on_boot", "OFF")])
    assert refusal(connection, state).error_code == "group_would_start"


def members(*states):
    uuids = ["uuid-of-this-server", *(f"other-{number}" for number in range(len(states) - 1))]
    return Answers(replication_group_members=list(zip(uuids, states)))


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
def test_leaving_a_group_must_not_cost_its_majority(states, error_code):
    state = STATE._replace(plugin=ACTIVE)
    request = ABSENT._replace(allow_leave_group=True)
    if error_code is None:
        assert planned(members(*states), state, request) == [TIMEOUT, UNINSTALL]
    else:
        assert refusal(members(*states), state, request).error_code == error_code


def test_leaving_a_group_must_be_allowed():
    refused = refusal(members("ONLINE", "ONLINE"), STATE._replace(plugin=ACTIVE), ABSENT)
    assert refused.error_code == "member_of_group"


def test_superfluous_row_of_a_read_only_member_is_left_with_a_note(state):
    state = state._replace(
        server=SERVER._replace(super_read_only=1),
        plugin=ACTIVE,
        row=ROW,
        loads=["/etc/my.cnf:2"],
    )
    assert planned(Answers(), state) == []
    assert any("lift_super_read_only" in note for note in notes(state, REQUEST))
    lifting = REQUEST._replace(lift_super_read_only=True)
    assert planned(Answers(), state, lifting) == [
        TIMEOUT,
        NO_BINARY_LOG,
        "SET GLOBAL super_read_only = 0",
        DELETE,
        "SET GLOBAL super_read_only = 1",
    ]


def test_option_file_that_the_server_does_not_start_from(state):
    loaded = state._replace(plugin=ACTIVE, row=ROW)
    refused = refusal(Answers(), loaded, EXPECTING)
    assert refused.error_code == "option_file_not_read"
    assert f"it starts from {state.options.main_file}" in refused.cause
    assert f"({state.options.main_file}) in option_file" in refused.next_step
    without_files = loaded._replace(readings=[read_server_options(argv=["--no-defaults"])])
    refused = refusal(Answers(), without_files, EXPECTING)
    assert "it was started with --no-defaults" in refused.cause


def test_expected_option_files_that_cannot_be_seen():
    unseen = STATE._replace(plugin=ACTIVE, row=ROW)
    for expected in (True, False):
        assert as_expected(unseen, expected) == unseen
    assert planned(Answers(), unseen, EXPECTING) == []


def test_check_mode_takes_it_that_the_option_files_will_load_the_plugin(state):
    connection = Answers(persisted_variables=[], gtid_mode=[("OFF",)])
    expected = as_expected(state, True)
    effect = predict(expected, make_plan(connection, expected, EXPECTING))
    assert [str(statement) for statement in effect.executed] == [
        TIMEOUT,
        INSTALL,
        NO_BINARY_LOG,
        DELETE,
    ]
    assert effect.changed
    assert effect.now == expected
    assert effect.after == expected._replace(plugin=effect.after.plugin)
    assert effect.after.plugin.status == "ACTIVE"
    assert effect.after.loads == ["an option file"]
    assert effect.after.survives_restart is True
    known = state._replace(loads=["/etc/my.cnf:2"])
    assert as_expected(known, True) == known


@pytest.mark.parametrize(
    ("loads", "left"),
    [(["/etc/my.cnf:2"], []), (["/etc/my.cnf:2", "command line"], ["command line"])],
)
def test_check_mode_takes_it_that_no_option_file_will_load_the_plugin(state, loads, left):
    loaded = state._replace(plugin=ACTIVE, row=ROW, loads=loads)
    expected = as_expected(loaded, False)
    after = predict(expected, make_plan(members("OFFLINE"), expected, ABSENT)).after
    assert (after.plugin, after.row, after.loads) == (None, "", left)
    assert after.survives_restart is bool(left)
    expecting = ABSENT._replace(expect_loaded_by_options=False)
    assert len(notes(after, expecting)) == len(left)


@pytest.mark.parametrize("seconds", [0, -1, 31536001])
def test_lock_wait_timeout_out_of_range(seconds):
    with pytest.raises(Failure) as failure:
        check_request(REQUEST._replace(lock_wait_timeout=seconds))
    assert failure.value.error_code == "lock_wait_timeout_invalid"
