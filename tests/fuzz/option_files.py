#!/usr/bin/env python
# Copyright (c) 2026, the dbfleet.mysql authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Compare our reader of option files with MySQL's own ``my_print_defaults``, on random trees.

    option_files.py --command 'podman exec -i CONTAINER' --count 5000 --seed 1

The command leads to where MySQL's client tools and a Python 3 are, as root; it may come from the
environment variable LAB_ORACLE. Nothing there is changed. Each tree is made from its seed and
number alone. A mismatch is shrunk and printed, and the exit status is 1.
"""

from __future__ import annotations

import functools
import os
import sys
import tempfile
from typing import Iterator

from ansible_collections.dbfleet.mysql.plugins.module_utils._errors import Failure
from ansible_collections.dbfleet.mysql.plugins.module_utils._option_file.files import (
    Files,
    bytes_of,
)
from ansible_collections.dbfleet.mysql.plugins.module_utils._option_file.reader import (
    ServerOptions,
    read_server_options,
)
from harness import Fuzzer, Verdict, parse_options
from oracle import Answer, Oracle
from trees import Tree, is_undefined, make_tree, smaller, write_tree


def read(tree: Tree, files: Files) -> ServerOptions:
    """Return what our reader makes of a tree that was written to a file system."""
    environ = dict(tree.environ)
    return read_server_options(
        tree.argv,
        environ,
        home=environ.get("HOME"),
        server_version=tree.version,
        default_files=("/etc/my.cnf", "/etc/mysql/my.cnf"),
        files=files,
    )


def our_answer(tree: Tree, root: str) -> Answer:
    """Return the same in the form of my_print_defaults, for a tree written below a folder."""
    options = read(tree, Files(root))
    if options.fatal:
        return Answer(False, b"")
    return Answer(True, b"".join(bytes_of(item.text) + b"\n" for item in options.arguments))


def judge(oracle: Oracle, trees: list[Tree], root: str) -> Iterator[Verdict]:
    """Yield for each tree whether the two read the same."""
    for tree, theirs in zip(trees, oracle.answers(trees)):
        if is_undefined(tree):
            yield Verdict("skipped: what MySQL does is undefined", skipped=True)
            continue
        write_tree(tree, root)
        try:
            ours = our_answer(tree, root)
        except Failure as failure:
            yield Verdict(f"skipped: {failure.error_code}", skipped=True)
            continue
        word = "both read the same" if theirs.starts else "both say that MySQL does not start"
        yield Verdict(word, "" if ours == theirs else "MySQL reads it differently")


def show(tree: Tree, oracle: Oracle, root: str) -> None:
    """Print a tree and what the two make of it."""
    for path, (data, mode) in tree.files.items():
        print("{} {:o} {!r}".format(path.decode("utf-8", "backslashreplace"), mode, data))
    write_tree(tree, root)
    print(f"argv    {tree.argv!r}")
    print(f"environ {tree.environ!r}")
    print(f"ours    {our_answer(tree, root)!r}")
    print(f"MySQL   {oracle.answers([tree])[0]!r}")


def main() -> int:
    """Run the comparison; returns the exit status."""
    oracle, seed, count = parse_options(str(__doc__))
    with tempfile.TemporaryDirectory() as folder:
        root = os.path.join(folder, "root")
        return Fuzzer(
            functools.partial(make_tree, version=oracle.version),
            lambda trees: judge(oracle, trees, root),
            smaller,
            lambda tree: show(tree, oracle, root),
        ).run(seed, count)


if __name__ == "__main__":
    sys.exit(main())
