# Copyright (c) 2026, the dbfleet.mysql authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Runs on a server's host: what a run of the module asks of the server and of the file system.

Argument: the module's options as JSON. Prints one JSON object: the texts that it sent to the
server, a packet each, and the files that it opened below /etc, /var, /srv and /root.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
from typing import Any

import pymysql.connections
from ansible_collections.dbfleet.mysql.plugins.modules import group_replication_plugin
from modules import run_module

FOLDERS = ("/etc/", "/var/", "/srv/", "/root/.")


def main() -> None:
    """Run the module once, in a process that notes what it does."""
    with tempfile.NamedTemporaryFile("w+") as notes:

        def note(kind: str, text: str) -> None:
            line = json.dumps([kind, text]) + "\n"
            os.write(notes.fileno(), line.encode())

        execute = pymysql.connections.Connection._execute_command

        def noted(connection: Any, command: int, sql: Any) -> None:
            text = sql.decode() if isinstance(sql, bytes) else str(sql)
            note("packet", text or f"command {command}")
            execute(connection, command, sql)

        pymysql.connections.Connection._execute_command = noted

        def audit(event: str, arguments: tuple[Any, ...]) -> None:
            name = arguments[0] if arguments else ""
            if event == "open" and isinstance(name, (bytes, str)):
                path = os.fsdecode(name)
                if path.startswith(FOLDERS):
                    note("opened", path)

        sys.addaudithook(audit)
        outcome = run_module(group_replication_plugin, json.loads(sys.argv[1]))
        notes.seek(0)
        found: dict[str, list[str]] = {"packet": [], "opened": []}
        for line in notes:
            kind, text = json.loads(line)
            found[kind].append(text)
    print(json.dumps({**found, "result": outcome.result}))


if __name__ == "__main__":
    main()
