# Copyright (c) 2026, the dbfleet.mysql authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The page of error codes lists what the code has, no more and no less."""

from __future__ import annotations

import ast
import contextlib
import re
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[2]


def codes_in_the_code():
    codes = set()
    for path in (CHECKOUT / "plugins").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.Call) or not node.args:
                continue
            name = getattr(node.func, "id", getattr(node.func, "attr", ""))
            if name.lower().strip("_") in ("failure", "meaning"):
                with contextlib.suppress(ValueError):  # not a literal: a function of that name
                    codes.add(ast.literal_eval(node.args[0]))
    return codes


def codes_on_the_page():
    page = (CHECKOUT / "docs" / "error_codes.md").read_text(encoding="utf-8")
    return set(re.findall(r"^\| `(\w+)` \|", page, flags=re.MULTILINE))


def test_page_and_code_agree():
    assert codes_in_the_code()
    assert codes_on_the_page() == codes_in_the_code()
