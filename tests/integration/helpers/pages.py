# Copyright (c) 2026, the dbfleet.mysql authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The examples on the pages of the documentation."""

from __future__ import annotations

import re
from typing import Any

import yaml
from helpers.lab import CHECKOUT


def blocks(page: str) -> list[list[dict[str, Any]]]:
    """Return the YAML blocks of a Markdown page."""
    text = (CHECKOUT / page).read_text()
    return [yaml.safe_load(block) for block in re.findall(r"```yaml\n(.*?)```", text, re.DOTALL)]
