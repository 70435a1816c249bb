# Copyright (c) 2026, the dbfleet.mysql authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a run of the playbooks is refused for; tests/integration/test_fleets.py sees it happen."""

from __future__ import annotations

import pytest

pytest.importorskip("jinja2", reason="Jinja2 is on the control node only, as this code is")

from ansible_collections.dbfleet.mysql.plugins.plugin_utils._request import (
    OF_THE_RUN,
    Request,
    Variables,
    meant_by,
    refusals,
    states_of,
)

KNOWN = {
    *OF_THE_RUN,
    *(
        f"group_replication_{name}"
        for name in ("state", "login_password", "login_host", "login_port", "backup", "section")
    ),
}
# Of MySQL 9.7, SHOW VARIABLES; people keep the values of these under these very names.
OF_MYSQL = [
    "advertise_recovery_endpoints",
    "allow_local_lower_version_join",
    "auto_increment_increment",
    "autorejoin_tries",
    "bootstrap_group",
    "clone_threshold",
    "communication_debug_options",
    "communication_max_message_size",
    "communication_stack",
    "components_stop_timeout",
    "compression_threshold",
    "consistency",
    "enforce_update_everywhere_checks",
    "exit_state_action",
    "flow_control_applier_threshold",
    "flow_control_certifier_threshold",
    "flow_control_hold_percent",
    "flow_control_max_quota",
    "flow_control_member_quota_percent",
    "flow_control_min_quota",
    "flow_control_min_recovery_quota",
    "flow_control_mode",
    "flow_control_period",
    "flow_control_release_percent",
    "force_members",
    "group_name",
    "group_seeds",
    "gtid_assignment_block_size",
    "ip_allowlist",
    "ip_whitelist",
    "local_address",
    "member_expel_timeout",
    "member_weight",
    "message_cache_size",
    "paxos_single_leader",
    "poll_spin_loops",
    "preemptive_garbage_collection",
    "recovery_compression_algorithms",
    "recovery_get_public_key",
    "recovery_public_key_path",
    "recovery_reconnect_interval",
    "recovery_retry_count",
    "recovery_ssl_ca",
    "recovery_ssl_cert",
    "recovery_ssl_key",
    "recovery_ssl_verify_server_cert",
    "recovery_tls_ciphersuites",
    "recovery_tls_version",
    "recovery_use_ssl",
    "single_primary_mode",
    "ssl_mode",
    "start_on_boot",
    "tls_source",
    "transaction_size_limit",
    "unreachable_majority_timeout",
    "view_change_uuid",
]


def request(**more):
    given = {
        "playbook": "install",
        "hosts": "all",
        "matched_hosts": ["db1", "db2"],
        "state": None,
        "serial": ["100%"],
        "max_fail_percentage": None,
        "report": None,
        "confirm_remove": False,
    }
    return Request(**{**given, **more})


def variables(**more):
    given = {"known": KNOWN, "of_command": (), "of_play": (), "of_hosts": {}, "facts": ()}
    return Variables(**{**given, **more})


def codes(asked=None, states=("present",), **names):
    found = refusals(asked or request(), list(states), variables(**names))
    return [failure.error_code for failure in found]


def test_a_request_that_is_in_order():
    assert codes() == []


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("group_replication_host", "group_replication_hosts"),
        ("group_replication_serail", "group_replication_serial"),
        ("group_replication_login_pasword", "group_replication_login_password"),
        ("group_replication_max_fail_percent", "group_replication_max_fail_percentage"),
        ("group_replication_confirm_removal", "group_replication_confirm_remove"),
        ("group_replicaton_report", "group_replication_report"),
        ("groupreplication_report", "group_replication_report"),
        ("group_replication_report", ""),
        ("group_replication_user", ""),
        ("group_replication_shop", ""),
        ("mysql_group_replication_hosts", ""),
        ("groups", ""),
    ],
)
def test_a_slip_and_a_name_of_the_users_own(name, meant):
    assert meant_by(name, KNOWN) == meant


@pytest.mark.parametrize("name", OF_MYSQL)
def test_mysqls_own_names_are_no_slips(name):
    assert meant_by("group_replication_" + name, KNOWN) == ""


def test_the_variables_of_other_hosts_do_not_count():
    slip = ["group_replication_serail"]
    assert codes(of_hosts={"other": slip}) == []
    assert codes(of_hosts={"db2": slip}) == ["variable_misspelt"]
    assert codes(of_play=slip) == codes(of_command=slip) == ["variable_misspelt"]


@pytest.mark.parametrize("name", OF_THE_RUN)
def test_what_counts_for_a_run_does_not_come_from_the_inventory(name):
    # Of any host: the one that happens to be first would decide for all.
    assert codes(of_hosts={"other": [name]}) == ["variable_of_the_run"]
    assert codes(of_hosts={"other": [name]}, of_command=[name]) == []
    assert codes(of_play=[name]) == []


def test_facts_are_told_once():
    name = "group_replication_report"
    assert codes(facts=[name, "os"], of_hosts={"db1": [name]}) == ["facts_steer"]


def test_results_of_an_earlier_play_are_no_slips():
    results = ["group_replication_plugin_result", "group_replication_run"]
    assert codes(of_hosts={"db1": results}, of_play=results) == []
    assert codes(of_command=results) == ["variable_reserved"]


@pytest.mark.parametrize(
    ("playbook", "states", "fine"),
    [
        ("install", ["present"], True),
        ("install", ["absent"], False),
        ("remove", ["absent"], True),
        ("remove", ["present"], False),
        ("verify", ["absent"], True),
        ("verify", ["absent", "present"], False),
        ("verify", ["absnt"], False),
    ],
)
def test_the_state_fits_the_playbook(playbook, states, fine):
    asked = request(playbook=playbook, confirm_remove=True)
    assert codes(asked, states) == ([] if fine else ["state_not_of_the_playbook"])


def test_where_states_come_from():
    assert states_of(request(), {"db1": None}) == ["present"]
    assert states_of(request(playbook="remove"), {"db1": None}) == ["absent"]
    assert states_of(request(state="absent"), {"db1": None, "db2": "x"}) == [
        "absent",
        "present",
        "x",
    ]


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ({"matched_hosts": []}, ["no_host_matches"]),
        ({"serial": ["1", "0"]}, ["serial_invalid"]),
        ({"serial": [""]}, ["serial_invalid"]),
        ({"serial": ["1", "10%"], "max_fail_percentage": "99.5"}, []),
        ({"serial": ["1"], "max_fail_percentage": "101"}, ["max_fail_percentage_invalid"]),
        ({"serial": ["1"], "max_fail_percentage": "1\n"}, ["max_fail_percentage_invalid"]),
        ({"max_fail_percentage": "0"}, ["batches_missing"]),
        ({"report": "/nowhere/x.html"}, ["report_folder_missing"]),
        ({"report": "x.txt"}, ["report_name_invalid"]),
        ({"playbook": "verify"}, []),
    ],
)
def test_other_refusals(asked, found):
    assert codes(request(**asked)) == found


def test_a_removal_is_confirmed():
    asked = request(playbook="remove")
    assert codes(asked, ["absent"]) == ["removal_not_confirmed"]
    assert codes(asked._replace(confirm_remove=True), ["absent"]) == []
