#!/usr/bin/python
# Copyright (c) 2026, the dbfleet.mysql authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Ansible module: what MySQL's option files make a server load at start."""

from __future__ import annotations

DOCUMENTATION = r"""
module: plugin_load_add
short_description: Make MySQL's option files load a plugin library at server start, or no longer
version_added: 1.0.0
description:
  - Adds the line C(plugin_load_add=group_replication.so) to an option file where nothing in the
    server's option files loads the library yet, or takes the library out of all of them.
  - Reads option files as the server reads them. It follows C(!include) and C(!includedir), knows
    the groups, takes C(plugin-load-add), C(loose_plugin_load_add) and a list such as C(a.so;b.so)
    for what they are, and sees where a later C(plugin_load) throws away what was added before.
  - Changes the one line that must change. Comments, order, line ends, links, owner, permissions and
    SELinux context stay. The file is replaced as a whole or not at all.
  - Asks the server's own binary whether it accepts the result, and puts the old file back where it
    does not.
  - Needs no running server and no PyMySQL, so it also works before the first start. A running
    server takes no notice; M(dbfleet.mysql.group_replication_plugin) is for that.
  - Changes a file only where nobody but root, or the account of the task, could put another in its
    place. Otherwise it fails and says what to C(chown).
author:
  - dbfleet.mysql authors (@dbfleet)
extends_documentation_fragment:
  - dbfleet.mysql._attributes
options:
  library:
    description:
      - The plugin library, a file name in the server's C(plugin_dir).
      - With V(name=library), only the plugin of that name is loaded from it.
    type: str
    default: group_replication.so
  state:
    description:
      - V(present) makes sure that the library is loaded at start. Where any line in any of the
        option files does so already, nothing is changed.
      - V(absent) takes the library out of every line of every option file that the server reads. A
        line goes where it named nothing else.
    type: str
    choices: [present, absent]
    default: present
  option_file:
    description:
      - The option file that the server starts from, and that the line goes to.
      - The default is the last file of MySQL's own list that exists, C(/etc/my.cnf),
        C(/etc/mysql/my.cnf) and its relatives. Where none does, C(/etc/mysql/my.cnf) is created if
        its folder exists, else C(/etc/my.cnf).
      - A file that the server does not read by itself, neither from that list nor by an include,
        is taken for one that the server is started with by C(--defaults-file). Then it alone
        counts, with what it includes.
    type: path
  defaults_extra_file:
    description:
      - The option file that the server reads besides those of MySQL's own list, where it is started
        with C(--defaults-extra-file).
    type: path
  drop_in:
    description:
      - Write the line to this file instead. The file that the server starts from must include it,
        usually by an C(!includedir) of its folder, and its name must end in C(.cnf) then.
      - It is created where it does not exist, and removed with O(state=absent) where it was created
        by this module and holds nothing else.
    type: path
  section:
    description:
      - The group of the option file that the line goes to.
      - A group such as V(mysqld@replica01) or V(mysqld1) is taken for that of one instance of
        several, started with C(--defaults-group-suffix) or by C(mysqld_multi).
    type: str
    default: mysqld
  backup:
    description: Keep a copy of each file as it was, with a time stamp in its name.
    type: bool
    default: false
  validate_config:
    description:
      - Whether to ask C(mysqld --validate-config), before and after the change, if there is one to
        make. MySQL has it from 8.0.16; before, C(mysqld --help --verbose) is asked, which notices
        less.
      - Only the change is judged. Where the server did not accept its option files before either,
        the change stays, and a warning says so.
      - C(mysqld) is started as the server's account, never as root.
      - V(auto) asks where C(mysqld) is found and can do it.
      - V(always) fails where it cannot be asked.
      - V(never) does not ask.
    type: str
    choices: [auto, always, never]
    default: auto
  unsafe_writes:
    description:
      - Write into a file that cannot be replaced because it is a mount point of its own, such as a
        single file that is mounted into a container. A crash in that moment can leave half of it.
    type: bool
    default: false
notes:
  - A line in the files of the user who starts the server (C(~/.my.cnf)) counts if that user is
    C(mysql). Options on the server's command line are not seen here.
  - With C(--diff), the changed lines are shown with three lines around them. C(...) stands for each
    value and each comment there, because an option file may hold passwords.
  - Check mode fails where the real run would because the file cannot be written. It cannot see a
    quota, a security module's refusal, or an immutable flag that the file system does not tell, and
    does not ask C(mysqld).
  - A file that exists keeps its owner, group and permissions. A created one has permissions 0644;
    C(ansible.builtin.file) can give it others.
seealso:
  - module: dbfleet.mysql.group_replication_plugin
  - name: Using Option Files
    description: The manual on option files.
    link: https://dev.mysql.com/doc/refman/8.4/en/option-files.html
  - name: Installing and Uninstalling Plugins
    description: The manual on C(plugin_load_add) and its relatives.
    link: https://dev.mysql.com/doc/refman/8.4/en/plugin-loading.html
"""

EXAMPLES = r"""
- name: Load Group Replication at every start of the server
  dbfleet.mysql.plugin_load_add:

- name: See what would be written
  dbfleet.mysql.plugin_load_add:
  check_mode: true
  diff: true
  register: result

- name: Put the line into a file of its own, and keep what was there
  dbfleet.mysql.plugin_load_add:
    drop_in: /etc/mysql/conf.d/group_replication.cnf
    backup: true

- name: Do it for a server that is started with --defaults-file
  dbfleet.mysql.plugin_load_add:
    option_file: /srv/mysql/3307/my.cnf

- name: Do it for one instance of several
  dbfleet.mysql.plugin_load_add:
    section: mysqld@replica01

- name: Load just one plugin of a library
  dbfleet.mysql.plugin_load_add:
    library: clone=mysql_clone.so

- name: Load Group Replication no longer
  dbfleet.mysql.plugin_load_add:
    state: absent
"""

RETURN = r"""
option_file:
  description: The file that the line is written to if one must be written.
  returned: success
  type: str
  sample: /etc/mysql/my.cnf
changed_files:
  description: The files that were changed, or would be in check mode, links resolved.
  returned: success
  type: list
  elements: str
  sample: [/etc/mysql/my.cnf]
decided_by:
  description: File and line that load the library at start; V(null) where none does.
  returned: success
  type: str
  sample: /etc/mysql/my.cnf:12
backup_files:
  description: The copy of each changed file as it was, by the changed file.
  returned: changed and O(backup=true)
  type: dict
  sample: {/etc/mysql/my.cnf: /etc/mysql/my.cnf.4711.2026-11-22@16:35:00~}
validated:
  description:
    - Whether the server's binary accepts the changed option files.
    - V(null) where it was not asked, as in check mode. RV(validation_note) says why else.
  returned: success
  type: bool
  sample: true
validation_note:
  description: Why the server's binary was not asked, or what it said already before the change.
  returned: when there is something to say
  type: str
  sample: MySQL 5.7.44 has no --validate-config; --help --verbose was asked, which notices less.
warnings:
  description: What a person should know although the task succeeded.
  returned: when there is something to say
  type: list
  elements: str
  sample: ["/etc/mysql/conf.d/local.cnf is not read: it is world-writable."]
error_code:
  description:
    - A stable word for what went wrong. All are listed with their remedies in the collection's
      C(docs/error_codes.md).
  returned: on failure
  type: str
  sample: option_file_world_writable
cause:
  description: What is wrong, in one sentence.
  returned: on failure
  type: str
  sample: MySQL ignores /etc/my.cnf, because every user may write to it.
next_step:
  description: What to do about it, in one sentence.
  returned: on failure
  type: str
  sample: "Make it safe: chmod o-w /etc/my.cnf"
"""

import contextlib
import os
import pwd
import re
from typing import Any, Mapping, NamedTuple

from ansible.module_utils.basic import AnsibleModule

from ..module_utils._errors import Failure, option_names
from ..module_utils._files import NotTrusted, check_trusted, real_path
from ..module_utils._input import check_texts
from ..module_utils._mysql.binary import (
    TIMEOUT,
    Asked,
    Binary,
    Verdict,
    find_binary,
    validate,
    whom_to_ask,
)
from ..module_utils._option_file.arguments import odd_arguments
from ..module_utils._option_file.edit import (
    Change,
    Library,
    Plan,
    parse_library,
    plan_absent,
    plan_present,
    section_not_read,
)
from ..module_utils._option_file.files import Files, FilesReadOnce
from ..module_utils._option_file.oddities import lone_return
from ..module_utils._option_file.reader import DEFAULT_FILES, ServerOptions, read_server_options
from ..module_utils._option_file.shown import excerpts
from ..module_utils._option_file.write import check_writable, locked, write

#: What Ansible puts in place of a password.
_MASK = "********"
#: Failures that say more of a file than that others may write to it.
_SAID_OF_THE_FILE = (
    "option_file_unreadable",
    "option_file_world_writable",
    "option_file_folder_missing",
)


class Startup(NamedTuple):
    """How the server is started, as far as it is known here.

    Attributes:
        defaults_file: the one option file it reads; None for the default list.
        extra_file: as in ``--defaults-extra-file``.
        group_suffix: as in ``--defaults-group-suffix``.
        version: None where it is not known.
        home: the home folder of the user who starts it.
    """

    defaults_file: str | None
    extra_file: str | None
    group_suffix: str | None
    version: str | None
    home: str | None

    @property
    def options(self) -> list[str]:
        """The options at the head of its command line that decide what it reads."""
        named = (
            ("--defaults-file", self.defaults_file),
            ("--defaults-extra-file", self.extra_file),
            ("--defaults-group-suffix", self.group_suffix),
        )
        return [f"{option}={value}" for option, value in named if value is not None]

    def read(self, files: Files) -> ServerOptions:
        """Return what the server gets from its option files."""
        if self.defaults_file is not None and not files.exists(self.defaults_file):
            return read_server_options(["--no-defaults"])  # it will be created
        return read_server_options(
            self.options, home=self.home, server_version=self.version, files=files
        )


class Situation(NamedTuple):
    """What there is before anything is changed.

    Attributes:
        files: the file system.
        binary: the server's program; None where there is none.
        startup: how the server is started.
        library: the one that the task is about.
        target: the option file that the line goes to.
    """

    files: Files
    binary: Binary | None
    startup: Startup
    library: Library
    target: str


class Effect(NamedTuple):
    """What came of a plan.

    Attributes:
        after: what the server gets from its option files now, or would.
        validated: whether mysqld accepts them; None where it was not asked.
        note: what a person should know about that.
        backups: copies, by changed file.
    """

    after: ServerOptions
    validated: bool | None
    note: str
    backups: dict[str, str]


def main() -> None:
    """Run the module."""
    module = AnsibleModule(
        argument_spec={
            "library": {"type": "str", "default": "group_replication.so"},
            "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
            "option_file": {"type": "path"},
            "defaults_extra_file": {"type": "path"},
            "drop_in": {"type": "path"},
            "section": {"type": "str", "default": "mysqld"},
            "backup": {"type": "bool", "default": False},
            "validate_config": {
                "type": "str",
                "choices": ["auto", "always", "never"],
                "default": "auto",
            },
            "unsafe_writes": {"type": "bool", "default": False},
        },
        supports_check_mode=True,
    )
    try:
        result = run(module)
    except Failure as failure:
        module.fail_json(**failure.as_result())
    module.exit_json(**result)


def run(module: AnsibleModule) -> dict[str, Any]:
    """Do what the task asks for; returns the module's result."""
    with contextlib.nullcontext() if module.check_mode else locked():
        situation = read(module.params)
        planned = plan(module.params, situation)
        changed = bool(planned.changes)
        if changed and not module.check_mode:
            effect = execute(module.params, situation, planned)
        else:
            effect = predict(module.params, situation, planned)
    return {"changed": changed, **report(module, situation, planned, effect)}


def read(params: Mapping[str, Any]) -> Situation:
    """Look at the server's program, and find out how the server is started."""
    check_texts(params)
    _check_paths(params)
    library = parse_library(params["library"])
    group_suffix, section_version = _parse_section(params["section"])
    binary = find_binary()
    version = binary.version if binary is not None else ""
    startup = Startup(
        defaults_file=None,
        extra_file=params["defaults_extra_file"],
        group_suffix=group_suffix,
        version=version or section_version,
        home=_home_of_mysql(),
    )
    files = FilesReadOnce()
    options = startup.read(files)
    own_file = params["option_file"]
    if own_file is not None and not _is_read(own_file, options):
        startup = startup._replace(defaults_file=own_file)
    target = params["drop_in"] or own_file or options.main_file or DEFAULT_FILES[0]
    return Situation(files, binary, startup, library, target)


def plan(params: Mapping[str, Any], situation: Situation) -> Plan:
    """Decide what to change.

    Raises:
        Failure: option_file_not_trusted, among others; a file that somebody else could exchange
            is read and never changed.
    """
    files, _binary, startup, library, target = situation
    if params["state"] == "absent":
        planned = plan_absent(startup.read, files, library)
    else:
        try:
            planned = plan_present(startup.read, files, library, target, params["section"])
        except Failure as failure:
            # What MySQL makes of a file means little where somebody may just be exchanging it.
            if failure.error_code not in _SAID_OF_THE_FILE:
                _refuse_untrusted(target, target)
            raise
    for change in planned.changes:
        # Whoever can write an include could choose which of root's files is changed.
        for path in planned.after.way_to(change.path):
            _refuse_untrusted(path, change.path)
    return planned


def _refuse_untrusted(path: str, changed: str) -> None:
    try:
        check_trusted(path)
    except NotTrusted as untrusted:
        raise untrusted.failure(changed) from None
    except OSError:
        pass  # to read or to write the file says why


def execute(params: Mapping[str, Any], situation: Situation, planned: Plan) -> Effect:
    """Write what is planned, and put it back where the server's program does not accept it."""
    asked, note = _whom_to_ask(params, situation, planned)
    earlier = _ask(asked, situation.startup, planned.before)
    if asked is not None and earlier is None:
        asked, note = None, f"mysqld did not answer within {TIMEOUT} seconds."
    validated: bool | None = None
    backups: dict[str, str] = {}
    done: list[Change] = []
    try:
        for change in planned.changes:
            copy = write(
                change.real_path,
                change.old,
                change.new,
                in_place=params["unsafe_writes"],
                backup=params["backup"],
            )
            if copy is not None:
                backups[change.path] = copy
            done.append(change)
        if earlier is not None:
            now = _ask(asked, situation.startup, planned.after)
            if now is None:
                raise Failure(
                    "validation_failed",
                    f"mysqld did not answer within {TIMEOUT} seconds about the change, which was "
                    "taken back.",
                    "Run this again when the host is less busy, or set "
                    f"{option_names('validate_config')} to never.",
                    validated=False,
                )
            _judge(params["state"], earlier, now)
            validated = now.starts
    except BaseException:
        for change in reversed(done):
            with contextlib.suppress(Failure):
                write(change.real_path, change.new, change.old, in_place=params["unsafe_writes"])
        raise
    if earlier is not None and not validated:
        note = "mysqld did not accept its option files before the change: " + " ".join(
            earlier.errors
        )
    after = situation.startup.read(Files())
    if bool(situation.library.loads(after)) != (params["state"] == "present"):
        raise Failure(
            "option_files_changed_meanwhile",
            "The option files were changed by something else while this ran.",
            "Run this again.",
        )
    return Effect(after, validated, note, backups)


def predict(params: Mapping[str, Any], situation: Situation, planned: Plan) -> Effect:
    """Say what would come of a plan, or what there is already where it changes nothing.

    Raises:
        Failure: a file could not be written.
    """
    asked, note = _whom_to_ask(params, situation, planned) if planned.changes else (None, "")
    for change in planned.changes:
        check_writable(
            change.real_path,
            change.old,
            change.new,
            in_place=params["unsafe_writes"],
            backup=params["backup"],
        )
    return Effect(planned.after, validated=None, note="" if asked else note, backups={})


def report(
    module: AnsibleModule, situation: Situation, planned: Plan, effect: Effect
) -> dict[str, Any]:
    """Return the module's result but for ``changed``, and give its warnings."""
    for warning in _warnings(module.params["state"], situation, effect):
        module.warn(warning)
    loads = situation.library.loads(effect.after)
    result: dict[str, Any] = {
        "option_file": situation.target,
        "changed_files": [change.real_path for change in planned.changes],
        "decided_by": loads[-1].argument.source if loads else None,
        "validated": effect.validated,
    }
    if effect.note:
        result["validation_note"] = effect.note
    if effect.backups:
        result["backup_files"] = effect.backups
    if module._diff:
        result["diff"] = [
            excerpt
            for change in planned.changes
            for excerpt in excerpts(change.path, change.old, change.new)
        ]
    return result


# ---- how the server is started ----


def _check_paths(params: Mapping[str, Any]) -> None:
    for name in ("option_file", "defaults_extra_file", "drop_in"):
        path = params[name]
        if path is not None and _MASK in path:
            raise Failure(
                "option_file_masked",
                f"Ansible has hidden a part of the name {path}, because a password of the task is "
                "a part of it.",
                f"Name the file itself in {option_names(name)}.",
            )
        if path is not None and not os.path.isabs(path):
            raise Failure(
                "option_file_not_absolute",
                f"{name} is {path}, which depends on the working directory.",
                f"Set {option_names(name)} to an absolute path.",
            )


def _parse_section(section: str) -> tuple[str | None, str | None]:
    """Return the group suffix and the server version that a group of this name belongs to."""
    if section.lower() in ("mysqld", "server", "mysql_cluster"):
        return None, None
    version = re.fullmatch(r"mysqld-(\d+\.\d+)", section)
    if version is not None:
        return None, version.group(1)
    suffix = re.fullmatch(r"(?:mysqld|server)([\w@.-]+)", section)
    if suffix is None:
        raise section_not_read(f"[{section}]")
    return suffix.group(1), None


def _home_of_mysql() -> str | None:
    try:
        return pwd.getpwnam("mysql").pw_dir
    except KeyError:
        return None


def _is_read(path: str, options: ServerOptions) -> bool:
    """Whether the server reads a file without being told to, or would if it existed."""
    known = [*options.files, *DEFAULT_FILES, *(skipped for skipped, _reason in options.skipped)]
    return path in known or real_path(path) in map(real_path, known)


# ---- asking the server's program ----


def _whom_to_ask(
    params: Mapping[str, Any], situation: Situation, planned: Plan
) -> tuple[Asked | None, str]:
    """Return the program to ask about the option files, if any, and what to say about that.

    Raises:
        Failure: the task insists on asking, and there is none.
    """
    wanted = params["validate_config"]
    if wanted == "never":
        return None, ""
    asked, note = whom_to_ask(situation.binary, planned.before)
    if asked is None and wanted == "always":
        remedy = f"Set {option_names('validate_config')} to auto or never."
        raise Failure("validation_impossible", note, remedy)
    return asked, note


def _ask(asked: Asked | None, startup: Startup, options: ServerOptions) -> Verdict | None:
    """Return what the server's program says of the files as they are.

    Returns:
        None where there is none, or it does not end.
    """
    if asked is None:
        return None
    if startup.defaults_file is not None and not os.path.exists(startup.defaults_file):
        return Verdict(starts=True, errors=[])  # it will be created
    return validate(asked, startup.options, options.arguments)


def _judge(state: str, earlier: Verdict, now: Verdict) -> None:
    """Raise a Failure where the change made something worse."""
    new = [error for error in now.errors if error not in earlier.errors]
    words = " ".join(new or now.errors)
    if earlier.starts and not now.starts:
        raise Failure(
            "validation_failed",
            f"mysqld does not accept the change, which was taken back: {words}",
            "Put the option that it names right, then run this again.",
            validated=False,
        )
    if state == "present" and now.starts and Verdict(True, new).cannot_load:
        raise Failure(
            "library_not_loadable",
            f"mysqld cannot load the library, so the change was taken back: {words}",
            "Install the library in the server's plugin_dir, or correct its name in "
            f"{option_names('library')}.",
            validated=False,
        )


# ---- what people should know ----


#: How many warnings are given.
MOST_WARNINGS = 50


def _warnings(state: str, situation: Situation, effect: Effect) -> list[str]:
    target = situation.target
    options = effect.after
    result = []
    for path, reason in options.skipped:
        by = options.included_by.get(path)
        named = f"{path}, which {by} includes," if by else path
        result.append(f"{named} is not read: {reason}.")
    result += odd_arguments(options.arguments)
    result += _lone_returns(situation.files, options)
    result += [f"MySQL stops reading a file at {error}." for error in options.read_errors]
    if options.other_versions:
        result.append(
            "The server's version is not known here, so these groups were passed over: "
            + ", ".join(options.other_versions)
        )
    if state == "present" and _hidden_from_mysql(target):
        result.append(
            f"The operating system user mysql may not read {target}; a server that is started as "
            "that user ignores it."
        )
    if effect.validated is False:
        result.append(effect.note)
    more = len(result) - MOST_WARNINGS
    return result if more <= 0 else [*result[:MOST_WARNINGS], f"There are {more} more warnings."]


def _lone_returns(files: Files, options: ServerOptions) -> list[str]:
    """Say which option files have other line ends than MySQL knows, as they were read."""
    result = []
    for path in dict.fromkeys(options.files):
        with contextlib.suppress(OSError):
            line = lone_return(files.read(path))
            if line:
                result.append(
                    f"{path}:{line}: a carriage return (0D) stands there without a line feed, so "
                    "MySQL takes what follows for the same line."
                )
    return result


def _hidden_from_mysql(path: str) -> bool:
    """Whether permissions keep the user mysql from reading a file (an ACL may allow it still)."""
    try:
        user = pwd.getpwnam("mysql")
        found = os.stat(path)
    except (KeyError, OSError):
        return False
    if found.st_uid == user.pw_uid:
        return not found.st_mode & 0o400
    if found.st_gid in os.getgrouplist("mysql", user.pw_gid):
        return not found.st_mode & 0o040
    return not found.st_mode & 0o004


if __name__ == "__main__":
    main()
