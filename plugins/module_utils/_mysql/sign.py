# Copyright (c) 2026, the dbfleet.mysql authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whether a host shows any sign of a MySQL server. Private to dbfleet.mysql.

Asked before anything is installed on it for the sake of one. A sign proves nothing, and nothing is
read, run or believed for it.
"""

from __future__ import annotations

import contextlib
import os

from .._files import read_regular
from .._option_file.reader import ServerOptions
from .binary import binary_path
from .login import DEFAULT_HOST, Login
from .process import pids

#: What the kernel calls a server's process (proc_pid_comm(5)).
_PROCESSES = (b"mysqld", b"mysqld-debug", b"mariadbd")
#: Its names have at most 16 bytes.
_MAX_NAME = 64


def is_sign_of_server(login: Login, options: ServerOptions) -> bool:
    """Whether there may be a server: by its address, its socket, option files, program or process.

    Args:
        login: from :func:`resolve_login`.
        options: what a server of this host would get from its option files. Those of a client alone
            hold nothing for it.
    """
    return bool(
        login.host != DEFAULT_HOST
        or (login.unix_socket and os.path.lexists(login.unix_socket))
        or options.arguments
        or binary_path()
        or _is_running()
    )


def _is_running() -> bool:
    with contextlib.suppress(OSError):
        return any(map(_is_server, pids()))
    return False


def _is_server(pid: int) -> bool:
    with contextlib.suppress(OSError):  # it has just ended
        return read_regular(f"/proc/{pid}/comm", _MAX_NAME).strip() in _PROCESSES
    return False
