# Copyright (c) 2026, the dbfleet.mysql authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A fleet of made-up hosts for the tests of its summary."""

from __future__ import annotations

from ansible_collections.dbfleet.mysql.plugins.plugin_utils._summary.host import host_of

GOOD = {
    "changed": False,
    "check_mode": False,
    "executed_statements": [],
    "plugin": {"status": "ACTIVE", "library": "group_replication.so", "license": "GPL"},
    "server": {"version": "8.4.3", "flavor": "MySQL"},
    "loaded_at_start_by": ["/etc/my.cnf:12"],
    "survives_restart": True,
}
DENIED = {
    "failed": True,
    "msg": "The account may not log in. Correct the login.",
    "error_code": "access_denied",
    "cause": "The account may not log in.",
    "next_step": "Correct the login.",
}


def host(
    name="db1",
    state="present",
    fail_on_change=False,
    check_mode=False,
    failure=None,
    package=None,
    option_file=None,
    verification=None,
    **plugin,
):
    """Return a host that the role left in order, except for what is given."""
    variables = {
        "group_replication_plugin_result": dict(GOOD, check_mode=check_mode, **plugin),
        "group_replication_package_result": package or {},
        "group_replication_option_file_result": option_file or {"skipped": True, "changed": False},
        "group_replication_verification_result": verification or {"skipped": True},
        "group_replication_failure": failure or {},
    }
    return host_of(name, variables, state, fail_on_change, check_mode, False)


def failed(name="db1", failure=None):
    """Return a host on which the module failed."""
    failure = failure or DENIED
    variables = {"group_replication_plugin_result": failure, "group_replication_failure": failure}
    return host_of(name, variables, "present", False, False, False)


def later(name="db9"):
    """Return a host that the play has not come to."""
    return host_of(name, {}, "present", False, False, True)
