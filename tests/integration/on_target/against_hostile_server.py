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
old_pymysql: whether PyMySQL goes on without TLS where there is none, as it did before 1.2.
heir: account and plan of the server that takes the address once the first one gives it up.
home: what the module finds in HOME.
seconds: how long the module may take.

Prints a JSON object for each, of the fields of Bounded, and ``received``: all bytes that the server
got, as latin1, and ``inherited``: the same of the heir.
"""

from __future__ import annotations

import contextlib
import functools
import json
import os
import subprocess
import sys
import tempfile
import time
from typing import Any, Callable, Iterator

import hostile_server
import pymysql._auth
from accounts import run_bounded, running_as
from ansible_collections.dbfleet.mysql.plugins.module_utils._mysql import connection
from ansible_collections.dbfleet.mysql.plugins.modules import group_replication_plugin

#: Room enough for Python and the module, not for what has no end.
ADDRESS_SPACE = 1 << 30


def server(case: dict[str, Any], ready: int, record: Any) -> None:
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


def heir(case: dict[str, Any], ready: int, record: Any) -> None:
    """Be the server that comes after another one on the same address."""
    os.write(ready, b"x")
    while os.path.exists(case["address"]):
        time.sleep(0.01)
    listener = hostile_server.listen(case["address"])
    hostile_server.serve(listener, case["heir"].get("plan", {}), record)


@contextlib.contextmanager
def started(account: str, work: Callable[..., None], case: dict[str, Any]) -> Iterator[Any]:
    """Let a server run until the block ends; gives the file of what it gets."""
    with tempfile.TemporaryFile() as record:
        wait, ready = os.pipe()
        with running_as(account, functools.partial(work, case, ready, record)):
            os.close(ready)
            assert os.read(wait, 1) == b"x", "the hostile server does not start"
            os.close(wait)
            yield record


def run(case: dict[str, Any]) -> dict[str, Any]:
    """Run a case and return what came of it."""
    if "before" in case:
        subprocess.run(["sh", "-c", case["before"]], check=True)
    address = case["address"]
    if isinstance(address, int):
        login = {"login_host": "127.0.0.1", "login_port": address}
    else:
        login = {"login_unix_socket": address}
    os.environ["HOME"] = case.get("home", "/root")
    # Read by PyMySQL 1.2, and set for each connection.
    required = property(lambda _self: False, lambda _self, _value: None)
    records = []
    with contextlib.ExitStack() as stack:
        if case.get("old_pymysql"):
            connections = pymysql.connections.Connection
            connections._ssl_required = required
            stack.callback(delattr, connections, "_ssl_required")
        records.append(stack.enter_context(started(case["account"], server, case)))
        if "heir" in case:
            account = case["heir"]["account"]
            records.append(stack.enter_context(started(account, heir, case)))
        outcome = run_bounded(
            group_replication_plugin,
            {**login, **case.get("options", {})},
            case.get("seconds", 20),
            ADDRESS_SPACE,
        )
        received = []
        for record in records:
            record.seek(0)
            received.append(record.read().decode("latin1"))
    return {**outcome._asdict(), **dict(zip(("received", "inherited"), received))}


def encrypt(password: bytes, _salt: bytes, key: bytes) -> bytes:
    """Take the place of the library cryptography, which not each host has.

    What is encrypted for a key of the server's own, the server can read.
    """
    if not key.startswith(b"-----BEGIN"):
        raise ValueError("Could not deserialize key data.")  # as the library does
    return b"encrypted:" + password


def main() -> None:
    """Run the cases."""
    pymysql._auth._have_cryptography = True
    pymysql._auth.sha2_rsa_encrypt = connection.with_given_key(encrypt)
    for case in json.loads(sys.argv[1]):
        print(json.dumps(run(case)))


if __name__ == "__main__":
    main()
