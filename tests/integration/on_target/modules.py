# Copyright (c) 2026, the dbfleet.mysql authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Run the collection's modules on the server's own host, many times in one program.

Ansible itself would take a second for each.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import sys
import tempfile
from typing import Any, NamedTuple

import pymysql
from accounts import run_main
from ansible.module_utils import basic

SOCKET = os.environ["SERVER_SOCKET"]


class Outcome(NamedTuple):
    """What a run of a module gave.

    ``result`` is None where it printed no JSON object. ``began`` tells whether Ansible accepted
    the options, so that our own code ran.
    """

    result: dict[str, Any] | None
    began: bool
    errors: str


def run_module(code: Any, options: dict[str, Any]) -> Outcome:
    """Run a module, given as the Python module with its main(), in a process of its own."""
    with contextlib.ExitStack() as stack:
        files = [stack.enter_context(tempfile.TemporaryFile()) for _number in range(3)]
        output, errors, began = files
        sys.stdout.flush()
        child = os.fork()
        if not child:
            signal.alarm(60)  # ends one that hangs; it then has no result
            os.dup2(output.fileno(), 1)
            os.dup2(errors.fileno(), 2)
            _run_main(code, options, began.fileno())
        os.waitpid(child, 0)
        texts = []
        for file in files:
            file.seek(0)
            texts.append(file.read().decode(errors="replace"))
    try:
        result = json.loads(texts[0])
    except ValueError:
        result = None
    return Outcome(result, bool(texts[2]), texts[1])


def _run_main(code: Any, options: dict[str, Any], began: int) -> None:
    run = code.run

    def noted(module: basic.AnsibleModule) -> Any:
        os.write(began, b"x")
        return run(module)

    code.run = noted
    run_main(code, options)


def sql(*statements: str) -> list[tuple[Any, ...]]:
    """Run SQL as root over the socket and return the rows of the last statement."""
    connection = pymysql.connect(unix_socket=SOCKET, user="root", autocommit=True)
    try:
        with connection.cursor() as cursor:
            for statement in statements:
                cursor.execute(statement)
            return list(cursor.fetchall())
    finally:
        connection.close()
