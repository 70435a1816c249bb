#!/usr/bin/env python
# Copyright (c) 2026, the dbfleet.mysql authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Compare our reader of option files with MySQL's own ``my_print_defaults``, on random trees.

    option_files.py --command 'podman run --rm -i IMAGE' --count 5000 --seed 1

The command starts a throwaway container (its /etc/my.cnf and /etc/mysql are overwritten, over and
over) with MySQL's client tools and a Python 3; it passes standard input on. It may come from the
environment variable LAB_ORACLE. Each tree is made from its seed and number alone. A mismatch is
shrunk and printed, and the exit status is 1.
"""

from __future__ import annotations

import argparse
import base64
import json
import os
import random
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from typing import Iterator, NamedTuple

from ansible_collections.dbfleet.mysql.plugins.module_utils._errors import Failure
from ansible_collections.dbfleet.mysql.plugins.module_utils._option_file import (
    Files,
    read_server_options,
)
from ansible_collections.dbfleet.mysql.plugins.module_utils._option_file_system import bytes_of

VERSION = "9.7"
HOME = "/etc/mysql/home"
#: Trees that go through one container before the next is started.
BATCH = 2000

#: Runs in the container: for each tree that comes in as a line of JSON, write it, run the tool,
#: answer with a line.
ORACLE = r"""
import base64, json, os, shutil, subprocess, sys
for line in sys.stdin:
    tree = json.loads(line)
    shutil.rmtree("/etc/mysql", ignore_errors=True)
    if os.path.lexists("/etc/my.cnf"):
        os.unlink("/etc/my.cnf")
    for name, data, mode in tree["files"]:
        path = base64.b64decode(name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        if data is None:
            os.makedirs(path, exist_ok=True)
            continue
        with open(path, "wb") as opened:
            opened.write(base64.b64decode(data))
        os.chmod(path, mode)
    environ = dict(tree["environ"], PATH=os.environ["PATH"])
    done = subprocess.run(
        ["my_print_defaults", *tree["argv"], "--show", *tree["groups"]],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environ, cwd="/")
    print(json.dumps([done.returncode, base64.b64encode(done.stdout).decode(),
                      base64.b64encode(done.stderr).decode()]), flush=True)
"""


class Tree(NamedTuple):
    """A tree of option files, and how the server is started.

    ``files``: contents (None: a folder) and mode by absolute path. All are below /etc/my.cnf and
    /etc/mysql.
    """

    files: dict[bytes, tuple[bytes | None, int]]
    argv: tuple[str, ...] = ()
    environ: tuple[tuple[str, str], ...] = ()


class Answer(NamedTuple):
    """What a reader makes of a tree: whether the server would start, and with which arguments.

    The arguments are one byte string, as my_print_defaults prints them.
    """

    starts: bool
    printed: bytes


# ---- generating ----

_NAMES = (
    "plugin_load_add",
    "plugin-load-add",
    "plugin_load",
    "plugin-load",
    "loose-plugin_load_add",
    "loose_plugin-load-add",
    "early-plugin-load",
    "port",
    "skip-networking",
    "skip_name_resolve",
    "disable-log-bin",
    "enable-foo",
    "password",
    "loose-group_replication_group_name",
    "a",
    "x y",
)
_WORDS = (
    b"group_replication.so",
    b"group_replication=group_replication.so",
    b"a.so;group_replication.so",
    b"group_replication.so;b.so",
    b"x=a.so;group_replication=group_replication.so;b.so",
    b"a.so:b.so",
    b"semisync_master.so",
    b"3306",
    b"it's",
    b'say "hi"',
    b"/var/lib/mysql",
    b"a#b",
    b"a\\nb",
    b"a\\tb\\\\c\\s\\x\\'",
    b"\\",
    b"ends with \\",
    b"caf\xc3\xa0",
    b"\xff\xfe",
    b"\xa0",
    b"=",
    b"a=b",
    b";",
    b"[mysqld]",
    b"",
    b"x" * 300,
)
_GROUPS = (
    b"mysqld",
    b"mysqld",
    b"mysqld",
    b"server",
    b"mysqld-9.7",
    b"mysqld-8.0",
    b"mysql_cluster",
    b"MYSQLD",
    b"mysqld@a",
    b"server@a",
    b"client",
    b"mysqld ",
    b" mysqld",
    b"mysqld1",
    b"",
    b"my]sqld",
)
_BLANKS = (b"", b"", b"", b"", b" ", b"\t", b"  ", b"\xa0", b"\v")
_ENDS = (b"\n", b"\n", b"\n", b"\n", b"\n", b"\r\n", b" \n", b"\n\n")
_FILES = (
    b"/etc/my.cnf",
    b"/etc/mysql/my.cnf",
    b"/etc/mysql/conf.d/a.cnf",
    b"/etc/mysql/conf.d/b.cnf",
    b"/etc/mysql/conf.d/B.cnf",
    b"/etc/mysql/conf.d/a.b.cnf",
    b"/etc/mysql/conf.d/.cnf",
    b"/etc/mysql/conf.d/z.ini",
    b"/etc/mysql/conf.d/z.cnf.bak",
    b"/etc/mysql/conf.d/caf\xc3\xa9.cnf",
    b"/etc/mysql/conf.d/sub.cnf/x.cnf",
    b"/etc/mysql/extra.cnf",
    b"/etc/mysql/loop.cnf",
    b"/etc/mysql/m/my.cnf",
    HOME.encode() + b"/.my.cnf",
)
_TARGETS = (
    b"/etc/mysql/conf.d",
    b"/etc/mysql/conf.d/",
    b"/etc/mysql/conf.d//",
    b"/etc/mysql/nothing",
    b"/etc/mysql/m",
    b"/etc/mysql/extra.cnf",
    b"/etc/mysql/loop.cnf",
    b"/etc/mysql/./conf.d/../extra.cnf",
    b"/etc/mysql/conf.d/a.cnf",
    b"/etc/mysql//conf.d/b.cnf",
    b"etc/mysql/extra.cnf",
    b"etc/mysql/conf.d",
    b"./etc/mysql/extra.cnf",
    b"../etc/mysql/extra.cnf",
    b"~/.my.cnf",
    b"~/../extra.cnf",
    b"~",
    b"/etc/mysql/missing.cnf",
    b"/etc/mysql/extra.cnf # x",
    b"",
)


def make_tree(seed: int, number: int) -> Tree:
    """Return the tree of this seed and number."""
    dice = random.Random(f"{seed}:{number}")  # noqa: S311 - no secret
    hostile = dice.random()
    files: dict[bytes, tuple[bytes | None, int]] = {b"/etc/mysql": (None, 0o755)}
    for path in _FILES:
        if dice.random() < 0.35:
            mode = 0o666 if dice.random() < 0.05 else 0o644
            files[path] = (_content(dice, hostile), mode)
    environ = []
    if dice.random() < 0.7:
        environ.append(("HOME", HOME))
    if dice.random() < 0.1:
        environ.append(("MYSQL_HOME", dice.choice(("/etc/mysql/m", "/etc/mysql/m/", "/etc", ""))))
    if dice.random() < 0.1:
        environ.append(("MYSQL_GROUP_SUFFIX", dice.choice(("@a", "1", ""))))
    argv = []
    if dice.random() < 0.3:
        there = [path for path in _FILES[:4] if path in files]
        argv.append("--defaults-file=" + dice.choice(there or _FILES[:1]).decode())
    elif dice.random() < 0.15:
        argv.append("--defaults-extra-file=" + dice.choice(_FILES[:12]).decode("latin1"))
    elif dice.random() < 0.03:
        argv.append("--no-defaults")
    if dice.random() < 0.15:
        argv.append("--defaults-group-suffix=" + dice.choice(("@a", "1", "")))
    argv = [item for item in argv if item.isascii()]
    return Tree(files, tuple(argv), tuple(environ))


def _content(dice: random.Random, hostile: float) -> bytes:
    lines = []
    if dice.random() < 0.85:
        lines.append(b"[%s]%s" % (dice.choice(_GROUPS), dice.choice(_ENDS)))
    for _dummy in range(dice.choice((0, 1, 2, 3, 5, 8))):
        lines.append(_line(dice, hostile))
    data = b"".join(lines)
    if dice.random() < 0.15:
        data = data.rstrip(b"\r\n")
    if hostile < 0.15 and data:
        for _dummy in range(dice.randrange(4)):
            place = dice.randrange(len(data) + 1)
            data = data[:place] + dice.choice(_NOISE) + data[place + dice.randrange(3) :]
    return data


_NOISE = (b"\0", b"\xef\xbb\xbf", b"'", b'"', b"\\", b"[", b"]", b"!", b"#", b"=", b"\n", b"\r")


def _line(dice: random.Random, hostile: float) -> bytes:
    blank = dice.choice(_BLANKS)
    end = dice.choice(_ENDS)
    kind = dice.random()
    if kind < 0.15:
        return blank + b"[" + dice.choice(_GROUPS) + b"]" + dice.choice(_BLANKS) + end
    if kind < 0.22:
        return blank + dice.choice((b"#", b";", b"# plugin_load_add=x", b"#!include /x")) + end
    if kind < 0.30:
        target = dice.choice(_TARGETS if hostile < 0.5 else _TARGETS[:3] + _TARGETS[5:11])
        word = b"!includedir" if b"conf.d" in target and b".cnf" not in target else b"!include"
        if dice.random() < 0.1:
            word = dice.choice((b"!include", b"!includedir", b"! include", b"!includ", b"!Include"))
        return blank + word + (dice.choice(_BLANKS) or b" ") + target + end
    if kind < 0.33:
        return blank + end
    name = dice.choice(_NAMES if hostile < 0.5 else _NAMES[:-1]).encode()
    if dice.random() < 0.01:
        blank = name = b""
    if dice.random() < 0.15:
        return blank + name + dice.choice((b"", b" # no", b"#", b" ;")) + end
    word = dice.choice(_WORDS)
    if dice.random() < 0.005:
        word = b"x" * dice.choice((4070, 4090, 4094, 4095, 4096, 9000))
    if dice.random() < 0.3:
        quote = dice.choice((b"'", b'"'))
        word = quote + word + dice.choice((quote, quote, quote, b"", b"'"))
    after = dice.choice((b"", b"", b" # x", b"#x", b" ; x", b" "))
    return blank + name + dice.choice(_BLANKS) + b"=" + dice.choice(_BLANKS) + word + after + end


# ---- the two readers ----


def write_tree(tree: Tree, root: str) -> None:
    """Write a tree below a folder."""
    shutil.rmtree(root, ignore_errors=True)
    for path, (data, mode) in tree.files.items():
        full = root.encode() + path
        os.makedirs(os.path.dirname(full), exist_ok=True)
        if data is None:
            os.makedirs(full, exist_ok=True)
            continue
        with open(full, "wb") as opened:
            opened.write(data)
        os.chmod(full, mode)


def our_answer(tree: Tree, root: str) -> Answer:
    """Return what our reader makes of a tree that was written below a folder."""
    environ = dict(tree.environ)
    options = read_server_options(
        tree.argv,
        environ,
        home=environ.get("HOME"),
        server_version=VERSION,
        default_files=("/etc/my.cnf", "/etc/mysql/my.cnf"),
        files=Files(root),
    )
    if options.fatal:
        return Answer(False, b"")
    return Answer(True, b"".join(bytes_of(item.text) + b"\n" for item in options.arguments))


class Oracle:
    """my_print_defaults in a throwaway container, started anew after a number of trees."""

    def __init__(self, command: str) -> None:
        self.command = [*shlex.split(command), "python3", "-c", ORACLE]

    def answers(self, trees: list[Tree]) -> Iterator[Answer]:
        """Yield what my_print_defaults makes of each tree, a container for each processor."""
        jobs = min(os.cpu_count() or 1, 1 + len(trees) // 200)
        share = -(-len(trees) // jobs)
        parts = [trees[start : start + share] for start in range(0, len(trees), share)]
        with ThreadPoolExecutor(jobs) as pool:
            for part in pool.map(self._ask, parts):
                yield from part

    def _ask(self, trees: list[Tree]) -> list[Answer]:
        text = "".join(_as_json(tree) + "\n" for tree in trees)
        done = subprocess.run(self.command, input=text.encode(), stdout=subprocess.PIPE, check=True)
        answers = []
        for line in done.stdout.splitlines():
            code, output, _errors = json.loads(line)
            answers.append(Answer(code == 0, base64.b64decode(output) if code == 0 else b""))
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
            "groups": ["mysql_cluster", "mysqld", "server", "mysqld-" + VERSION],
        }
    )


# ---- comparing and shrinking ----


def first_mismatch(
    oracle: Oracle, trees: list[Tree], root: str
) -> tuple[int, Answer, Answer] | None:
    """Return number, our answer and MySQL's for the first tree on which they differ."""
    for number, (tree, theirs) in enumerate(zip(trees, oracle.answers(trees))):
        write_tree(tree, root)
        try:
            ours = our_answer(tree, root)
        except Failure:
            continue  # a tree that we refuse for its size
        if ours != theirs and not is_undefined(tree):
            return number, ours, theirs
    return None


def is_undefined(tree: Tree) -> bool:
    """Whether nothing can be learnt from a tree.

    - my_print_defaults takes a missing --defaults-file for an empty one; mysqld does not start.
    - An indented option without a name makes MySQL compute a negative length: it prints the line
      twice, or crashes.
    - A NUL byte at the start of a line makes it read the byte before its buffer.
    """
    named = [item.split("=", 1)[1] for item in tree.argv if item.startswith("--defaults-file=")]
    if named and bytes_of(named[0]) not in tree.files:
        return True
    return any(
        data is not None and re.search(rb"(^|\n|\0)([\t\v\f\r \xa0]+=|\0)", data)
        for data, _mode in tree.files.values()
    )


def shrink(oracle: Oracle, tree: Tree, root: str) -> Tree:
    """Return a smaller tree on which the two still differ, by taking things away in turn."""
    while True:
        candidates = list(_smaller(tree))
        found = first_mismatch(oracle, candidates, root)
        if found is None:
            return tree
        tree = candidates[found[0]]


def _smaller(tree: Tree) -> Iterator[Tree]:
    for path in tree.files:
        if path != b"/etc/mysql":
            yield tree._replace(files={k: v for k, v in tree.files.items() if k != path})
    for index in range(len(tree.argv)):
        yield tree._replace(argv=tree.argv[:index] + tree.argv[index + 1 :])
    for index in range(len(tree.environ)):
        yield tree._replace(environ=tree.environ[:index] + tree.environ[index + 1 :])
    for path, (data, mode) in tree.files.items():
        if data is None:
            continue
        if mode != 0o644:
            yield tree._replace(files={**tree.files, path: (data, 0o644)})
        lines = data.splitlines(keepends=True)
        for index in range(len(lines)):
            less = b"".join(lines[:index] + lines[index + 1 :])
            yield tree._replace(files={**tree.files, path: (less, mode)})
        for size in (len(data) // 2, len(data) // 4, len(data) // 16, 1):
            if not size or (size == 1 and len(data) > 200):
                break
            for start in range(0, len(data), size):
                less = data[:start] + data[start + size :]
                yield tree._replace(files={**tree.files, path: (less, mode)})


def report(tree: Tree, ours: Answer, theirs: Answer) -> None:
    """Print a tree and what the two made of it."""
    for path, (data, mode) in tree.files.items():
        print("{} {:o} {!r}".format(path.decode("utf-8", "backslashreplace"), mode, data))
    print(f"argv    {tree.argv!r}")
    print(f"environ {tree.environ!r}")
    print(f"ours    {ours!r}")
    print(f"MySQL   {theirs!r}")


def parse_options(description: str) -> argparse.Namespace:
    """Return the command line's options; ``description``'s first line is the help."""
    parser = argparse.ArgumentParser(description=description.splitlines()[0])
    parser.add_argument("--command", default=os.environ.get("LAB_ORACLE"))
    parser.add_argument("--count", type=int, default=5000)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    if not options.command:
        parser.error("give --command or set LAB_ORACLE")
    return options


def main() -> int:
    """Run the comparison; returns the exit status."""
    options = parse_options(__doc__)
    oracle = Oracle(options.command)
    with tempfile.TemporaryDirectory() as folder:
        root = os.path.join(folder, "root")
        for start in range(0, options.count, BATCH):
            numbers = range(start, min(start + BATCH, options.count))
            trees = [make_tree(options.seed, number) for number in numbers]
            found = first_mismatch(oracle, trees, root)
            if found is not None:
                print(f"mismatch in tree {start + found[0]} of seed {options.seed}")
                small = shrink(oracle, trees[found[0]], root)
                again = first_mismatch(oracle, [small], root)
                if again is not None:
                    report(small, again[1], again[2])
                return 1
            print(f"{numbers[-1] + 1} trees agree", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
