# Copyright (c) 2026, the dbfleet.mysql authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a task asks of the Group Replication plugin. Private to dbfleet.mysql."""

from __future__ import annotations

import re
from typing import NamedTuple

from .._errors import Failure

LIBRARY_PATTERN = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.+-]*\Z")


class Request(NamedTuple):
    """What the task asks for; the fields are the module's options of the same names."""

    state: str
    library: str | None
    registration: str
    defaults_file: str | None
    defaults_extra_file: str | None
    section: str | None
    allow_group_start: bool
    allow_leave_group: bool
    lift_super_read_only: bool
    lock_wait_timeout: int
    check_mysql_session: bool
    expect_loaded_by_options: bool | None


def check_request(request: Request) -> None:
    """Refuse what no server can be asked for.

    Raises:
        Failure: the library's name is not a plain file name (INSTALL PLUGIN refuses a path with
            error 1124), or a number is out of range.
    """
    if request.library is not None and not LIBRARY_PATTERN.match(request.library):
        raise Failure(
            "library_name_invalid",
            "library must be a plain file name of letters, digits, '_', '-', '.' and '+', not "
            f"{request.library!r}.",
            "Give the name of a file in the server's plugin_dir, such as group_replication.so.",
        )
    if not 1 <= request.lock_wait_timeout <= 31536000:
        raise Failure(
            "lock_wait_timeout_invalid",
            "lock_wait_timeout must be from 1 to 31536000 seconds, not "
            f"{request.lock_wait_timeout}.",
            "Give a number of seconds in that range.",
        )
