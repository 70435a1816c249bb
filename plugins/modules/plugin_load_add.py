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
author:
  - dbfleet.mysql authors (@dbfleet)
extends_documentation_fragment:
  - ansible.builtin.files
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
      - V(auto) asks where C(mysqld) is found and can do it.
      - V(always) fails where it cannot be asked.
      - V(never) does not ask.
    type: str
    choices: [auto, always, never]
    default: auto
notes:
  - A line in the files of the user who starts the server (C(~/.my.cnf)) counts if that user is
    C(mysql). Options on the server's command line are not seen here.
  - O(owner), O(group), O(mode) and their relatives apply to the file that O(state=present) writes
    the line to.
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
loaded_before:
  description: All that the server would have loaded at start before, in order.
  returned: success
  type: list
  elements: dict
  contains: &loaded
    library:
      description: The library's file name.
      type: str
      sample: group_replication.so
    plugin:
      description: The one plugin of it that is loaded; V(null) for all of them.
      type: str
      sample: group_replication
    source:
      description: File and line.
      type: str
      sample: /etc/mysql/my.cnf:12
    early:
      description: Whether it stands in C(early_plugin_load).
      type: bool
      sample: false
loaded_after:
  description: The same after the change; in check mode, after the change that would be made.
  returned: success
  type: list
  elements: dict
  contains: *loaded
files:
  description: The option files that the server reads, in order.
  returned: success
  type: list
  elements: str
  sample: [/etc/mysql/my.cnf, /etc/mysql/conf.d/mysql.cnf]
backup_file:
  description: The copy of the changed file; with several, of the first.
  returned: changed and O(backup=true)
  type: str
  sample: /etc/mysql/my.cnf.4711.2026-11-22@16:35:00~
backup_files:
  description: All copies, by changed file.
  returned: changed and O(backup=true)
  type: dict
  sample: {/etc/mysql/my.cnf: /etc/mysql/my.cnf.4711.2026-11-22@16:35:00~}
validated:
  description:
    - Whether the server's binary accepts the changed option files.
    - V(null) where it was not asked. RV(validation_note) says why.
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
from typing import Any, Callable, NamedTuple, NoReturn, Sequence

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.dbfleet.mysql.plugins.module_utils._errors import Failure
from ansible_collections.dbfleet.mysql.plugins.module_utils._mysql.binary import (
    HELP,
    Verdict,
    cannot_load,
    server_version,
    validate,
)
from ansible_collections.dbfleet.mysql.plugins.module_utils._option_file.edit import (
    Change,
    Library,
    Plan,
    parse_library,
    plan_absent,
    plan_present,
)
from ansible_collections.dbfleet.mysql.plugins.module_utils._option_file.reader import (
    DEFAULT_FILES,
    Files,
    ServerOptions,
    find_loads,
    find_main_file,
    plugin_loads,
    read_server_options,
)
from ansible_collections.dbfleet.mysql.plugins.module_utils._option_file.write import (
    locked,
    write,
)

_SERVER_FOLDERS = ["/usr/sbin", "/usr/libexec", "/usr/local/mysql/bin", "/usr/local/sbin"]


class Server(NamedTuple):
    """How the server is started, as far as it is known here.

    Attributes:
        defaults_file: the one option file it reads; None for the default list.
        extra_file: as in ``--defaults-extra-file``.
        group_suffix: as in ``--defaults-group-suffix``.
        version: empty where no binary tells it.
        mysqld: path of its binary; None where there is none.
        check: options that make it check option files; empty where it has none.
        home: the home folder of the user who starts it.
        target: the option file that the line goes to.
    """

    defaults_file: str | None
    extra_file: str | None
    group_suffix: str | None
    version: str
    mysqld: str | None
    check: tuple[str, ...]
    home: str | None
    target: str

    @property
    def options(self) -> list[str]:
        """The options at the head of its command line that decide what it reads."""
        named = (
            ("--defaults-file", self.defaults_file),
            ("--defaults-extra-file", self.extra_file),
            ("--defaults-group-suffix", self.group_suffix),
        )
        return [f"{option}={value}" for option, value in named if value is not None]


class Task:
    """One run of the module: look, plan, change, report; each in a method of its own.

    Args:
        module: the module.
        lock: keeps other runs out until it is closed, from before the option files are read.
    """

    def __init__(self, module: AnsibleModule, lock: contextlib.ExitStack) -> None:
        self.module = module
        self._lock = lock
        self.state: str = module.params["state"]
        self.section: str = module.params["section"]
        self.library: Library = parse_library(module.params["library"])
        self.server, self._before = self._look()
        self.backups: dict[str, str] = {}
        self.validated: bool | None = None
        self.validation_note = ""

    # -- look --

    def _look(self) -> tuple[Server, ServerOptions]:
        """Return how the server is started, and what it gets from its option files as they are."""
        params = self.module.params
        for name in ("option_file", "defaults_extra_file", "drop_in"):
            if params[name] is not None and not os.path.isabs(params[name]):
                raise Failure(
                    "option_file_not_absolute",
                    f"{name} is {params[name]}, which depends on the working directory.",
                    "Give an absolute path.",
                )
        mysqld = self.module.get_bin_path("mysqld", opt_dirs=_SERVER_FOLDERS)
        version, check = ("", ()) if mysqld is None else server_version(self._run, mysqld)
        suffix, version_wanted = _suffix_of(self.section)
        own_file, extra_file = params["option_file"], params["defaults_extra_file"]
        candidates = DEFAULT_FILES if extra_file is None else (*DEFAULT_FILES, extra_file)
        main_file = find_main_file(Files(), candidates)
        server = Server(
            defaults_file=None,
            extra_file=extra_file,
            group_suffix=suffix,
            version=version or version_wanted,
            mysqld=mysqld,
            check=check,
            home=_home_of_mysql(),
            target=params["drop_in"] or own_file or main_file,
        )
        options = self._read_first(server, main_file)
        if own_file is not None and not _is_read(own_file, options):
            server = server._replace(defaults_file=own_file)
            options = self._read_first(server, own_file)
        return server, options

    def _read_first(self, server: Server, main_file: str) -> ServerOptions:
        """Read the option files, with those runs kept out that start from the same main file."""
        self._lock.close()
        if not self.module.check_mode:
            self._lock.enter_context(locked(main_file))
        return _read(server, Files())

    def _run(self, command: Sequence[str]) -> tuple[int, str, str]:
        status, output, errors = self.module.run_command(
            list(command), environ_update={"LC_ALL": "C"}
        )
        return status, output, errors

    # -- plan --

    def plan(self) -> Plan:
        """Return what to change."""
        reader = _reader(self.server)
        if self.state == "absent":
            return plan_absent(reader, Files(), self.library, self._before)
        if _gives_everyone_write(self.module.params["mode"]):
            raise Failure(
                "option_file_world_writable",
                "MySQL ignores an option file that every user may write to.",
                "Use another mode, such as 0644.",
            )
        return plan_present(
            reader, Files(), self.library, self.server.target, self.section, self._before
        )

    # -- change --

    def change(self, plan: Plan) -> bool:
        """Write what is planned, and put it back where the server's binary does not accept it.

        Returns:
            Whether something was changed.
        """
        self.set_attributes(check_mode=True)  # refuses bad ones while nothing is written
        if not plan.changes:
            return self.set_attributes()
        earlier = self._validate()
        done: list[Change] = []
        try:
            for change in plan.changes:
                if self.module.params["backup"] and change.old is not None:
                    self.backups[change.path] = self.module.backup_local(change.real_path)
                write(change.real_path, change.new, self.module.params["unsafe_writes"])
                done.append(change)
            if earlier is not None:
                self._judge(earlier, self._validate())
            self.set_attributes()
        except BaseException:
            for change in reversed(done):
                with contextlib.suppress(Failure):
                    write(change.real_path, change.old, self.module.params["unsafe_writes"])
            raise
        return True

    def _validate(self) -> Verdict | None:
        """Return what the server's binary says of the files as they are; None if not asked."""
        asked: str = self.module.params["validate_config"]
        server = self.server
        if asked == "never":
            return None
        if server.mysqld is None:
            self.validation_note = "There is no mysqld on this host to ask."
        elif not server.check:
            self.validation_note = f"{server.mysqld} does not tell its version."
        else:
            if server.check == HELP:
                self.validation_note = f"MySQL {server.version} has no --validate-config; "
                self.validation_note += "--help --verbose was asked, which notices less."
            defaults_file = server.defaults_file
            if defaults_file is not None and not os.path.exists(defaults_file):
                return Verdict(True, ())
            return validate(
                self._run,
                server.mysqld,
                server.check,
                server.options,
                _user_for_mysqld(),
            )
        if asked == "always":
            raise Failure(
                "validation_impossible",
                self.validation_note,
                "Use validate_config: auto, or never.",
            )
        return None

    def _judge(self, earlier: Verdict, now: Verdict | None) -> None:
        if now is None:
            return
        self.validated = now.starts
        new = now.new_since(earlier)
        words = " ".join(text for _code, text in new or now.errors)
        if not now.starts:
            if earlier.starts:
                raise Failure(
                    "validation_failed",
                    f"mysqld does not accept the change, which was taken back: {words}",
                    "Put the option that it names right, then run this again.",
                    validated=False,
                )
            self.validation_note = "mysqld did not accept its option files before the change: "
            self.validation_note += " ".join(text for _code, text in earlier.errors)
            self.module.warn(self.validation_note)
        elif self.state == "present" and cannot_load(new):
            raise Failure(
                "library_not_loadable",
                f"mysqld cannot load the library, so the change was taken back: {words}",
                "Install the library in the server's plugin_dir, or check its name.",
                validated=False,
            )

    def set_attributes(self, check_mode: bool = False) -> bool:
        """Set owner, permissions and so on of the file that holds the line, where asked for.

        Args:
            check_mode: only look, at the folder where the file does not exist yet.

        Returns:
            Whether something was changed, or would be.

        Raises:
            Failure: a name is unknown, or it is not permitted.
        """
        if self.state != "present":
            return False
        module = self.module
        path = os.path.realpath(self.server.target)
        if not os.path.exists(path):
            path = os.path.dirname(path)

        def refuse(msg: str, **_details: Any) -> NoReturn:
            raise Failure(
                "attributes_refused",
                f"Owner, permissions or attributes of {path} cannot be set: {msg}.",
                "Correct owner, group, mode, attributes or the SELinux options of the task.",
            )

        # Ansible's own function ends the program where it fails, with no chance to take back what
        # was written.
        asked, fail_json = module.check_mode, module.fail_json
        module.check_mode, module.fail_json = asked or check_mode, refuse
        try:
            wanted = module.load_file_common_arguments(module.params, path=path)
            changed: bool = module.set_fs_attributes_if_different(wanted, False)
        except OverflowError as error:  # a number too large for an owner or a mode
            refuse(str(error))
        finally:
            module.check_mode, module.fail_json = asked, fail_json
        return changed

    # -- report --

    def result(self, plan: Plan, changed: bool) -> dict[str, Any]:
        """Return the module's result, and give its warnings."""
        written = changed and not self.module.check_mode
        after = _read(self.server, Files()) if written else plan.after
        loads = find_loads(after.arguments, self.library.name, self.library.satisfied_by)
        if written and bool(loads) != (self.state == "present"):
            raise Failure(
                "option_files_changed_meanwhile",
                "The option files were changed by something else while this ran.",
                "Run this again.",
            )
        for warning in self._warnings(after):
            self.module.warn(warning)
        result: dict[str, Any] = {
            "changed": changed,
            "option_file": self.server.target,
            "changed_files": [change.real_path for change in plan.changes],
            "decided_by": str(loads[-1].argument.source) if loads else None,
            "loaded_before": _loaded(plan.before),
            "loaded_after": _loaded(after),
            "files": after.files,
            "validated": self.validated,
        }
        if self.validation_note:
            result["validation_note"] = self.validation_note
        if self.backups:
            result["backup_file"] = next(iter(self.backups.values()))
            result["backup_files"] = self.backups
        if self.module._diff:
            result["diff"] = [
                {
                    "before_header": change.path,
                    "after_header": change.path,
                    "before": change.before,
                    "after": change.after,
                }
                for change in plan.changes
            ]
        return result

    def _warnings(self, options: ServerOptions) -> list[str]:
        result = [f"{path} is not read: {reason}." for path, reason in options.skipped]
        result += [f"MySQL stops reading a file at {problem}." for problem in options.problems]
        if options.other_versions:
            result.append(
                "The server's version is not known here, so these groups were passed over: "
                + ", ".join(options.other_versions)
            )
        if self.state == "present" and _hidden_from_mysql(self.server.target):
            result.append(
                f"The operating system user mysql may not read {self.server.target}; a server that "
                "is started as that user ignores it."
            )
        return result


def _reader(server: Server) -> Callable[[Files], ServerOptions]:
    return lambda files: _read(server, files)


def _read(server: Server, files: Files) -> ServerOptions:
    defaults_file = server.defaults_file
    if defaults_file is not None and not files.exists(defaults_file):
        return read_server_options(["--no-defaults"])  # it is to be created
    return read_server_options(
        argv=server.options,
        home=server.home,
        server_version=server.version or None,
        files=files,
    )


def _is_read(path: str, options: ServerOptions) -> bool:
    """Whether the server reads a file without being told to, or would if it existed."""
    known = [*options.files, *DEFAULT_FILES, *(skipped for skipped, _reason in options.skipped)]
    return path in known or os.path.realpath(path) in map(os.path.realpath, known)


def _suffix_of(section: str) -> tuple[str | None, str]:
    """Return the group suffix and the server version that a group of this name belongs to."""
    if section.lower() in ("mysqld", "server", "mysql_cluster"):
        return None, ""
    version = re.fullmatch(r"mysqld-(\d+\.\d+)", section)
    if version is not None:
        return None, version.group(1)
    suffix = re.fullmatch(r"(?:mysqld|server)([\w@.-]+)", section)
    if suffix is None:
        raise Failure(
            "section_not_read",
            f"The server does not read the group [{section}].",
            "Use the section mysqld, or the one that the server is started with.",
        )
    return suffix.group(1), ""


def _home_of_mysql() -> str | None:
    try:
        return pwd.getpwnam("mysql").pw_dir
    except KeyError:
        return None


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


def _user_for_mysqld() -> str | None:
    """Return whom mysqld is to run as: it refuses to run as root unless told so."""
    if os.geteuid() != 0:
        return None
    return "root" if _home_of_mysql() is None else "mysql"


def _gives_everyone_write(mode: Any) -> bool:
    """Whether permissions as a task gives them make a file world-writable."""
    if mode is None:
        return False
    if isinstance(mode, int):  # as YAML reads 0666 without quotes
        return bool(mode & 0o002)
    text = str(mode)
    if re.fullmatch(r"[0-7]+", text):
        return bool(int(text, 8) & 0o002)
    return re.search(r"(?:^|,)[ug]*[oa][ugoa]*[+=][rxXst]*w", text) is not None


def _loaded(options: ServerOptions) -> list[dict[str, Any]]:
    return [
        {
            "library": load.library,
            "plugin": load.plugin,
            "source": str(load.argument.source),
            "early": load.argument.name == "early_plugin_load",
        }
        for load in plugin_loads(options.arguments)
    ]


def run(module: AnsibleModule) -> None:
    """Do what the task asks for and leave the module with its result."""
    try:
        with contextlib.ExitStack() as lock:
            task = Task(module, lock)
            plan = task.plan()
            if module.check_mode:
                attributes = task.set_attributes()
                result = task.result(plan, bool(plan.changes) or attributes)
            else:
                result = task.result(plan, task.change(plan))
    except Failure as failure:
        module.fail_json(**failure.as_result())
    module.exit_json(**result)


def main() -> None:
    """Run the module."""
    run(
        AnsibleModule(
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
            },
            add_file_common_args=True,
            supports_check_mode=True,
        )
    )


if __name__ == "__main__":
    main()
