# Copyright (c) 2026, the dbfleet.mysql authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What MySQL's error numbers mean for a login and for a statement. Private to dbfleet.mysql."""

from __future__ import annotations

from typing import Iterable, NamedTuple

from .._errors import Failure
from . import errors as numbers
from .errors import ReportedError


class Meaning(NamedTuple):
    """What an error means and what to do about it.

    Attributes:
        error_code: as in docs/error_codes.md.
        cause: a sentence without its full stop; words in braces are filled in.
        next_step: a sentence with it.
    """

    error_code: str
    cause: str
    next_step: str

    def failure(self, error: ReportedError, **words: str) -> Failure:
        """Return the failure of an error.

        Args:
            error: what the server or the client library said.
            words: those in braces.
        """
        return error.failure(self.error_code, self.cause.format(**words), self.next_step)


def by_number(*rows: tuple[Iterable[int], Meaning]) -> dict[int, Meaning]:
    """Return meanings by error number."""
    return {number: meaning for numbers, meaning in rows for number in numbers}


_LOOK_IT_UP = "Look the error number up in the MySQL manual and in the server's error log."

_OUT_OF_MEMORY = (
    numbers.ER_OUTOFMEMORY,
    numbers.ER_OUT_OF_RESOURCES,
    numbers.ER_CANT_CREATE_THREAD,
    numbers.ER_DA_CONN_LIMIT,
)

#: Of a login; ``address`` is the server's, ``account`` who wanted to log in.
LOGIN = by_number(
    (
        (numbers.ER_HOST_IS_BLOCKED, numbers.ER_HOST_NOT_PRIVILEGED),
        Meaning(
            "host_not_allowed",
            "The server at {address} accepts no connection from this host",
            "Create an account for this host, or run FLUSH HOSTS if it was blocked after errors, "
            "or use the local socket.",
        ),
    ),
    (
        (
            numbers.ER_ACCOUNT_HAS_BEEN_LOCKED,
            numbers.ER_USER_ACCESS_DENIED_FOR_USER_ACCOUNT_BLOCKED_BY_PASSWORD_LOCK,
        ),
        Meaning(
            "account_locked",
            "The account {account} at {address} is locked",
            "Unlock it with ALTER USER ... ACCOUNT UNLOCK, or use another account.",
        ),
    ),
    (
        (numbers.ER_MUST_CHANGE_PASSWORD, numbers.ER_MUST_CHANGE_PASSWORD_LOGIN),
        Meaning(
            "password_expired",
            "The password of account {account} at {address} has expired",
            "Set a new one with ALTER USER, then run this again.",
        ),
    ),
    (
        (numbers.ER_CON_COUNT_ERROR,),
        Meaning(
            "too_many_connections",
            "The server at {address} has no connection left",
            "Run this again when it is less busy, or raise max_connections.",
        ),
    ),
    (
        (numbers.ER_TOO_MANY_USER_CONNECTIONS, numbers.ER_USER_LIMIT_REACHED),
        Meaning(
            "too_many_connections",
            "The account {account} at {address} has no connection left",
            "Run this again when the account is less busy, or raise max_user_connections or the "
            "account's own limit (ALTER USER ... WITH MAX_USER_CONNECTIONS).",
        ),
    ),
    (
        (
            numbers.ER_NOT_SUPPORTED_AUTH_MODE,
            numbers.ER_PLUGIN_IS_NOT_LOADED,
            numbers.CR_AUTH_PLUGIN_CANNOT_LOAD,
        ),
        Meaning(
            "auth_plugin_unsupported",
            "PyMySQL cannot log in with the authentication plugin of account {account} at "
            "{address}",
            "Use an account (login_user) with caching_sha2_password, mysql_native_password or, "
            "over the socket, auth_socket.",
        ),
    ),
    (
        (numbers.ER_SECURE_TRANSPORT_REQUIRED,),
        Meaning(
            "tls_failed",
            "The server at {address} lets nobody log in without TLS",
            "Take ssl-mode=DISABLED out of config_file, or use the local socket "
            "(login_unix_socket).",
        ),
    ),
    (
        (numbers.ER_SERVER_SHUTDOWN, numbers.ER_SERVER_ISNT_AVAILABLE),
        Meaning(
            "server_stopping",
            "The server at {address} is starting or stopping",
            "Run this again when it is up.",
        ),
    ),
    (
        (numbers.ER_SERVER_OFFLINE_MODE,),
        Meaning(
            "server_offline",
            "The server at {address} is in offline mode, in which it lets only administrators in",
            "Run SET GLOBAL offline_mode = 0 when its maintenance is over, or use an account "
            "(login_user) with CONNECTION_ADMIN.",
        ),
    ),
    (
        _OUT_OF_MEMORY,
        Meaning(
            "out_of_memory",
            "The server at {address} has no memory or no thread left for a connection",
            "Look at the memory of its host and at its limits of memory and threads, then run this "
            "again.",
        ),
    ),
    (
        (numbers.ER_WRONG_COMPRESSION_ALGORITHM_CLIENT,),
        Meaning(
            "connection_failed",
            "The server at {address} wants a compression that PyMySQL does not know",
            "Add uncompressed to its protocol_compression_algorithms.",
        ),
    ),
)
UNKNOWN_LOGIN = Meaning("connection_failed", "The connection to {address} failed", _LOOK_IT_UP)

#: Of a statement; ``sql`` is its text.
STATEMENT = by_number(
    (
        numbers.PRIVILEGE_ERRORS,
        Meaning(
            "privilege_missing",
            "The account may not run: {sql}",
            "Grant it the privilege that the server names.",
        ),
    ),
    (
        (numbers.ER_LOCK_WAIT_TIMEOUT,),
        Meaning(
            "lock_wait_timeout",
            "A backup lock or a global read lock held the statement up for longer than "
            "lock_wait_timeout",
            "Wait for the backup to end, or see who holds it in "
            "performance_schema.metadata_locks, then run this again.",
        ),
    ),
    (
        (numbers.ER_OPTION_PREVENTS_STATEMENT,),
        Meaning(
            "super_read_only",
            "The server runs with an option that refuses: {sql}",
            "For read_only run this when the server is writable, or with an account that read_only "
            "lets through (CONNECTION_ADMIN, on MySQL 5.7 SUPER); for super_read_only set "
            "lift_super_read_only; for any other option restart the server without it.",
        ),
    ),
    (
        (
            numbers.ER_OPEN_AS_READONLY,
            numbers.ER_READ_ONLY_MODE,
            numbers.ER_INNODB_READ_ONLY,
            numbers.ER_INNODB_FORCED_RECOVERY,
        ),
        Meaning(
            "storage_read_only",
            "The server's tables take no change, as with innodb_force_recovery or "
            "innodb_read_only, so it refused: {sql}",
            "Restart the server without that option, then run this again.",
        ),
    ),
    (
        # MySQL 5.7 says the first where the newer say the second.
        (numbers.ER_GET_ERRNO, numbers.ER_DA_PLUGIN_INSTALL_ERROR),
        Meaning(
            "storage_failed",
            "The server could not write into its tables for: {sql}",
            "With innodb_force_recovery or innodb_read_only restart it without that option; else "
            "look for a full or broken disk (df) and in its error log; then run this again.",
        ),
    ),
    (
        (
            numbers.ER_DISK_FULL,
            numbers.ER_ERROR_ON_READ,
            numbers.ER_ERROR_ON_WRITE,
            numbers.ER_RECORD_FILE_FULL,
            numbers.ER_TEMP_FILE_WRITE_FAILURE,
        ),
        Meaning(
            "storage_failed",
            "The server could not read or write its files for: {sql}",
            "See in its error log which file it is, look for a full or broken disk (df), then run "
            "this again.",
        ),
    ),
    (
        (
            numbers.ER_NO_SUCH_TABLE,
            numbers.ER_CRASHED_ON_USAGE,
            numbers.ER_CRASHED_ON_REPAIR,
            numbers.ER_COL_COUNT_DOESNT_MATCH_CORRUPTED,
            numbers.ER_CANNOT_LOAD_FROM_TABLE,
            numbers.ER_COL_COUNT_DOESNT_MATCH_CORRUPTED_V2,
        ),
        Meaning(
            "system_tables_broken",
            "A table of the server's own is missing or damaged, so it refused: {sql}",
            "Let the server repair its tables: from 8.0.16 by a start with --upgrade=FORCE, before "
            "by mysql_upgrade; a server whose initialisation was cut off needs a new one.",
        ),
    ),
    (
        (
            numbers.ER_LOCK_DEADLOCK,
            numbers.ER_QUERY_INTERRUPTED,
            numbers.ER_QUERY_TIMEOUT,
            numbers.ER_LOCK_NOWAIT,
        ),
        Meaning(
            "statement_interrupted",
            "The server ended, for the sake of another session or of a limit: {sql}",
            "Run this again.",
        ),
    ),
    (
        (numbers.ER_SERVER_SHUTDOWN, numbers.ER_SERVER_ISNT_AVAILABLE),
        Meaning(
            "server_stopping",
            "The server is stopping, so it did not run: {sql}",
            "Run this again when it is up: it goes on from what it finds.",
        ),
    ),
    (
        _OUT_OF_MEMORY,
        Meaning(
            "out_of_memory",
            "The server has no memory left for: {sql}",
            "Look at the memory of its host and at its limits of memory, then run this again.",
        ),
    ),
    (
        (numbers.ER_BEFORE_DML_VALIDATION_ERROR, numbers.ER_RUN_HOOK_ERROR),
        Meaning(
            "statement_failed",
            "A plugin of the server's replication did not let it change something: {sql}",
            "See in its error log which one, and whether it is a member of a group that is blocked "
            "or in the state ERROR.",
        ),
    ),
    (
        (
            numbers.ER_TOO_BIG_SELECT,
            numbers.ER_INSIDE_TRANSACTION_PREVENTS_SWITCH_SQL_LOG_BIN,
            numbers.ER_CANT_EXECUTE_IN_READ_ONLY_TRANSACTION,
        ),
        Meaning(
            "statement_failed",
            "The session is not as it was set up, so the server refused: {sql}",
            "Log in to the server itself, not to a proxy that shares sessions (login_unix_socket, "
            "login_port).",
        ),
    ),
    (
        (numbers.ER_UNKNOWN_SYSTEM_VARIABLE, numbers.ER_INCORRECT_GLOBAL_LOCAL_VAR),
        Meaning(
            "statement_failed",
            "The server does not know what every MySQL server from 5.7.17 on knows: {sql}",
            "Check that login_host, login_port or login_unix_socket names a MySQL server, not a "
            "proxy or a server that only resembles it.",
        ),
    ),
    (
        (numbers.ER_NET_PACKET_TOO_LARGE,),
        Meaning(
            "statement_failed",
            "The statements are longer than the server's max_allowed_packet: {sql}",
            "Raise it, such as to its default by SET GLOBAL max_allowed_packet = DEFAULT.",
        ),
    ),
    (
        (numbers.ER_NEW_ABORTING_CONNECTION, numbers.ER_CLIENT_INTERACTION_TIMEOUT),
        Meaning(
            "connection_lost",
            "The server ended the session before: {sql}",
            "Look in its error log why; init_connect must work for the account (login_user).",
        ),
    ),
)
UNKNOWN_STATEMENT = Meaning("statement_failed", "The server refused: {sql}", _LOOK_IT_UP)
