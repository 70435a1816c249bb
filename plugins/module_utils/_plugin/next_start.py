# Copyright (c) 2026, the dbfleet.mysql authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whether the server starts again with its option files, by its own program.

Private to dbfleet.mysql.
"""

from __future__ import annotations

from .._errors import Failure
from .._mysql.binary import find_binary, validate, whom_to_ask
from .state import State, version_tuple


def check_next_start(state: State) -> None:
    """Ask the server's program; where there is none to ask, nothing is known and nothing said.

    ``mysqld --validate-config`` (from 8.0.16) notices what the running server does not: an unknown
    option, a value that it refuses.

    Raises:
        Failure: the server would not start.
    """
    if len(state.readings) != 1:
        return  # not known, or root starts it, who reads what the program's account may not
    binary = find_binary()
    options = state.readings[0]
    asked, _note = whom_to_ask(binary, options)
    if asked is None or not asked.binary.can_validate:
        return
    if version_tuple(asked.binary.version) != state.server.version_tuple:
        return  # another server's program
    try:
        verdict = validate(asked, state.start_options, options.arguments)
    except OSError:
        return  # its command line is too long to be given again
    if verdict is not None and not verdict.starts:
        raise Failure(
            "option_file_broken",
            "The running server does not start again with its option files: "
            + (" ".join(verdict.errors) or "mysqld --validate-config says so.").rstrip(".")
            + ".",
            "Correct that before the server's next start, and run this again.",
        )
