# Copyright (c) 2026, the dbfleet.mysql authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Run the module group_replication_plugin as root against hostile servers, one after the other.

Argument: a list of cases as JSON. Each has

account: who runs the server.
address: the path of its socket, or its port.
plan: what it does, as in hostile_server.py.
options: the module's options.
command_line: what the server's process shows as its command line; its own where there is none.
files: texts by path, which the account writes before. In texts PID stands for the server's pid.
before: a shell script that root runs before.
seconds: how long the module may take.

Prints a JSON object for each, of the fields of Bounded, and ``received``: all bytes that the server
got, as latin1.
"""

from __future__ import annotations

import functools
import json
import os
import subprocess
import sys
import tempfile
from typing import Any, Dict

import hostile_server
import pymysql._auth
from accounts import run_bounded, running_as
from ansible_collections.dbfleet.mysql.plugins.modules import group_replication_plugin

#: Room enough for Python and the module, not for what has no end.
ADDRESS_SPACE = 1 << 30


def server(case: Dict[str, Any], ready: int, record: Any) -> None:
    """Be the server of a case."""
    for path, text in case.get("files", {}).items():
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text.replace("PID", str(os.getpid())))
    if "command_line" in case:
        hostile_server.look_like(case["command_line"])
    listener = hostile_server.listen(case["address"])
    os.write(ready, b"x")
    hostile_server.serve(listener, case.get("plan", {}), record)


def run(case: Dict[str, Any]) -> Dict[str, Any]:
    """Run a case and return what came of it."""
    if "before" in case:
        subprocess.run(["sh", "-c", case["before"]], check=True)
    address = case["address"]
    if isinstance(address, int):
        login = {"login_host": "127.0.0.1", "login_port": address}
    else:
        login = {"login_unix_socket": address}
    with tempfile.TemporaryFile() as record:
        wait, ready = os.pipe()
        work = functools.partial(server, case, ready, record)
        with running_as(case["account"], work):
            os.close(ready)
            assert os.read(wait, 1) == b"x", "the hostile server does not start"
            os.close(wait)
            outcome = run_bounded(
                group_replication_plugin,
                {**login, **case.get("options", {})},
                case.get("seconds", 20),
                ADDRESS_SPACE,
            )
        record.seek(0)
        received = record.read().decode("latin1")
    return {**outcome._asdict(), "received": received}


def main() -> None:
    """Run the cases."""
    # In place of the library cryptography, which not each host has: what is encrypted for a key of
    # the server's own, the server can read.
    pymysql._auth._have_cryptography = True
    pymysql._auth.sha2_rsa_encrypt = lambda password, _salt, _key: b"encrypted:" + password
    for case in json.loads(sys.argv[1]):
        print(json.dumps(run(case)))


if __name__ == "__main__":
    main()
