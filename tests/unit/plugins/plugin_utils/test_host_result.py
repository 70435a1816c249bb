# Copyright (c) 2026, the dbfleet.mysql authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What stays of a result that a host returned."""

from __future__ import annotations

import ast
import importlib
from pathlib import Path

import pytest
from ansible_collections.dbfleet.mysql.plugins.plugin_utils._host_result import (
    host_result,
    only_result,
)

yaml = pytest.importorskip("yaml", reason="the control node alone has it")

ACTIONS = Path(__file__).resolve().parents[4] / "plugins" / "action"


def returned(name):
    """Return the keys that an action plugin lets through, without a control node's imports."""
    for node in ast.walk(ast.parse((ACTIONS / f"{name}.py").read_text())):
        if isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") == "returned":
            return set(ast.literal_eval(node.value.args[0]))
    raise AssertionError(name)


@pytest.mark.parametrize("name", ["group_replication_plugin", "plugin_load_add", "pymysql_package"])
def test_all_that_the_documentation_names_is_returned(name):
    own = "ansible_collections.dbfleet.mysql.plugins.modules"
    module = importlib.import_module(f"{own}.{name}")
    assert set(yaml.safe_load(module.RETURN)) == returned(name)


def test_no_other_key_stays():
    found = host_result(
        {
            "changed": True,
            "mine": [1, {"a": None}],
            "ansible_facts": {"ansible_control_path": "x"},
            "add_host": {"host_name": "x"},
            "ansible_stats": {"data": {}},
            "_ansible_no_log": False,
        },
        {"mine"},
    )
    assert found == {"changed": True, "mine": [1, {"a": None}]}


@pytest.mark.parametrize(
    ("python", "stays"),
    [
        ("/usr/bin/python3", True),
        ("/usr/libexec/platform-python", True),
        ("/bin/sh -c evil", False),
        ("{{ evil }}", False),
        (["/usr/bin/python3"], False),
        ("python3", False),
    ],
)
def test_the_interpreter_that_ansible_found_stays(python, stays):
    facts = {"discovered_interpreter_python": python, "ansible_connection": "local"}
    found = host_result({"ansible_facts": facts}, set())
    expected = {"ansible_facts": {"discovered_interpreter_python": python}} if stays else {}
    assert found == expected


def test_a_diff_is_short():
    own = {"before": {"status": None, "registered": False}, "after": {"status": "ACTIVE"}}
    assert host_result({"diff": own}, set()) == {"diff": [own]}
    lines = [{"before": "", "after": "+line\n", "before_header": "/etc/my.cnf"}]
    assert host_result({"diff": lines}, set()) == {"diff": lines}
    (found,) = host_result({"diff": {"after": "x\n" * 9000, "prepared": "y"}}, set())["diff"]
    assert found == {"after": "x\n" * 100}
    assert host_result({"diff": "odd"}, set()) == {"diff": []}


def test_a_header_of_a_diff_is_one_line():
    diff = [{"before_header": "x\nok: [b2]\n" + "y" * 9000, "after_header": ["\n"]}]
    (found,) = host_result({"diff": diff}, set())["diff"]
    assert found["before_header"].startswith("x\ufffdok: [b2]\ufffdyyy")
    assert len(found["before_header"]) == 600
    assert found["after_header"] == "['\\n']"


@pytest.mark.parametrize(
    ("output", "result"),
    [
        ('{"a": 1}', '{"a": 1}'),
        ('ok: [b2]\n{"a": 1}\nok: [b2]\n}', '{"a": 1}'),
        (' \xa0{"a": 1}\nok: [b2]', '{"a": 1}'),
        ('x\n{\n "a": 1\n}\nok: [b2]\n}', '{\n "a": 1\n}'),
        ("{" * 9000, "{" * 9000),
        ('{"a": ' * 9000, '{"a": ' * 9000),
        ("Traceback\nok", "Traceback\nok"),
        ("", ""),
    ],
)
def test_what_stands_around_a_result_goes(output, result):
    assert only_result(output) == result


def test_further_lines_are_indented():
    found = host_result({"msg": "a\nb", "warnings": ["a\nb"], "exception": "a\nb"}, set())
    assert found == {"msg": "a\n    b", "warnings": ["a\n    b"], "exception": "a\n    b"}


def test_texts_are_visible():
    found = host_result(
        {"msg": "a\x1b[2J\nb\tc\u202e", "warnings": ["\x9b"], "k": {"\x1b": 1}}, {"k"}
    )
    assert found == {
        "msg": "a\ufffd[2J\n    b\tc\ufffd",
        "warnings": ["\ufffd"],
        "k": {"\ufffd": 1},
    }


@pytest.mark.parametrize("depth", [9, 100, 900])
def test_a_deep_value_is_a_failure(depth):
    value = []
    for _level in range(depth):
        value = [value]
    found = host_result({"msg": value, "changed": True}, set())
    assert found["failed"]
    assert found["error_code"] == "result_invalid"
    assert host_result({"mine": value, "changed": True}, set()) == {"changed": True}


def test_files_are_removed_from_the_host_in_cleanup_alone():
    """Nothing bounds it elsewhere: the package action of ansible-core 2.17 does it at its end."""
    from_host = pytest.importorskip(
        "ansible_collections.dbfleet.mysql.plugins.plugin_utils._from_host",
        reason="the control node alone has ansible-core",
    )

    class Action:
        def __init__(self):
            self.removed = []

        def _remove_tmp_path(self, path, force=False):
            self.removed.append(path)

        def cleanup(self, force=False):
            self._remove_tmp_path("of cleanup", force)

    class FromHost(from_host.FromHost, Action):
        pass

    action = FromHost()
    action._remove_tmp_path("of run", force=False)
    assert action.removed == []
    action.cleanup()
    assert action.removed == ["of cleanup"]


def test_no_name_of_a_host_begins_a_line():
    action = pytest.importorskip(
        "ansible_collections.dbfleet.mysql.plugins.action.pymysql_package",
        reason="the control node alone has ansible-core",
    )
    failure = action._failure({}, "It did not", "bob\n\nPLAY RECAP ***")
    assert "\n" not in failure.cause
    request = importlib.import_module(
        "ansible_collections.dbfleet.mysql.plugins.action.group_replication_request"
    )
    assert "\n" not in request._refused([failure.__class__("c", "a\nb.", "c\nd.")])["msg"]
