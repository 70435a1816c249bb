# Copyright (c) 2026, the dbfleet.mysql authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Code for the managed hosts imports downwards only, as CONTRIBUTING.md says."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

PLUGINS = Path(__file__).resolve().parents[2] / "plugins"
# From the top down. A layer imports from its own folder and from those below.
LAYERS = ("modules", "_plugin", "_mysql", "_option_file", "_files", "_input", "_errors")
CODE = sorted([*PLUGINS.glob("module_utils/**/*.py"), *PLUGINS.glob("modules/*.py")])


def layer(path: Path) -> int:
    """Return the place of a file among the layers, counted from the top."""
    return next(number for number, name in enumerate(LAYERS) if name in (path.stem, *path.parts))


@pytest.mark.parametrize(
    "path",
    [path for path in CODE if path.name != "__init__.py"],
    ids=lambda path: str(path.relative_to(PLUGINS)),
)
def test_downwards(path):
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and node.level:
            target = path.parents[node.level - 1].joinpath(*(node.module or "").split("."))
            for name in node.names:
                full = target if target.with_suffix(".py").exists() else target / name.name
                assert layer(full) >= layer(path), f"{path.name} imports {full.name}"
                if layer(full) == layer(path):
                    assert full.parent == path.parent
