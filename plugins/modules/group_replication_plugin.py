#!/usr/bin/python
# Copyright (c) 2026, the dbfleet.mysql authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Ansible module: the Group Replication plugin in a running MySQL server."""

from __future__ import annotations

DOCUMENTATION = r"""
module: group_replication_plugin
short_description: Install, verify or remove MySQL's Group Replication plugin in a running server
version_added: 1.0.0
description:
  - Runs C(INSTALL PLUGIN group_replication) where the server does not have the plugin, and is done
    only when the server itself says that the plugin is C(ACTIVE), of type C(GROUP REPLICATION) and
    from the asked library.
  - Leaves the plugin lasting. By default the row that C(INSTALL PLUGIN) writes into C(mysql.plugin)
    stays only where nothing else loads the plugin at start, because a server that has both logs an
    error at each start.
  - Starts no group, leaves no group and changes no read-only server unless told to.
  - It never writes option files. For those there is M(dbfleet.mysql.plugin_load_add).
author:
  - dbfleet.mysql authors (@dbfleet)
extends_documentation_fragment:
  - dbfleet.mysql._attributes
  - dbfleet.mysql._connection
options:
  state:
    description:
      - V(present) installs the plugin where it is missing and verifies it.
      - V(absent) runs C(UNINSTALL PLUGIN group_replication). A line in an option file that loads
        the plugin is left, and brings it back at the next start; RV(survives_restart) says so.
    type: str
    choices: [present, absent]
    default: present
  library:
    description:
      - The plugin's shared library, a file name in the server's C(plugin_dir).
      - The default follows the server's own operating system, V(group_replication.so) or
        V(group_replication.dll).
    type: str
  registration:
    description:
      - Whether the plugin has a row in C(mysql.plugin), from which the server loads it at start.
      - V(auto) keeps a row only where no option file and no option on the server's command line
        loads the plugin at start. Where the server's option files cannot be seen, the row that
        C(INSTALL PLUGIN) writes stays.
      - V(always) keeps the row whatever else loads the plugin.
      - V(never) keeps no row.
    type: str
    choices: [auto, always, never]
    default: auto
  defaults_file:
    description:
      - The option file that the server starts from, as its own option C(--defaults-file) names it.
      - Without it, what the running server was started with counts, else MySQL's own list of
        default option files.
    type: path
  defaults_extra_file:
    description:
      - The option file that the server was started with by C(--defaults-extra-file).
      - The running server says it itself. It is needed only where that file shall be the one that a
        line belongs in, RV(server.option_file), and does not hold the server's C(datadir) or
        C(socket); a process can name any file.
    type: path
  section:
    description:
      - The group of the option file in which a later task writes the line that loads the plugin. A
        group that the running server was not started with is refused before anything is changed.
      - It is not needed where that is the group that the server names, RV(server.option_group).
    type: str
  check_next_start:
    description:
      - Whether to ask the server's own program if the server starts again with its option files as
        they are. A running server does not notice an unknown option in them.
      - MySQL has a way to ask from 8.0.16 on, C(mysqld --validate-config). It takes about a second.
    type: bool
    default: false
  allow_group_start:
    description:
      - Whether C(INSTALL PLUGIN) may start Group Replication by itself. It does so where an option
        file or a persisted variable configures a group name and C(group_replication_start_on_boot)
        is not C(OFF); with C(group_replication_bootstrap_group=ON) it makes a new group.
      - With V(false) such an installation is refused, and also one of which this cannot be known,
        such as where an option file was changed after the server started, and the server's log does
        not prove that it was started without a group.
    type: bool
    default: false
  allow_leave_group:
    description:
      - With O(state=absent), whether a server that is a member of a group may be taken out of it.
      - It is refused all the same where the group would lose its majority.
    type: bool
    default: false
  lift_super_read_only:
    description:
      - Whether C(super_read_only) may be turned off for the one statement that needs it. It is
        turned on again whatever becomes of the statement.
      - With V(false) a change of a server with C(super_read_only=ON) is refused. A server where
        nothing is to be changed is verified all the same.
    type: bool
    default: false
  lock_wait_timeout:
    description:
      - How long a statement may wait for a lock, such as a running backup's, in seconds.
    type: int
    default: 60
  check_mysql_session:
    description:
      - Whether to fail where the account C(mysql.session@localhost) is missing, without which Group
        Replication cannot start.
    type: bool
    default: true
  expect_loaded_by_options:
    description:
      - What the option files do since an earlier task changed them, whether they load the plugin at
        the server's start. It is for use after M(dbfleet.mysql.plugin_load_add).
      - With V(true) and O(state=present) the module fails before it changes anything where the
        server's options can be seen and do not load the plugin. The server then does not start from
        the option file that was changed.
      - In check mode, where the earlier task changed nothing, the module takes it that the option
        files do what is expected.
    type: bool
notes:
  - The account needs C(INSERT) and C(DELETE) on C(mysql.plugin), C(SELECT) on C(mysql.plugin),
    C(mysql.user), C(performance_schema.persisted_variables) and
    C(performance_schema.replication_group_members), and C(SYSTEM_VARIABLES_ADMIN) (C(SUPER) on
    MySQL 5.7) where rows of C(mysql.plugin) or C(super_read_only) are to be changed.
  - Run it as C(root) on the server's own host. Otherwise the server's option files and command line
    may not be readable; RV(survives_restart) is then V(null) rather than a guess.
  - No statement is written to the binary log.
seealso:
  - module: dbfleet.mysql.plugin_load_add
  - name: Configuring an Instance for Group Replication
    description: The manual's description of the same work by hand.
    link: https://dev.mysql.com/doc/refman/8.4/en/group-replication-configuring-instances.html
"""

EXAMPLES = r"""
- name: Install and verify the plugin, as root over the local socket
  dbfleet.mysql.group_replication_plugin:

- name: See what would be executed, without executing it
  dbfleet.mysql.group_replication_plugin:
  check_mode: true
  register: result

- name: Log in with an account and a password
  dbfleet.mysql.group_replication_plugin:
    login_user: provision
    login_password: "{{ provision_password }}"
    login_host: 127.0.0.1

- name: Take the login from module_defaults, which a play or a block can have for all tasks
  dbfleet.mysql.group_replication_plugin:
  module_defaults:
    group/dbfleet.mysql.all:
      login_user: provision
      login_password: "{{ provision_password }}"
      login_host: 127.0.0.1

- name: Install on a secondary, which is read-only
  dbfleet.mysql.group_replication_plugin:
    lift_super_read_only: true

- name: Remove the plugin
  dbfleet.mysql.group_replication_plugin:
    state: absent
"""

RETURN = r"""
plugin:
  description:
    - What the server says of the plugin at the end, in check mode as it is now.
    - V(null) where it does not have it.
  returned: when the server could be asked
  type: dict
  sample:
    library: group_replication.so
    license: GPL
    load_option: "ON"
    name: group_replication
    status: ACTIVE
    type: GROUP REPLICATION
    version: "1.1"
server:
  description: What the server says of itself.
  returned: when the server could be asked
  type: dict
  contains:
    version:
      description: The server's version.
      type: str
      sample: 8.4.3
    flavor:
      description: V(MySQL) or V(Percona Server).
      type: str
      sample: MySQL
    plugin_dir:
      description: The folder that the server loads plugins from.
      type: str
      sample: /usr/lib/mysql/plugin/
    super_read_only:
      description: Whether the server refuses writes even of administrators.
      type: bool
      sample: false
    option_file:
      description:
        - The option file that the server starts from, where a line that loads the plugin belongs.
        - V(null) where the server's option files cannot be seen from the managed host, or where
          only the server's process names the file. O(defaults_file) names it then.
      type: str
      sample: /etc/mysql/my.cnf
    defaults_extra_file:
      description: The option file that the server was started with by C(--defaults-extra-file).
      type: str
      sample: /srv/mysql/extra.cnf
    option_group:
      description:
        - The group of that file in which the line belongs. It is V(mysqld), or the group of its own
          of a server that was started with C(--defaults-group-suffix).
        - V(null) where the server's option files cannot be seen from the managed host.
      type: str
      sample: mysqld
registered:
  description:
    - Whether C(mysql.plugin) has the plugin's row, in check mode as it is now.
    - V(null) where it may not be read.
  returned: when the server could be asked
  type: bool
  sample: false
loaded_at_start_by:
  description:
    - All that loads the plugin at the server's next start, as far as it can be seen.
    - In check mode, what would load it after the statements that would be run.
  returned: when the server could be asked
  type: list
  elements: str
  sample: ["/etc/mysql/my.cnf:12"]
loaded_by_options:
  description: Whether an option file or the server's command line is among RV(loaded_at_start_by).
  returned: when the server could be asked
  type: bool
  sample: true
check_mode:
  description: Whether the task ran in check mode.
  returned: always
  type: bool
  sample: false
survives_restart:
  description:
    - Whether the server has the plugin after a restart; in check mode, whether it would have it
      after the statements that would be run.
    - V(null) where the server's option files cannot be seen and C(mysql.plugin) has no row.
  returned: when the server could be asked
  type: bool
  sample: true
next_start:
  description: What the server's next start does as things are, in check mode too.
  returned: when the server could be asked
  type: dict
  contains:
    loads_plugin:
      description: Whether it loads the plugin; V(null) where that is not known.
      type: bool
      sample: true
    reason:
      description: Why it does not, or why that is not known; empty where it does.
      type: str
      sample: its library /usr/lib/mysql/plugin/group_replication.so is missing
executed_statements:
  description:
    - The SQL statements that were run to change something, in order; in check mode those that would
      be run.
    - One that the server refused is not among them. The last one of a task that ended in
      C(connection_lost) may or may not have been run.
  returned: always
  type: list
  elements: str
  sample:
    - SET SESSION lock_wait_timeout = 60
    - INSTALL PLUGIN group_replication SONAME 'group_replication.so'
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
  sample: access_denied
cause:
  description: What is wrong, in one sentence.
  returned: on failure
  type: str
  sample: The server at /run/mysqld/mysqld.sock does not let account 'ops' log in (error 1045).
next_step:
  description: What to do about it, in one sentence.
  returned: on failure
  type: str
  sample: Check login_user and login_password (or config_file).
left_behind:
  description: Why something that a failed installation left in the server could not be taken back.
  returned: on failure, where there is something
  type: str
  sample: No server listens on /run/mysqld/mysqld.sock (error 2003).
pymysql_from_package:
  description:
    - Whether the distribution's package of PyMySQL would help. It does not where the task's Python
      is one of its own, such as that of a virtual environment.
  returned: where PyMySQL is missing
  type: bool
  sample: true
mysql_error_number:
  description: MySQL's own error number.
  returned: on failures that the server or the client library reported
  type: int
  sample: 1045
"""

import contextlib
from typing import Any, Sequence

from ansible.module_utils.basic import AnsibleModule

from ..module_utils._errors import Failure
from ..module_utils._input import check_texts
from ..module_utils._mysql import account
from ..module_utils._mysql.connection import Connection, connect
from ..module_utils._mysql.login import connection_argument_spec, resolve_login
from ..module_utils._mysql.sign import is_sign_of_server
from ..module_utils._option_file.files import Files, FilesReadOnce
from ..module_utils._option_file.reader import ServerOptions, read_server_options
from ..module_utils._plugin.execute import execute
from ..module_utils._plugin.next_start import check_next_start
from ..module_utils._plugin.plan import Effect, Packet, make_plan, notes, predict
from ..module_utils._plugin.request import Request, check_request
from ..module_utils._plugin.state import State, as_expected, read_plugin, read_state


def main() -> None:
    """Run the module."""
    module = AnsibleModule(
        argument_spec={
            "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
            "library": {"type": "str"},
            "registration": {
                "type": "str",
                "choices": ["auto", "always", "never"],
                "default": "auto",
            },
            "defaults_file": {"type": "path"},
            "defaults_extra_file": {"type": "path"},
            "section": {"type": "str"},
            "check_next_start": {"type": "bool", "default": False},
            "allow_group_start": {"type": "bool", "default": False},
            "allow_leave_group": {"type": "bool", "default": False},
            "lift_super_read_only": {"type": "bool", "default": False},
            "lock_wait_timeout": {"type": "int", "default": 60},
            "check_mysql_session": {"type": "bool", "default": True},
            "expect_loaded_by_options": {"type": "bool"},
            **connection_argument_spec(),
        },
        supports_check_mode=True,
    )
    try:
        result = run(module)
    except Failure as failure:
        result = {"executed_statements": [], **failure.as_result()}
        module.fail_json(check_mode=module.check_mode, **result)
    module.exit_json(check_mode=module.check_mode, **result)


def run(module: AnsibleModule) -> dict[str, Any]:
    """Do what the task asks for and return the result.

    Raises:
        Failure: it must not or cannot be done.
    """
    check_texts(module.params)
    request = Request(**{name: module.params[name] for name in Request._fields})
    check_request(request)
    files = FilesReadOnce()

    def server_options() -> ServerOptions:
        return read_server_options(defaults_file=request.defaults_file, files=files)

    def may_be_server(uid: int) -> bool:
        return account.may_be_server(uid, server_options)

    login = resolve_login(module.params, files)
    if login.password:
        # One from config_file; Ansible itself hides only what came as an option.
        module.no_log_values.add(login.password)

    def is_sign() -> bool:
        return is_sign_of_server(login, server_options())

    read_timeout = request.lock_wait_timeout + login.connect_timeout
    with contextlib.closing(connect(login, may_be_server, read_timeout, is_sign)) as connection:
        before = read(connection, request, files, module.check_mode)
        planned = plan(connection, before, request, module.params["check_next_start"])
        if module.check_mode:
            effect = predict(before, planned)
        else:
            effect = carry_out(connection, before, request, planned)
    for note in notes(effect.now, request):
        module.warn(note)
    return report(before, effect, module._diff)


def read(connection: Connection, request: Request, files: Files, check_mode: bool) -> State:
    """Look at the server; in check mode, its option files are taken to do what is expected."""
    state = read_state(connection, request, files)
    return as_expected(state, request.expect_loaded_by_options) if check_mode else state


def plan(connection: Connection, state: State, request: Request, next_start: bool) -> list[Packet]:
    """Decide what to send to the server; a refusal tells what the server was found like."""
    try:
        if next_start:
            check_next_start(state)
        return make_plan(connection, state, request)
    except Failure as failure:
        failure.details.update(facts(state, state))
        raise


def carry_out(
    connection: Connection, before: State, request: Request, planned: Sequence[Packet]
) -> Effect:
    """Run a plan; a failure tells what the server is like after it, as far as that is known."""
    try:
        return execute(connection, before, request, planned)
    except Failure as failure:
        known = {"server": facts(before, before)["server"]}
        with contextlib.suppress(Failure):
            plugin, row = read_plugin(connection)
            after = before._replace(plugin=plugin, row=row)
            known = facts(after, after)
        failure.details.update(known)
        raise


#: How many places that load the plugin are returned.
MOST_PLACES = 50


def report(before: State, effect: Effect, diff: bool) -> dict[str, Any]:
    """Return the module's result."""
    result = {
        "changed": effect.changed,
        "executed_statements": [str(statement) for statement in effect.executed],
        **facts(effect.now, effect.after),
    }
    if diff:
        result["diff"] = {"before": _visible(before), "after": _visible(effect.after)}
    return result


def facts(now: State, after: State) -> dict[str, Any]:
    """Return the result's description of the server and the plugin, and of its next start.

    Args:
        now: as the server says.
        after: the same, in check mode after the statements that would be run.
    """
    server, options = now.server, now.options
    return {
        "plugin": now.plugin._asdict() if now.plugin else None,
        "server": {
            "version": server.version,
            "flavor": server.flavor,
            "plugin_dir": server.plugin_dir,
            "super_read_only": bool(server.super_read_only),
            "option_file": now.option_file,
            # Only one that is known to be the server's: root reads it in the next step.
            "defaults_extra_file": options.extra_file
            if options and options.extra_file == now.option_file
            else None,
            "option_group": options.main_group if options else None,
        },
        "registered": None if now.row is None else bool(now.row),
        # For programs: the sources' names may be masked where a password is part of one.
        "loaded_by_options": bool(after.loads),
        "loaded_at_start_by": _first(after.loads) + (["mysql.plugin"] if after.row else []),
        "survives_restart": after.survives_restart,
        "next_start": now.next_start._asdict(),
    }


def _first(places: Sequence[str]) -> list[str]:
    """Return places, each once, and not more than a person reads."""
    return list(dict.fromkeys(places))[:MOST_PLACES]


def _visible(state: State) -> dict[str, Any]:
    """Return what the diff shows."""
    return {
        "status": state.plugin.status if state.plugin else None,
        "registered": None if state.row is None else bool(state.row),
    }


if __name__ == "__main__":
    main()
