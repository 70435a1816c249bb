# Copyright (c) 2026, the dbfleet.mysql authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The layouts of real servers: in with the line, and out again.

That my_print_defaults reads the same is asked in tests/integration/test_option_file_fuzz.py.
"""

from __future__ import annotations

import os

import pytest
from ansible_collections.dbfleet.mysql.plugins.module_utils._option_file.edit import (
    parse_library,
    plan_absent,
    plan_present,
)
from ansible_collections.dbfleet.mysql.plugins.module_utils._option_file.reader import (
    Files,
    read_server_options,
)
from ansible_collections.dbfleet.mysql.plugins.module_utils._option_file.write import write
from layouts import LAYOUTS

LINE = b"plugin_load_add=group_replication.so"
LIBRARY = parse_library("group_replication.so")


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
    def reader(files):
        return read_server_options(layout.argv, server_version="9.7.4", files=files)

    root = str(tmp_path)
    before = tree(root)
    plan = plan_present(reader, Files(root), LIBRARY, layout.target, layout.group)
    assert [change.real_path for change in plan.changes] == [root + layout.changed]
    for change in plan.changes:
        write(change.real_path, change.new)
    after = tree(root)
    old = layout.files.get(layout.changed, b"").split(b"\n")
    new = after[layout.changed][1].split(b"\n")
    assert LINE in new
    kept = iter(new)
    assert all(line in kept for line in old)  # all that was there, in the same order
    assert not plan_present(reader, Files(root), LIBRARY, layout.target, layout.group).changes
    for change in plan_absent(reader, Files(root), LIBRARY).changes:
        write(change.real_path, change.new)
    assert tree(root) == before


@pytest.mark.parametrize("name", sorted(set(LAYOUTS) - {"defaults_extra_file", "rhel_drop_in"}))
def test_the_main_file_is_found(name, tmp_path):
    layout = LAYOUTS[name]
    layout.write(str(tmp_path))
    options = read_server_options(layout.argv, files=Files(str(tmp_path)))
    assert options.main_file == layout.target
    assert not options.problems
