# Copyright (c) 2026, the dbfleet.mysql authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The fleet's summary: its hosts grouped by what is the matter, and the table on the terminal.

Private to dbfleet.mysql.
"""

from __future__ import annotations

import collections
from typing import Iterable, NamedTuple

from .host import Host, Outcome
from .results import LONGEST_VALUE, plain

# What a person reads on a terminal; the report has all.
MOST_ROWS = 40
MOST_NAMES = 20

NOTHING_KNOWN = "-"
SURVIVES = {True: "yes", False: "no", None: "unknown"}
NOT_REACHED = "The run has not come to these hosts; they were not touched."

# Of what is to be removed, one does not ask whether it survives.
_RESTART = {"present": "survives a restart", "absent": "comes back after a restart"}


def columns_of(state: str) -> tuple[str, ...]:
    """Return the titles of the columns, for what the hosts are asked for."""
    known = ("host", "server", "plugin", "library", "license", "loaded at start by")
    return (*known, _RESTART[state])


class Line(NamedTuple):
    """A line, or several, on the terminal.

    Attributes:
        text: what stands there.
        outcome: what it is the heading of; None for others.
    """

    text: str
    outcome: Outcome | None = None


class HostGroup(NamedTuple):
    """Hosts with the same matter.

    Attributes:
        heading: the matter in words.
        matters: the hosts of each cause and next step.
    """

    heading: str
    outcome: Outcome
    matters: dict[tuple[str, str], list[Host]]

    @property
    def hosts(self) -> list[Host]:
        """All hosts of the group."""
        return [host for hosts in self.matters.values() for host in hosts]


def groups_of(hosts: Iterable[Host]) -> list[HostGroup]:
    """Return the hosts grouped by what is the matter, worst first, then the largest group."""
    groups: dict[str, HostGroup] = {}
    for host in hosts:
        group = groups.setdefault(host.heading, HostGroup(host.heading, host.outcome, {}))
        group.matters.setdefault((host.cause, host.next_step), []).append(host)
    return sorted(
        groups.values(),
        key=lambda group: (group.outcome.rank, -len(group.hosts), group.heading),
    )


def warnings_of(hosts: Iterable[Host]) -> dict[str, list[str]]:
    """Return the warnings, each with the names of the hosts that it is about."""
    warned: dict[str, list[str]] = {}
    for host in hosts:
        for text in host.warnings:
            warned.setdefault(text, []).append(host.name)
    return warned


def cells_of(host: Host) -> tuple[str, ...]:
    """Return a host's values, one for each of :func:`columns_of`."""
    plugin = host.plugin or {}
    # A failure may tell of the server, and not of the plugin.
    read = host.loaded_at_start_by is not None
    loaded_by = ", ".join(host.loaded_at_start_by or []) or "nothing seen"
    return (
        host.name,
        plain(host.server_name, LONGEST_VALUE) or NOTHING_KNOWN,
        str(plugin.get("status") or ("not loaded" if read else NOTHING_KNOWN)),
        str(plugin.get("library") or NOTHING_KNOWN),
        str(plugin.get("license") or NOTHING_KNOWN),
        plain(loaded_by, LONGEST_VALUE) if read else NOTHING_KNOWN,
        SURVIVES[host.survives_restart] if read else NOTHING_KNOWN,
    )


def count(hosts: list[Host]) -> str:
    """Return how many hosts there are of each kind, in one line."""
    outcomes = collections.Counter(host.outcome for host in hosts)
    parts = [f"hosts: {len(hosts)}"]
    parts.append(f"with a problem: {sum(host.outcome.is_problem for host in hosts)}")
    for outcome in (Outcome.NOT_REACHED, Outcome.WOULD_CHANGE, Outcome.CHANGED):
        if outcomes[outcome]:
            parts.append(f"{outcome.value}: {outcomes[outcome]}")
    parts.append(f"{Outcome.IN_ORDER.value}: {outcomes[Outcome.IN_ORDER]}")
    return ", ".join(parts)


def progress(batch: list[Host], left: int) -> str:
    """Return a line about the batch that has just ended.

    Args:
        batch: the hosts of the batch.
        left: the number of hosts in the batches to come.
    """
    line = "Batch of " + count(batch).replace("hosts: ", "", 1)
    problems = [host for host in batch if host.outcome.is_problem]
    if problems:
        line += " (" + listed([f"{host.name} {host.heading}" for host in problems]) + ")"
    return f"{line}; hosts left: {left}"


def stop_reason(batch: list[Host], most: float) -> str:
    """Return why the run stops after a batch, empty where it goes on.

    Args:
        batch: the hosts of the batch.
        most: the percentage of them that may have a problem.
    """
    problems = sum(host.outcome.is_problem for host in batch)
    if problems * 100 <= most * len(batch):
        return ""
    return (
        f"The run stops here: {problems} of the batch's {len(batch)} host(s) have a problem, more "
        f"than the {most:g} % that are allowed."
    )


def listed(words: list[str]) -> str:
    """Return the words with commas, and the number of those beyond what a person reads."""
    more = len(words) - MOST_NAMES
    return ", ".join(words[:MOST_NAMES]) + (f" and {more} more" if more > 0 else "")


def render(hosts: list[Host], state: str) -> list[Line]:
    """Return the table of the fleet, worst first.

    Args:
        hosts: the fleet.
        state: ``present`` or ``absent``, as the role was asked.
    """
    groups = groups_of(hosts)
    shown = [host for group in groups for host in _rows(group)]
    columns = columns_of(state)
    rows = [columns, *map(cells_of, shown)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(columns))]
    lines = [Line(_line(columns, widths)), Line("  ".join("-" * width for width in widths))]
    for group in groups:
        heading = Line(f"{group.heading} ({len(group.hosts)})", group.outcome)
        lines += [Line(""), heading, *map(Line, _group_lines(group, widths, columns[-1]))]
    return [*lines, *map(Line, _warning_lines(hosts)), Line(""), Line(count(hosts))]


def _rows(group: HostGroup) -> list[Host]:
    """Return the hosts of a group that get a row; the others are counted."""
    if group.outcome.is_problem:
        return [host for hosts in group.matters.values() for host in hosts[:MOST_ROWS]]
    return group.hosts if len(group.hosts) <= MOST_ROWS else []


def _group_lines(group: HostGroup, widths: list[int], restart: str) -> list[str]:
    if not _rows(group):
        return _counts(group.hosts, restart)
    lines: list[str] = []
    # Each cause stands there, however many hosts another one has.
    for (cause, next_step), hosts in group.matters.items():
        lines += [_line(cells_of(host), widths) for host in hosts[:MOST_ROWS]]
        if len(hosts) > MOST_ROWS:
            lines.append(f"and {len(hosts) - MOST_ROWS} more, {len(hosts)} in all")
        lines += [f"  {text}" for text in (cause, next_step) if text]
    if group.outcome is Outcome.NOT_REACHED:
        lines.append(f"  {NOT_REACHED}")
    return lines


def _counts(hosts: list[Host], restart: str) -> list[str]:
    """Return how many of the hosts have the same server, plugin and fate at a restart."""
    kinds = collections.Counter(
        f"{host.server_name or 'unknown server'}, plugin {cells_of(host)[2]}, "
        f"{restart}: {cells_of(host)[-1]}"
        for host in hosts
    )
    return [f"{number} hosts: {kind}" for kind, number in kinds.most_common()]


def _warning_lines(hosts: list[Host]) -> list[str]:
    lines = [f"  {listed(warned)}: {text}" for text, warned in warnings_of(hosts).items()]
    return ["", "warnings", *lines] if lines else []


def _line(cells: tuple[str, ...], widths: list[int]) -> str:
    return "  ".join(cell.ljust(width) for cell, width in zip(cells, widths)).rstrip()
