# Copyright (c) 2026, the dbfleet.mysql authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Run modules of the collection as root within limits, one after the other.

Argument: a list of runs as JSON. Each has the module's name, its options, a shell script to run
before (``before``), the ``seconds`` that it may take, and ``address_space`` in bytes. Prints the
fields of Bounded for each.
"""

from __future__ import annotations

import json
import subprocess
import sys

from accounts import run_bounded
from ansible_collections.dbfleet.mysql.plugins.modules import (
    group_replication_plugin,
    plugin_load_add,
)

MODULES = {
    "group_replication_plugin": group_replication_plugin,
    "plugin_load_add": plugin_load_add,
}


def main() -> None:
    """Do the runs."""
    for run in json.loads(sys.argv[1]):
        if "before" in run:
            subprocess.run(["sh", "-c", run["before"]], check=True)
        done = run_bounded(
            MODULES[run.get("module", "plugin_load_add")],
            run.get("options", {}),
            run.get("seconds", 20),
            run.get("address_space", 0),
        )
        print(json.dumps(done._asdict()))


if __name__ == "__main__":
    main()
