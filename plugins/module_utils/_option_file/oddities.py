# Copyright (c) 2026, the dbfleet.mysql authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Characters of an option file that an editor does not show, or shows as others, in words.

They come by copying from web pages and word processors, and MySQL takes each for a letter. Knows no
other file. Private to dbfleet.mysql.
"""

from __future__ import annotations

import re
import unicodedata

#: What the bytes are called where Unicode's name says it badly, or there is none.
_NAMES = {
    "\ufeff": "byte order mark",
    "\0": "NUL byte",
    "\r": "carriage return",
    "\u201c": "curly quotation mark",
    "\u201d": "curly quotation mark",
    "\u2018": "curly quotation mark",
    "\u2019": "curly quotation mark",
}
_UTF_16 = (b"\xff\xfe", b"\xfe\xff")


def describe(text: bytes) -> str:
    """Return what is odd in a line or a name, such as ``begins with a byte order mark (EF BB BF)``.

    Half a sentence about the first character that is not of printable ASCII; empty without one.
    """
    if text.startswith(_UTF_16):
        return f"begins with the byte order mark of UTF-16 ({_hex(text[:2])})"
    found = re.search(rb"[^\t -~]", text.rstrip(b"\r\n"))
    if found is None:
        return ""
    verb = "holds" if text[: found.start()].strip(b"\t ") else "begins with"
    # No character of UTF-8 has more than four bytes.
    character = text[found.start() :][:4].decode("utf-8", "replace")[0]
    if character == "\ufffd":
        return f"{verb} the byte {_hex(found.group())}, which is not of UTF-8"
    name = _NAMES.get(character) or unicodedata.name(character, "control character").lower()
    article = "an" if name[0] in "aeio" else "a"
    return f"{verb} {article} {name} ({_hex(character.encode())})"


def lone_return(data: bytes) -> int:
    """Return the number of the first line with a CR that no LF follows; 0 without one.

    To MySQL all that stands behind it is the same line. At the end of the file it hides nothing.
    """
    found = re.search(rb"\r(?!\n|\Z)", data)
    return data.count(b"\n", 0, found.start()) + 1 if found else 0


def _hex(data: bytes) -> str:
    return " ".join(f"{byte:02X}" for byte in data)
