# Copyright (c) 2026, the dbfleet.mysql authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The syntax of one MySQL option file: bytes in, lines with their place out.

Knows no other file, no server and no Ansible. Private to dbfleet.mysql.

The specification is the server's own reader, ``mysys/my_default.cc`` (function
``search_default_file_with_ext``); the manual's section "Using Option Files" says less than it does.
Where this module does something unexpected, so does MySQL, and
``tests/fuzz/option_files.py`` compares the two on 5.7.20, 8.0.39, 8.4.8 and 9.7.4.
"""

from __future__ import annotations

import re
from typing import Iterator, NamedTuple

from .oddities import describe

#: What MySQL takes for white space: ``my_isspace`` of its latin1 character set, which counts the
#: no-break space 0xA0 as well, even where that byte is the end of a UTF-8 character.
SPACE = b"\t\n\v\f\r \xa0"

GROUP = "group"
OPTION = "option"
INCLUDE = "include"
INCLUDEDIR = "includedir"
#: An include directive without a path: MySQL gives up on the file here.
BAD_DIRECTIVE = "bad directive"
#: Anything else on which MySQL gives up. Always the last line.
BAD_LINE = "bad line"

#: The line buffer of MySQL's reader, in bytes. From 8.0 on, a longer line is read in pieces and put
#: together again; that shows only where a line holds NUL bytes.
_BUFFER = 4095
#: The same of 5.7, which takes each piece for a line.
_BUFFER_5_7 = 4094

#: An escape in a value; any other backslash stands for itself.
ESCAPE = rb"""\\([ntrbs"'\\])"""
_ESCAPED = {b"n": b"\n", b"t": b"\t", b"r": b"\r", b"b": b"\b", b"s": b" "}

#: What decides where an option line's comment begins, which is at the first ``#`` outside quotes. A
#: quote may be escaped inside quotes only; one that is not closed hides the rest of the line.
_QUOTED_OR_MARK = rb"""(?s)'[^'\\]*(?:\\.[^'\\]*)*'|"[^"\\]*(?:\\.[^"\\]*)*"|['"#]"""


class Line(NamedTuple):
    """One line of an option file that says something; comments and blank lines are left out.

    Attributes:
        kind: one of the constants above.
        number: the line's number in the file, counted from 1.
        start: offset in bytes of its first byte.
        end: offset in bytes after it, line end included.
        text: group name, option name as written, path of an include, or what is wrong.
        value: an option's value, unquoted and unescaped; None for an option without ``=``.
        group: name of the group that it stands in; empty before the first.
    """

    kind: str
    number: int
    start: int
    end: int
    text: bytes
    value: bytes | None = None
    group: bytes = b""


class Syntax(NamedTuple):
    """How MySQL reads option files, where its versions differ.

    Attributes:
        joins_pieces: a line longer than the buffer is one line, and a NUL byte joins a line with
            the next one.
        ends_paths_at_comments: a comment after the path of an include is one. Otherwise it is a
            part of the path, and the path loses its last byte where the file ends there without a
            line end. None: not known.
        suffix_variable: the environment variable that gives the suffix of the groups.
    """

    joins_pieces: bool = True
    ends_paths_at_comments: bool | None = True
    suffix_variable: str = "MYSQL_GROUP_SUFFIX"


#: Of the newest version that was compared.
NEWEST = Syntax()


def syntax_of(version: str | None) -> Syntax:
    """Return the syntax of a version of MySQL, such as ``8.0.36``; None: it is not known."""
    found = re.match(r"(\d{1,4})\.(\d{1,4})", version or "")
    numbers = tuple(map(int, found.groups())) if found else None
    if numbers is None or (9, 0) <= numbers < (9, 7):
        return Syntax(ends_paths_at_comments=None)
    if numbers < (8, 0):
        # The name of the variable is that of the macro which should have given it: measured.
        return Syntax(False, False, "DEFAULT_GROUP_SUFFIX_ENV")
    return Syntax(ends_paths_at_comments=numbers >= (9, 7))


def parse(data: bytes, syntax: Syntax = NEWEST) -> Iterator[Line]:
    """Yield the lines of an option file, in order.

    Never raises, whatever ``data`` holds. A file on which MySQL gives up ends in a line of kind
    BAD_LINE. A line of kind BAD_DIRECTIVE ends the reading too, unless the reader stands so deep
    in includes that it ignores directives.
    """
    group: bytes | None = None
    lines = _split(data) if syntax.joins_pieces else _split_as_5_7(data)
    for number, start, end, text in lines:
        place = (number, start, end)
        body = text.lstrip(SPACE)
        if body[:1] in (b"", b"#", b";"):
            continue
        if body.startswith(b"!"):
            kind, path = _parse_directive(body, syntax)
            if kind is not None:
                yield Line(kind, *place, path, group=group or b"")
            if kind == BAD_LINE:
                return
        elif body.startswith(b"["):
            name, bracket, _rest = body[1:].partition(b"]")
            if not bracket:
                yield Line(BAD_LINE, *place, _odd(b"group without a closing bracket", text))
                return
            group = name.rstrip(SPACE)
            yield Line(GROUP, *place, group)
        elif group is None:
            yield Line(BAD_LINE, *place, _odd(b"option before the first group", text))
            return
        else:
            name, equals, value = without_end_comment(body).partition(b"=")
            name = name.rstrip(SPACE)
            yield Line(OPTION, *place, name, _value(value) if equals else None, group)


def _odd(wrong: bytes, line: bytes) -> bytes:
    """Return what is wrong with a line, and the character in it that may be why."""
    odd = describe(line)
    return wrong + (f"; the line {odd}".encode() if odd else b"")


def _split(data: bytes) -> Iterator[tuple[int, int, int, bytes]]:
    """Yield the lines as MySQL sees them: number, start and end offset in the file, and text.

    A NUL byte hides the rest of its line and joins it with the next one; at the start of a line it
    ends the file. (That is what C strings make of ``mysql_file_getline``.)
    """
    number = 1
    position = 0
    while position < len(data):
        start = position
        pieces = []
        while position < len(data):
            newline = data.find(b"\n", position, position + _BUFFER)
            end = newline + 1 if newline >= 0 else min(position + _BUFFER, len(data))
            piece = data[position:end].split(b"\0", 1)[0]
            position = end
            pieces.append(piece)
            if not piece or piece.endswith(b"\n"):
                break
        text = b"".join(pieces)
        if not text:
            return
        yield number, start, position, text
        number += data.count(b"\n", start, position)


def _split_as_5_7(data: bytes) -> Iterator[tuple[int, int, int, bytes]]:
    """Yield the same as MySQL 5.7 sees them: what ``mysql_file_fgets`` puts into its buffer."""
    number = position = 0
    while position < len(data):
        newline = data.find(b"\n", position, position + _BUFFER_5_7)
        end = newline + 1 if newline >= 0 else min(position + _BUFFER_5_7, len(data))
        number += 1
        yield number, position, end, data[position:end].split(b"\0", 1)[0]
        position = end


def _parse_directive(body: bytes, syntax: Syntax) -> tuple[str | None, bytes]:
    """Return kind and path of a line that starts with ``!``; an unknown directive has kind None."""
    words = body[1:].lstrip(SPACE)
    for kind, keyword in ((INCLUDEDIR, b"includedir"), (INCLUDE, b"include")):
        rest = words[len(keyword) :]
        if words.startswith(keyword) and rest[:1] and rest[:1] in SPACE:
            path = without_end_comment(rest).strip(SPACE)
            # The last byte should be the line end, and is cut off whatever it is (get_argument).
            plain = rest.lstrip(SPACE)[:-1].rstrip(SPACE)
            if syntax.ends_paths_at_comments is None and path != plain:
                return BAD_LINE, b"a path that versions of MySQL read differently"
            path = path if syntax.ends_paths_at_comments else plain
            return (kind, path) if path else (BAD_DIRECTIVE, b"!" + keyword + b" without a path")
    return None, b""


def without_end_comment(line: bytes) -> bytes:
    """Return an option line up to its comment."""
    for found in re.finditer(_QUOTED_OR_MARK, line):
        if found.group() == b"#":
            return line[: found.start()]
        if len(found.group()) == 1:  # a quote that is not closed
            break
    return line


def unquoted(value: bytes) -> bytes:
    """Return a value without the quotes around it, if it is quoted."""
    if len(value) > 1 and value[:1] in (b"'", b'"') and value[:1] == value[-1:]:
        return value[1:-1]
    return value


def _value(written: bytes) -> bytes:
    """Return the value that is written after the equals sign."""
    value = unquoted(written.strip(SPACE))
    return re.sub(ESCAPE, lambda escape: _ESCAPED.get(escape.group(1), escape.group(1)), value)
