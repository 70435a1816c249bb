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
    option_file.write_text("[mysqld]\n")
    option_file.chmod(0o644)
    options = read_server_options(defaults_file=str(option_file))
    return STATE._replace(
        options=options,
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
        ("5.7.36", "ON", 1000, True),
        ("9.7.4", "ON", -1, False),  # the file is older than the start
        ("9.7.4", "OFF", 1000, False),  # no group can start
    ],
)
def test_option_file_changed_after_the_start(state, version, gtid_mode, age, refused):
    server = SERVER._replace(version=version)
    state = state._replace(server=server, started=time.time() - age)
    settings = [(1, "TABLE", "TABLE")]
    connection = Answers(
        version, persisted_variables=[], gtid_mode=[(gtid_mode,)], server_id=settings
    )
    if not refused:
        assert planned(connection, state) == [TIMEOUT, INSTALL]
        return
    failure = refusal(connection, state)
    assert failure.error_code == "group_start_unknown"
    assert "my.cnf was changed after the server started" in failure.cause
    assert "Restart the server" in failure.next_step


def test_persisted_start_on_boot_does_not_make_an_option_file_harmless(state, tmp_path):
    option_file = tmp_path / "my.cnf"
    option_file.write_text("[mysqld]\nloose-group_replication_group_name=x\n")
    state = state._replace(options=read_server_options(defaults_file=str(option_file)))
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
    without_files = loaded._replace(options=read_server_options(argv=["--no-defaults"]))
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
    assert len(notes(after, ABSENT)) == len(left)


@pytest.mark.parametrize("seconds", [0, -1, 31536001])
def test_lock_wait_timeout_out_of_range(seconds):
    with pytest.raises(Failure) as failure:
        check_request(REQUEST._replace(lock_wait_timeout=seconds))
    assert failure.value.error_code == "lock_wait_timeout_invalid"
