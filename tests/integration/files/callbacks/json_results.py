# Copyright (c) 2026, the dbfleet.mysql authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A stdout callback for a program, as ansible.posix.json is one."""

from __future__ import annotations

import json
from typing import Any

from ansible.plugins.callback import CallbackBase

DOCUMENTATION = """
name: json_results
type: stdout
short_description: What each task returned
description: One JSON object, with the results of each task by its name.
"""


class CallbackModule(CallbackBase):  # type: ignore[misc]  # ansible-core has no type hints
    """Print one JSON object at the end."""

    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "stdout"
    CALLBACK_NAME = "json_results"

    def __init__(self) -> None:
        super().__init__()
        self.results: dict[str, Any] = {}

    def v2_runner_on_ok(self, result: Any) -> None:
        """Keep a result."""
        kept = json.loads(self._dump_results(result._result))
        self.results.setdefault(result._task.get_name(), []).append(kept)

    def v2_playbook_on_stats(self, stats: Any) -> None:
        """Print what was kept."""
        self._display.display(json.dumps(self.results))
