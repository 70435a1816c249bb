# Copyright (c) 2026, the dbfleet.mysql authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The syntax of one MySQL option file: bytes in, statements with their place out.

Knows no other file, no server and no Ansible. Private to dbfleet.mysql.

The specification is the server's own reader, ``mysys/my_default.cc`` (function
``search_default_file_with_ext``); the manual's section "Using Option Files" says less than it does.
Where this module does something unexpected, so does MySQL, and
``tests/fuzz/option_files.py`` compares the two.
"""

from __future__ import annotations

import io
import itertools
import re
from typing import Callable, Iterable, Iterator

#: What MySQL takes for white space: ``my_isspace`` of its latin1 character set, which counts the
#: no-break space 0xA0 as well, even where that byte is the end of a UTF-8 character.
SPACE = b"\t\n\v\f\r \xa0"

GROUP = "group"
OPTION = "option"
INCLUDE = "include"
INCLUDEDIR = "includedir"
#: An include directive without a path: MySQL gives up on the file here.
BAD_DIRECTIVE = "bad directive"
#: Anything else on which MySQL gives up. Always the last statement.
BAD_LINE = "bad line"

# Tuples, because Python is slow to look for bytes in bytes.
_NOTHING = (b"", b"#", b";")
_QUOTES = (b"'", b'"')

#: An escape in a value; any other backslash stands for itself.
ESCAPE = rb"""\\([ntrbs"'\\])"""
_ESCAPED = {b"n": b"\n", b"t": b"\t", b"r": b"\r", b"b": b"\b", b"s": b" "}

#: An option line up to its comment, the first ``#`` outside quotes. A quote may be escaped inside
#: quotes only; one that is not closed hides the rest of the line.
_BEFORE_COMMENT = rb"""(?s)((?:[^'"#]|'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*")*)#"""


class Statement:
    """One statement of an option file; comments and blank lines are none.

    Attributes:
        kind: one of the constants above.
        line: the line in the file that it stands in, counted from 1.
        start: offset in bytes of the first byte of its line.
        end: offset in bytes after its line, line end included.
        text: group name, option name as written, path of an include, or what is wrong.
        value: an option's value, unquoted and unescaped; None for an option without ``=``.
        group: name of the group that it stands in; empty before the first.
    """

    __slots__ = ("end", "group", "kind", "line", "start", "text", "value")

    def __init__(
        self,
        kind: str,
        line: int,
        start: int,
        end: int,
        text: bytes,
        value: bytes | None = None,
        group: bytes = b"",
    ) -> None:
        self.kind = kind
        self.line = line
        self.start = start
        self.end = end
        self.text = text
        self.value = value
        self.group = group


def parse(data: bytes, wanted: Callable[[bytes], bool] | None = None) -> Iterator[Statement]:
    """Yield the statements of an option file, in order.

    Never raises, whatever ``data`` holds. A file on which MySQL gives up ends in a statement of
    kind BAD_LINE; statements of kind BAD_DIRECTIVE end the reading too, unless the reader stands
    so deep in includes that it ignores directives.

    Args:
        data: the file's bytes.
        wanted: asked about each group by name where it begins; the options of the others are left
            out, for MySQL never gives up on one of them. None: all are wanted.
    """
    group: bytes | None = None
    options_count = True
    for line, start, end, text in _lines(data):
        body = text.lstrip(SPACE)
        first = body[:1]
        if first in _NOTHING:
            continue
        if first == b"!":
            kind, path = _parse_directive(body)
            if kind is not None:
                yield Statement(kind, line, start, end, path, group=group or b"")
        elif first == b"[":
            close = body.find(b"]")
            if close < 0:
                yield Statement(BAD_LINE, line, start, end, b"group without a closing bracket")
                return
            group = body[1:close].rstrip(SPACE)
            yield Statement(GROUP, line, start, end, group)
            options_count = wanted is None or wanted(group)
        elif group is None:
            yield Statement(BAD_LINE, line, start, end, b"option before the first group")
            return
        elif options_count:
            name, equals, value = without_end_comment(body).partition(b"=")
            yield Statement(
                OPTION,
                line,
                start,
                end,
                name.rstrip(SPACE),
                _value(value) if equals else None,
                group,
            )


def _lines(data: bytes) -> Iterable[tuple[int, int, int, bytes]]:
    """Return the lines as MySQL sees them: number, start and end offset in the file, and text."""
    if b"\0" in data:
        # Not at the top: hardly any file has NUL bytes, and Ansible sends code that each host
        # compiles anew where it is imported.
        from ansible_collections.dbfleet.mysql.plugins.module_utils._option_file.nul import (
            lines_around_nul,
        )

        return lines_around_nul(data)
    texts = io.BytesIO(data).readlines()
    ends = list(itertools.accumulate(map(len, texts)))
    return zip(itertools.count(1), itertools.chain((0,), ends), ends, texts)


def _parse_directive(body: bytes) -> tuple[str | None, bytes]:
    """Return kind and path of a line that starts with ``!``; an unknown directive has kind None.

    An end comment after the path is one for MySQL 9.7; 8.0 takes it for a part of the path, and
    loses the path's last byte where that is the last of the file.
    """
    words = body[1:].lstrip(SPACE)
    for kind, keyword in ((INCLUDEDIR, b"includedir"), (INCLUDE, b"include")):
        rest = words[len(keyword) :]
        if words.startswith(keyword) and rest[:1] and rest[:1] in SPACE:
            path = without_end_comment(rest).strip(SPACE)
            return (kind, path) if path else (BAD_DIRECTIVE, b"!" + keyword + b" without a path")
    return None, b""


def without_end_comment(line: bytes) -> bytes:
    """Return an option line up to its comment."""
    head, mark, _comment = line.partition(b"#")
    if not mark or (b"'" not in head and b'"' not in head):
        return head
    before = re.match(_BEFORE_COMMENT, line)
    return line if before is None else before.group(1)


def unquoted(value: bytes) -> bytes:
    """Return a value without the quotes around it, if it is quoted."""
    if len(value) > 1 and value[:1] in _QUOTES and value[:1] == value[-1:]:
        return value[1:-1]
    return value


def _value(written: bytes) -> bytes:
    """Return the value that is written after the equals sign."""
    value = unquoted(written.strip(SPACE))
    if value.find(b"\\") < 0:
        return value
    return re.sub(ESCAPE, lambda escape: _ESCAPED.get(escape.group(1), escape.group(1)), value)
