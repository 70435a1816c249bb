# Copyright (c) 2026, the dbfleet.mysql authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A shared library that shows as whom it was loaded, made without a compiler."""

from __future__ import annotations

import struct

#: Machine code of a library's initialisation by the machine's name: it makes a file, whose owner is
#: then the user that runs it, and returns. Each ends where the file's path begins.
_CODE = {
    # mov eax, 85 (creat); lea rdi, [rip + 8]; mov esi, 0o666; syscall; ret
    "x86_64": bytes.fromhex("b855000000 488d3d08000000 beb6010000 0f05 c3".replace(" ", "")),
    # mov x8, 56 (openat); mov x0, -100; adr x1, 20; mov x2, 0x41; mov x3, 0o666; svc 0; ret
    "aarch64": struct.pack(
        "<7I",
        *(0xD2800708, 0x92800C60, 0x100000A1, 0xD2800822, 0xD28036C3, 0xD4000001, 0xD65F03C0),
    ),
}
_MACHINE = {"x86_64": 62, "aarch64": 183}

_HEADER, _PROGRAM = 64, 56
# Where things are in the file, and in memory.
_DYNAMIC = _HEADER + 3 * _PROGRAM
_STRINGS = _DYNAMIC + 7 * 16
_SYMBOLS = _STRINGS + 8
_HASH = _SYMBOLS + 24
_INIT = _HASH + 16


def library(machine: str, path: str) -> bytes:
    """Return an ELF library that makes a file of this path when it is loaded.

    Args:
        machine: what ``uname -m`` says.
        path: of a file in a folder that everyone may write to.
    """
    code = _CODE[machine] + path.encode() + b"\0"
    size = _INIT + len(code)
    header = b"\x7fELF\x02\x01\x01".ljust(16, b"\0") + struct.pack(
        "<HHIQQQIHHHHHH",
        *(3, _MACHINE[machine], 1, 0, _HEADER, 0, 0, _HEADER, _PROGRAM, 3, 0, 0, 0),
    )
    # Loaded as a whole, to be read, written and run; the dynamic section in it; a usual stack.
    programs = struct.pack("<IIQQQQQQ", 1, 7, 0, 0, 0, size, size, 0x1000)
    programs += struct.pack("<IIQQQQQQ", 2, 6, *[_DYNAMIC] * 3, *[7 * 16] * 2, 8)
    programs += struct.pack("<IIQQQQQQ", 0x6474E551, 6, 0, 0, 0, 0, 0, 16)
    tags = {5: _STRINGS, 6: _SYMBOLS, 10: 1, 11: 24, 4: _HASH, 12: _INIT, 0: 0}
    dynamic = b"".join(struct.pack("<QQ", *tag) for tag in tags.items())
    # No strings, one symbol without a name, and a table that leads to none.
    tables = b"\0" * 8 + b"\0" * 24 + struct.pack("<IIII", 1, 1, 0, 0)
    return header + programs + dynamic + tables + code
