# Copyright (c) 2026, the dbfleet.mysql authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Run a module with random options, most of them bad, and say what it makes of them.

Usage: random_arguments.py MODULE COUNT SEED. Prints a line of JSON for each run that is not as it
should be, one with the statements that the server got, and one that counts what came out.
"""

from __future__ import annotations

import collections
import contextlib
import hashlib
import importlib
import json
import os
import random
import re
import shutil
import sys
from typing import Any

from ansible.module_utils import basic
from modules import run_module, sql

TREE = "/srv/random"
#: What a user, or somebody who means harm, may write where a word is asked for.
WORDS = (
    *(
        "",
        " ",
        "x",
        "0",
        "-1",
        "~",
        "/",
        "..",
        "../../etc/passwd",
        "/etc",
        "/dev/null",
        "/dev/full",
    ),
    *("group_replication.so", "group_replication", "a=b.so", "a=", "=b.so", "a.so;b.so", ".so"),
    *("x'; DROP TABLE mysql.user; -- ", 'x"', "x`y", "x\\", "%s", "%(a)s", "{{ x }}", "$(id)"),
    *("a\x00b", "a\nb", "a\rb", "a\tb", "\x7f", "\x1b[31m", "\u202e", "é", "\U0001f4a9"),
    *("mysqld", "mysqld]", "[mysqld]", "mysqld-9.7", "mysqld@x", "client", "#", ";", "!include x"),
    *("present", "absent", "PRESENT", "yes", "no", "True", "null", "None", "nan", "1e9", "0644"),
    *("a" * 300, "a" * 5000, f"{TREE}/my.cnf", f"{TREE}/conf.d", f"{TREE}/conf.d/a.cnf"),
    *(f"{TREE}/nowhere/my.cnf", f"{TREE}/link", f"{TREE}/fifo", "my.cnf"),
)
VALUES: tuple[Any, ...] = (
    *(None, True, False, 0, 1, -1, 5, 60, 3306, 65536, 2**31, 2**63, 2**70, 1.5, 1e308),
    *([], ["a"], {}, {"a": "b"}, [[]], [None], [{"a": 1}]),
)
#: Options of which bad values would only make the run slow, or lead to a server of somebody else.
HARMLESS = {
    "login_host": ["127.0.0.1", "localhost", "", "a b", "-", "::1", "\x00", "0", ["a"], None],
    "login_port": [1, 0, -1, 65536, "x", "", 2**70, None, [], 1.5],
    "connect_timeout": [1, 2, 0, -1, "x", "", 2**70, None, [], 1.5],
}


def main() -> None:
    """Run a module many times."""
    name, count, seed = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    chance = random.Random(seed)  # noqa: S311 - the same in each run
    code = importlib.import_module(f"ansible_collections.dbfleet.mysql.plugins.modules.{name}")
    spec = options_of(code)
    make_tree()
    sql(
        "SET SESSION sql_log_bin = 0",
        "SET GLOBAL log_output = 'TABLE'",
        "TRUNCATE mysql.general_log",
        "SET GLOBAL general_log = 1",
    )
    results: collections.Counter[str] = collections.Counter()
    for _number in range(count):
        options = draw(chance, spec)
        before = fingerprint()
        outcome = run_module(code, options)
        result = outcome.result or {}
        complaint = judge(outcome, fingerprint() != before)
        if complaint:
            print(json.dumps({"complaint": complaint, "options": options, "outcome": outcome}))
        ended = result.get("error_code") or "done"
        results[ended if outcome.began else "refused by Ansible"] += 1
        if result.get("changed"):
            make_tree()
    sql("SET GLOBAL general_log = 0")
    rows = sql(
        "SELECT DISTINCT CONVERT(argument USING utf8mb4) FROM mysql.general_log"
        " WHERE command_type = 'Query'"
    )
    print(json.dumps({"statements": sorted({without_values(row[0]) for row in rows})}))
    print(json.dumps({"results": dict(results)}))


def options_of(code: Any) -> dict[str, Any]:
    """Return a module's argument spec."""
    seen: dict[str, Any] = {}

    def record(argument_spec: dict[str, Any], **others: Any) -> None:
        seen.update(argument_spec)
        if others.get("add_file_common_args"):
            seen.update(basic.FILE_COMMON_ARGUMENTS)
        raise _SpecIsKnownError

    original, code.AnsibleModule = code.AnsibleModule, record
    with contextlib.suppress(_SpecIsKnownError):
        code.main()
    code.AnsibleModule = original
    return seen


class _SpecIsKnownError(Exception):
    """Ends a module before it does anything."""


def draw(chance: random.Random, spec: dict[str, Any]) -> dict[str, Any]:
    """Return options, a few of them set."""
    # Few real changes of the server: thousands of INSTALL and UNINSTALL PLUGIN try MySQL, not us.
    share = 0.3 if "option_file" in spec else 0.9
    options: dict[str, Any] = {"_ansible_check_mode": chance.random() < share}
    for name in chance.sample(sorted(spec), chance.choice((1, 1, 2, 2, 3, 5))):
        if name in HARMLESS:
            options[name] = chance.choice(HARMLESS[name])
        elif chance.random() < 0.6 and spec[name].get("type") == "bool":
            options[name] = chance.random() < 0.5
        elif chance.random() < 0.6 and "choices" in spec[name]:
            options[name] = chance.choice(spec[name]["choices"])
        else:
            options[name] = chance.choice(WORDS if chance.random() < 0.8 else VALUES)
    if "option_file" in spec:
        # Most runs with what is needed, so that they come far.
        if chance.random() < 0.7:
            options["option_file"] = f"{TREE}/my.cnf"
        if chance.random() < 0.7:
            options["library"] = "group_replication.so"
        if chance.random() < 0.98:
            options["validate_config"] = "never"
    if chance.random() < 0.02:
        options[chance.choice(WORDS)] = chance.choice(VALUES)
    return options


def judge(outcome: Any, touched: bool) -> str:
    """Return what is wrong with an outcome, empty where nothing is."""
    result = outcome.result
    if outcome.errors or "Traceback" in json.dumps(result):
        return "a traceback, or something else on standard error"
    if result is None or not isinstance(result, dict):
        return "no JSON object"
    if not result.get("failed"):
        return "" if outcome.began else "accepted by nobody"
    if not result.get("msg"):
        return "no message"
    if touched:
        return "it failed and changed a file"
    if any(not text.startswith("SET ") for text in result.get("executed_statements", ())):
        return "" if result.get("mysql_error_number") else "it failed after a statement"
    if outcome.began and not (result.get("error_code") and result.get("next_step")):
        return "no error_code"
    return ""


def make_tree() -> None:
    """Make the option files anew, and files of other kinds beside them."""
    shutil.rmtree(TREE, ignore_errors=True)
    os.makedirs(f"{TREE}/conf.d")
    for path, text in (
        ("my.cnf", f"[mysqld]\nport=3306\n!includedir {TREE}/conf.d\n"),
        ("conf.d/a.cnf", "[mysqld]\nplugin_load_add=other.so\n"),
    ):
        with open(f"{TREE}/{path}", "w", encoding="ascii") as file:
            file.write(text)
    os.symlink("nowhere.cnf", f"{TREE}/link")
    os.mkfifo(f"{TREE}/fifo")


def fingerprint() -> str:
    """Return a digest of all option files on the host, with their owners and permissions."""
    digest = hashlib.sha256()
    for top in (TREE, "/etc/mysql"):
        for folder, _folders, files in sorted(os.walk(top)):
            for name in sorted(files):
                path = os.path.join(folder, name)
                found = os.lstat(path)
                digest.update(f"{path} {found.st_mode} {found.st_uid} {found.st_gid} ".encode())
                if os.path.isfile(path):
                    with open(path, "rb") as file:
                        digest.update(file.read())
    return digest.hexdigest()


def without_values(statement: str) -> str:
    """Return a statement with its texts and numbers taken out."""
    return re.sub(r"\b\d+\b", "0", re.sub(r"'[^']*'", "'…'", statement))


if __name__ == "__main__":
    main()
