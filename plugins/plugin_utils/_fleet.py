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
    """One host's row; ``problem`` is empty where all is well.

    ``reached`` is false where the play has not come to the host yet.
    """

    name: str
    cells: tuple[str, ...]
    changed: bool
    problem: str
    reached: bool


def host_row(
    name: str,
    variables: Mapping[str, Any],
    state: str,
    fail_on_change: bool,
    check_mode: bool = False,
) -> Host:
    """Return a host's row.

    Args:
        name: the inventory's name of the host.
        variables: its variables, among them what the role registered.
        state: ``present`` or ``absent``, as the role was asked.
        fail_on_change: whether it is a problem that something is to be changed, or that what
            becomes of the plugin at a restart is not known.
        check_mode: whether the changes are those that would be made.
    """
    plugin_result = variables.get("group_replication_plugin_result") or {}
    file_result = variables.get("group_replication_option_file_result") or {}
    failure = variables.get("group_replication_failure") or {}
    plugin = plugin_result.get("plugin") or {}
    server = plugin_result.get("server") or {}
    loaded_by = plugin_result.get("loaded_at_start_by") or []
    survives = plugin_result.get("survives_restart")
    changed = bool(plugin_result.get("changed") or file_result.get("changed"))
    problem = problem_of(plugin_result, file_result, failure)
    if not problem and fail_on_change:
        changes = planned_changes(plugin_result, file_result)
        if changes:
            problem = (
                "This is still to be done: " + "; ".join(changes) + ". "
                "Run the playbook dbfleet.mysql.group_replication_plugin."
            )
    if not problem and server and not (changed and check_mode):
        problem = restart_problem(state, survives, fail_on_change)
    return Host(
        name=name,
        cells=(
            server.get("version", "-"),
            plugin.get("status", "not loaded" if server else "-"),
            plugin.get("library") or "-",
            plugin.get("license") or "-",
            ", ".join(loaded_by) or ("nothing seen" if server else "-"),
            SURVIVES[survives] if server else "-",
        ),
        changed=changed,
        problem=problem,
        reached=bool(plugin_result or failure),
    )


def restart_problem(state: str, survives: bool | None, strict: bool) -> str:
    """Return what is wrong with what the server's next start does, empty where nothing is.

    Args:
        state: ``present`` or ``absent``, as the role was asked.
        survives: whether the next start loads the plugin; None where that is not known.
        strict: whether it must be known.
    """
    if state == "absent" and survives is not False:
        return (
            "The plugin is out of the running server, but "
            + ("is loaded again" if survives else "may be loaded again")
            + " at its next start. Take out what loads it: plugin_load_add in an option file that "
            "the role may not see (run it as root on the server's host), or on the command line."
        )
    if state == "present" and survives is False:
        return (
            "The plugin is in the running server, but will not be after a restart. Look for "
            "group_replication=OFF in its option files, and at group_replication_register."
        )
    if state == "present" and survives is None and strict:
        return (
            "Whether the plugin is there after a restart cannot be known. Run this as root on the "
            "server's own host (--become), where its option files can be read."
        )
    return ""


def planned_changes(plugin_result: Mapping[str, Any], file_result: Mapping[str, Any]) -> list[str]:
    """Return what was changed on a host, or would be in check mode, each in a few words."""
    changes: list[str] = []
    if plugin_result.get("error_code") == "pymysql_missing":
        changes.append("PyMySQL is to be installed, and then all the rest")
    if plugin_result.get("changed"):
        statements = plugin_result.get("executed_statements") or []
        changes += [text for text in statements if not text.startswith("SET ")]
    if file_result.get("changed"):
        changes.append("a change in " + str(file_result.get("option_file")))
    return changes


def problem_of(
    plugin_result: Mapping[str, Any], file_result: Mapping[str, Any], failure: Mapping[str, Any]
) -> str:
    """Return a host's problem and the next step as one text, empty where there is none.

    Args:
        failure: the result of the task that failed, where the play kept it.
    """
    for result in (plugin_result, file_result):
        if result.get("unreachable"):
            why = first_sentence(result.get("msg", "").replace("Task failed: ", "", 1))
            return (
                f"The host cannot be reached: {why}. Check that it is up and that Ansible may log "
                "in, and run this again."
            )
        if not failure and result.get("failed"):
            failure = result
    if not failure:
        return ""
    if failure.get("rc") in INTERPRETER_MISSING and "error_code" not in failure:
        said = str(failure.get("module_stderr", "")).strip().rpartition("\n")[2]
        return (
            f"The host has no Python that Ansible can run, or not what become needs ({said}). "
            "Install the package python3 (or sudo) there, or set ansible_python_interpreter to the "
            "Python it has."
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
    later = sum(not host.reached and not host.problem for host in hosts)
    count = (
        f"hosts: {len(hosts)}, in order: {len(hosts) - len(problems) - later} "
        f"(changed: {changed}), with a problem: {len(problems)}"
    )
    lines += ["", count + (f", not reached yet: {later}" if later else "")]
    return "\n".join(lines)
