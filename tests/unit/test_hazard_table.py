# Copyright (c) 2026, the dbfleet.mysql authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The page of hazards is the one that tests/hazard_table makes of the tests."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).resolve().parents[2]


@pytest.mark.skipif(sys.version_info < (3, 9), reason="the script's ast.unparse came with 3.9")
def test_page_is_up_to_date():
    table = subprocess.run(
        [sys.executable, CHECKOUT / "tests" / "hazard_table"],
        check=True,
        stdout=subprocess.PIPE,
        encoding="utf-8",
    ).stdout
    page = (CHECKOUT / "docs" / "what_can_go_wrong.md").read_text(encoding="utf-8")
    assert table.count("\n") > 20
    assert page.endswith(table), "run: tests/hazard_table, and put its output into the page"
