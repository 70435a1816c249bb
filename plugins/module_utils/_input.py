# Copyright (c) 2026, the dbfleet.mysql authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What each module checks of a task's options before it looks at anything else.

Private to dbfleet.mysql.
"""

from __future__ import annotations

import re
from typing import Any, Mapping

from ._errors import Failure

_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
#: A password may hold anything but what ends it.
_PASSWORD, _ENDS_PASSWORD = "login_password", re.compile(r"\x00")


def check_texts(params: Mapping[str, Any]) -> None:
    """Refuse control characters, which no path, name or account of MySQL's has.

    Python's versions differ in where they raise ValueError for a NUL.

    Args:
        params: the module's options.

    Raises:
        Failure: text_invalid.
    """
    for name, value in params.items():
        unwanted = _ENDS_PASSWORD if name == _PASSWORD else _CONTROL
        if isinstance(value, str) and unwanted.search(value):
            raise Failure(
                "text_invalid",
                f"{name} holds a control character, such as a line end at its end.",
                f"Correct {name}; in YAML, write it in one line.",
            )
