# Copyright (c) 2026, the dbfleet.mysql authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""MySQL's own ``my_print_defaults``, asked about many trees of option files."""

from __future__ import annotations

import base64
import json
import re
import shlex
import subprocess
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

from trees import Tree

#: Processes that ask at the same time, each in a root folder of its own.
JOBS = 2

#: Runs where the tool is: puts it and its libraries into a new root folder, and goes there
#: itself. For each tree that comes in as a line of JSON it writes the tree, runs the tool and
#: answers with a line.
PROGRAM = r"""
import base64, json, os, re, shutil, subprocess, sys, tempfile

def answer(tree):
    shutil.rmtree("/etc", ignore_errors=True)
    os.mkdir("/etc")
    for name, data, mode in tree["files"]:
        path = base64.b64decode(name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        if data is None:
            os.makedirs(path, exist_ok=True)
            continue
        with open(path, "wb") as opened:
            opened.write(base64.b64decode(data))
        os.chmod(path, mode)
    done = subprocess.run([tool, *tree["argv"], "--show", *tree["groups"]], stderr=null,
                          stdout=subprocess.PIPE, env={**tree["environ"], **library_path})
    return [done.returncode, base64.b64encode(done.stdout).decode()]

tool = shutil.which("my_print_defaults")
listed = subprocess.run(["ldd", tool], check=True, stdout=subprocess.PIPE, text=True).stdout
libraries = set(re.findall(r"(/\S+) \(0x", listed))
# Those of a tarball are found by the tool's own place, which it cannot look up in the new root.
library_path = {"LD_LIBRARY_PATH": ":".join(sorted(set(map(os.path.dirname, libraries))))}
with tempfile.TemporaryDirectory() as root:
    for path in {tool, *libraries}:
        os.makedirs(root + os.path.dirname(path), exist_ok=True)
        shutil.copy(path, root + path)
    outside, null = os.open("/", os.O_RDONLY), os.open(os.devnull, os.O_WRONLY)
    os.chroot(root)
    os.chdir("/")
    try:
        for line in sys.stdin:
            print(json.dumps(answer(json.loads(line))), flush=True)
    finally:
        os.fchdir(outside)
        os.chroot(".")
"""


class Answer(NamedTuple):
    """What a reader makes of a tree: whether the server would start, and with which arguments.

    The arguments are one byte string, as my_print_defaults prints them.
    """

    starts: bool
    printed: bytes


class Oracle:
    """my_print_defaults where a command leads.

    Args:
        command: runs what is added to it as root on a machine that has my_print_defaults and
            Python 3, and passes standard input on, such as ``podman exec -i CONTAINER``.
    """

    def __init__(self, command: str) -> None:
        self._machine = shlex.split(command)
        self._command = [*self._machine, "python3", "-c", PROGRAM]

    @property
    def version(self) -> str:
        """The version of MySQL, such as 8.4; option files have groups that are named after it."""
        command = [*self._machine, "mysqld", "--version"]
        said = subprocess.run(command, stdout=subprocess.PIPE, check=True, text=True).stdout
        found = re.search(r"Ver (\d+\.\d+)\.", said)
        if found is None:
            raise RuntimeError(f"no version in {said!r}")
        return found[1]

    def answers(self, trees: list[Tree]) -> list[Answer]:
        """Return what my_print_defaults makes of each tree."""
        share = -(-len(trees) // JOBS) or 1
        parts = [trees[start : start + share] for start in range(0, len(trees), share)]
        with ThreadPoolExecutor(JOBS) as pool:
            return [answer for part in pool.map(self._ask, parts) for answer in part]

    def _ask(self, trees: list[Tree]) -> list[Answer]:
        text = "".join(_as_json(tree) + "\n" for tree in trees)
        done = subprocess.run(
            self._command, input=text.encode(), stdout=subprocess.PIPE, check=True
        )
        answers = []
        for line in done.stdout.splitlines():
            code, output = json.loads(line)
            answers.append(Answer(code == 0, base64.b64decode(output) if code == 0 else b""))
        if len(answers) != len(trees):
            raise RuntimeError(f"{len(trees)} trees went in, {len(answers)} answers came out")
        return answers


def _as_json(tree: Tree) -> str:
    def text(data: bytes) -> str:
        return base64.b64encode(data).decode()

    return json.dumps(
        {
            "files": [
                [text(path), None if data is None else text(data), mode]
                for path, (data, mode) in tree.files.items()
            ],
            "argv": tree.argv,
            "environ": dict(tree.environ),
            "groups": ["mysql_cluster", "mysqld", "server", "mysqld-" + tree.version],
        }
    )
