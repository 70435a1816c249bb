# Copyright (c) 2026, the dbfleet.mysql authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The role's tasks, its variables and the modules' options say the same."""

from __future__ import annotations

import ast
import importlib
import re
from pathlib import Path

import pytest

yaml = pytest.importorskip("yaml", reason="PyYAML is on the control node only, as the role is")

from ansible_collections.dbfleet.mysql.plugins.plugin_utils._request import (  # noqa: E402
    OF_THE_PLAYBOOKS,
    OF_THE_RUN,
)
from ansible_collections.dbfleet.mysql.plugins.plugin_utils._summary.host import (  # noqa: E402
    FAILURE,
    RESULTS,
)

CHECKOUT = Path(__file__).resolve().parents[2]
ROLE = CHECKOUT / "roles" / "group_replication"
PREFIX = "group_replication_"
# Those that the role has for itself.
OF_ROLE = {"install_pymysql", "pymysql_package", "expect_server"}


def read(path):
    return yaml.safe_load(path.read_text(encoding="utf-8"))


def options_of(module):
    name = "ansible_collections.dbfleet.mysql.plugins.modules." + module
    documentation = yaml.safe_load(importlib.import_module(name).DOCUMENTATION)
    fragments = documentation.get("extends_documentation_fragment", [])
    options = set(documentation["options"])
    for fragment in fragments:
        file, _dot, part = fragment.replace("dbfleet.mysql.", "", 1).partition(".")
        name = "ansible_collections.dbfleet.mysql.plugins.doc_fragments." + file
        found = importlib.import_module(name).ModuleDocFragment
        shared = getattr(found, (part or "documentation").upper())
        options |= set(yaml.safe_load(shared)["options"])
    return options


def arguments_of(file, module):
    (task,) = (task for task in read(ROLE / "tasks" / file) if "dbfleet.mysql." + module in task)
    return task["dbfleet.mysql." + module]


def variables_of(entry):
    specs = read(ROLE / "meta" / "argument_specs.yml")["argument_specs"]
    return {name[len(PREFIX) :] for name in specs[entry]["options"]}


@pytest.mark.parametrize(
    ("file", "module", "not_in_the_role"),
    [
        ("module.yml", "group_replication_plugin", {"expect_loaded_by_options"}),
        ("verification.yml", "group_replication_plugin", set()),
        ("option_file.yml", "plugin_load_add", set()),
    ],
)
def test_a_task_gives_each_option_its_variable(file, module, not_in_the_role):
    arguments = arguments_of(file, module)
    assert set(arguments) == options_of(module) - not_in_the_role
    for option, value in arguments.items():
        if option != "expect_loaded_by_options":
            assert re.match(r"\{\{ " + PREFIX + option + r"\b", value), option


# ---- what messages call an option ----

#: The files whose next steps are held to it.
MESSAGES = sorted(
    [
        *(CHECKOUT / "plugins/module_utils/_option_file").glob("*.py"),
        CHECKOUT / "plugins/modules/plugin_load_add.py",
    ]
)


def calls_of(path, function):
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") == function:
            yield node


def test_an_option_that_a_message_names_is_a_variable_of_the_role():
    variables = variables_of("main") | variables_of("option_file")
    named = {
        argument.value
        for path in (CHECKOUT / "plugins").glob("**/*.py")
        for call in calls_of(path, "option_names")
        for argument in call.args
        if isinstance(argument, ast.Constant)
    }
    assert {"drop_in", "unsafe_writes"} <= named <= variables


@pytest.mark.parametrize("path", MESSAGES, ids=lambda path: path.name)
def test_a_next_step_names_an_option_as_a_variable_too(path):
    """Options of one word, such as library, are words of English as well."""
    options = [name for name in options_of("plugin_load_add") if "_" in name]
    for call in calls_of(path, "Failure"):
        words = [
            node.value
            for node in ast.walk(call.args[2])
            if isinstance(node, ast.Constant) and isinstance(node.value, str)
        ]
        helped = {
            argument.value
            for inner in ast.walk(call.args[2])
            if isinstance(inner, ast.Call)
            for argument in inner.args
            if isinstance(argument, ast.Constant)
        }
        for text in set(words) - helped:
            assert not re.search(rf"\b({'|'.join(options)})\b", text), text


@pytest.mark.parametrize("file", ["module.yml", "verification.yml", "option_file.yml"])
def test_a_host_that_does_not_answer_holds_up_nobody(file):
    tasks = [task for task in read(ROLE / "tasks" / file) if "register" in task]
    assert tasks
    for task in tasks:
        assert task["timeout"] == "{{ __group_replication_timeout | int }}"


def test_the_package_manager_holds_up_nobody():
    named = [task for task in read(ROLE / "tasks" / "pymysql.yml") if "module.yml" not in str(task)]
    assert len(named) == 1
    assert all(task["timeout"] <= 1800 for task in named)


def test_both_runs_of_the_module_are_given_the_same():
    first = arguments_of("module.yml", "group_replication_plugin")
    second = arguments_of("verification.yml", "group_replication_plugin")
    del second["expect_loaded_by_options"]
    assert first == second


def test_each_entry_point_has_the_variables_of_its_modules():
    of_plugin = options_of("group_replication_plugin") - {"expect_loaded_by_options"}
    of_file = options_of("plugin_load_add")
    assert variables_of("plugin") == of_plugin | OF_ROLE
    assert variables_of("option_file") == of_file | {"expect_server"}
    assert variables_of("main") == of_plugin | of_file | OF_ROLE


def test_the_defaults_list_each_variable_once():
    lines = (ROLE / "defaults" / "main.yml").read_text(encoding="utf-8")
    listed = re.findall(r"^(?:# )?" + PREFIX + r"(\w+):", lines, flags=re.MULTILINE)
    assert sorted(listed) == sorted(variables_of("main"))


def test_the_playbooks_begin_with_no_result_of_an_earlier_one():
    plays = read(CHECKOUT / "playbooks" / "shared" / "plugin.yml")
    (facts,) = (task for task in plays[0]["tasks"] if "ansible.builtin.set_fact" in task)
    empty = {name for name, value in facts["ansible.builtin.set_fact"].items() if value == {}}
    assert empty == {*RESULTS, FAILURE, PREFIX + "batch_result"}


def test_what_the_playbooks_set_is_reserved():
    texts = [path.read_text(encoding="utf-8") for path in (CHECKOUT / "playbooks").rglob("*.yml")]
    found = re.findall(rf"^ +(?:register: )?({PREFIX}\w+)(?::|$)", "\n".join(texts), re.MULTILINE)
    # What a play or a task gives the tasks below it; the role's variables among it.
    of_role = {PREFIX + name for name in variables_of("main")}
    assert set(found) - of_role - {PREFIX + "stopped"} == set(OF_THE_PLAYBOOKS)
    assert of_role.isdisjoint(OF_THE_PLAYBOOKS)


def test_the_documentation_lists_the_playbooks_variables():
    options = options_of("group_replication_request")
    assert {PREFIX + option for option in options} >= set(OF_THE_RUN)
    page = (CHECKOUT / "docs" / "apply_to_a_fleet.md").read_text(encoding="utf-8")
    assert set(re.findall(rf"^\| `({PREFIX}\w+)` \|", page, re.MULTILINE)) == set(OF_THE_RUN)


@pytest.mark.parametrize("play", read(CHECKOUT / "playbooks" / "shared" / "plugin.yml"))
def test_a_play_says_what_a_configuration_would_decide(play):
    assert (play["gather_facts"], play["strategy"], play["any_errors_fatal"]) == (
        False,
        "linear",
        False,
    )


def test_no_task_is_called_after_what_another_run_does():
    files = [*(ROLE / "tasks").glob("*.yml"), *(CHECKOUT / "playbooks").rglob("*.yml")]
    text = "\n".join(path.read_text(encoding="utf-8") for path in files)
    names = re.findall(r"^ *- name: (.*)", text, flags=re.MULTILINE)
    assert len(names) > 15
    assert not [
        name for name in names if re.search(r"\bor (remove|no longer|out of)\b|verify", name)
    ]
