# Copyright (c) 2026, the dbfleet.mysql authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the playbooks are asked for, and what of it is refused before a host is touched.

Private to dbfleet.mysql.
"""

from __future__ import annotations

import json
import re
import shlex
from typing import Any, Mapping, NamedTuple

from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible.module_utils.parsing.convert_bool import boolean
from ansible_collections.dbfleet.mysql.plugins.module_utils._errors import Failure

STATES = ("present", "absent")
VARIABLES = (
    "group_replication_hosts",
    "group_replication_serial",
    "group_replication_max_fail_percentage",
    "group_replication_confirm_remove",
)
PLAYBOOKS = {"present": "group_replication_plugin", "absent": "remove"}


class Request(NamedTuple):
    """What a playbook is asked for.

    Attributes:
        state: what the playbook is there for, ``present`` or ``absent``.
        look: whether it changes nothing and fails where a host falls short.
        check_mode: whether Ansible runs in check mode.
        hosts: the names of the hosts that it is for; empty where the inventory has none.
        variables: those of VARIABLES, which are about the whole run, that are set.
        states: the ``group_replication_state`` of each host.
        inventories: what was given with ``-i``.
        limit: what was given with ``--limit``.
    """

    state: str
    look: bool
    check_mode: bool
    hosts: list[str]
    variables: Mapping[str, Any]
    states: set[str]
    inventories: list[str]
    limit: str | None


def check(request: Request) -> None:
    """Refuse what was not meant so.

    Raises:
        Failure: the request contradicts itself or the playbook, has a value that does not fit, or
            is a removal that nobody confirmed.
    """
    if not request.hosts:
        raise Failure(
            "inventory_empty",
            "The inventory has no host, so nothing was done.",
            "Name an inventory that has one, with -i.",
        )
    _check_states(request)
    _check_batches(request.variables)
    _check_confirmation(request)


def _check_states(request: Request) -> None:
    unknown = sorted(request.states.difference(STATES))
    if unknown:
        raise Failure(
            "state_unknown",
            f"group_replication_state is {', '.join(unknown)}, so no host was touched.",
            "Set it to present or absent.",
        )
    if request.look and len(request.states) > 1:
        raise Failure(
            "state_mixed",
            "group_replication_state is not the same on all hosts, but "
            f"{' and '.join(sorted(request.states))}, so no host was looked at.",
            "Take the variable out of the inventory, and look at the hosts that are not to have "
            "the plugin in a run of their own, with -e group_replication_state=absent and "
            "group_replication_hosts or --limit.",
        )
    others = request.states.difference([request.state])
    if others and not request.look:
        raise Failure(
            "state_of_another_playbook",
            f"group_replication_state is {others.pop()}, but this playbook is for "
            f"{request.state}, so no host was touched.",
            "Take the variable out of the command and the inventory, or run the playbook "
            f"dbfleet.mysql.{PLAYBOOKS[(set(STATES) - {request.state}).pop()]}.",
        )


def _check_batches(variables: Mapping[str, Any]) -> None:
    serial = variables.get("group_replication_serial")
    if serial is not None:
        sizes = serial.split(",") if isinstance(serial, str) else serial
        sizes = sizes if isinstance(sizes, (list, tuple)) else [sizes]
        if not sizes or not all(re.fullmatch(r"\s*[1-9][0-9]*%?\s*", str(n)) for n in sizes):
            raise Failure(
                "serial_invalid",
                f"group_replication_serial is {json.dumps(serial)}, so no host was touched.",
                "Set it to a number of hosts, a percentage, or a list of these: 1, 25%, or "
                "1,10,100% for one host, then ten, then batches of all the rest.",
            )
    most = variables.get("group_replication_max_fail_percentage")
    if most is None:
        return
    if not re.fullmatch(r"100([.]0+)?|[0-9]{1,2}([.][0-9]+)?", str(most)):
        raise Failure(
            "max_fail_percentage_invalid",
            f"group_replication_max_fail_percentage is {json.dumps(most)}, so no host was touched.",
            "Set it to a number from 0 to 100, the share of a batch's hosts that may have a "
            "problem before the run stops.",
        )
    if serial is None:
        raise Failure(
            "max_fail_percentage_without_serial",
            "group_replication_max_fail_percentage stops a run between two batches, but all hosts "
            "are one batch, so no host was touched.",
            "Set group_replication_serial too, such as 1,100% for one host and then all the rest.",
        )


def _check_confirmation(request: Request) -> None:
    if request.state != "absent" or request.look or request.check_mode:
        return
    if boolean(request.variables.get("group_replication_confirm_remove", False), strict=False):
        return
    words = ["ansible-playbook"]
    for source in request.inventories:
        words += ["-i", source]
    words.append("dbfleet.mysql.group_replication_plugin_remove")
    if request.limit is not None:
        words += ["--limit", request.limit]
    pattern = request.variables.get("group_replication_hosts")
    if pattern is not None:
        names = pattern if isinstance(pattern, str) else ",".join(pattern)
        words += ["-e", f"group_replication_hosts={names}"]
    words += ["-e", "group_replication_confirm_remove=true"]
    raise Failure(
        "removal_not_confirmed",
        f"The playbook remove takes the plugin out of {len(request.hosts)} host(s), and that was "
        "not confirmed, so no host was touched.",
        "Try it with --check, then confirm it, with the other options that you gave: "
        + shlex.join(words),
    )


def wrong_values(options: Mapping[str, Mapping[str, Any]], values: Mapping[str, Any]) -> list[str]:
    """Return what is wrong with values of the role's variables, a sentence each.

    Args:
        options: the role's argument specification, by the names of its variables.
        values: some of these variables.
    """
    asked = {name: options[name] for name in values}
    return list(ArgumentSpecValidator(asked).validate(dict(values)).error_messages)
