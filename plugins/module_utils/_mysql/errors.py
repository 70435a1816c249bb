# Copyright (c) 2026, the dbfleet.mysql authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""MySQL's errors, and their numbers that the collection tells apart. Private to dbfleet.mysql."""

from __future__ import annotations

from .._errors import Failure

# From the manual's "Server Error Message Reference" and "Client Error Message Reference".
ER_CON_COUNT_ERROR = 1040
ER_ACCESS_DENIED_ERROR = 1045
ER_DUP_ENTRY = 1062
ER_NO_SUCH_THREAD = 1094
ER_CANT_INITIALIZE_UDF = 1123
ER_UDF_NO_PATHS = 1124
ER_UDF_EXISTS = 1125
ER_CANT_OPEN_LIBRARY = 1126
ER_CANT_FIND_DL_ENTRY = 1127
ER_HOST_IS_BLOCKED = 1129
ER_HOST_NOT_PRIVILEGED = 1130
ER_TABLEACCESS_DENIED_ERROR = 1142
ER_COLUMNACCESS_DENIED_ERROR = 1143
ER_LOCK_WAIT_TIMEOUT = 1205
ER_SPECIFIC_ACCESS_DENIED_ERROR = 1227
ER_OPTION_PREVENTS_STATEMENT = 1290
ER_SP_DOES_NOT_EXIST = 1305
ER_ACCESS_DENIED_NO_PASSWORD_ERROR = 1698
ER_PLUGIN_IS_PERMANENT = 1702
ER_MUST_CHANGE_PASSWORD = 1820
ER_MUST_CHANGE_PASSWORD_LOGIN = 1862
ER_PLUGIN_CANNOT_BE_UNINSTALLED = 1883
ER_ACCOUNT_HAS_BEEN_LOCKED = 3118
CR_CONN_HOST_ERROR = 2003
CR_SERVER_GONE_ERROR = 2006
CR_SERVER_LOST = 2013
CR_SSL_CONNECTION_ERROR = 2026

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
