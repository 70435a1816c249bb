# Copyright (c) 2026, the dbfleet.mysql authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Outcomes of test runs, put into the pages of the documentation."""

from __future__ import annotations

import hashlib
import sys
from pathlib import Path
from typing import Iterable, Sequence

CHECKOUT = Path(__file__).resolve().parents[1]


def digest(sources: Iterable[str]) -> str:
    """Return a name for the content of files and folders: what passed with the same one holds."""
    total = hashlib.sha256()
    for source in sources:
        path = CHECKOUT / source
        for file in [path] if path.is_file() else sorted(path.rglob("*")):
            if file.is_file() and "__pycache__" not in file.parts:
                total.update(str(file.relative_to(CHECKOUT)).encode() + file.read_bytes())
    return total.hexdigest()[:12]


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a Markdown table."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines) + "\n"


def record(page: Path, text: str, program: str) -> None:
    """Write text between the page's two markers, which name the program that does it."""
    begin, end = f"<!-- {program} writes from here -->", "<!-- to here -->"
    before, found, rest = page.read_text().partition(begin)
    _old, there, after = rest.partition(end)
    if not found or not there:
        sys.exit(f"{page.name} lacks one of its lines {begin} and {end}.")
    page.write_text(f"{before}{begin}\n\n{text.strip()}\n\n{end}{after}")
