# Copyright (c) 2026, the dbfleet.mysql authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Runs on a server's host: read the files that a list names, and nothing else."""

import sys

with open(sys.argv[1]) as names:
    for name in names:
        with open(name.rstrip("\n"), "rb") as file:
            file.read()
