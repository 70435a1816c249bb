# Copyright (c) 2026, the dbfleet.mysql authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A host with option files as Debian has them, whatever server is on it; it does not run.

The tests of what happens to option files then see links, folders and includes on every version.
"""

from __future__ import annotations

from collections.abc import Iterator

from helpers.lab import lab
from helpers.server import Server

#: The main option file; the link /etc/mysql/my.cnf leads to it.
MAIN = "/etc/mysql/mysql.cnf"
#: Brings the option files back to where they were.
RESTORE = "rm -rf /etc/mysql /etc/my.cnf /etc/my.cnf.d && tar -xPf /root/debian.tar"

_FILES = {MAIN: "mysql.cnf", "/etc/mysql/mysql.conf.d/mysqld.cnf": "mysqld.cnf"}
_KEEP = """
rm -rf /etc/my.cnf /etc/my.cnf.d
mkdir -p /etc/mysql/conf.d
ln -sf /etc/mysql/mysql.cnf /etc/alternatives/my.cnf
ln -sf /etc/alternatives/my.cnf /etc/mysql/my.cnf
tar -cPf /root/debian.tar /etc/mysql
"""


def debian_host(fleet: str) -> Iterator[Server]:
    """Give the host, the only one of its fleet."""
    files = (f"--file={path}=lab/image/mysql/{name}" for path, name in _FILES.items())
    lab("up", fleet, "host", "--stopped", *files)
    host = Server("host", fleet)
    host.sh(f"[ -e /root/debian.tar ] || {{ {_KEEP} }}")
    yield host
    lab("down", fleet)
