# Copyright (c) 2026, the dbfleet.mysql authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The lines of an option file that holds NUL bytes. Private to dbfleet.mysql.

Such files are hardly ever seen, but the server reads them, and so do we.
"""

from __future__ import annotations

from typing import Iterator

#: The line buffer of MySQL's reader, in bytes. A longer line is read in pieces and put together
#: again; that shows only where a line holds NUL bytes.
BUFFER = 4095


def lines_around_nul(data: bytes) -> Iterator[tuple[int, int, int, bytes]]:
    """Yield the lines as MySQL sees them: number, start and end offset in the file, and text.

    A NUL byte hides the rest of its line and joins it with the next one; at the start of a line it
    ends the file. (That is what C strings make of ``mysql_file_getline``.)
    """
    line = 1
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
        yield line, start, position, text
        line += data.count(b"\n", start, position)
