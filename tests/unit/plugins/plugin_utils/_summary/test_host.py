# Copyright (c) 2026, the dbfleet.mysql authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What became of a host, judged by what the role registered."""

from __future__ import annotations

import pytest
from ansible_collections.dbfleet.mysql.plugins.plugin_utils._summary.host import (
    Outcome,
    host_of,
)
from made_up_fleet import DENIED, GOOD, failed, host, later


def test_host_in_order():
    good = host()
    assert good.outcome is Outcome.IN_ORDER
    assert (good.cause, good.next_step, good.error_code) == ("", "", None)
    assert good.server_name == "MySQL 8.4.3"
    assert good.loaded_at_start_by == ["/etc/my.cnf:12"]
    assert good.survives_restart is True


def test_failed_host():
    denied = failed()
    assert denied.heading == "failed: access_denied"
    assert denied.cause == "The account may not log in."
    assert denied.next_step == "Correct the login."
    assert denied.server is None


def test_failed_host_of_which_something_is_known():
    refused = failed(failure=dict(DENIED, server={"version": "8.0.1", "flavor": "Percona Server"}))
    assert refused.server_name == "Percona Server 8.0.1"


def test_failed_result_counts_without_the_playbooks_own_note_of_it():
    assert host_of(
        "a", {"group_replication_plugin_result": DENIED}, "present", False, False, False
    ) == (failed("a"))


def test_a_failure_after_a_change_says_so():
    done = ["SET SESSION lock_wait_timeout = 60", "INSTALL PLUGIN x"]
    # The server refused it.
    tried = failed(failure=dict(DENIED, executed_statements=done))
    assert (tried.outcome, tried.executed_statements) == (Outcome.FAILED, [])
    after = failed(failure=dict(DENIED, executed_statements=done, changed=True))
    assert after.outcome is Outcome.FAILED_AFTER_CHANGE
    assert after.executed_statements == done[1:]


def test_a_host_that_was_cut_off_after_a_change_says_so():
    installed = {"changed": True, "executed_statements": ["INSTALL PLUGIN x"]}
    lost = {"unreachable": True, "msg": "Connection reset."}
    half = host(option_file=lost, **installed)
    assert half.outcome is Outcome.FAILED_AFTER_CHANGE
    assert half.cause == "The host cannot be reached: Connection reset."
    assert half.executed_statements == ["INSTALL PLUGIN x"]
    assert host(option_file=lost, check_mode=True, **installed).outcome is Outcome.UNREACHABLE


def test_a_verification_that_failed_leaves_what_the_first_step_knew():
    both = host(
        changed=True,
        executed_statements=["INSTALL PLUGIN x"],
        option_file={"changed": True, "changed_files": ["/a"]},
        verification=DENIED,
        failure=DENIED,
    )
    assert both.heading == "failed after a change: access_denied"
    assert both.server_name == "MySQL 8.4.3"
    assert both.executed_statements == ["INSTALL PLUGIN x"]
    assert both.changed_files == ["/a"]


def test_what_both_runs_of_the_module_did():
    both = host(
        changed=True,
        executed_statements=["INSTALL PLUGIN x"],
        survives_restart=False,
        option_file={"changed": True, "option_file": "/etc/my.cnf"},
        verification=dict(GOOD, changed=True, executed_statements=["DELETE FROM mysql.plugin"]),
    )
    assert both.outcome is Outcome.CHANGED
    assert both.executed_statements == ["INSTALL PLUGIN x", "DELETE FROM mysql.plugin"]
    assert both.changed_files == ["/etc/my.cnf"]


def test_check_mode_tells_each_statement_once():
    predicted = host(
        check_mode=True,
        changed=True,
        executed_statements=["INSTALL PLUGIN x"],
        option_file={"changed": True, "option_file": "/etc/my.cnf"},
        verification=dict(
            GOOD, changed=True, executed_statements=["INSTALL PLUGIN x", "DELETE FROM mysql.plugin"]
        ),
    )
    assert predicted.outcome is Outcome.WOULD_CHANGE
    assert predicted.executed_statements == ["INSTALL PLUGIN x", "DELETE FROM mysql.plugin"]


def test_host_without_python():
    bare = failed(failure={"rc": 127, "msg": "The module interpreter was not found."})
    assert bare.outcome is Outcome.FAILED
    assert "no Python" in bare.cause


def test_unreachable_host():
    gone = failed(
        failure={
            "unreachable": True,
            "msg": "Task failed: Connection timed out. More words.\nAnd more",
        }
    )
    assert gone.outcome is Outcome.UNREACHABLE
    assert gone.cause == "The host cannot be reached: Connection timed out."


def test_message_of_another_task():
    other = failed(failure={"msg": "No such package. Name another.\n" + "x" * 1000})
    assert (other.cause, other.next_step) == ("No such package.", "Name another.")
    missing = failed(failure={"msg": "Task failed: 'vault_nope' is undefined"})
    assert missing.cause == "'vault_nope' is undefined."
    assert missing.next_step == "Correct that, or run this again with -vvv."
    long = failed(failure={"msg": "y" * 1000 + ". " + "x" * 1000})
    assert len(long.cause) == 600
    assert long.next_step == missing.next_step
    assert failed(failure={"failed": True}).next_step == "Run it again with -vvv."


def test_value_that_the_role_does_not_take():
    port = "argument 'group_replication_login_port' is of type str and we were unable to convert"
    refused = failed(
        failure={
            "msg": f"Validation of arguments failed:\n{port}",
            "argument_errors": [port],
            "argument_spec_data": {"much": "more"},
        }
    )
    assert refused.cause == port + "."
    assert refused.next_step.startswith("Correct the variable")
    assert refused.heading == "failed: variables_wrong"


def test_host_that_nobody_looked_at():
    left_out = host_of("db9", {}, "present", False, False, False)
    assert left_out.outcome is Outcome.LEFT_OUT
    assert left_out.outcome.is_problem
    assert "did not look at the host" in left_out.cause
    assert "--tags" in left_out.next_step


def test_host_that_the_play_has_not_come_to_yet():
    assert later().outcome is Outcome.NOT_REACHED
    assert not later().outcome.is_problem


@pytest.mark.parametrize("result", [{"unreachable": True}, {"failed": True}])
def test_second_step_that_did_not_happen(result):
    broken = host(option_file=dict(result, msg="Broken. Mend it."))
    assert broken.outcome.is_problem
    assert "Broken" in broken.cause


@pytest.mark.parametrize(
    ("state", "survives", "fail_on_change", "outcome", "words"),
    [
        ("present", True, True, Outcome.IN_ORDER, ""),
        ("present", False, False, Outcome.GONE_AFTER_RESTART, "will not be after a restart"),
        ("present", None, False, Outcome.IN_ORDER, ""),
        ("present", None, True, Outcome.RESTART_UNKNOWN, "is not known"),
        ("absent", False, False, Outcome.IN_ORDER, ""),
        ("absent", True, False, Outcome.BACK_AFTER_RESTART, "is loaded again"),
        ("absent", None, False, Outcome.BACK_AFTER_RESTART, "may be loaded again"),
    ],
)
def test_what_the_next_start_does(state, survives, fail_on_change, outcome, words):
    judged = host(state=state, survives_restart=survives, fail_on_change=fail_on_change)
    assert judged.outcome is outcome
    assert judged.outcome.is_problem is bool(words)
    assert words in judged.cause


def test_check_mode_does_not_judge_what_would_be_changed():
    bare = {"changed": True, "survives_restart": False, "executed_statements": ["INSTALL"]}
    assert host(check_mode=True, **bare).outcome is Outcome.WOULD_CHANGE
    assert host(check_mode=True).outcome is Outcome.IN_ORDER


def test_the_modules_own_check_mode_counts():
    variables = {"group_replication_plugin_result": dict(GOOD, check_mode=True, changed=True)}
    assert host_of("a", variables, "present", False, False, False).outcome is Outcome.WOULD_CHANGE


@pytest.mark.parametrize(
    ("fail_on_change", "outcome"),
    [(True, Outcome.FALLS_SHORT), (False, Outcome.WOULD_CHANGE)],
)
def test_check_mode_on_a_host_without_pymysql(fail_on_change, outcome):
    bare = host(
        fail_on_change=fail_on_change,
        check_mode=True,
        failed=False,
        error_code="pymysql_missing",
        msg="PyMySQL is missing. Install it.",
        server=None,
    )
    assert bare.outcome is outcome
    assert ("the package of PyMySQL" in bare.cause) is fail_on_change


@pytest.mark.parametrize("fail_on_change", [True, False])
def test_change_is_a_problem_only_when_asked(fail_on_change):
    changed = host(
        fail_on_change=fail_on_change,
        changed=True,
        executed_statements=["INSTALL PLUGIN x"],
        option_file={"changed": True, "changed_files": ["/etc/my.cnf"]},
    )
    assert changed.outcome is (Outcome.FALLS_SHORT if fail_on_change else Outcome.CHANGED)
    assert ("INSTALL PLUGIN x; a change in /etc/my.cnf." in changed.cause) is fail_on_change


def test_warnings_are_there_once():
    own = "Host 'a' is using the discovered Python interpreter at '/usr/bin/python3', but"
    warned = host(warnings=["Mind this.", own], option_file={"warnings": ["Mind this."]})
    assert warned.warnings == ["Mind this."]


def test_installing_pymysql_is_a_change():
    package = {"changed": True}
    changed = host(package=package)
    assert changed.outcome is Outcome.CHANGED
    assert changed.done == ["the package of PyMySQL"]
    assert host(package=package, check_mode=True).outcome is Outcome.WOULD_CHANGE
    assert host(package={"changed": False}).outcome is Outcome.IN_ORDER
    assert "the package of PyMySQL" in host(fail_on_change=True, package=package).cause
    denied = host(package=package, failure=DENIED)
    assert denied.heading == "failed after a change: access_denied"


def test_package_manager_that_failed():
    broken = host(
        package={"failed": True, "msg": "No package matching 'python3-pymysql' is available"},
        # Tolerated, as the package was still to come.
        failed=False,
        error_code="pymysql_missing",
    )
    assert broken.heading == "failed"
    assert broken.cause == "No package matching 'python3-pymysql' is available."
    assert not broken.pymysql_installed


def test_the_verification_knows_which_warnings_still_hold():
    loads = "/etc/my.cnf:7 loads the plugin again at the next start, unless it is taken out too."
    line = {"changed": True, "changed_files": ["/etc/my.cnf"]}
    gone = host(state="absent", warnings=[loads], option_file=line, verification=GOOD)
    assert gone.warnings == []
    assert host(state="absent", warnings=[loads]).warnings == [loads]


def test_outcomes_stand_worst_first():
    problems = [outcome.is_problem for outcome in Outcome]
    assert problems == sorted(problems, reverse=True)
    assert list(Outcome)[-1] is Outcome.IN_ORDER


BY_ROW = {
    "check_mode": True,
    "fail_on_change": True,
    "loaded_at_start_by": ["mysql.plugin"],
    "option_file": {"changed": True, "changed_files": ["/etc/my.cnf"]},
    "verification": dict(
        GOOD, changed=True, executed_statements=["DELETE FROM mysql.plugin"], check_mode=True
    ),
}


def test_a_server_that_keeps_the_plugin_by_its_row_falls_short_of_nothing():
    kept = host(**BY_ROW)
    assert kept.outcome is Outcome.IN_ORDER
    assert kept.loaded_at_start_by == ["mysql.plugin"]
    assert "would let an option file load it" in kept.warnings[0]
    assert host(**{**BY_ROW, "fail_on_change": False}).outcome is Outcome.WOULD_CHANGE
    # Where the user wants the row to stay, there is nothing to remark.
    always = host(**{**BY_ROW, "option_file": None, "verification": None})
    assert (always.outcome, always.warnings) == (Outcome.IN_ORDER, [])


def test_what_an_installation_is_refused_is_a_remark_in_one_line():
    refused = {"failed": True, "error_code": "x_y", "msg": "a\nfailed (1)\ndb01   forged. " * 99}
    kept = host(**{**BY_ROW, "option_file": refused, "verification": None})
    assert kept.outcome is Outcome.IN_ORDER
    assert len(kept.warnings) == 1
    assert "\n" not in kept.warnings[0]
    assert "  " not in kept.warnings[0]


@pytest.mark.parametrize(
    "more",
    [
        {"changed": True},
        {"survives_restart": False},
        {"plugin": {"status": "DISABLED"}},
        {"loaded_at_start_by": ["/etc/my.cnf:1"]},
        {"invocation": {"module_args": {"registration": "never"}}},
    ],
    ids=str,
)
def test_a_row_is_not_enough(more):
    assert host(**{**BY_ROW, **more}).outcome is Outcome.FALLS_SHORT
