#!/usr/bin/python
# Copyright (c) 2026, the dbfleet.mysql authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Documentation of the action plugin of the same name, which does the work."""

from __future__ import annotations

DOCUMENTATION = r"""
module: group_replication_summary
short_description: Show what became of the Group Replication plugin on each host of the play
version_added: 1.0.0
description:
  - Prints a table of the play's hosts from what the role C(dbfleet.mysql.group_replication)
    registered on each, grouped by what is the matter and worst first, with the cause and the next
    step once for all hosts that share them.
  - It reads the hosts' variables C(group_replication_plugin_result),
    C(group_replication_option_file_result), C(group_replication_verification_result),
    C(group_replication_package_result), and C(group_replication_failure), in which a C(rescue)
    around the role may keep C(ansible_failed_result).
  - A group of more than 40 hosts without a problem is counted instead of listed, and so are the
    hosts beyond the first 40 with the same problem. The file named in O(report) has them all.
  - The collection's playbooks end with it. Use it with C(run_once) after the role in a play of your
    own. A host that failed has dropped out of the play, but is in the summary all the same. Where
    all hosts failed the play is over before the summary, unless a C(rescue) follows the role.
  - The table is in Ansible's colors. It goes to stderr where the stdout callback is one for
    programs, such as C(ansible.posix.json), so stdout is what the callback makes of it. Callbacks
    for people are C(default) and those derived from it, C(minimal), and C(oneline).
  - It runs on the control node and reaches no host.
author:
  - dbfleet.mysql authors (@dbfleet)
extends_documentation_fragment:
  - dbfleet.mysql._attributes.control_node
options:
  step:
    description:
      - Where in the run the task stands.
      - V(end) prints the summary and writes the report.
      - V(batch) prints one line about the batch of hosts that a play with C(serial) has just gone
        through, and returns RV(stop).
      - V(host) ends as the task's own host did; it fails where the host has a problem, and is
        unreachable where the host was. So the recap and the exit code tell of it.
    type: str
    choices: [batch, host, end]
    default: end
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
  max_fail_percentage:
    description:
      - With O(step=batch), the percentage of the batch's hosts that may have a problem. With more,
        RV(stop) is true.
    type: float
    default: 100
  stopped:
    description:
      - Whether the run was stopped before it came to all hosts. A host of which nothing is known is
        V(not reached) then, which is no problem.
      - Otherwise such a host is V(not looked at), which is one, unless it is in a batch to come.
        So a run with C(--tags) that leaves the role out does not look like one that found all in
        order.
    type: bool
    default: false
  report:
    description:
      - A file on the control node to which the summary is written too. Its extension says in which
        format, C(.json), C(.md) or C(.html).
      - A relative path starts at the folder in which C(ansible-playbook) runs. The folder of the
        file must exist. A file of that name is replaced as a whole.
      - It is written in check mode too, because it records the run and changes no host.
    type: path
  started_at:
    description: When the run began, in UTC and ISO 8601; the report records it.
    type: str
"""

EXAMPLES = r"""
- name: Install, verify and make it last
  ansible.builtin.include_role:
    name: dbfleet.mysql.group_replication

- name: Show what became of each host
  dbfleet.mysql.group_replication_summary:
    report: "{{ playbook_dir }}/summary.html"
  run_once: true
"""

RETURN = r"""
outcomes:
  description: What became of each host, by its name; with O(step=batch) of the batch's hosts.
  returned: success and O(step=batch) or O(step=end)
  type: dict
  sample:
    db1: in order
    db2: changed
    db3: "failed: server_down"
problems:
  description: The problem and the next step of each host that has one, by the host's name.
  returned: success and O(step=batch) or O(step=end)
  type: dict
  sample:
    db3: No server listens on 10.0.0.3:3306 (error 2003). Check that mysqld runs on the host.
stop:
  description: Whether more of the batch's hosts have a problem than O(max_fail_percentage) allows.
  returned: success and O(step=batch)
  type: bool
  sample: false
table:
  description: The table's lines.
  returned: success and O(step=end), where the stdout callback is one for programs
  type: list
  elements: str
  sample: ["hosts: 3, with a problem: 0, in order: 3"]
report:
  description: The absolute path of the report; V(null) without one.
  returned: success and O(step=end)
  type: str
  sample: /srv/reports/summary.html
error_code:
  description:
    - A stable word for what went wrong. All are listed with their remedies in the collection's
      C(docs/error_codes.md).
  returned: on failure
  type: str
  sample: report_folder_missing
cause:
  description: What is wrong, in one sentence.
  returned: on failure
  type: str
  sample: The folder /srv/reports of the report does not exist on the control node.
next_step:
  description: What to do about it, in one sentence.
  returned: on failure
  type: str
  sample: Create it, or name another file.
"""
