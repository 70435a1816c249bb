# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026, the dbfleet.mysql authors
"""Where each kind of image keeps what belongs to a MySQL server."""

import dataclasses
import json


@dataclasses.dataclass(frozen=True)
class Layout:
    """The paths on a server's host.

    Attributes:
        recipe: the folder of lab/image that holds the option files.
        option_file: the main option file, as mysqld names it.
        option_file_target: the file itself, where the main one is a link to it.
        option_folder: the folder for files of one's own that the main one includes.
        settings: the file in which the lab keeps the server's settings.
        option_files: all of these, for a copy of them.
        datadir: the data directory.
        socket: the server's socket.
        plugin_dir: the folder of the plugins.
        python: the Python for Ansible.
    """

    recipe: str
    option_file: str
    option_file_target: str
    option_folder: str
    settings: str
    option_files: tuple[str, ...]
    datadir: str
    socket: str
    plugin_dir: str
    python: str = "/usr/bin/python3"

    def json(self) -> str:
        """The paths as JSON."""
        return json.dumps(dataclasses.asdict(self), indent=2)


#: Debian's packages.
DEBIAN = Layout(
    recipe="mysql",
    option_file="/etc/mysql/my.cnf",
    option_file_target="/etc/mysql/mysql.cnf",
    option_folder="/etc/mysql/conf.d",
    settings="/etc/mysql/mysql.conf.d/mysqld.cnf",
    option_files=("/etc/mysql",),
    datadir="/var/lib/mysql",
    socket="/var/run/mysqld/mysqld.sock",
    plugin_dir="/usr/lib/mysql/plugin",
)
#: The same of MariaDB.
MARIADB = dataclasses.replace(
    DEBIAN, recipe="mariadb", settings="/etc/mysql/mariadb.conf.d/mysqld.cnf"
)
#: The official images.
REGISTRY = Layout(
    recipe="mysql",
    option_file="/etc/my.cnf",
    option_file_target="/etc/my.cnf",
    option_folder="/etc/mysql/conf.d",
    settings="/etc/mysql/conf.d/mysqld.cnf",
    option_files=("/etc/my.cnf", "/etc/mysql"),
    datadir="/var/lib/mysql",
    socket="/var/run/mysqld/mysqld.sock",
    plugin_dir="/usr/lib64/mysql/plugin",
)
#: A generic tarball, as the MySQL manual puts it in: "Installing MySQL on Unix/Linux Using Generic
#: Binaries".
TARBALL = Layout(
    recipe="tarball",
    option_file="/etc/my.cnf",
    option_file_target="/etc/my.cnf",
    option_folder="/etc/my.cnf.d",
    settings="/etc/my.cnf.d/mysqld.cnf",
    option_files=("/etc/my.cnf", "/etc/my.cnf.d"),
    datadir="/usr/local/mysql/data",
    socket="/tmp/mysql.sock",  # noqa: S108 - the manual's
    plugin_dir="/usr/local/mysql/lib/plugin",
)
