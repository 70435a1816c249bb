#!/usr/bin/python
# Copyright (c) 2026, the dbfleet.mysql authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Documentation of the action plugin of the same name, which does the work."""

from __future__ import annotations

DOCUMENTATION = r"""
module: pymysql_package
short_description: Install the distribution's package of PyMySQL
version_added: 1.0.0
description:
  - Asks the host for its package manager and has it install the package of PyMySQL, which
    M(dbfleet.mysql.group_replication_plugin) needs on the host.
  - It does what C(ansible.builtin.setup) and C(ansible.builtin.package) do in two tasks, but takes
    no facts from the host. Facts beat the inventory's variables, so a host in the wrong hands could
    steer the tasks that follow.
  - The package is for the distribution's own Python. A Python from elsewhere, such as a virtual
    environment, needs PyMySQL from elsewhere.
author:
  - dbfleet.mysql authors (@dbfleet)
options:
  name:
    description:
      - Name of the package. Without it, V(python3-pymysql) with apt, and V(python3-PyMySQL) with
        all other package managers.
    type: str
attributes:
  action:
    description: A part of it runs on the control node.
    support: full
  diff_mode:
    description: A package has no diff.
    support: none
extends_documentation_fragment:
  - dbfleet.mysql._attributes
seealso:
  - module: dbfleet.mysql.group_replication_plugin
"""

EXAMPLES = r"""
- name: Install PyMySQL
  dbfleet.mysql.pymysql_package:
"""

RETURN = r"""
stdout:
  description: What the package manager printed.
  returned: where it prints something
  type: str
  sample: Setting up python3-pymysql (1.0.2-2) ...
stderr:
  description: What the package manager printed to its error output.
  returned: where it prints something
  type: str
  sample: ""
error_code:
  description: C(package_not_installed) or C(package_manager_unknown), as in the collection's
    C(docs/error_codes.md).
  returned: on failure
  type: str
  sample: package_not_installed
cause:
  description: What is wrong, in one sentence.
  returned: on failure
  type: str
  sample: The package manager apt did not install python3-pymysql for ops, which is not root.
next_step:
  description: What to do about it, in one sentence.
  returned: on failure
  type: str
  sample: Run this with become true (--become), or install PyMySQL beforehand.
"""
