# Copyright (c) 2026, the dbfleet.mysql authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Runs on a server's host: make trees of option files.

Arguments: a folder, and the numbers of files to include. A tree of N files is made twice, with a
line that loads the plugin in FOLDER/there/N and without it in FOLDER/missing/N.
"""

from __future__ import annotations

import sys
from pathlib import Path

# About 2 KiB.
CONTENT = "[mysqld]\n" + "# a comment\nloose-an_option = some value\n" * 50
LINES = {"there": "plugin_load_add=group_replication.so\n", "missing": ""}


def main() -> None:
    """Make the trees."""
    for state, line in LINES.items():
        for word in sys.argv[2:]:
            folder = Path(sys.argv[1], state, word)
            included = folder / "conf.d"
            included.mkdir(parents=True)
            for number in range(int(word)):
                (included / f"{number:03}.cnf").write_text(CONTENT)
            main_file = f"[mysqld]\n{line}!includedir {included}/\n"
            (folder / "my.cnf").write_text(main_file)


main()
