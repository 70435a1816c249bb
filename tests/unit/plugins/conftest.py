# Copyright (c) 2026, the dbfleet.mysql authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What several unit tests use."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def private_folder():
    """Make a folder in which nobody else may write, as the collection asks of option files."""
    with tempfile.TemporaryDirectory(prefix=".dbfleet-tests-", dir=Path.home()) as folder:
        yield Path(folder)


@pytest.fixture
def tmp_path(private_folder):
    """Take the place of pytest's own, which is in a folder where everybody may write."""
    return Path(tempfile.mkdtemp(dir=private_folder))


@pytest.fixture
def included(tmp_path, monkeypatch):
    """Make a folder of option files; returns it, and a list of which are opened from then on."""
    opened = []
    really_open = os.open

    def make(count):
        folder = tmp_path / "included"
        folder.mkdir()
        for number in range(count):
            (folder / f"{number:03}.cnf").write_bytes(b"[mysqld]\nloose-a=1\n" * 20)

        def counting(path, *args, **options):
            if os.path.dirname(os.fsencode(path)) == bytes(folder):
                opened.append(os.fsdecode(path))
            return really_open(path, *args, **options)

        monkeypatch.setattr(os, "open", counting)
        return folder, opened

    return make
