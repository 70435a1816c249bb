# Copyright (c) 2026, the dbfleet.mysql authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What hosts returned, made plain where it comes in. Private to dbfleet.mysql.

A host may be in the wrong hands, and its results are its own words: they reach a terminal, files
and other people's eyes. So each value has the expected type, no character that steers a terminal or
hides, and a length.
"""

from __future__ import annotations

import re
from typing import Any, Callable, Mapping

from .._text import visible

# In characters: a value that stands in a cell, and a sentence or a path.
LONGEST_VALUE = 200
LONGEST_TEXT = 600
# Of a message of which one line is taken.
_LONGEST_MESSAGE = 4000
# How many statements, files or warnings of one host are shown.
MOST_ITEMS = 50


class WrongResult(Exception):
    """A value of a host's result has the wrong type; the text is its name."""


def plain(text: str, limit: int = LONGEST_TEXT) -> str:
    """Return a text in one line, without hidden characters, and not longer than a limit.

    A run of blanks is one: on a terminal, many would begin another line.
    """
    return _shown(re.sub(r"\s+", " ", text[: limit + 1]), limit)


def checked(result: object) -> dict[str, Any]:
    """Return what the summary reads of a registered result.

    Raises:
        WrongResult: a value has the wrong type.
    """
    if not isinstance(result, Mapping):
        raise WrongResult("result")
    return {
        name: _FIELDS[name](name, value)
        for name, value in result.items()
        if isinstance(name, str) and name in _FIELDS and value is not None
    }


def _shown(text: str, limit: int) -> str:
    shown = visible(text[: limit + 1])
    return shown if len(shown) <= limit else shown[: limit - 1] + "…"


def _bool(name: str, value: object) -> bool:
    if not isinstance(value, bool):
        raise WrongResult(name)
    return value


def _int(name: str, value: object) -> int:
    if not isinstance(value, int) or abs(value) > 2**31:
        raise WrongResult(name)
    return value


def _text(name: str, value: object) -> str:
    if not isinstance(value, str):
        raise WrongResult(name)
    return plain(value)


def _error_code(name: str, value: object) -> str:
    if not isinstance(value, str) or not re.fullmatch(r"[a-z_]{1,40}", value):
        raise WrongResult(name)
    return value


def _message(_name: str, value: object) -> str:
    """Return the words of any module, of which one line is taken: the first or the last."""
    text = value if isinstance(value, str) else str(value)[:_LONGEST_MESSAGE]
    half = _LONGEST_MESSAGE // 2
    if len(text) > _LONGEST_MESSAGE:
        text = text[:half] + "\n" + text[-half:]
    return _shown(text.replace("\r\n", "\n"), _LONGEST_MESSAGE + 1)


def _texts(name: str, value: object) -> list[str]:
    if not isinstance(value, (list, tuple)):
        raise WrongResult(name)
    texts = [_text(name, item) for item in value[:MOST_ITEMS]]
    more = len(value) - MOST_ITEMS
    return [*texts, f"and {more} more"] if more > 0 else texts


def _values(name: str, value: object) -> dict[str, object]:
    if not isinstance(value, Mapping):
        raise WrongResult(name)
    # A key without a value, or that nobody knows, is passed over.
    return {
        key: value[key] if key in _BOOLS else plain(value[key], LONGEST_VALUE)
        for key in _VALUES[name]
        if _known(f"{name}.{key}", value.get(key), bool if key in _BOOLS else str)
    }


def _invocation(_name: str, value: object) -> dict[str, str]:
    """Return what the task was given, as far as it counts here; Ansible adds it to a result."""
    given = value.get("module_args") if isinstance(value, Mapping) else None
    registration = given.get("registration") if isinstance(given, Mapping) else None
    return {"registration": plain(registration)} if isinstance(registration, str) else {}


def _known(name: str, value: object, kind: type) -> bool:
    """Whether there is a value; raises WrongResult for one of another type."""
    if value is not None and not isinstance(value, kind):
        raise WrongResult(name)
    return value is not None


_BOOLS = ("super_read_only", "loads_plugin")
_VALUES = {
    "server": (
        *("version", "flavor", "plugin_dir", "super_read_only"),
        *("option_file", "defaults_extra_file", "option_group"),
    ),
    "next_start": ("loads_plugin", "reason"),
    "plugin": ("name", "status", "type", "library", "license", "version", "load_option"),
}
_FIELDS: dict[str, Callable[[str, Any], Any]] = {
    **dict.fromkeys(
        (
            *("failed", "skipped", "changed", "unreachable", "check_mode", "survives_restart"),
            "registered",
        ),
        _bool,
    ),
    "error_code": _error_code,
    **dict.fromkeys(("cause", "next_step", "option_file"), _text),
    **dict.fromkeys(("msg", "module_stderr"), _message),
    **dict.fromkeys(
        (
            *("executed_statements", "changed_files", "loaded_at_start_by"),
            *("warnings", "argument_errors"),
        ),
        _texts,
    ),
    **dict.fromkeys(_VALUES, _values),
    "rc": _int,
    "invocation": _invocation,
}
