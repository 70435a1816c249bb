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

from typing import Iterator, NamedTuple

#: What MySQL takes for white space: ``my_isspace`` of its latin1 character set, which counts the
#: no-break space 0xA0 as well, even where that byte is the end of a UTF-8 character.
SPACE = b"\t\n\v\f\r \xa0"

#: The reader's line buffer, in bytes. A longer line is read in pieces and put together again; that
#: shows only where a line holds NUL bytes.
BUFFER = 4095

GROUP = "group"
OPTION = "option"
INCLUDE = "include"
INCLUDEDIR = "includedir"
#: An include directive without a path: MySQL gives up on the file here.
BAD_DIRECTIVE = "bad directive"
#: Anything else on which MySQL gives up. Always the last statement.
BAD_LINE = "bad line"

_ESCAPES = {
    ord("n"): ord("\n"),
    ord("t"): ord("\t"),
    ord("r"): ord("\r"),
    ord("b"): ord("\b"),
    ord("s"): ord(" "),
    ord('"'): ord('"'),
    ord("'"): ord("'"),
    ord("\\"): ord("\\"),
}


class Statement(NamedTuple):
    """One statement of an option file; comments and blank lines are none.

    Attributes:
        kind: one of the constants above.
        line: the line in the file that it stands in, counted from 1.
        start: offset in bytes of the first byte of its line.
        end: offset in bytes after its line, line end included.
        text: group name, option name as written, path of an include, or what is wrong.
        value: an option's value, unquoted and unescaped; None for an option without ``=``.
        value_spans: where in the file each byte of ``value`` comes from, as (start, end) offsets;
            empty where the line holds NUL bytes.
        group: name of the group that it stands in; empty before the first.

    """

    kind: str
    line: int
    start: int
    end: int
    text: bytes
    value: bytes | None = None
    value_spans: tuple[tuple[int, int], ...] = ()
    group: bytes = b""


def parse(data: bytes) -> list[Statement]:
    """Return the statements of an option file, in order.

    Never raises, whatever ``data`` holds. A file on which MySQL gives up ends in a statement of
    kind BAD_LINE; statements of kind BAD_DIRECTIVE end the reading too, unless the reader stands
    so deep in includes that it ignores directives.
    """
    statements: list[Statement] = []
    group: bytes | None = None
    line = 1
    for start, end, text in _lines(data):
        statement = _parse_line(text, start, end, line, group, end - start == len(text))
        if statement is not None:
            statements.append(statement)
            if statement.kind == BAD_LINE:
                break
            if statement.kind == GROUP:
                group = statement.text
        line += data.count(b"\n", start, end)
    return statements


def _lines(data: bytes) -> Iterator[tuple[int, int, bytes]]:
    """Yield the lines as MySQL sees them: start and end offset in the file, and text.

    Without NUL bytes these are the lines of the file, line end included. A NUL byte hides the rest
    of its line and joins it with the next one; at the start of a line it ends the file. (That is
    what C strings make of ``mysql_file_getline``.)
    """
    position = 0
    while position < len(data):
        start = position
        text = b""
        while position < len(data):
            newline = data.find(b"\n", position, position + BUFFER)
            end = newline + 1 if newline >= 0 else min(position + BUFFER, len(data))
            piece = data[position:end].split(b"\0", 1)[0]
            position = end
            text += piece
            if not piece or piece.endswith(b"\n"):
                break
        if not text:
            return
        yield start, position, text


def _parse_line(
    text: bytes, start: int, end: int, line: int, group: bytes | None, whole: bool
) -> Statement | None:
    """Return the statement in one line, or None where there is none.

    Args:
        text: the line as MySQL sees it.
        start, end: its offsets in the file.
        line: its number.
        group: the group it stands in; None before the first.
        whole: ``text`` is the file's bytes between the offsets, nothing left out.
    """
    body = text.lstrip(SPACE)
    if not body or body[:1] in (b"#", b";"):
        return None
    here = group if group is not None else b""
    if body[:1] == b"!":
        kind, path = _parse_directive(body)
        return None if kind is None else Statement(kind, line, start, end, path, group=here)
    if body[:1] == b"[":
        close = body.find(b"]")
        if close < 0:
            return Statement(BAD_LINE, line, start, end, b"group without a closing bracket")
        return Statement(GROUP, line, start, end, body[1:close].rstrip(SPACE))
    if group is None:
        return Statement(BAD_LINE, line, start, end, b"option before the first group")
    offset = start + len(text) - len(body)
    body = _without_end_comment(body)
    name, equals, _unused = body.partition(b"=")
    if not equals:
        return Statement(OPTION, line, start, end, name.rstrip(SPACE), group=here)
    value, spans = _parse_value(body, len(name) + 1, offset)
    spans = spans if whole else ()
    return Statement(OPTION, line, start, end, name.rstrip(SPACE), value, spans, here)


def _parse_directive(body: bytes) -> tuple[str | None, bytes]:
    """Return kind and path of a line that starts with ``!``; an unknown directive has kind None.

    An end comment after the path is one for MySQL 9.7; 8.0 takes it for a part of the path, and
    loses the path's last byte where that is the last of the file.
    """
    words = body[1:].lstrip(SPACE)
    for kind, keyword in ((INCLUDEDIR, b"includedir"), (INCLUDE, b"include")):
        rest = words[len(keyword) :]
        if words.startswith(keyword) and rest[:1] and rest[:1] in SPACE:
            path = _without_end_comment(rest).strip(SPACE)
            return (kind, path) if path else (BAD_DIRECTIVE, b"!" + keyword + b" without a path")
    return None, b""


def _without_end_comment(body: bytes) -> bytes:
    """Return an option line up to its comment: the first ``#`` outside quotes."""
    quote = 0
    escaped = False
    for index, byte in enumerate(body):
        if byte in b"'\"" and not escaped:
            if not quote:
                quote = byte
            elif quote == byte:
                quote = 0
        if not quote and byte == 0x23:
            return body[:index]
        escaped = bool(quote) and byte == 0x5C and not escaped
    return body


def _parse_value(body: bytes, start: int, offset: int) -> tuple[bytes, tuple[tuple[int, int], ...]]:
    """Return the value that starts at an index of the line, and where its bytes come from.

    Args:
        body: the line without its end comment.
        start: index in ``body`` after the equals sign.
        offset: offset of ``body`` in the file.

    """
    end = len(body)
    while start < end and body[start] in SPACE:
        start += 1
    while end > start and body[end - 1] in SPACE:
        end -= 1
    if end - start >= 2 and body[start] in b"'\"" and body[start] == body[end - 1]:
        start += 1
        end -= 1
    value = bytearray()
    spans: list[tuple[int, int]] = []
    index = start
    while index < end:
        width = 1
        byte = body[index]
        if byte == 0x5C and index != end - 1 and body[index + 1] in _ESCAPES:
            byte = _ESCAPES[body[index + 1]]
            width = 2
        elif byte == 0x5C and index != end - 1:
            # An unknown escape stands for itself, and what it escapes is not looked at again.
            value.append(byte)
            spans.append((offset + index, offset + index + 1))
            index += 1
            byte = body[index]
        value.append(byte)
        spans.append((offset + index, offset + index + width))
        index += width
    return bytes(value), tuple(spans)
