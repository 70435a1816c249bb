# Copyright (c) 2026, the dbfleet.mysql authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The layouts of option files that servers really have.

Debian's are the packages' own files, in ``files``. The others cannot be had as
packages here: which files there are, which groups and includes they hold, and in which order, is
that of the vendors' sources (named at each); the comments in them are left out.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import NamedTuple

FIXTURES = Path(__file__).parent / "files"


class Layout(NamedTuple):
    """Option files and how a server is started with them.

    Attributes:
        files: contents by path.
        links: target by path of a symbolic link.
        argv: the server's arguments about option files.
        target: the file that the line shall go to, as a person would name it.
        changed: the file that is changed then.
        group: the group that the line shall go to.
    """

    files: dict[str, bytes]
    target: str
    changed: str
    links: dict[str, str] = {}  # noqa: RUF012 - never changed
    argv: tuple[str, ...] = ()
    group: str = "mysqld"

    def write(self, root: str) -> None:
        """Make the files below a folder; links are relative there."""
        for path, data in self.files.items():
            full = Path(root + path)
            full.parent.mkdir(parents=True, exist_ok=True)
            full.write_bytes(data)
        for path, target in self.links.items():
            full = Path(root + path)
            full.parent.mkdir(parents=True, exist_ok=True)
            full.symlink_to(os.path.relpath(root + target, full.parent))


def _package(name: str) -> dict[str, bytes]:
    top = FIXTURES / name
    return {
        str(path)[len(str(top)) :]: path.read_bytes()
        for path in sorted(top.rglob("*"))
        if path.is_file()
    }


def _alternative(main_file: str) -> dict[str, str]:
    return {"/etc/mysql/my.cnf": "/etc/alternatives/my.cnf", "/etc/alternatives/my.cnf": main_file}


_RPM_MYSQL = (
    b"[mysqld]\ndatadir=/var/lib/mysql\nsocket=%s\n\n"
    b"log-error=/var/log/mysqld.log\npid-file=/var/run/mysqld/mysqld.pid\n"
)

LAYOUTS = {
    "debian_mysql": Layout(
        _package("debian_mysql"),
        target="/etc/mysql/my.cnf",
        changed="/etc/mysql/mysql.cnf",
        links=_alternative("/etc/mysql/mysql.cnf"),
    ),
    "debian_mariadb": Layout(
        _package("debian_mariadb"),
        target="/etc/mysql/my.cnf",
        changed="/etc/mysql/mariadb.cnf",
        links=_alternative("/etc/mysql/mariadb.cnf"),
    ),
    # packaging/rpm-common/my.cnf.in of mysql-server
    "oracle_rpm": Layout(
        {"/etc/my.cnf": _RPM_MYSQL % b"/var/lib/mysql/mysql.sock"},
        target="/etc/my.cnf",
        changed="/etc/my.cnf",
    ),
    # mariadb-connector-c-config and mysql-server of Fedora and RHEL
    "rhel": Layout(
        {
            "/etc/my.cnf": b"[client-server]\n\n!includedir /etc/my.cnf.d\n\n",
            "/etc/my.cnf.d/client.cnf": b"[client]\n\n[client-mariadb]\n",
            "/etc/my.cnf.d/mysql-server.cnf": (
                b"[mysqld]\ndatadir=/var/lib/mysql\nsocket=/var/lib/mysql/mysql.sock\n"
                b"log-error=/var/log/mysql/mysqld.log\npid-file=/run/mysqld/mysqld.pid\n"
            ),
        },
        target="/etc/my.cnf",
        changed="/etc/my.cnf",
    ),
    "rhel_drop_in": Layout(
        {
            "/etc/my.cnf": b"[client-server]\n\n!includedir /etc/my.cnf.d\n\n",
            "/etc/my.cnf.d/mysql-server.cnf": b"[mysqld]\ndatadir=/var/lib/mysql\n",
        },
        target="/etc/my.cnf.d/group_replication.cnf",
        changed="/etc/my.cnf.d/group_replication.cnf",
    ),
    # 9.7/Dockerfile.oracle of docker-library/mysql, which adds to the RPM's file
    "official_image": Layout(
        {
            "/etc/my.cnf": _RPM_MYSQL % b"/var/run/mysqld/mysqld.sock"
            + b"[client]\nsocket=/var/run/mysqld/mysqld.sock\n\n!includedir /etc/mysql/conf.d/\n",
            "/etc/mysql/conf.d/custom.cnf": b"[mysqld]\nserver_id=1\n",
        },
        target="/etc/my.cnf",
        changed="/etc/my.cnf",
    ),
    # build-ps/rpm/my.cnf of percona-server
    "percona_rpm": Layout(
        {
            "/etc/my.cnf": b"[mysqld]\ndatadir=/var/lib/mysql\nsocket=/var/lib/mysql/mysql.sock\n\n"
            b"bind-address = 127.0.0.1\nlocal-infile = 0\n\n[mysqld_safe]\n"
            b"log-error=/var/log/mysqld.log\npid-file=/var/run/mysqld/mysqld.pid\n"
        },
        target="/etc/my.cnf",
        changed="/etc/my.cnf",
    ),
    # build-ps/debian/extra of percona-server
    "percona_debian": Layout(
        {
            "/etc/mysql/percona-server.cnf": b"!includedir /etc/mysql/conf.d/\n"
            b"!includedir /etc/mysql/percona-server.conf.d/\n",
            "/etc/mysql/conf.d/mysql.cnf": b"[mysql]\n",
            "/etc/mysql/percona-server.conf.d/mysqld.cnf": b"[mysqld]\n"
            b"pid-file\t= /var/run/mysqld/mysqld.pid\nsocket\t\t= /var/run/mysqld/mysqld.sock\n",
        },
        target="/etc/mysql/my.cnf",
        changed="/etc/mysql/percona-server.cnf",
        links=_alternative("/etc/mysql/percona-server.cnf"),
    ),
    # The manual's section "Configuring Multiple MySQL Instances Using systemd"
    "several_instances": Layout(
        {
            "/etc/my.cnf": b"[mysqld]\nuser=mysql\n\n"
            b"[mysqld@replica01]\ndatadir=/srv/1\nport=3307\n\n[mysqld@replica02]\ndatadir=/srv/2\nport=3308\n"
        },
        target="/etc/my.cnf",
        changed="/etc/my.cnf",
        argv=("--defaults-group-suffix=@replica01",),
        group="mysqld@replica01",
    ),
    "defaults_file": Layout(
        {
            "/etc/my.cnf": b"[mysqld]\nplugin_load_add=group_replication.so\n",
            "/etc/instances/3307.cnf": b"[mysqld]\nport=3307\n",
        },
        target="/etc/instances/3307.cnf",
        changed="/etc/instances/3307.cnf",
        argv=("--defaults-file=/etc/instances/3307.cnf",),
    ),
    "defaults_extra_file": Layout(
        {
            "/etc/my.cnf": b"[mysqld]\nport=3306\n",
            "/etc/instances/extra.cnf": b"[mysqld]\nport=3307\nplugin_load=a.so",
        },
        target="/etc/instances/extra.cnf",
        changed="/etc/instances/extra.cnf",
        argv=("--defaults-extra-file=/etc/instances/extra.cnf",),
    ),
}
