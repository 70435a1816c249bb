#!/usr/bin/env python
# Copyright (c) 2026, the dbfleet.mysql authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Edit random trees of option files, and ask MySQL's own my_print_defaults about the outcome.

    option_file_edits.py --command 'podman exec -i CONTAINER' --count 5000 --seed 1

For each random tree and random request: my_print_defaults and our reader agree on the edited files;
the library is loaded, or named nowhere any more; every other argument is there, in the same order;
a second run changes nothing; present and then absent gives the original bytes. Where a request is
refused, MySQL does not start with the files as they are, or not load the library from a line at the
end of the file. The files are really written. A mistake is shrunk and printed, and the exit status
is 1.
"""

from __future__ import annotations

import functools
import os
import random
import re
import sys
import tempfile
from typing import Iterator, NamedTuple

from ansible_collections.dbfleet.mysql.plugins.module_utils._errors import Failure
from ansible_collections.dbfleet.mysql.plugins.module_utils._option_file.edit import (
    Library,
    Plan,
    parse_library,
    plan_absent,
    plan_present,
)
from ansible_collections.dbfleet.mysql.plugins.module_utils._option_file.files import (
    Files,
    bytes_of,
)
from ansible_collections.dbfleet.mysql.plugins.module_utils._option_file.reader import (
    ServerOptions,
)
from ansible_collections.dbfleet.mysql.plugins.module_utils._option_file.write import write
from harness import Fuzzer, Verdict, parse_options
from option_files import our_answer, read, show
from oracle import Answer, Oracle
from trees import NEWEST, Tree, is_undefined, make_tree, smaller, write_tree

_LIBRARIES = ("group_replication.so", "group_replication=group_replication.so", "a.so", "x=a.so")
_TARGETS = ("/etc/my.cnf", "/etc/mysql/my.cnf", "/etc/mysql/conf.d/a.cnf", "/etc/mysql/new.cnf")
_GROUPS = ("mysqld", "mysqld", "mysqld", "server", "mysqld-{version}")
#: Refusals where a person cannot write the line either.
_NO_ATTEMPT = ("option_files_too_large", "option_file_folder_missing")


class Request(NamedTuple):
    """What is asked for; without a ``target``, the line goes to the main file."""

    state: str
    library: Library
    target: str | None
    group: str


class Case(NamedTuple):
    """A tree and what to do to it."""

    tree: Tree
    request: Request


class Outcome(NamedTuple):
    """What our code made of a case; ``refused`` has an error code where it refused it.

    ``edited`` is the tree afterwards. Where it refused, a person's attempt: the line at the end.
    """

    edited: Tree
    refused: str = ""
    mistake: str = ""


def make_case(seed: int, number: int, version: str = NEWEST) -> Case:
    """Return the case of this seed and number."""
    dice = random.Random(f"edit {seed}:{number}")  # noqa: S311 - no secret
    request = Request(
        dice.choice(("present", "absent")),
        parse_library(dice.choice(_LIBRARIES)),
        dice.choice((None, None, None, None, *_TARGETS)),
        dice.choice(_GROUPS).format(version=version),
    )
    tree = make_tree(seed, number, version)
    if request.state == "absent" and dice.random() < 0.8:
        tree = _with_entries(tree, request.library, dice)
    return Case(tree, request)


def _with_entries(tree: Tree, library: Library, dice: random.Random) -> Tree:
    """Return the tree with the library in lists, which chance alone seldom puts there."""
    files = dict(tree.files)
    paths = [path for path, (data, _mode) in files.items() if data is not None]
    for path in dice.sample(paths, min(len(paths), dice.choice((1, 1, 2)))):
        data, mode = files[path]
        name = dice.choice(("plugin_load_add", "loose-plugin-load-add", "plugin_load"))
        value = dice.choice(("%s", "a.so;%s", "%s;y=b.so", "%s:%s", "'c.so;%s' # x")).replace(
            "%s", library.entry
        )
        line = bytes_of(
            f"[{dice.choice(_GROUPS).format(version=tree.version)}]\n{name} = {value}\n"
        )
        data = data or b""
        files[path] = (
            dice.choice((line + data, data + b"\n" + line, data + b"\n" + line[:-1])),
            mode,
        )
    return tree._replace(files=files)


def judge(oracle: Oracle, cases: list[Case], root: str) -> Iterator[Verdict]:
    """Yield for each case whether what our code does is right."""
    outcomes = [None if is_undefined(case.tree) else make_outcome(case, root) for case in cases]
    trees = [case.tree for case in cases]
    # What was changed by nobody need not be asked twice.
    edited = {
        number: outcome.edited
        for number, outcome in enumerate(outcomes)
        if outcome is not None and outcome.edited != trees[number]
    }
    answers = oracle.answers([*trees, *edited.values()])
    later = dict(zip(edited, answers[len(trees) :]))
    for number, (case, outcome, before) in enumerate(zip(cases, outcomes, answers)):
        if outcome is None:
            yield Verdict("skipped: what MySQL does is undefined", skipped=True)
            continue
        try:
            yield _judge_one(case, outcome, before, later.get(number, before), root)
        except _Mistake as mistake:
            yield Verdict("mistake", str(mistake))


class _Mistake(Exception):
    """A property that does not hold; the text says which."""


def make_outcome(case: Case, root: str) -> Outcome:
    """Do what a case asks for, below a folder, and check what needs no oracle."""
    tree, request = case
    write_tree(tree, root)
    try:
        made = _plan(case, request.state, root)
        _apply(made)
        edited = _read_tree(tree, root)
        written = [item.text for item in read(tree, Files(root)).arguments]
        if written != [item.text for item in made.after.arguments]:
            return Outcome(edited, mistake="what is written is not what was planned")
        if _plan(case, request.state, root).changes:
            return Outcome(edited, mistake="a second run changes something")
        named = any(
            request.library.name in (item.value or "")
            for item in made.before.arguments
            if "load" in item.name
        )
        if request.state == "present" and made.changes and not named:
            _apply(_plan(case, "absent", root))
            if _read_tree(tree, root) != tree:
                return Outcome(edited, mistake="present, then absent, gives other bytes")
    except Failure as failure:
        refused = failure.error_code
        if request.state == "absent" or refused in _NO_ATTEMPT:
            return Outcome(tree, refused)
        return Outcome(_with_line_at_end(case, _target(case, root)), refused)
    return Outcome(edited)


def _plan(case: Case, state: str, root: str) -> Plan:
    def reader(files: Files) -> ServerOptions:
        return read(case.tree, files)

    files, request = Files(root), case.request
    if state == "absent":
        return plan_absent(reader, files, request.library)
    return plan_present(reader, files, request.library, _target(case, root), request.group)


def _target(case: Case, root: str) -> str:
    return case.request.target or read(case.tree, Files(root)).main_file or _TARGETS[0]


def _apply(plan: Plan) -> None:
    for change in plan.changes:
        write(change.real_path, change.old, change.new)


def _read_tree(tree: Tree, root: str) -> Tree:
    """Return the tree as it is on disk now."""
    files = {path: entry for path, entry in tree.files.items() if entry[0] is None}
    for folder, _folders, names in os.walk(root.encode()):
        for name in names:
            path = os.path.join(folder, name)
            with open(path, "rb") as opened:
                files[path[len(root) :]] = (opened.read(), os.stat(path).st_mode & 0o777)
    return tree._replace(files=files)


def _with_line_at_end(case: Case, target: str) -> Tree:
    """Return the tree with the line at the end of a file, in a group of its own."""
    tree, request = case
    data, mode = tree.files.get(bytes_of(target), (b"", 0o644))
    line = f"\n[{request.group}]\nplugin_load_add={request.library.entry}\n"
    changed = ((data or b"") + bytes_of(line), mode)
    return tree._replace(files={**tree.files, bytes_of(target): changed})


# ---- judging by what my_print_defaults prints, without our reader's help ----


def _judge_one(case: Case, outcome: Outcome, before: Answer, after: Answer, root: str) -> Verdict:
    if outcome.mistake:
        raise _Mistake(outcome.mistake)
    if outcome.refused:
        return _judge_refusal(case, outcome.refused, before, after)
    write_tree(outcome.edited, root)
    if our_answer(outcome.edited, root) != after:
        raise _Mistake("MySQL reads the edited files differently")
    if _others(before.printed) != _others(after.printed):
        raise _Mistake("an argument that has nothing to do with plugins changed")
    _judge_loads(case.request, before, after)
    changed = "unchanged" if outcome.edited == case.tree else "changed"
    return Verdict(f"{case.request.state}: {changed}")


def _judge_refusal(case: Case, code: str, before: Answer, after: Answer) -> Verdict:
    if code == "option_files_too_large":  # our limit comes first, wherever MySQL gives up
        return Verdict(f"skipped: {code}", skipped=True)
    if not before.starts:
        if code != "option_file_broken":
            raise _Mistake(f"MySQL does not start, and the code is {code}")
    elif code == "line_not_editable":
        return Verdict(f"skipped: {code}", skipped=True)
    elif case.request.state == "absent":
        raise _Mistake(f"absent is refused: {code}")
    elif after.starts and _is_loaded(after.printed, case.request.library):
        raise _Mistake(f"a line at the end would have done, and the code is {code}")
    return Verdict(f"{case.request.state}: refused, {code}")


def _judge_loads(request: Request, before: Answer, after: Answer) -> None:
    if request.state == "absent":
        if any(request.library.entry == entry for _name, entry in _entries(after.printed)):
            raise _Mistake("the library is still named")
        return
    if not _is_loaded(after.printed, request.library):
        raise _Mistake("the library is not loaded")
    line = b"--plugin_load_add=" + request.library.entry.encode()
    rest = after.printed.splitlines()
    while len(rest) > len(before.printed.splitlines()):
        if line not in rest:
            raise _Mistake("something else than the line was added")
        rest.remove(line)
    if sorted(rest) != sorted(before.printed.splitlines()):
        raise _Mistake("the rest changed")


def _is_loaded(printed: bytes, library: Library) -> bool:
    """Whether these arguments load a library at start, or the plugin of it that is asked for."""
    loaded: list[str] = []
    for name, entry in _entries(printed):
        loaded = loaded if name == "plugin_load_add" else []
        loaded.append(entry)
    plugin = library.plugin or ("group_replication" if library.name in _LIBRARIES[:1] else None)
    wanted = re.compile(f"({plugin or '[^=#]+'}=)?{re.escape(library.name)}")
    return any(wanted.fullmatch(entry) for entry in loaded)


def _entries(printed: bytes) -> Iterator[tuple[str, str]]:
    """Yield the entries of the plugin lists; "" stands for an empty list."""
    for line in printed.decode("utf-8", "surrogateescape").split("\n"):
        match = re.match(r"--(?:loose[-_])*(plugin[-_]load(?:[-_]add)?)=(.*)", line)
        if match is None:
            continue
        name = match.group(1).replace("-", "_")
        for entry in re.split("[;:]", match.group(2)):
            yield name, entry
            name = "plugin_load_add"  # a list's first entry alone throws away what was before


def _others(printed: bytes) -> list[bytes]:
    return [line for line in printed.splitlines() if not re.match(rb"--\S*plugin[-_]load", line)]


# ---- a mistake, for people ----


def smaller_cases(case: Case) -> Iterator[Case]:
    """Yield cases with something less in the tree."""
    for tree in smaller(case.tree):
        yield case._replace(tree=tree)


def show_case(case: Case, oracle: Oracle, root: str) -> None:
    """Print a case, and the files before and after."""
    print(f"{case.request.state} {case.request.library.entry} {case.request[2:]}")
    outcome = make_outcome(case, root)
    show(case.tree, oracle, root)
    print(f"Afterwards {outcome.refused}")
    show(outcome.edited, oracle, root)


def main() -> int:
    """Run the edits; returns the exit status."""
    oracle, seed, count = parse_options(str(__doc__))
    # Nobody else may write where option files are changed.
    with tempfile.TemporaryDirectory(dir=os.path.expanduser("~")) as folder:
        root = os.path.join(folder, "root")
        return Fuzzer(
            functools.partial(make_case, version=oracle.version),
            lambda cases: judge(oracle, cases, root),
            smaller_cases,
            lambda case: show_case(case, oracle, root),
        ).run(seed, count)


if __name__ == "__main__":
    sys.exit(main())
