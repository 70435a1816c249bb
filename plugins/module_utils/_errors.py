# Copyright (c) 2026, the dbfleet.mysql authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The one way in which this collection fails. Private to dbfleet.mysql."""

from __future__ import annotations

from typing import Any


def option_names(*names: str) -> str:
    """Return how a message names options of a module: as its options, and as the role's variables.

    Whoever reads the message may be the author of a task, or of a playbook that has the role.
    """
    variables = " and ".join(f"group_replication_{name}" for name in names)
    return f"{' or '.join(names)} (in the role {variables})"


class Failure(Exception):
    """A failure that a person can act on.

    Args:
        error_code: a stable word for programs, documented in docs/error_codes.md.
        cause: one sentence that says what is wrong, ending in a full stop.
        next_step: one sentence that says what to do, ending in a full stop. It names a module's
            options by :func:`option_names`.
        details: further values for the module's result, such as ``mysql_error_number`` (int).
    """

    def __init__(self, error_code: str, cause: str, next_step: str, **details: Any) -> None:
        super().__init__(cause + " " + next_step)
        self.error_code = error_code
        self.cause = cause
        self.next_step = next_step
        self.details = details

    def as_result(self) -> dict[str, Any]:
        """Return the keyword arguments for ``AnsibleModule.fail_json``."""
        return dict(
            self.details,
            msg=str(self),
            error_code=self.error_code,
            cause=self.cause,
            next_step=self.next_step,
        )
