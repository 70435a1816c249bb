# Copyright (c) 2026, the dbfleet.mysql authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a run of the playbooks is asked for, and what it is refused for. Private to dbfleet.mysql.

All of this is decided on the control node, before a host is touched.
"""

from __future__ import annotations

import difflib
import re
from typing import Any, Collection, Iterable, Iterator, Mapping, NamedTuple

from ..module_utils._errors import Failure
from ._summary import report
from ._summary.host import FAILURE, RESULTS
from ._summary.table import listed

PREFIX = "group_replication_"
STATES = {"install": ("present",), "verify": ("present", "absent"), "remove": ("absent",)}
#: What counts for a run as a whole; the inventory is about hosts.
OF_THE_RUN = tuple(
    PREFIX + name for name in ("hosts", "serial", "max_fail_percentage", "report", "confirm_remove")
)
#: What the playbooks set themselves.
OF_THE_PLAYBOOKS = (
    *RESULTS,
    FAILURE,
    *(PREFIX + name for name in ("playbook", "run", "batch_result", "summary_result")),
)
#: How alike two names are before one is taken for a slip: two letters changed places, one is
#: missing, a plural. MySQL's own names (group_replication_group_seeds) are farther from ours.
_ALIKE = 0.8
#: The same of names as a whole, for a slip in the prefix.
_ALIKE_AS_A_WHOLE = 0.95


class Request(NamedTuple):
    """What the task is given.

    Attributes:
        playbook: ``install``, ``verify`` or ``remove``.
        hosts: the pattern.
        matched_hosts: the hosts that the pattern and C(--limit) leave.
        state: what the command or the play says; None where they say nothing.
        serial: the batches.
        max_fail_percentage: None where it is not set.
        report: the same.
        confirm_remove: whether a removal is confirmed, or not meant because of check mode.
    """

    playbook: str
    hosts: str
    matched_hosts: list[str]
    state: str | None
    serial: list[str]
    max_fail_percentage: str | None
    report: str | None
    confirm_remove: bool


class Variables(NamedTuple):
    """Where which variables are set, whose names alone count.

    Attributes:
        known: the names that the role knows.
        of_command: those of C(-e).
        of_play: those that the task sees.
        of_hosts: the inventory's, by host; with all hosts of the play.
        facts: the names of the facts of hosts.
    """

    known: Collection[str]
    of_command: Collection[str]
    of_play: Collection[str]
    of_hosts: Mapping[str, Collection[str]]
    facts: Collection[str]


def states_of(request: Request, hosts: Mapping[str, Any]) -> list[str]:
    """Return the states that are asked for.

    Args:
        request: the task's.
        hosts: the state that each matched host's variables ask for; None where they do not.
    """
    default = STATES[request.playbook][0]
    states = {str(state or default) for state in hosts.values()}
    return sorted(states | ({request.state} if request.state else set()))


def refusals(request: Request, states: list[str], variables: Variables) -> Iterator[Failure]:
    """Yield each reason why a run does not begin."""
    facts = list(_facts(variables))
    # Facts are among the hosts' variables, so their names would be found fault with twice.
    yield from facts or _names(request, variables)
    if not request.matched_hosts:
        yield Failure(
            "no_host_matches",
            f"No host of the inventory and of --limit matches the pattern {request.hosts}, so "
            "nothing was done.",
            "Correct group_replication_hosts, or name with -i an inventory that has hosts.",
        )
    elif not set(states) <= set(STATES[request.playbook]) or len(states) != 1:
        yield Failure(
            "state_not_of_the_playbook",
            f"group_replication_state is {' and '.join(states)}, which does not fit this playbook, "
            "so no host was touched.",
            _STATE_NEXT_STEPS[request.playbook],
        )
    yield from _batches(request)
    if request.report:
        try:
            report.check_path(request.report)
        except Failure as failure:
            yield failure
    if request.playbook == "remove" and not request.confirm_remove:
        yield Failure(
            "removal_not_confirmed",
            f"This playbook takes the plugin out of {len(request.matched_hosts)} host(s), and that "
            "was not confirmed, so no host was touched.",
            "Try it with --check, then run it with -e group_replication_confirm_remove=true.",
        )


_TAKE_OUT = "Take it out of the command and the inventory: "
_STATE_NEXT_STEPS = {
    "install": _TAKE_OUT + "group_replication_plugin installs, and "
    "group_replication_plugin_remove removes.",
    "remove": _TAKE_OUT + "group_replication_plugin_remove removes, and "
    "group_replication_plugin installs.",
    "verify": "This playbook looks at hosts of one state in a run: name them with --limit, and set "
    "group_replication_state to present or absent with -e.",
}


def _facts(variables: Variables) -> Iterator[Failure]:
    # Facts are what hosts say, and beat the inventory's variables.
    names = sorted(name for name in variables.facts if name.startswith(PREFIX))
    if names:
        yield Failure(
            "facts_steer",
            f"A fact of a host is called {listed(names)}; a host would decide what this run does, "
            "so no host was touched.",
            "Find out who set it, and clear the cache of facts with --flush-cache.",
        )


def _names(request: Request, variables: Variables) -> Iterator[Failure]:
    """Yield what is wrong with the names of variables."""
    reserved = sorted(set(OF_THE_PLAYBOOKS) & set(variables.of_command))
    if reserved:
        yield Failure(
            "variable_reserved",
            f"-e sets {listed(reserved)}, which the playbooks set themselves, so no host was "
            "touched.",
            "Take it out of the command.",
        )
    for name in OF_THE_RUN:
        hosts = [host for host, names in variables.of_hosts.items() if name in names]
        if hosts and name not in variables.of_command:
            yield Failure(
                "variable_of_the_run",
                f"The inventory sets {name} (for {listed(sorted(hosts))}), which counts for a run "
                "as a whole, so no host was touched.",
                "Take it out of the inventory, and give it with -e.",
            )
    matched = {name for host in request.matched_hosts for name in variables.of_hosts.get(host, ())}
    known = {*variables.known, *OF_THE_RUN}
    for name in sorted({*matched, *variables.of_command, *variables.of_play}):
        meant = "" if name in OF_THE_PLAYBOOKS else meant_by(name, known)
        if meant:
            yield Failure(
                "variable_misspelt",
                f"The collection has no variable {name}, so no host was touched.",
                f"Did you mean {meant}? Correct the name, or choose one that is less like it.",
            )


def meant_by(name: str, known: Iterable[str]) -> str:
    """Return the known name of which another one is a slip; empty where it is none."""
    known = set(known)
    if name in known:
        return ""
    if name.startswith(PREFIX):
        ends = {text[len(PREFIX) :] for text in known}
        found = difflib.get_close_matches(name[len(PREFIX) :], ends, n=1, cutoff=_ALIKE)
        return PREFIX + found[0] if found else ""
    found = difflib.get_close_matches(name, known, n=1, cutoff=_ALIKE_AS_A_WHOLE)
    return found[0] if found else ""


def _batches(request: Request) -> Iterator[Failure]:
    if not all(re.fullmatch(r"[1-9][0-9]*%?", batch) for batch in request.serial):
        yield Failure(
            "serial_invalid",
            f"group_replication_serial is {','.join(request.serial)}, so no host was touched.",
            "Set it to a number of hosts, a percentage, or a list of these: 1, 25%, or 1,10,100% "
            "for one host, then ten, then batches of all the rest.",
        )
    most = request.max_fail_percentage
    if most is None:
        return
    if not re.fullmatch(r"100([.]0+)?|[0-9]{1,2}([.][0-9]+)?", most):
        yield Failure(
            "max_fail_percentage_invalid",
            f"group_replication_max_fail_percentage is {most}, so no host was touched.",
            "Set it to a number from 0 to 100, the share of a batch's hosts that may have a "
            "problem before the run stops.",
        )
    if request.serial == ["100%"]:
        yield Failure(
            "batches_missing",
            "group_replication_max_fail_percentage stops a run between two batches, but all hosts "
            "are one batch, so no host was touched.",
            "Set group_replication_serial too, such as 1,100% for one host and then all the rest.",
        )
