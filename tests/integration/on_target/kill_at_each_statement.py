# Copyright (c) 2026, the dbfleet.mysql authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Kill the server with SIGKILL at each statement that the module sends, and run the module again.

The module's connection leads over a relay, which kills the server just before it gets a statement,
or just after it executed it, so that its answer is lost. Prints a line of JSON for each kill.

Usage: kill_at_each_statement.py KIND HOW. KIND is a table of SCENARIOS. HOW is "each" for each
statement of each scenario, before and after it; or "writes" for one kill after each statement that
changes the server.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import sys
import threading
import time
from typing import Any

import pymysql
from ansible_collections.dbfleet.mysql.plugins.modules import group_replication_plugin
from modules import SOCKET, run_module, sql

RELAY = "/run/relay.sock"
COM_QUERY = 3
LIBRARY = "group_replication.so"
ADD_ROW = f"INSERT INTO mysql.plugin VALUES ('group_replication', '{LIBRARY}')"
DROP_ROW = "DELETE FROM mysql.plugin WHERE name = 'group_replication'"
INSTALL = f"INSTALL PLUGIN group_replication SONAME '{LIBRARY}'"

# What a client sees is the same just before and just after these.
#: The first also sets up the session.
READS = ("SET NAMES utf8mb4, ", "SELECT", "SHOW")
# Of a session alone: PyMySQL's own, while it connects, and those before a change.
OF_SESSION = ("SET NAMES", "SET SESSION")

# What is done to the server before, and the module's options. Those of the second table are for a
# server whose option file loads the plugin.
SCENARIOS: dict[str, dict[str, tuple[list[str], dict[str, Any]]]] = {
    "bare": {
        "install": ([], {}),
        "install where a row is left": ([ADD_ROW], {}),
        "install on a read-only server": (
            ["SET GLOBAL super_read_only = 1"],
            {"lift_super_read_only": True},
        ),
        "remove": ([INSTALL], {"state": "absent"}),
        "remove a row that is left": ([ADD_ROW], {"state": "absent"}),
    },
    "loaded": {
        "drop the duplicate": ([ADD_ROW], {}),
        "register": ([], {"registration": "always"}),
    },
}


class Relay:
    """Leads connections to the server, and kills it at one statement."""

    def __init__(self) -> None:
        self.statements: list[str] = []
        self.kill_at: int | None = None
        self.executes = False
        with contextlib.suppress(FileNotFoundError):
            os.unlink(RELAY)
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(RELAY)
        self._listener.listen()
        threading.Thread(target=self._serve, daemon=True).start()

    def expect(self, kill_at: int | None, executes: bool) -> None:
        """Begin anew: kill at the statement of this number, None for none."""
        self.statements, self.kill_at, self.executes = [], kill_at, executes

    def _serve(self) -> None:
        while True:
            client = self._listener.accept()[0]
            server = socket.socket(socket.AF_UNIX)
            with client, server, contextlib.suppress(OSError, EOFError):
                server.connect(SOCKET)
                self._lead(client, server)

    def _lead(self, client: socket.socket, server: socket.socket) -> None:
        # The client is silent until the server has answered, so one of both has the word.
        threading.Thread(target=_copy, args=(server, client, self), daemon=True).start()
        while True:
            header = _exactly(client, 4)
            body = _exactly(client, int.from_bytes(header[:3], "little"))
            if header[3] == 0 and body[:1] == bytes([COM_QUERY]):
                self.statements.append(body[1:].decode())
                if len(self.statements) - 1 == self.kill_at and not self.executes:
                    kill_server()
                    return
            server.sendall(header + body)

    @property
    def loses_the_answer(self) -> bool:
        """Whether what the server sends now is not to arrive."""
        return self.executes and len(self.statements) - 1 == self.kill_at


def _copy(server: socket.socket, client: socket.socket, relay: Relay) -> None:
    with contextlib.suppress(OSError):
        for data in iter(lambda: server.recv(65536), b""):
            if relay.loses_the_answer:
                kill_server()
                break
            client.sendall(data)
        client.shutdown(socket.SHUT_RDWR)


def _exactly(source: socket.socket, length: int) -> bytes:
    data = b""
    while len(data) < length:
        more = source.recv(length - len(data))
        if not more:
            raise EOFError
        data += more
    return data


def kill_server() -> None:
    """End the server as a crash does, and wait until it is gone."""
    with open("/run/lab/pid", encoding="ascii") as file:
        process = int(file.read())
    os.kill(process, signal.SIGKILL)
    while os.path.exists(f"/proc/{process}"):
        time.sleep(0.01)


def wait_for_server() -> None:
    """Wait until the supervisor has started the server again."""
    end = time.monotonic() + 60
    while True:
        try:
            sql("DO 0")
        except pymysql.err.MySQLError:
            if time.monotonic() > end:
                raise
            time.sleep(0.05)
        else:
            return


def observed() -> tuple[str | None, bool]:
    """Return the plugin's status and whether mysql.plugin has its row."""
    status = sql(
        "SELECT PLUGIN_STATUS FROM information_schema.PLUGINS"
        " WHERE PLUGIN_NAME = 'group_replication'"
    )
    row = sql("SELECT 1 FROM mysql.plugin WHERE name = 'group_replication'")
    return (status[0][0] if status else None), bool(row)


def prepare(statements: list[str], loaded: bool) -> None:
    """Bring the server to where a scenario begins."""
    sql("SET GLOBAL super_read_only = 0", "SET GLOBAL read_only = 0")
    status, row = observed()
    if status and not loaded:
        sql("UNINSTALL PLUGIN group_replication")
    elif row:
        sql("SET SESSION sql_log_bin = 0", DROP_ROW)
    sql("SET SESSION sql_log_bin = 0", *statements)


def gtids() -> str:
    """Return the transactions that the server knows."""
    return str(sql("SELECT @@global.gtid_executed")[0][0])


def main() -> None:
    """Run the scenarios of the kind named on the command line."""
    kind, how = sys.argv[1:]
    relay = Relay()
    seen: set[tuple[object, ...]] = set()
    for name, (before, options) in SCENARIOS[kind].items():
        through_relay = {**options, "login_unix_socket": RELAY, "lock_wait_timeout": 30}
        prepare(before, kind == "loaded")
        relay.expect(None, False)
        undisturbed = run_module(group_replication_plugin, through_relay)
        assert undisturbed.result is not None, undisturbed
        assert "error_code" not in undisturbed.result, undisturbed
        wanted = observed()
        changing = False
        moments: tuple[bool, ...]
        for number, statement in enumerate(list(relay.statements)):
            reads = statement.startswith(READS)
            changing = changing or (not reads and number > 0)
            if how == "writes":
                moments = () if statement.startswith((*READS, *OF_SESSION)) else (True,)
            else:
                moments = (False,) if reads else (False, True)
            for executes in moments:
                case = (statement, changing, executes)
                if case in seen:
                    continue
                seen.add(case)
                prepare(before, kind == "loaded")
                known = gtids()
                relay.expect(number, executes)
                killed = run_module(group_replication_plugin, through_relay)
                wait_for_server()
                again = run_module(group_replication_plugin, options)
                ends = observed()
                third = run_module(group_replication_plugin, options)
                verdict = {
                    "scenario": name,
                    "statement": statement,
                    "executes": executes,
                    "killed": killed,
                    "again": again,
                    "converged": ends == wanted,
                    "unchanged": third.result is not None and third.result.get("changed") is False,
                    "gtids": gtids() == known,
                }
                print(json.dumps(verdict))


if __name__ == "__main__":
    main()
