# Copyright (c) 2026, the dbfleet.mysql authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""MySQL's errors, and their numbers that the collection tells apart. Private to dbfleet.mysql."""

from __future__ import annotations

from .._errors import Failure

# From the manual's "Server Error Message Reference" and "Client Error Message Reference".
ER_DISK_FULL = 1021
ER_ERROR_ON_READ = 1024
ER_ERROR_ON_WRITE = 1026
ER_GET_ERRNO = 1030
ER_OPEN_AS_READONLY = 1036
ER_OUTOFMEMORY = 1037
ER_CON_COUNT_ERROR = 1040
ER_OUT_OF_RESOURCES = 1041
ER_ACCESS_DENIED_ERROR = 1045
ER_SERVER_SHUTDOWN = 1053
ER_DUP_ENTRY = 1062
ER_NO_SUCH_THREAD = 1094
ER_TOO_BIG_SELECT = 1104
ER_RECORD_FILE_FULL = 1114
ER_CANT_INITIALIZE_UDF = 1123
ER_UDF_NO_PATHS = 1124
ER_UDF_EXISTS = 1125
ER_CANT_OPEN_LIBRARY = 1126
ER_CANT_FIND_DL_ENTRY = 1127
ER_HOST_IS_BLOCKED = 1129
ER_HOST_NOT_PRIVILEGED = 1130
ER_CANT_CREATE_THREAD = 1135
ER_TABLEACCESS_DENIED_ERROR = 1142
ER_COLUMNACCESS_DENIED_ERROR = 1143
ER_NO_SUCH_TABLE = 1146
ER_NET_PACKET_TOO_LARGE = 1153
ER_NEW_ABORTING_CONNECTION = 1184
ER_UNKNOWN_SYSTEM_VARIABLE = 1193
ER_CRASHED_ON_USAGE = 1194
ER_CRASHED_ON_REPAIR = 1195
ER_TOO_MANY_USER_CONNECTIONS = 1203
ER_LOCK_WAIT_TIMEOUT = 1205
ER_LOCK_DEADLOCK = 1213
ER_USER_LIMIT_REACHED = 1226
ER_SPECIFIC_ACCESS_DENIED_ERROR = 1227
ER_INCORRECT_GLOBAL_LOCAL_VAR = 1238
ER_NOT_SUPPORTED_AUTH_MODE = 1251
ER_OPTION_PREVENTS_STATEMENT = 1290
ER_SP_DOES_NOT_EXIST = 1305
ER_QUERY_INTERRUPTED = 1317
ER_PLUGIN_IS_NOT_LOADED = 1524
ER_COL_COUNT_DOESNT_MATCH_CORRUPTED = 1547
ER_CANNOT_LOAD_FROM_TABLE = 1548
ER_INSIDE_TRANSACTION_PREVENTS_SWITCH_SQL_LOG_BIN = 1694
ER_ACCESS_DENIED_NO_PASSWORD_ERROR = 1698
ER_PLUGIN_IS_PERMANENT = 1702
ER_CANT_EXECUTE_IN_READ_ONLY_TRANSACTION = 1792
ER_COL_COUNT_DOESNT_MATCH_CORRUPTED_V2 = 1805
ER_MUST_CHANGE_PASSWORD = 1820
ER_READ_ONLY_MODE = 1836
ER_MUST_CHANGE_PASSWORD_LOGIN = 1862
ER_INNODB_READ_ONLY = 1874
ER_TEMP_FILE_WRITE_FAILURE = 1878
ER_INNODB_FORCED_RECOVERY = 1881
ER_PLUGIN_CANNOT_BE_UNINSTALLED = 1883
ER_QUERY_TIMEOUT = 3024
ER_SERVER_OFFLINE_MODE = 3032
ER_BEFORE_DML_VALIDATION_ERROR = 3098
ER_RUN_HOOK_ERROR = 3100
ER_ACCOUNT_HAS_BEEN_LOCKED = 3118
ER_SECURE_TRANSPORT_REQUIRED = 3159
ER_SERVER_ISNT_AVAILABLE = 3168
ER_LOCK_NOWAIT = 3572
ER_DA_PLUGIN_INSTALL_ERROR = 3883
ER_WRONG_COMPRESSION_ALGORITHM_CLIENT = 3922
ER_USER_ACCESS_DENIED_FOR_USER_ACCOUNT_BLOCKED_BY_PASSWORD_LOCK = 3955
ER_CLIENT_INTERACTION_TIMEOUT = 4031
ER_DA_CONN_LIMIT = 4082
CR_CONN_HOST_ERROR = 2003
CR_SERVER_GONE_ERROR = 2006
CR_SERVER_LOST = 2013
CR_SSL_CONNECTION_ERROR = 2026
CR_AUTH_PLUGIN_CANNOT_LOAD = 2059

PRIVILEGE_ERRORS = frozenset(
    (ER_TABLEACCESS_DENIED_ERROR, ER_COLUMNACCESS_DENIED_ERROR, ER_SPECIFIC_ACCESS_DENIED_ERROR)
)
LOST_CONNECTION_ERRORS = frozenset((0, CR_CONN_HOST_ERROR, CR_SERVER_GONE_ERROR, CR_SERVER_LOST))


#: How much of a server's own words is shown, in characters; MySQL's longest take 512.
_LONGEST_TEXT = 600


def shortened(text: str) -> str:
    """Return what a server said, cut where it is too long for a message."""
    return text if len(text) <= _LONGEST_TEXT else text[: _LONGEST_TEXT - 1] + "…"


class ReportedError(Exception):
    """An error that the server or the client library reported.

    Args:
        error: PyMySQL's exception. Its class says too little: which number raises which class
            changed between releases of PyMySQL.
        completed: how many of the statements that were sent together came before.

    Attributes:
        number: MySQL's error number, 0 where there is none.
        text: their words, for people; never branch on them.
    """

    def __init__(self, error: BaseException, completed: int = 0) -> None:
        super().__init__(str(error))
        number = error.args[0] if error.args else 0
        self.number = number if isinstance(number, int) else 0
        self.text = shortened(str(error.args[1] if len(error.args) > 1 else error).rstrip("."))
        self.completed = completed

    def failure(self, error_code: str, cause: str, next_step: str) -> Failure:
        """Return a Failure; its cause, given without a full stop, ends with MySQL's own words."""
        # Without a number it is not MySQL that says it.
        said = f" (error {self.number}: {self.text})." if self.number else "."
        return Failure(error_code, cause + said, next_step, mysql_error_number=self.number)
