# Copyright (c) 2026, the dbfleet.mysql authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The layouts of real servers: in with the line, and out again.

That my_print_defaults reads the same is asked in tests/integration/test_option_file_fuzz.py.
"""

from __future__ import annotations

import os

import pytest
from host import LINE, Host
from layouts import LAYOUTS


@pytest.fixture(params=sorted(LAYOUTS))
def layout(request, tmp_path):
    layout = LAYOUTS[request.param]
    layout.write(str(tmp_path))
    return layout


def tree(root):
    """Return all files and links below a folder."""
    found = {}
    for folder, _folders, names in os.walk(str(root)):
        for name in names:
            path = os.path.join(folder, name)
            with open(path, "rb") as opened:
                target = os.readlink(path) if os.path.islink(path) else None
                found[path[len(str(root)) :]] = (target, opened.read())
    return found


def test_present_and_absent(layout, tmp_path):
    host = Host(tmp_path, layout.argv)
    before = tree(tmp_path)
    plan = host.present(layout.target, group=layout.group)
    assert [change.real_path for change in plan.changes] == [host.root + layout.changed]
    old = layout.files.get(layout.changed, b"").split(b"\n")
    new = host.get(layout.changed).split(b"\n")
    assert LINE in new
    kept = iter(new)
    assert all(line in kept for line in old)  # all that was there, in the same order
    assert not host.present(layout.target, group=layout.group).changes
    host.absent()
    assert tree(tmp_path) == before


@pytest.mark.parametrize("name", sorted(set(LAYOUTS) - {"defaults_extra_file", "rhel_drop_in"}))
def test_the_main_file_is_found(name, tmp_path):
    layout = LAYOUTS[name]
    layout.write(str(tmp_path))
    options = Host(tmp_path, layout.argv).read()
    assert options.main_file == layout.target
    assert not options.read_errors
