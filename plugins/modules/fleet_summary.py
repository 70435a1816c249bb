#!/usr/bin/python
# Copyright (c) 2026, the dbfleet.mysql authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Documentation of the action plugin of the same name, which does the work."""

from __future__ import annotations

DOCUMENTATION = r"""
module: fleet_summary
short_description: Show what became of the Group Replication plugin on each host of the play
version_added: 1.0.0
description:
  - Prints a table of the play's hosts, those with a problem first, from what the role
    C(dbfleet.mysql.group_replication) registered on each.
  - The collection's playbooks end with it. Use it with C(run_once) after the role in a play of your
    own.
author:
  - dbfleet.mysql authors (@dbfleet)
options:
  state:
    description: What the role was asked for.
    type: str
    choices: [present, absent]
    default: present
  fail_on_change:
    description:
      - Whether a host on which something was changed, or would be in check mode, counts as a host
        with a problem, and one of which is not known whether it has the plugin after a restart.
    type: bool
    default: false
attributes:
  action:
    description: It runs on the control node.
    support: full
  check_mode:
    description: Can run in C(check_mode); it changes nothing.
    support: full
  diff_mode:
    description: It changes nothing that a diff could show.
    support: none
  idempotent:
    description: When run twice in a row with the same arguments, the second run changes nothing.
    support: full
"""

EXAMPLES = r"""
- name: Show the fleet
  dbfleet.mysql.fleet_summary:
  run_once: true
"""

RETURN = r"""
problems:
  description: The problem and the next step of each host that has one, by the host's name.
  returned: always
  type: dict
  sample:
    db3: No server listens on 10.0.0.3:3306 (error 2003). Check that mysqld runs on the host.
"""
