#!/usr/bin/python
# Copyright (c) 2026, the dbfleet.mysql authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Documentation of the action plugin of the same name, which does the work."""

from __future__ import annotations

DOCUMENTATION = r"""
module: group_replication_request
short_description: Check what the Group Replication playbooks are asked for
version_added: 1.1.0
description:
  - The collection's playbooks begin with it. It refuses a run that cannot be meant, before a host
    is touched, and returns what steers the run.
  - Its options are the variables of the playbooks C(dbfleet.mysql.group_replication_plugin),
    C(dbfleet.mysql.group_replication_plugin_verify) and
    C(dbfleet.mysql.group_replication_plugin_remove), with the prefix C(group_replication_), such
    as C(group_replication_serial). The role's variables, which say how to log in and what is
    allowed, are in C(ansible-doc -t role dbfleet.mysql.group_replication).
  - O(hosts), O(serial), O(max_fail_percentage), O(report) and O(confirm_remove) count for a run as
    a whole. So they come with C(-e) or with the C(vars) of C(import_playbook). An inventory that
    sets one is refused, unless C(-e) sets it too.
  - A variable whose name is close to one of the collection's is refused as misspelt, wherever it is
    set. Other variables that begin with C(group_replication_) are yours.
  - A variable that the playbooks set themselves, such as a result, is refused where C(-e) sets it,
    and a fact of a host whose name begins with C(group_replication_) is refused as well.
  - It runs on the control node and reaches no host.
author:
  - dbfleet.mysql authors (@dbfleet)
extends_documentation_fragment:
  - dbfleet.mysql._attributes.control_node
options:
  playbook:
    description: Which of the playbooks asks. Each sets it itself.
    type: str
    choices: [install, verify, remove]
    required: true
  hosts:
    description:
      - The hosts of the run, as an Ansible pattern. The playbooks also take a list of these, and
        take V(all) where it is not set.
    type: str
    required: true
  matched_hosts:
    description: The hosts that the pattern and C(--limit) leave. The playbooks find them out.
    type: list
    elements: str
    required: true
  state:
    description:
      - What the command or the play asks for. Each host may ask for it too; in one run all must ask
        for the same, and for what the playbook does.
    type: str
  serial:
    description:
      - How many hosts at a time, as V(5), V(25%), or a list such as V(1,10,100%), of which the last
        one repeats.
    type: list
    elements: str
    default: ["100%"]
  max_fail_percentage:
    description:
      - The run stops after a batch of which a greater percentage of hosts has a problem. V(0)
        stops it at the first one. Needs O(serial).
    type: str
  report:
    description:
      - A file to which the summary is written too; see M(dbfleet.mysql.group_replication_summary).
    type: path
  confirm_remove:
    description: Without it, the playbook that removes refuses to run, except in check mode.
    type: bool
    default: false
"""

EXAMPLES = r"""
- name: Check the request
  dbfleet.mysql.group_replication_request:
    playbook: verify
    hosts: all
    matched_hosts: "{{ ansible_play_hosts_all }}"
  register: request
  run_once: true
"""

RETURN = r"""
state:
  description: What each host is asked for.
  returned: success
  type: str
  sample: present
check_mode:
  description: Whether the run changes nothing.
  returned: success
  type: bool
  sample: true
fail_on_change:
  description: Whether a host that falls short has a problem.
  returned: success
  type: bool
  sample: true
max_fail_percentage:
  description: The percentage of a batch's hosts that may have a problem.
  returned: success
  type: float
  sample: 100.0
report:
  description: The file for the summary, empty without one.
  returned: success
  type: str
  sample: fleet.html
started_at:
  description: When the run began, in UTC and ISO 8601.
  returned: success
  type: str
  sample: "2026-11-22T03:00:00+00:00"
refusals:
  description: Each reason why the run is refused.
  returned: on failure
  type: list
  elements: dict
  contains:
    error_code:
      description: A stable word, as in RV(error_code).
      type: str
      returned: always
    cause:
      description: What is wrong, in one sentence.
      type: str
      returned: always
    next_step:
      description: What to do about it.
      type: str
      returned: always
error_code:
  description:
    - A stable word for the first reason. All are listed with their remedies in the collection's
      C(docs/error_codes.md).
  returned: on failure
  type: str
  sample: no_host_matches
cause:
  description: What is wrong, in one sentence.
  returned: on failure
  type: str
  sample: The inventory sets group_replication_report (for db1), which counts for a run as a whole.
next_step:
  description: What to do about it.
  returned: on failure
  type: str
  sample: Take it out of the inventory, and give it with -e.
"""
