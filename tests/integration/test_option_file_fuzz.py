# Copyright (c) 2026, the dbfleet.mysql authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Our reader and writer of option files against MySQL's own my_print_defaults.

``make fuzz`` runs the same on many more trees.
"""

from __future__ import annotations

import os
import re
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from helpers.lab import CHECKOUT, container, fleet_name, lab, run
from helpers.soak import SOAK

COLLECTIONS = str(CHECKOUT / ".ansible" / "collections")


@pytest.fixture(scope="module")
def command() -> Iterator[str]:
    """Return what leads to a machine with my_print_defaults."""
    fleet = fleet_name("fuzz")
    lab("up", fleet, "oracle", "--stopped")
    yield "podman exec -i " + container("oracle", fleet)
    lab("down", fleet)


@pytest.mark.main
@pytest.mark.soak
@pytest.mark.parametrize("script", ["option_files", "option_file_edits"])
def test_random_trees(command: str, script: str) -> None:
    count = 20000 if SOAK else 500
    done = run(
        *(sys.executable, f"tests/fuzz/{script}.py", "--command", command),
        *("--count", str(count), "--seed", "20261122"),
        env={**os.environ, "PYTHONPATH": COLLECTIONS},
    )
    assert done.returncode == 0, done.stdout + done.stderr
    print(done.stdout)
    summary = re.search(r"(\d+) right, (\d+) skipped$", done.stdout.strip())
    assert summary is not None, done.stdout
    assert int(summary[1]) + int(summary[2]) == count
    assert int(summary[2]) <= count * 0.03


@pytest.mark.main
def test_real_layouts(command: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for folder in (COLLECTIONS, "tests/fuzz", "tests/unit/plugins/module_utils/_option_file"):
        monkeypatch.syspath_prepend(os.path.join(CHECKOUT, folder))
    from layouts import LAYOUTS
    from option_file_edits import Case, Request, judge, parse_library
    from oracle import Oracle
    from trees import Tree

    cases = []
    for layout in LAYOUTS.values():
        files = {path.encode(): (data, 0o644) for path, data in layout.files.items()}
        if layout.links:  # a tree has no links
            files[layout.target.encode()] = files.pop(layout.changed.encode())
        library = parse_library("group_replication.so")
        request = Request("present", library, layout.target, layout.group)
        cases.append(Case(Tree(files, layout.argv), request))
    # Nobody else may write where option files are changed, as in pytest's own folder.
    with tempfile.TemporaryDirectory(dir=Path.home()) as folder:
        verdicts = judge(Oracle(command), cases, os.path.join(folder, "root"))
    words = {name: verdict.mistake or verdict.word for name, verdict in zip(LAYOUTS, verdicts)}
    assert words == dict.fromkeys(LAYOUTS, "present: changed")
