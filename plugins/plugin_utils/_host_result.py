# Copyright (c) 2026, the dbfleet.mysql authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a host returns, made plain where it reaches the control node. Private to dbfleet.mysql.

A host in the wrong hands returns what it likes. Ansible takes some of it for more than data: above
all C(ansible_facts), which beat the inventory's variables and so decide how the next tasks reach
the host. So of a result only the keys stay that our modules return, with plain values.
"""

from __future__ import annotations

import json
import re
from typing import AbstractSet, Any, Mapping

from ..module_utils._errors import Failure
from ._text import indented, visible

#: What Ansible itself makes of a task: its outcome and its own messages.
_OF_ANSIBLE = frozenset(
    (
        *("changed", "failed", "skipped", "unreachable", "msg", "rc", "warnings", "exception"),
        *("module_stdout", "module_stderr", "invocation", "diff"),
    )
)
#: No module of ours nests its values deeper.
_DEPTH = 8
#: Of a diff: what Ansible compares, and how much of it. Ours have a line or a few values.
_SIDES = ("before", "after")
_HEADERS = ("before_header", "after_header")
_MOST_DIFFS = 50
_MOST_LINES = 100
_LONGEST_LINE = 600
#: Where Ansible found the host's Python: without it, each task would look for it again.
_INTERPRETER = "discovered_interpreter_python"


class _TooDeep(Exception):
    """A value is nested deeper than any of ours."""


def host_result(result: Mapping[str, Any], returned: AbstractSet[str]) -> dict[str, Any]:
    """Return what counts of a task's result.

    Args:
        result: as Ansible's action returned it.
        returned: the keys that the module's documentation names.
    """
    known = _OF_ANSIBLE | returned
    try:
        kept = {name: _plain(value, 0) for name, value in result.items() if name in known}
    except _TooDeep:
        failure = Failure(
            "result_invalid",
            "The host returned a result that the collection's modules never return (nested too "
            "deep), so nothing it says counts.",
            "Look at the host itself before you trust it.",
        )
        return {"failed": True, "changed": False, **failure.as_result()}
    for name in ("msg", "warnings", "exception"):
        if name in kept:
            kept[name] = _indented(kept[name])
    if "diff" in kept:
        kept["diff"] = _short_diff(kept["diff"])
    facts = result.get("ansible_facts")
    python = facts.get(_INTERPRETER) if isinstance(facts, Mapping) else None
    if isinstance(python, str) and re.fullmatch(r"/[\w./+-]{1,200}", python):
        kept["ansible_facts"] = {_INTERPRETER: python}
    return kept


def _indented(value: object) -> object:
    """Return a message, or a list of messages, whose further lines are indented."""
    if isinstance(value, list):
        return [_indented(item) for item in value]
    return indented(value) if isinstance(value, str) else value


def _short_diff(value: object) -> list[dict[str, object]]:
    """Return a diff that does not hold Ansible up: it compares line by line, in cubic time."""
    return [
        {
            **{name: _side(part[name]) for name in _SIDES if name in part},
            **{name: _header(part[name]) for name in _HEADERS if name in part},
        }
        for part in (value if isinstance(value, list) else [value])[:_MOST_DIFFS]
        if isinstance(part, dict)
    ]


def _side(value: object) -> object:
    if isinstance(value, dict):
        return {
            name: str(item)[:_LONGEST_LINE] if isinstance(item, (str, list, dict)) else item
            for name, item in list(value.items())[:_MOST_LINES]
        }
    lines = str(value or "").splitlines(keepends=True)[:_MOST_LINES]
    return "".join(line[:_LONGEST_LINE] for line in lines)


def _header(value: object) -> str:
    return visible(str(value)[:_LONGEST_LINE], "")


def only_result(output: str) -> str:
    """Return what Ansible takes for a module's result, without what stands around it and is shown.

    All of the output where there is no result.
    """
    start = 0
    for line in output.splitlines(keepends=True):
        if line.strip().startswith("{"):
            start += len(line) - len(line.lstrip())
            break
        start += len(line)
    try:
        return output[start : json.JSONDecoder().raw_decode(output, start)[1]]
    except (ValueError, RecursionError):
        return output


def of_ansible_only(result: Mapping[str, Any]) -> dict[str, Any]:
    """Return a module's result without keys for Ansible itself, which it would show as they are."""
    parsed = "_ansible_parsed"
    return {
        name: value
        for name, value in result.items()
        if name == parsed or not str(name).startswith("_ansible_")
    }


def _plain(value: object, depth: int) -> object:
    """Return a value with visible characters alone, in Python's own types."""
    if depth > _DEPTH:
        raise _TooDeep
    if value is None or isinstance(value, (bool, int, float)):
        return value
    if isinstance(value, str):
        return visible(value, "\n\t")
    if isinstance(value, Mapping):
        return {visible(str(key)): _plain(item, depth + 1) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item, depth + 1) for item in value]
    # Since 2.19, Ansible has types of its own for messages.
    event = getattr(value, "event", None)
    return visible(str(getattr(event, "msg", "") or value), "\n\t")
