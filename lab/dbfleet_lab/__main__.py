# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026, the dbfleet.mysql authors
"""Runs the lab's commands: ``python -m dbfleet_lab``, which lab/lab calls."""

import sys

from dbfleet_lab import cli

sys.exit(cli.main(sys.argv[1:]))
