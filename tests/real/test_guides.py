# Copyright (c) 2026, the dbfleet.mysql authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a guide shows runs as it stands, block after block, and ends where the guide says."""

from __future__ import annotations

from conftest import Control, Server
from test_examples import blocks


def run_blocks(server: Server, control: Control, page: str) -> int:
    """Run each YAML block of a page in order, a play or a list of tasks; return how many."""
    found = blocks(page)
    for block in found:
        if "hosts" in block[0]:
            play = control.plays(block, {server.name: {}})
        else:
            play = control.play(block, {server.name: {}})
        assert play.code == 0, play.output
        assert f"{server.name} " in play.output.split("PLAY RECAP")[1]
    return len(found)


def test_from_mysql_e(server: Server, control: Control) -> None:
    assert run_blocks(server, control, "docs/from_mysql_e.md") == 4
    server.restart()
    assert server.plugin_status() == "ACTIVE"
    assert not server.registered()
    assert "already exists" not in server.last_start()


def test_option_files(server: Server, control: Control) -> None:
    assert run_blocks(server, control, "docs/option_files.md") == 1
    server.restart()
    assert server.plugin_status() == "ACTIVE"
