#!/usr/bin/env python
# Copyright (c) 2026, the dbfleet.mysql authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Edit random trees of option files, and ask MySQL's own my_print_defaults about the outcome.

    option_file_edits.py --command 'podman run --rm -i IMAGE' --count 5000 --seed 1

For each random tree and random request: my_print_defaults and our reader agree on the edited files;
the library is loaded, or named nowhere any more; every other argument is there, in the same order;
a second run changes nothing; present and then absent gives the original bytes. The files are
really written. The exit status is 1 at the first tree where one of these fails.
"""

from __future__ import annotations

import os
import random
import re
import sys
import tempfile
from collections import Counter
from typing import NamedTuple

from ansible_collections.dbfleet.mysql.plugins.module_utils._errors import Failure
from ansible_collections.dbfleet.mysql.plugins.module_utils._option_file import (
    Files,
    ServerOptions,
    read_server_options,
)
from ansible_collections.dbfleet.mysql.plugins.module_utils._option_file_edit import (
    Library,
    Plan,
    parse_library,
    plan_absent,
    plan_present,
)
from ansible_collections.dbfleet.mysql.plugins.module_utils._option_file_write import write
from option_files import (
    BATCH,
    VERSION,
    Answer,
    Oracle,
    Tree,
    is_undefined,
    make_tree,
    our_answer,
    parse_options,
    report,
    write_tree,
)

_LIBRARIES = ("group_replication.so", "group_replication=group_replication.so", "a.so", "x=a.so")
_TARGETS = ("/etc/my.cnf", "/etc/mysql/my.cnf", "/etc/mysql/conf.d/a.cnf", "/etc/mysql/new.cnf")
_GROUPS = ("mysqld", "mysqld", "mysqld", "server", "mysqld-9.7")


class Mistake(Exception):
    """A property that does not hold; the text says which."""


class Edit(NamedTuple):
    """A tree after a request, and what the request was."""

    number: int
    tree: Tree
    edited: Tree
    state: str
    library: Library


def main() -> int:
    """Run the edits; returns the exit status."""
    options = parse_options(__doc__)
    oracle = Oracle(options.command)
    outcomes: Counter[str] = Counter()
    with tempfile.TemporaryDirectory() as folder:
        root = os.path.join(folder, "root")
        for start in range(0, options.count, BATCH):
            edits = []
            for number in range(start, min(start + BATCH, options.count)):
                tree = make_tree(options.seed, number)
                if is_undefined(tree):
                    continue
                try:
                    edit = make_edit(tree, options.seed, number, root)
                except Failure as failure:
                    outcomes[failure.error_code] += 1
                    continue
                except Mistake as mistake:
                    print(f"tree {number} of seed {options.seed}: {mistake}")
                    report(tree, our_answer(tree, root), our_answer(tree, root))
                    return 1
                outcomes["changed" if edit.edited != tree else "unchanged"] += 1
                edits.append(edit)
            before = oracle.answers([edit.tree for edit in edits])
            after = oracle.answers([edit.edited for edit in edits])
            for edit, old, new in zip(edits, before, after):
                try:
                    _judge(edit, old, new, root)
                except Mistake as mistake:
                    print(f"tree {edit.number} of seed {options.seed}: {mistake}")
                    print(f"{edit.state} {edit.library.entry}")
                    report(edit.tree, old, old)
                    report(edit.edited, our_answer(edit.edited, root), new)
                    return 1
            print(f"{sum(outcomes.values())} trees: {dict(outcomes)}", flush=True)
    return 0


def make_edit(tree: Tree, seed: int, number: int, root: str) -> Edit:
    """Make one edit and check what needs no oracle."""
    dice = random.Random(f"edit {seed}:{number}")  # noqa: S311 - no secret
    state = dice.choice(("present", "absent"))
    library = parse_library(dice.choice(_LIBRARIES))
    target = dice.choice((None, *_TARGETS))
    group = dice.choice(_GROUPS)
    write_tree(tree, root)

    def reader(files: Files) -> ServerOptions:
        environ = dict(tree.environ)
        return read_server_options(
            tree.argv,
            environ,
            home=environ.get("HOME"),
            server_version=VERSION,
            default_files=("/etc/my.cnf", "/etc/mysql/my.cnf"),
            files=files,
        )

    def plan(state: str) -> Plan:
        if state == "absent":
            return plan_absent(reader, Files(root), library)
        main_file = reader(Files(root)).main_file
        return plan_present(reader, Files(root), library, target or main_file or _TARGETS[0], group)

    made = plan(state)
    _apply(made)
    edited = _read_tree(tree, root)
    written = [item.text for item in reader(Files(root)).arguments]
    if written != [item.text for item in made.after.arguments]:
        raise Mistake("what is written is not what was planned")
    if plan(state).changes:
        raise Mistake("a second run changes something")
    named = any(
        library.name in (item.value or "") for item in made.before.arguments if "load" in item.name
    )
    if state == "present" and made.changes and not named:
        _apply(plan("absent"))
        if _read_tree(tree, root) != tree:
            raise Mistake(f"present, then absent, does not give the original bytes: {edited!r}")
    return Edit(number, tree, edited, state, library)


def _apply(plan: Plan) -> None:
    for change in plan.changes:
        write(change.real_path, change.new)


def _read_tree(tree: Tree, root: str) -> Tree:
    """Return the tree as it is on disk now."""
    files = {path: entry for path, entry in tree.files.items() if entry[0] is None}
    for folder, _folders, names in os.walk(root.encode()):
        for name in names:
            path = os.path.join(folder, name)
            with open(path, "rb") as opened:
                files[path[len(root) :]] = (opened.read(), os.stat(path).st_mode & 0o777)
    return tree._replace(files=files)


def _judge(edit: Edit, old: Answer, new: Answer, root: str) -> None:
    """Compare what my_print_defaults prints before and after, without our reader's help."""
    write_tree(edit.edited, root)
    if our_answer(edit.edited, root) != new:
        raise Mistake("MySQL reads the edited files differently")
    if _others(old.printed) != _others(new.printed):
        raise Mistake("an argument that has nothing to do with plugins changed")
    line = b"--plugin_load_add=" + edit.library.entry.encode()
    if edit.state == "present":
        rest = new.printed.splitlines()
        while len(rest) > len(old.printed.splitlines()):
            if line not in rest:
                raise Mistake("something else than the line was added")
            rest.remove(line)
        if sorted(rest) != sorted(old.printed.splitlines()):
            raise Mistake("the rest changed")


def _others(printed: bytes) -> list[bytes]:
    return [line for line in printed.splitlines() if not re.match(rb"--\S*plugin[-_]load", line)]


if __name__ == "__main__":
    sys.exit(main())
