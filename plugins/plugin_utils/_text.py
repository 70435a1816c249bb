# Copyright (c) 2026, the dbfleet.mysql authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Characters that a host's words must not have on the control node. Private to dbfleet.mysql."""

from __future__ import annotations

import unicodedata

# Control, format, surrogate and unassigned characters, line and paragraph separators, and marks
# that stand on the character before.
_HIDDEN = frozenset(("Cc", "Cf", "Cs", "Cn", "Co", "Zl", "Zp", "Mn", "Me"))
# Others that show nothing: fillers of Hangul, and the empty pattern of Braille.
_BLANK = frozenset("\u115f\u1160\u3164\uffa0\u2800")


def visible(text: str, kept: str = "\n") -> str:
    """Return a text with a mark for each character that steers a terminal or hides.

    Args:
        text: the text.
        kept: characters that stay all the same.
    """
    return "".join(
        "\ufffd" if character not in kept and _is_hidden(character) else character
        for character in text
    )


def indented(text: str) -> str:
    """Return a text none of whose lines but the first begins where Ansible's own lines do."""
    return text.replace("\n", "\n    ")


def _is_hidden(character: str) -> bool:
    return unicodedata.category(character) in _HIDDEN or character in _BLANK
