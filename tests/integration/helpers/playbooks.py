# Copyright (c) 2026, the dbfleet.mysql authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The collection's playbooks, and the hosts that most tests run them on."""

from __future__ import annotations

INSTALL = "dbfleet.mysql.group_replication_plugin"
VERIFY = "dbfleet.mysql.group_replication_plugin_verify"
REMOVE = "dbfleet.mysql.group_replication_plugin_remove"
CONFIRMED = ("-e", "group_replication_confirm_remove=true")
HOSTS = {"mysql1": {}, "mysql2": {}, "mysql3": {}}
