# Copyright (c) 2026, the dbfleet.mysql authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The action plugins that run the modules for the role.

What a real server can be brought to is in tests/integration/test_role.py; here the module is made up.
"""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest
import yaml
from ansible.errors import AnsibleConnectionFailure, AnsibleError
from ansible.parsing.dataloader import DataLoader
from ansible.plugins.action.normal import ActionModule as NormalAction
from ansible.template import Templar
from ansible_collections.dbfleet.mysql.plugins.action import (
    group_replication_plugin,
    plugin_load_add,
)
from ansible_collections.dbfleet.mysql.plugins.doc_fragments.connection import ModuleDocFragment
from ansible_collections.dbfleet.mysql.plugins.modules import (
    group_replication_plugin as plugin_module,
)
from ansible_collections.dbfleet.mysql.plugins.modules import plugin_load_add as option_module
from ansible_collections.dbfleet.mysql.plugins.plugin_utils._summary.host import ROLE_RESULTS

try:
    from ansible.template import trust_as_template
except ImportError:  # ansible-core before 2.19 takes each string for a template

    def trust_as_template(text):
        return text


PLUGIN = group_replication_plugin.ActionModule
OPTION_FILE = plugin_load_add.ActionModule
ROLE = Path(__file__).resolve().parents[3] / "roles" / "group_replication"
OF_ROLE = {"__group_replication_of_role": True}
SERVER = {"option_file": "/etc/my.cnf", "defaults_extra_file": None, "option_group": "mysqld"}


def documented(module):
    return set(yaml.safe_load(module.DOCUMENTATION)["options"])


def run(action, monkeypatch, result=None, check_mode=False, args=None, **variables):
    """Run an action plugin whose module returns this; returns its result and its options."""
    variables = {"omit": "__omit__", "group_replication_state": "present", **variables}
    task = SimpleNamespace(args=args or {}, check_mode=check_mode)
    templar = Templar(loader=DataLoader(), variables=variables)
    plugin = action(task, None, None, DataLoader(), templar, None)

    def module(_self, _tmp=None, _task_vars=None):
        if isinstance(result, Exception):
            raise result
        return dict(result or {"changed": False})

    monkeypatch.setattr(NormalAction, "run", module)
    return plugin.run(None, variables), task.args


def test_each_variable_of_the_role_is_an_option_of_its_modules():
    spec = yaml.safe_load((ROLE / "meta" / "argument_specs.yml").read_text(encoding="utf-8"))
    variables = {f"group_replication_{name}" for name in {*PLUGIN.OPTIONS, *OPTION_FILE.OPTIONS}}
    own = {"install_pymysql", "pymysql_package", "expect_server"}
    variables.update(f"group_replication_{name}" for name in own)
    assert set(spec["argument_specs"]["main"]["options"]) == variables


def test_each_option_of_the_modules_is_one_that_the_role_hands_on():
    fragment = set(yaml.safe_load(ModuleDocFragment.DOCUMENTATION)["options"])
    assert set(PLUGIN.OPTIONS) == documented(plugin_module) | fragment
    assert set(OPTION_FILE.OPTIONS) <= documented(option_module)


def test_outside_the_role_variables_are_no_options(monkeypatch):
    given = {"state": "absent"}
    _result, options = run(PLUGIN, monkeypatch, args=given, group_replication_library="x.so")
    assert options == given


def test_the_role_hands_on_what_is_set(monkeypatch):
    _result, options = run(
        PLUGIN,
        monkeypatch,
        group_replication_library=trust_as_template("{{ name }}.so"),
        group_replication_login_port=3307,
        name="replication",
        **OF_ROLE,
    )
    assert options == {"state": "present", "library": "replication.so", "login_port": 3307}


def test_the_role_does_not_hand_on_what_is_omitted(monkeypatch):
    text = trust_as_template("{{ nowhere | default(omit) }}")
    variables = {"group_replication_login_password": text, **OF_ROLE}
    assert run(PLUGIN, monkeypatch, **variables)[1] == {"state": "present"}


@pytest.mark.parametrize("text", ["{{ nowhere }}", "S3cr{%et", "S3cr{{et"])
def test_a_password_without_a_value_is_a_failure_that_does_not_show_it(monkeypatch, text):
    text = trust_as_template(text)
    got, options = run(PLUGIN, monkeypatch, group_replication_login_password=text, **OF_ROLE)
    assert (got["failed"], got["error_code"], options) == (True, "variables_wrong", {})
    assert got["cause"].startswith("group_replication_login_password: ")
    assert "S3cr" not in str(got)


def test_null_is_not_set(monkeypatch):
    found = {"group_replication_plugin_result": {"server": {**SERVER, "option_group": "mysqld@1"}}}
    variables = {"__group_replication_of_server": True, **found, **OF_ROLE}
    options = run(OPTION_FILE, monkeypatch, group_replication_section=None, **variables)[1]
    assert options["section"] == "mysqld@1"


def test_the_users_option_file_goes_before_the_servers(monkeypatch):
    variables = {
        "__group_replication_of_server": True,
        "group_replication_plugin_result": {"server": SERVER},
        **OF_ROLE,
    }
    expected = {"state": "present", "option_file": "/etc/my.cnf", "section": "mysqld"}
    assert run(OPTION_FILE, monkeypatch, **variables)[1] == expected
    own = run(OPTION_FILE, monkeypatch, group_replication_option_file="/etc/own", **variables)[1]
    assert own == {**expected, "option_file": "/etc/own"}


def test_an_option_file_whose_name_is_hidden_is_not_made_up(monkeypatch):
    server = {**SERVER, "option_file": "/srv/********/my.cnf"}
    variables = {
        "__group_replication_of_server": True,
        "group_replication_plugin_result": {"server": server},
        **OF_ROLE,
    }
    got, options = run(OPTION_FILE, monkeypatch, **variables)
    assert (got["failed"], got["error_code"], options) == (True, "option_file_masked", {})
    got = run(OPTION_FILE, monkeypatch, group_replication_option_file="/etc/own", **variables)[0]
    assert "failed" not in got


def test_the_playbooks_forget_each_result_that_they_look_for():
    path = ROLE.parents[1] / "playbooks" / "tasks" / "request.yml"
    tasks = yaml.safe_load(path.read_text(encoding="utf-8"))
    assert tasks[-1]["ansible.builtin.set_fact"] == {name: {} for name in ROLE_RESULTS}


@pytest.mark.parametrize(
    ("action", "code", "check_mode", "variables", "failed", "changed"),
    [
        (
            PLUGIN,
            "pymysql_missing",
            False,
            {"group_replication_install_pymysql": True},
            False,
            False,
        ),
        (
            PLUGIN,
            "pymysql_missing",
            False,
            {"group_replication_install_pymysql": False},
            True,
            False,
        ),
        (
            PLUGIN,
            "pymysql_missing",
            False,
            {"group_replication_install_pymysql": True, "__group_replication_pymysql_tried": True},
            True,
            False,
        ),
        (PLUGIN, "server_down", True, {}, False, True),
        (PLUGIN, "server_down", True, {"group_replication_expect_server": "yes"}, True, False),
        (PLUGIN, "server_down", False, {}, True, False),
        (PLUGIN, "access_denied", True, {}, True, False),
        (OPTION_FILE, "option_file_folder_missing", True, {}, False, True),
        (OPTION_FILE, "option_file_folder_missing", False, {}, True, False),
        (OPTION_FILE, "option_file_broken", True, {}, True, False),
    ],
)
def test_what_the_role_puts_up_with(
    monkeypatch, action, code, check_mode, variables, failed, changed
):
    result = {"failed": True, "changed": False, "error_code": code, "exception": "Traceback"}
    got = run(action, monkeypatch, result, check_mode, **variables, **OF_ROLE)[0]
    assert (got["failed"], got["changed"], "exception" in got) == (failed, changed, failed)


def again(monkeypatch, result, **variables):
    """Run the module a second time."""
    return run(
        PLUGIN,
        monkeypatch,
        result,
        __group_replication_verify_again=True,
        group_replication_plugin_result={"executed_statements": ["INSTALL PLUGIN x"]},
        group_replication_option_file_result={"option_file": "/etc/other.cnf"},
        **OF_ROLE,
        **variables,
    )[0]


def test_a_second_run_keeps_what_the_first_did(monkeypatch):
    first = {"executed_statements": ["INSTALL PLUGIN x"]}
    well = again(monkeypatch, {"loaded_by_options": True, "server": SERVER})
    assert well == {"loaded_by_options": True, "server": SERVER, "first_result": first}
    failed = again(monkeypatch, {"failed": True, "error_code": "access_denied"})
    assert failed == {"failed": True, "error_code": "access_denied", "first_result": first}
    for error, word in ((AnsibleConnectionFailure, "unreachable"), (AnsibleError, "failed")):
        lost = again(monkeypatch, error("gone"))
        assert lost == {word: True, "msg": "gone", "first_result": first}


def test_an_option_file_that_the_server_does_not_read_is_a_failure(monkeypatch):
    unread = {"loaded_by_options": False, "server": SERVER}
    got = again(monkeypatch, unread)
    assert (got["failed"], got["error_code"]) == (True, "option_file_not_read")
    assert "/etc/other.cnf" in got["cause"]
    assert "/etc/my.cnf" in got["next_step"]
    assert "failed" not in again(monkeypatch, unread, group_replication_state="absent")
    assert again(monkeypatch, unread, group_replication_state=None)["failed"]


def test_wrong_variables_are_the_hosts_failure(monkeypatch):
    variables = {
        "__group_replication_of_playbook": True,
        "group_replication_start": {"wrong_variables": {"db1": ["argument 'x' is wrong"]}},
        **OF_ROLE,
    }
    got = run(PLUGIN, monkeypatch, inventory_hostname="db1", **variables)[0]
    assert (got["failed"], got["error_code"]) == (True, "variables_wrong")
    assert got["cause"] == "argument 'x' is wrong."
    assert "failed" not in run(PLUGIN, monkeypatch, inventory_hostname="db2", **variables)[0]
