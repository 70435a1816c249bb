# Copyright (c) 2026, the dbfleet.mysql authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the scenario's tests share."""

from __future__ import annotations

import os

STEM = f"podman://{os.environ['LAB_PREFIX']}-included-"
