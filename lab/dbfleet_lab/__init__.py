# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026, the dbfleet.mysql authors
"""The lab: real MySQL servers in containers for the demo, the tests and the benchmark."""
