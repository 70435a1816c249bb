# Copyright (c) 2026, the dbfleet.mysql authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Documentation of the attributes that the modules share."""

from __future__ import annotations


class ModuleDocFragment:
    """Fragment ``dbfleet.mysql._attributes``."""

    DOCUMENTATION = r"""
options: {}
attributes:
  async:
    description:
      - Supports C(async). It does not, because a job's result would come as the host gave it, facts
        included.
    support: none
  check_mode:
    description: Can run in C(check_mode) and say what would change, without changing it.
    support: full
  diff_mode:
    description: Says in diff mode what changed, or would change in check mode.
    support: full
  idempotent:
    description: When run twice in a row with the same arguments, the second run changes nothing.
    support: full
  platform:
    description: The operating systems that the module runs on.
    support: full
    platforms: linux
"""

    #: Fragment ``dbfleet.mysql._attributes.control_node``.
    CONTROL_NODE = r"""
options: {}
attributes:
  action:
    description: It runs on the control node.
    support: full
  check_mode:
    description: Can run in C(check_mode); it changes nothing on any host.
    support: full
  diff_mode:
    description: It changes nothing that a diff could show.
    support: none
  idempotent:
    description: When run twice in a row with the same arguments, the second run changes nothing.
    support: full
"""
