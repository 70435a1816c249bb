# Copyright (c) 2026, the dbfleet.mysql authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How long the tests marked ``soak`` are: short, or at full length where SOAK=1 is set."""

from __future__ import annotations

import os

#: ``make soak`` sets it.
SOAK = os.environ.get("SOAK") == "1"
