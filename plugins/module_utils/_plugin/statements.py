# Copyright (c) 2026, the dbfleet.mysql authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""All SQL about the Group Replication plugin: what is asked, and what changes it.

Private to dbfleet.mysql. What must be done is decided in ``plan.py``.
"""

from __future__ import annotations

from .._mysql.connection import Statement
from .._mysql.errors import ER_DUP_ENTRY, ER_SP_DOES_NOT_EXIST, ER_UDF_EXISTS

PLUGIN_NAME = "group_replication"

# ---- what is asked ----

SETTINGS_QUERY = (
    "SELECT @@global.version_comment, @@global.plugin_dir, @@global.datadir, @@global.pid_file,"
    " @@global.version_compile_os, @@global.server_uuid, @@global.super_read_only"
)
WSREP_QUERY = "SHOW GLOBAL VARIABLES LIKE 'wsrep_provider'"
PLUGIN_QUERY = (
    "SELECT PLUGIN_NAME, PLUGIN_STATUS, PLUGIN_TYPE, PLUGIN_LIBRARY, PLUGIN_LICENSE,"
    " PLUGIN_VERSION, LOAD_OPTION FROM information_schema.PLUGINS"
    " WHERE PLUGIN_NAME = 'group_replication'"
)
ROW_QUERY = "SELECT dl FROM mysql.plugin WHERE name = 'group_replication'"
SESSION_QUERY = "SELECT 1 FROM mysql.user WHERE User = 'mysql.session' AND Host = 'localhost'"
# An account may lack the privilege to read these tables.
REFUSABLE = (ROW_QUERY, SESSION_QUERY)
GTID_MODE_QUERY = "SELECT @@global.gtid_mode"
PERSISTED_QUERY = (
    "SELECT VARIABLE_NAME, VARIABLE_VALUE FROM performance_schema.persisted_variables"
    " WHERE VARIABLE_NAME LIKE 'group\\_replication\\_%'"
)
# When the server was started by its log (MY-010116), and whether that proves that it had no group's
# name then. The log must have all warnings, and none of a group's option that no plugin knew
# (MY-000067). Then either the plugin was not loaded at the start, as the performance schema, which
# forgets nothing of a plugin, knows none of its instruments. Or it complained, when it was loaded
# (MY-011660), that it has no group's name (MY-011685).
START_LOG_QUERY = (
    "SELECT CAST(started AS SIGNED), COALESCE("
    "NOT EXISTS (SELECT 1 FROM performance_schema.error_log WHERE ERROR_CODE = 'MY-000067'"
    " AND DATA RLIKE 'group.replication' AND UNIX_TIMESTAMP(LOGGED) > started - 1)"
    " AND (EXISTS (SELECT 1 FROM performance_schema.error_log AS name"
    " JOIN performance_schema.error_log AS boot ON boot.ERROR_CODE = 'MY-011660'"
    " AND ABS(TIMESTAMPDIFF(MICROSECOND, name.LOGGED, boot.LOGGED)) < 1000000"
    " WHERE name.ERROR_CODE = 'MY-011685' AND UNIX_TIMESTAMP(name.LOGGED) >= started)"
    " OR NOT EXISTS (SELECT 1"
    " FROM performance_schema.setup_instruments WHERE NAME LIKE '%/group\\_rpl/%'))"
    " AND @@global.performance_schema AND @@global.log_error_verbosity >= 2"
    " AND @@global.log_error_suppression_list = ''"
    " AND REPLACE(REPLACE(@@global.log_error_services, ' ', ''), ',', ';') IN"
    " ('log_filter_internal;log_sink_internal', 'log_filter_internal;log_sink_json',"
    " 'log_filter_internal;log_sink_internal;log_sink_json',"
    " 'log_filter_internal;log_sink_json;log_sink_internal')"
    " AND NOT EXISTS (SELECT 1 FROM performance_schema.global_status WHERE VARIABLE_VALUE > 0"
    " AND VARIABLE_NAME LIKE 'Performance\\_schema\\_%\\_classes\\_lost')"
    " AND NOT EXISTS (SELECT 1 FROM performance_schema.variables_info WHERE VARIABLE_NAME IN"
    " ('log_error_verbosity', 'log_error_suppression_list', 'log_error_services')"
    " AND VARIABLE_SOURCE = 'DYNAMIC'), 0)"
    " FROM (SELECT MAX(UNIX_TIMESTAMP(LOGGED)) AS started FROM performance_schema.error_log"
    " WHERE ERROR_CODE = 'MY-010116') AS start"
)
# MySQL 5.7 and 8.0 have the last two.
INITIALISATION_QUERY = (
    "SELECT @@global.server_id, @@global.master_info_repository, @@global.relay_log_info_repository"
)
MEMBERS_QUERY = "SELECT MEMBER_ID, MEMBER_STATE FROM performance_schema.replication_group_members"

# ---- what changes something ----

UNINSTALL = Statement(
    "UNINSTALL PLUGIN " + PLUGIN_NAME, writes=True, already_done=ER_SP_DOES_NOT_EXIST
)
# DELETE and INSERT on mysql.plugin would take a GTID, an errant transaction on a group's member.
NO_BINARY_LOG = Statement("SET SESSION sql_log_bin = 0")
DELETE_ROW = Statement("DELETE FROM mysql.plugin WHERE name = %s", (PLUGIN_NAME,), writes=True)
LIFT_SUPER_READ_ONLY = Statement("SET GLOBAL super_read_only = 0")
RESTORE_SUPER_READ_ONLY = Statement("SET GLOBAL super_read_only = 1")


def install_statement(library: str) -> Statement:
    """Return INSTALL PLUGIN for a library."""
    sql = "INSTALL PLUGIN " + PLUGIN_NAME + " SONAME %s"
    return Statement(sql, (library,), writes=True, already_done=ER_UDF_EXISTS)


def insert_row_statement(library: str) -> Statement:
    """Return the statement that writes the row which INSTALL PLUGIN would have written."""
    sql = "INSERT INTO mysql.plugin (name, dl) VALUES (%s, %s)"
    return Statement(sql, (PLUGIN_NAME, library), writes=True, already_done=ER_DUP_ENTRY)


def lock_wait_timeout_statement(seconds: int) -> Statement:
    """Return what bounds the wait for a backup lock or the global read lock, by default a year."""
    return Statement(f"SET SESSION lock_wait_timeout = {seconds}")
