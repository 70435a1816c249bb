# Copyright (c) 2026, the dbfleet.mysql authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What became of each host of a fleet. Private to dbfleet.mysql."""

from __future__ import annotations

import enum
from typing import Any, Mapping, NamedTuple, Sequence

from ...module_utils._errors import Failure
from .results import LONGEST_TEXT, WrongResult, checked, plain

# Exit codes of a shell that did not find, or may not run, a program (POSIX, "Exit Status for
# Commands"); Ansible returns them where the module's interpreter is missing.
INTERPRETER_MISSING = (126, 127)

# What the role registers, in the order of its work.
RESULTS = (
    "group_replication_plugin_result",
    "group_replication_package_result",
    "group_replication_option_file_result",
    "group_replication_verification_result",
)
# What a rescue around the role keeps.
FAILURE = "group_replication_failure"


class Outcome(enum.Enum):
    """What became of a host, in words, worst first."""

    FAILED_AFTER_CHANGE = "failed after a change"
    UNREACHABLE = "unreachable"
    FAILED = "failed"
    GONE_AFTER_RESTART = "will not survive a restart"
    BACK_AFTER_RESTART = "removed, but comes back after a restart"
    RESTART_UNKNOWN = "not known whether it survives a restart"
    FALLS_SHORT = "falls short"
    LEFT_OUT = "not looked at"
    NOT_REACHED = "not reached"
    CHANGED = "changed"
    WOULD_CHANGE = "would change"
    IN_ORDER = "in order"

    @property
    def rank(self) -> int:
        """The place in the order worst first."""
        return list(type(self)).index(self)

    @property
    def is_problem(self) -> bool:
        """Whether the host counts as failed."""
        return self.rank < Outcome.NOT_REACHED.rank


class Problem(NamedTuple):
    """What is the matter with a host, and what to do about it; a sentence each."""

    outcome: Outcome
    cause: str
    next_step: str
    error_code: str | None = None


_LEFT_OUT = Problem(
    Outcome.LEFT_OUT,
    "The run did not look at the host, although nothing stopped it.",
    "Run it again without --tags, --skip-tags, --start-at-task and --step; where the host failed "
    "in an earlier play, mend that first.",
)


class Host(NamedTuple):
    """What is known of one host; None, or an empty list, where something is not.

    Attributes:
        outcome: what became of it.
        error_code: as in docs/error_codes.md.
        cause: what is the matter, in a sentence; empty where nothing is.
        next_step: what to do about it.
        server: the modules' description of the server.
        plugin: the modules' description of the plugin; None where the server does not have it.
        loaded_at_start_by: what loads the plugin at the next start; None where that was not read.
        check_mode: whether the changes are those that would be made.
        executed_statements: the SQL statements that changed something, or would.
        changed_files: the option files that were changed, or would be.
        pymysql_installed: whether PyMySQL was installed, or would be.
    """

    name: str
    outcome: Outcome
    error_code: str | None
    cause: str
    next_step: str
    server: Mapping[str, Any] | None
    plugin: Mapping[str, Any] | None
    loaded_at_start_by: list[str] | None
    survives_restart: bool | None
    check_mode: bool
    executed_statements: list[str]
    changed_files: list[str]
    pymysql_installed: bool
    warnings: list[str]

    @property
    def done(self) -> list[str]:
        """What was changed on the host, or would be, in the order in which it is done."""
        first = ["the package of PyMySQL"] if self.pymysql_installed else []
        files = [f"a change in {path}" for path in self.changed_files]
        return [*first, *self.executed_statements, *files]

    @property
    def heading(self) -> str:
        """The outcome in words, with the error code where there is one."""
        if self.error_code:
            return f"{self.outcome.value}: {self.error_code}"
        return self.outcome.value

    @property
    def server_name(self) -> str:
        """The server's flavor and version, empty where they are not known."""
        if not self.server:
            return ""
        return f"{self.server.get('flavor', 'MySQL')} {self.server.get('version', '')}".rstrip()


def host_of(
    name: str,
    variables: Mapping[str, Any],
    state: str,
    fail_on_change: bool,
    check_mode: bool,
    to_come: bool,
) -> Host:
    """Judge a host by what the role registered.

    Args:
        name: the inventory's name of the host.
        variables: its variables.
        state: ``present`` or ``absent``, as the role was asked.
        fail_on_change: whether it is a problem that something is to be changed, or that what
            becomes of the plugin at a restart is not known.
        check_mode: whether the play runs in check mode.
        to_come: whether a host without results is one that the run has not come to.
    """
    try:
        registered = [checked(variables.get(result) or {}) for result in RESULTS]
        failure = checked(variables.get(FAILURE) or {})
        if variables.get(FAILURE):
            # A failure is one, whatever else it holds.
            failure["failed"] = True
    except WrongResult as wrong:
        # Its result as a whole says nothing then, not even that something was changed.
        registered, failure = [{} for _result in RESULTS], _wrong_result(wrong)
    # A step that was skipped had nothing to do.
    steps = [{} if result.get("skipped") else result for result in registered]
    plugin, package, option_file, verification = steps
    results = [result for result in (*steps, failure) if result]
    by_row = fail_on_change and state == "present" and _lasts_by_its_row(plugin)
    # What a verification in check mode says would be so after a change that is not called for.
    seen = (plugin,) if by_row else (verification, plugin, failure)
    facts = next((known for known in seen if known.get("server")), {})
    if fail_on_change and plugin.get("next_start"):
        facts = {**facts, **_as_it_is(plugin)}
    check_mode = bool(plugin.get("check_mode", check_mode))
    # In check mode the verification starts from the same server, and predicts the whole run.
    runs = [verification or plugin] if check_mode else [plugin, verification]
    statements = [
        text
        for run in runs
        # What the server refused has changed nothing, though it was tried.
        if run.get("changed")
        for text in run.get("executed_statements") or []
        if not text.startswith("SET SESSION ")
    ]
    changed_files = _changed_option_files(option_file)
    # In check mode the role tolerates that it is missing, because it would install it.
    pymysql = bool(package.get("changed")) or (
        check_mode and plugin.get("error_code") == "pymysql_missing" and not plugin.get("failed")
    )
    changed = pymysql or any(result.get("changed") for result in results)
    problem = _problem(failure, steps)
    refused: list[str] = []
    if not results:
        problem = Problem(Outcome.NOT_REACHED, "", "") if to_come else _LEFT_OUT
    elif by_row and (problem is None or option_file.get("failed")):
        # What an installation would be refused does not make the server fall short.
        refused = [plain(f"{problem.cause} {problem.next_step}")] if problem else []
        problem = Problem(Outcome.IN_ORDER, "", "")
    elif fail_on_change and problem is not None and problem.error_code in _NO_INSTALLATION:
        problem = Problem(
            Outcome.FALLS_SHORT,
            f"The host lacks the plugin, and an installation would be refused: {problem.cause}",
            problem.next_step,
        )
    elif problem is None:
        problem = _judge(state, fail_on_change, check_mode, changed, facts)
        if problem.outcome is Outcome.FALLS_SHORT:
            problem = problem._replace(cause=_to_do(pymysql, statements, changed_files))
    elif changed and not check_mode:
        problem = problem._replace(outcome=Outcome.FAILED_AFTER_CHANGE)
    return Host(
        name=name,
        outcome=problem.outcome,
        error_code=problem.error_code,
        cause=plain(problem.cause),
        next_step=plain(problem.next_step),
        server=facts.get("server"),
        plugin=facts.get("plugin"),
        loaded_at_start_by=facts.get("loaded_at_start_by"),
        survives_restart=facts.get("survives_restart"),
        check_mode=check_mode,
        executed_statements=statements,
        changed_files=changed_files,
        pymysql_installed=pymysql,
        warnings=[
            *([_BY_ROW] if by_row and changed else []),
            *refused,
            *_warnings(option_file, plugin if by_row else verification or plugin, failure),
        ],
    )


#: Why an installation may be refused that a look alone has nothing to do with.
_NO_INSTALLATION = ("group_would_start", "group_start_unknown")
_BY_ROW = (
    "The plugin is there after a restart by its row in mysql.plugin; the playbook "
    "dbfleet.mysql.group_replication_plugin would let an option file load it instead."
)


def _lasts_by_its_row(first: Mapping[str, Any]) -> bool:
    """Whether a server has the plugin, and keeps it, as the first look of a run found it.

    Only the way in which it lasts is another one than that of an installation then. With
    ``registration: never`` that way is not what was asked for.
    """
    return bool(
        not first.get("failed")
        and not first.get("changed")
        and first.get("survives_restart")
        and (first.get("plugin") or {}).get("status") == "ACTIVE"
        and "mysql.plugin" in (first.get("loaded_at_start_by") or [])
        and (first.get("invocation") or {}).get("registration") != "never"
    )


def _as_it_is(first: Mapping[str, Any]) -> dict[str, Any]:
    """Return what the first look of a run says of the next start, without what would be changed."""
    places = [place for place in first.get("loaded_at_start_by") or [] if place != "mysql.plugin"]
    return {
        "loaded_at_start_by": places + (["mysql.plugin"] if first.get("registered") else []),
        "survives_restart": first["next_start"].get("loads_plugin"),
        "next_start": first["next_start"],
    }


def _wrong_result(wrong: WrongResult) -> dict[str, Any]:
    """Return what stands for the results of a host that are not what its tasks return."""
    failure = Failure(
        "result_invalid",
        f"The host returned a result that the collection's modules never return (its {wrong}), so "
        "nothing it says counts.",
        "Look at the host itself before you trust it.",
    )
    return failure.as_result()


def _changed_option_files(file_result: Mapping[str, Any]) -> list[str]:
    """Return the option files that were changed, or would be."""
    if not file_result.get("changed"):
        return []
    return list(file_result.get("changed_files") or [str(file_result.get("option_file"))])


def _warnings(*results: Mapping[str, Any]) -> list[str]:
    """Return the modules' warnings, each once."""
    texts = [text for result in results for text in result.get("warnings") or []]
    # Ansible's own, on each host without ansible_python_interpreter.
    return list(
        dict.fromkeys(text for text in texts if "discovered Python interpreter" not in text)
    )


def _problem(failure: Mapping[str, Any], steps: Sequence[Mapping[str, Any]]) -> Problem | None:
    """Return what kept the role from its end; None where nothing did.

    Args:
        failure: what a rescue around the role kept; empty without one.
        steps: what the role registered.
    """
    for result in (failure, *steps):
        if result.get("unreachable"):
            said = _first_sentence(_without_prefix(str(result.get("msg", ""))))
            return Problem(
                Outcome.UNREACHABLE,
                f"The host cannot be reached: {said}.",
                "Check that it is up and that Ansible may log in, and run this again.",
            )
    failed = [result for result in reversed(steps) if result.get("failed")]
    return _failed(failure or failed[0]) if failure or failed else None


def _failed(result: Mapping[str, Any]) -> Problem:
    """Return the problem of which a failed task's result tells."""
    if "error_code" in result:
        return Problem(
            Outcome.FAILED,
            str(result.get("cause", result.get("msg", ""))),
            str(result.get("next_step", "")),
            str(result["error_code"]),
        )
    if result.get("rc") in INTERPRETER_MISSING:
        said = str(result.get("module_stderr", "")).strip().rpartition("\n")[2]
        return Problem(
            Outcome.FAILED,
            f"The host has no Python that Ansible can run, or not what become needs ({said}).",
            "Install the package python3 (or sudo) there, or set ansible_python_interpreter to the "
            "Python it has.",
        )
    # Ansible's own check of the role's variables tells each problem.
    wrong = [str(error) for error in result.get("argument_errors") or []]
    if wrong:
        failure = Failure(
            "variables_wrong",
            plain("; ".join(wrong).rstrip("."), LONGEST_TEXT - 1) + ".",
            "Correct the variable in the inventory or the command, and run this again.",
        )
        return _failed(failure.as_result())
    said = _without_prefix(str(result.get("msg") or "")).strip().partition("\n")[0].strip()
    if not said:
        return Problem(
            Outcome.FAILED, "The task failed without saying why.", "Run it again with -vvv."
        )
    # What follows the first sentence of the role's own messages is what to do.
    cause, _dot, rest = said.partition(". ")
    return Problem(
        Outcome.FAILED,
        plain(cause.rstrip("."), LONGEST_TEXT - 1) + ".",
        rest if 0 < len(rest) <= LONGEST_TEXT else "Correct that, or run this again with -vvv.",
    )


def _judge(
    state: str,
    strict: bool,
    check_mode: bool,
    changed: bool,
    facts: Mapping[str, Any],
) -> Problem:
    """Return what is the matter with a host on which the role came to its end."""
    if changed and strict:
        playbook = "group_replication_plugin" + ("_remove" if state == "absent" else "")
        return Problem(Outcome.FALLS_SHORT, "", f"Run the playbook dbfleet.mysql.{playbook}.")
    if facts and not (changed and check_mode):
        problem = _restart_problem(state, strict, facts)
        if problem:
            return problem
    if changed:
        return Problem(Outcome.WOULD_CHANGE if check_mode else Outcome.CHANGED, "", "")
    return Problem(Outcome.IN_ORDER, "", "")


def _to_do(pymysql: bool, statements: list[str], changed_files: list[str]) -> str:
    """Say what the playbook would do on a host."""
    todo = list(statements)
    if pymysql:
        todo.append("the package of PyMySQL, and then all the rest")
    todo += [f"a change in {path}" for path in changed_files]
    return "To do: " + "; ".join(todo) + "."


def _restart_problem(state: str, strict: bool, facts: Mapping[str, Any]) -> Problem | None:
    """Return what is wrong with what the server's next start does; None where nothing is.

    Args:
        state: ``present`` or ``absent``, as the role was asked.
        strict: whether it must be known what the next start does.
        facts: what the modules know of the server.
    """
    survives = facts.get("survives_restart")
    reason = str((facts.get("next_start") or {}).get("reason") or "")
    because = f": {reason}" if reason else ""
    if state == "absent" and survives is not False:
        return Problem(
            Outcome.BACK_AFTER_RESTART,
            "The plugin is out of the running server, but "
            + ("is loaded again" if survives else "may be loaded again")
            + " at its next start.",
            "Take out what loads it: plugin_load_add in an option file that the role may not see "
            "(run it as root on the server's host), or on the command line.",
        )
    if state == "present" and survives is False:
        return Problem(
            Outcome.GONE_AFTER_RESTART,
            f"The plugin is in the running server, but will not be after a restart{because}.",
            "Put that right; group_replication_registration decides whether a row in mysql.plugin "
            "keeps it.",
        )
    # Where option files were seen, what is in doubt is a fault of theirs.
    seen = (facts.get("server") or {}).get("option_group") is not None
    if state == "present" and survives is None and (strict or seen):
        return Problem(
            Outcome.RESTART_UNKNOWN,
            f"Whether the plugin is there after a restart is not known{because}.",
            "Put that right (chmod), and run this again."
            if seen
            else "Run this as root on the server's own host (--become), or let the plugin last by "
            "its row in mysql.plugin (group_replication_registration=always).",
        )
    return None


def _without_prefix(message: str) -> str:
    """Return Ansible's message without the words that each one starts with from 2.19 on."""
    return (
        message.replace("Task failed: ", "", 1) if message.startswith("Task failed: ") else message
    )


def _first_sentence(text: str) -> str:
    """Return a text up to its first full stop or line end, without either."""
    return text.strip().split("\n")[0].split(". ")[0].rstrip(".")
