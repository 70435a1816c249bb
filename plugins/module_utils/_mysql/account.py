# Copyright (c) 2026, the dbfleet.mysql authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The operating system account that a MySQL server runs as. Private to dbfleet.mysql.

It is what a file that nobody else can change says: the option ``user`` in a trusted option file, of
which MySQL takes the first (sql/mysqld.cc); else the account ``mysql``, as all packages have it.
"""

from __future__ import annotations

import os
import pwd
from typing import Callable

from .._files import is_trusted
from .._option_file.arguments import COMMAND_LINE
from .._option_file.reader import ServerOptions

DEFAULT_ACCOUNT = "mysql"


def server_account(options: ServerOptions) -> pwd.struct_passwd | None:
    """Return the account that a server runs as; None where the host does not have it.

    Args:
        options: what the server gets from its option files.
    """
    for argument in options.arguments:
        if argument.name == "user" and argument.path != COMMAND_LINE and argument.value:
            if all(map(is_trusted, options.way_to(argument.path))):
                return _account(argument.value)
            break
    return _account(DEFAULT_ACCOUNT)


def may_be_server(uid: int, read_options: Callable[[], ServerOptions]) -> bool:
    """Whether a process can be the server: root's, our own, or one of the server's account.

    Args:
        uid: the user id that the process runs as.
        read_options: returns what the server gets from its option files; not called where the
            answer does not depend on it.
    """
    if uid in (0, os.geteuid()):
        return True
    account = server_account(read_options())
    return account is not None and account.pw_uid == uid


def _account(name: str) -> pwd.struct_passwd | None:
    """Return an account by name or, as MySQL allows in ``user``, by number."""
    try:
        return pwd.getpwuid(int(name)) if name.isdigit() else pwd.getpwnam(name)
    except (KeyError, ValueError, OverflowError):
        return None
