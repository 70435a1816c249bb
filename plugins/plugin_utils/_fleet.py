# Copyright (c) 2026, the dbfleet.mysql authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What became of each host of a fleet, and the table that shows it. Private to dbfleet.mysql."""

from __future__ import annotations

from typing import Any, Mapping, NamedTuple

# Exit codes of a shell that did not find, or may not run, a program (POSIX, "Exit Status for
# Commands"); Ansible returns them where the module's interpreter is missing.
INTERPRETER_MISSING = (126, 127)

SURVIVES = {True: "yes", False: "no", None: "unknown"}

COLUMNS = (
    "host",
    "server",
    "plugin",
    "library",
    "license",
    "loaded at start by",
    "survives a restart",
)


class Host(NamedTuple):
    """One host's row; ``problem`` is empty where all is well."""

    name: str
    cells: tuple[str, ...]
    changed: bool
    problem: str


def host_row(name: str, variables: Mapping[str, Any], fail_on_change: bool) -> Host:
    """Return a host's row.

    Args:
        name: the inventory's name of the host.
        variables: its variables, among them what the role registered.
        fail_on_change: whether it is a problem that something is to be changed.
    """
    plugin_result = variables.get("group_replication_plugin_result") or {}
    file_result = variables.get("group_replication_option_file_result") or {}
    failure = variables.get("group_replication_failure") or {}
    plugin = plugin_result.get("plugin") or {}
    server = plugin_result.get("server") or {}
    loaded_by = plugin_result.get("loaded_at_start_by") or []
    changes = planned_changes(plugin_result, file_result)
    problem = problem_of(plugin_result, failure)
    changed = bool(plugin_result.get("changed") or file_result.get("changed"))
    if not problem and fail_on_change and changed:
        problem = "This is still to be done: " + "; ".join(changes) + "."
    return Host(
        name=name,
        cells=(
            server.get("version", "-"),
            plugin.get("status", "not loaded" if server else "-"),
            plugin.get("library") or "-",
            plugin.get("license") or "-",
            ", ".join(loaded_by) or ("nothing seen" if server else "-"),
            SURVIVES[plugin_result.get("survives_restart")] if server else "-",
        ),
        changed=changed,
        problem=problem,
    )


def planned_changes(plugin_result: Mapping[str, Any], file_result: Mapping[str, Any]) -> list[str]:
    """Return what was changed on a host, or would be in check mode, each in a few words."""
    changes: list[str] = []
    if plugin_result.get("changed"):
        changes += plugin_result.get("executed_statements") or []
    if file_result.get("changed"):
        changes.append("a change in " + str(file_result.get("option_file")))
    return changes


def problem_of(plugin_result: Mapping[str, Any], failure: Mapping[str, Any]) -> str:
    """Return a host's problem and the next step as one text, empty where there is none."""
    if plugin_result.get("unreachable"):
        why = first_sentence(plugin_result.get("msg", "").replace("Task failed: ", "", 1))
        return (
            f"The host cannot be reached: {why}. Check that it is up and that Ansible may log in."
        )
    if not failure:
        if plugin_result.get("error_code"):
            return str(plugin_result["msg"])
        if not plugin_result:
            return "The host was not reached by this run. Run it again for this host."
        return ""
    if failure.get("rc") in INTERPRETER_MISSING and "error_code" not in failure:
        return (
            "The host has no Python that Ansible can run. Install the package python3 there, or "
            "set ansible_python_interpreter to the one it has."
        )
    return str(failure.get("msg", "The task failed without saying why. Run it again with -vvv."))


def first_sentence(text: str) -> str:
    """Return a text up to its first full stop or line end, without either."""
    return text.strip().split("\n")[0].split(". ")[0].rstrip(".")


def render(hosts: list[Host]) -> str:
    """Return the fleet's table, hosts with a problem first, and a line that counts."""
    hosts = sorted(hosts, key=lambda host: not host.problem)
    rows = [COLUMNS] + [(host.name, *host.cells) for host in hosts]
    widths = [max(len(row[column]) for row in rows) for column in range(len(COLUMNS))]
    lines = []
    for number, row in enumerate(rows):
        cells = [cell.ljust(width) for cell, width in zip(row, widths)]
        lines.append("  ".join(cells).rstrip())
        if number == 0:
            lines.append("  ".join("-" * width for width in widths))
    problems = [host for host in hosts if host.problem]
    if problems:
        lines += ["", "Problems:"]
        lines += [f"  {host.name}: {host.problem}" for host in problems]
    changed = sum(host.changed and not host.problem for host in hosts)
    lines += [
        "",
        f"hosts: {len(hosts)}, in order: {len(hosts) - len(problems)} (changed: {changed}), "
        f"with a problem: {len(problems)}",
    ]
    return "\n".join(lines)
