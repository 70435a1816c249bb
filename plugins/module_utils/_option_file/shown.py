# Copyright (c) 2026, the dbfleet.mysql authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How a change of an option file is shown to people: bytes in, text out.

An option file holds secrets in options of many names, and in comments. Nobody can list them, so of
the lines around a change the names are shown, and neither values nor comments. Private to
dbfleet.mysql.
"""

from __future__ import annotations

import difflib
import itertools
import re
from typing import Sequence, Tuple

from .arguments import LOAD_OPTIONS, plain_name
from .edit import FILE_MARK, GROUP_MARK
from .syntax import SPACE, unquoted, without_end_comment

#: How many lines before and after a change are shown: as many as Ansible itself shows.
CONTEXT = 3
#: Stands for what is not shown.
HIDDEN = "..."

#: Up to how many lines between the first change and the last a comparison may be quadratic.
_MOST_EXACT = 1000

#: One of difflib's opcodes.
_Code = Tuple[str, int, int, int, int]

_GROUP = re.compile(rb"\[([\w@. -]*)\]")
_INCLUDE = re.compile(rb"!\s*include(?:dir)?\s+[\w/.~@+-]+")
_NAME = re.compile(rb"[A-Za-z][\w.-]*")
_PRINTABLE = re.compile(rb"[ -~]*")


def excerpts(path: str, old: bytes | None, new: bytes | None) -> list[dict[str, str]]:
    """Return a change of a file as ``--diff`` takes it, with one entry for each place that differs.

    Args:
        path: the file as people know it.
        old: its bytes; None where it does not exist.
        new: its bytes to be; None where it shall be removed.
    """
    before, after = _lines(old), _lines(new)
    same = _same(before, after)
    same_end = _same(before[same:][::-1], after[same:][::-1])
    base = max(same - CONTEXT, 0)
    part = before[base : len(before) - same_end + CONTEXT]
    matcher = difflib.SequenceMatcher(
        None,
        part,
        after[base : len(after) - same_end + CONTEXT],
        # Quick, and less exact where lines are alike.
        autojunk=len(part) > _MOST_EXACT,
    )
    result = []
    for group in matcher.get_grouped_opcodes(CONTEXT):
        codes = [
            (tag, base + start_old, base + end_old, base + start_new, base + end_new)
            for tag, start_old, end_old, start_new, end_new in group
        ]
        place = " (created)" if old is None else _place(before, after, codes)
        result.append(
            {
                "before_header": path + (" (does not exist)" if old is None else place),
                "after_header": path + (" (removed)" if new is None else place),
                "before": "".join(map(_shown, _visible(before, codes[0][1], codes[-1][2]))),
                "after": "".join(map(_shown, _visible(after, codes[0][3], codes[-1][4]))),
            }
        )
    return result


def _same(before: Sequence[bytes], after: Sequence[bytes]) -> int:
    """Return how many lines are the same at the beginning."""
    pairs = zip(before, after)
    return sum(1 for _pair in itertools.takewhile(lambda pair: pair[0] == pair[1], pairs))


def _place(before: Sequence[bytes], after: Sequence[bytes], codes: Sequence[_Code]) -> str:
    """Return where a change is: the last line that is new, else the last one that goes."""
    added = [end for tag, _i, _j, _start, end in codes if tag in ("insert", "replace")]
    taken = [end for tag, _start, end, _i, _j in codes if tag == "delete"]
    lines, number = (after, added[-1]) if added else (before, taken[-1])
    groups = [_GROUP.match(line.lstrip(SPACE)) for line in lines[:number]]
    names = [group.group(1).decode() for group in groups if group is not None]
    return f", line {number}" + (f" in [{names[-1]}]" if names else "")


def _lines(data: bytes | None) -> list[bytes]:
    # bytes.splitlines would split at a lone CR, which MySQL does not.
    return re.findall(rb"[^\n]*\n|[^\n]+", data or b"")


def _visible(lines: Sequence[bytes], start: int, end: int) -> list[bytes | None]:
    """Return lines; None for one that MySQL joins with another by a NUL byte (see syntax.py)."""
    return [
        None if b"\0" in b"".join(lines[max(number - 1, 0) : number + 1]) else lines[number]
        for number in range(start, end)
    ]


def _shown(line: bytes | None) -> str:
    """Return a line without what may be secret in it."""
    if line is None:
        return HIDDEN + "\n"
    body = line.strip(SPACE)
    if body not in (b"", GROUP_MARK, FILE_MARK):
        indent = re.match(rb"[ \t]*", line)
        text = (indent.group() if indent else b"").decode() + _without_values(body)
    else:
        text = body.decode()
    return text + ("\n" if line.endswith(b"\n") else "")


def _without_values(body: bytes) -> str:
    if body[:1] in (b"#", b";"):
        return f"{body[:1].decode()} {HIDDEN}"
    known = _GROUP.match(body) or _INCLUDE.match(body)
    if known is None:
        return _option(body)
    rest = body[known.end() :]
    return known.group().decode() + (f" {HIDDEN}" if rest else "")


def _option(body: bytes) -> str:
    """Return an option: one about plugin lists with its value, another one with its name alone."""
    option = without_end_comment(body).rstrip(SPACE)
    name, equals, value = option.partition(b"=")
    name = name.rstrip(SPACE)
    if not _NAME.fullmatch(name):
        return HIDDEN
    if not equals or _is_plain_list(name.decode(), value.strip(SPACE)):
        shown = option.decode()
    else:
        shown = f"{name.decode()}={HIDDEN}"
    return shown + (f" # {HIDDEN}" if body[len(option) :].strip(SPACE) else "")


def _is_plain_list(name: str, value: bytes) -> bool:
    """Whether an option is about plugin lists, and nothing but a list is its value."""
    # Behind a quote that is not closed, a comment is a part of the value.
    comment = b"#" in value and unquoted(value) == value
    return plain_name(name) in LOAD_OPTIONS and not comment and bool(_PRINTABLE.fullmatch(value))
