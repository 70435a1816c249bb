# Copyright (c) 2026, the dbfleet.mysql authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A real server in a container."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import ansible
from helpers.lab import CHECKOUT, FLEET, LAYOUT, at_least, container, lab, run

#: All option files and their folders, as words of a shell's.
OPTION_FILES = " ".join(LAYOUT.option_files)
#: Keeps a copy of them, which ``reset`` brings back.
KEEP_OPTION_FILES = f"[ -e /root/etc.tar ] || tar -cPf /root/etc.tar {OPTION_FILES}"
#: A lock that keeps INSTALL waiting: a backup's.
BACKUP_LOCK = "LOCK INSTANCE FOR BACKUP" if at_least("8.0") else "FLUSH TABLES WITH READ LOCK"
PASSWORD = "only-in-this-test-0815"  # noqa: S105 - a container's, gone after the test
#: The statement that the module sends.
INSTALL_PLUGIN = "INSTALL PLUGIN group_replication SONAME 'group_replication.so'"


class Server:
    """One server of the fleet."""

    def __init__(self, name: str, fleet: str = FLEET) -> None:
        self.name = name
        self.fleet = fleet
        self.container = container(name, fleet)

    def sh(self, script: str, check: bool = True) -> str:
        """Run a shell script in the container as root."""
        done = run("podman", "exec", self.container, "sh", "-c", script)
        assert not check or done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def read(self, path: str) -> bytes:
        """Return a file's bytes."""
        return subprocess.run(
            ["podman", "exec", self.container, "cat", path], check=True, capture_output=True
        ).stdout

    def write(self, path: str, data: bytes) -> None:
        """Write a file that everyone may read; a process that has the old one open keeps it."""
        command = f"cat > {path}.new && chmod 0644 {path}.new && mv {path}.new {path}"
        subprocess.run(
            ["podman", "exec", "-i", self.container, "sh", "-c", command], check=True, input=data
        )

    def sql(self, statement: str) -> list[list[str]]:
        """Run SQL as root over the socket and return the rows."""
        done = run(
            "podman", "exec", self.container, "mysql", "--batch", "-Ne", statement
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        return [line.split("\t") for line in done.stdout.splitlines()]

    def python(self, script: str, *arguments: str, called: str = "") -> list[dict[str, Any]]:
        """Run a program of tests/integration/on_target on the server's host.

        Args:
            script: its name.
            arguments: for the program.
            called: the name that the process has; Python's own where it is empty.

        Returns:
            The JSON objects that it printed, one a line.
        """
        folder = "/root/on_target"
        sources = (
            (str(Path(ansible.__file__).parent), "ansible", "module_utils"),
            (str(CHECKOUT), "ansible_collections/dbfleet/mysql", "plugins"),
            (str(CHECKOUT / "tests/integration/on_target"), ".", "."),
        )
        places = " ".join(f"{folder}/{place}" for _source, place, _names in sources)
        self.sh(f"for place in {places}; do mkdir -p $place && touch $place/__init__.py; done")
        for source, place, names in sources:
            pipe = f"tar -C {source} -c {names} | podman exec -i {self.container} tar -xC {folder}/"
            done = run("sh", "-c", pipe + place)
            assert done.returncode == 0, done.stderr
        program = LAYOUT.python
        if called:
            program = f"{folder}/{called}"
            self.sh(f"ln -sf $(command -v {LAYOUT.python}) {program}")
        done = run(
            *("podman", "exec", f"--env=PYTHONPATH={folder}"),
            *(f"--env=SERVER_SOCKET={LAYOUT.socket}", self.container),
            *(program, f"{folder}/{script}.py", *arguments),
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return [json.loads(line) for line in done.stdout.splitlines()]

    def put_in_order(self) -> None:
        """Do by hand what the playbook does: the plugin, a line that loads it, no row."""
        self.sql(
            f"{INSTALL_PLUGIN}; SET SESSION sql_log_bin = 0;"
            " DELETE FROM mysql.plugin WHERE name = 'group_replication'"
        )
        self.add_options("plugin_load_add=group_replication.so")

    def add_options(self, *lines: str) -> None:
        """Add lines of the group [mysqld] at the end of the main option file."""
        text = "\n".join(("[mysqld]", *lines))
        self.sh(f"cat >> {LAYOUT.option_file} <<'END'\n{text}\nEND")

    def restart(self) -> None:
        """Restart mysqld for real."""
        lab("restart", self.fleet, self.name)

    def plugin_status(self) -> str:
        """Return the plugin's status, empty where the server does not know it."""
        rows = self.sql(
            "SELECT PLUGIN_STATUS FROM information_schema.PLUGINS"
            " WHERE PLUGIN_NAME = 'group_replication'"
        )
        return rows[0][0] if rows else ""

    def registered(self) -> bool:
        """Whether mysql.plugin has the plugin's row."""
        return bool(self.sql("SELECT 1 FROM mysql.plugin WHERE name = 'group_replication'"))

    def option_files(self) -> str:
        """Return all option files with their names, modes and owners."""
        return self.sh(
            f"find {OPTION_FILES} -printf '%p %y %m %U:%G %l\\n' | sort;"
            f" find {OPTION_FILES} -type f | sort | xargs cat"
        )

    def last_start(self) -> str:
        """Return what the error log holds since the last start."""
        return self.sh("cat /var/log/mysql/error.log").split("starting as process")[-1]

    def gtid_executed(self) -> str:
        """Return the set of transactions that the server has executed."""
        return self.sql("SELECT @@global.gtid_executed")[0][0]


# Prints the executed transactions, then why the server must be restarted: the plugin cannot be
# taken out, or an option file was touched, which the module takes for one that may have changed
# what INSTALL does. --force goes on where there is nothing to stop, to uninstall or to delete.
RESET = f"""
set -eu
mysql --force --batch -N 2>/dev/null <<'END'
SELECT @@global.gtid_executed;
SET GLOBAL super_read_only = 0;
STOP GROUP_REPLICATION;
SET GLOBAL super_read_only = 0;
UNINSTALL PLUGIN group_replication;
SET GLOBAL read_only = 0;
SET sql_log_bin = 0;
DELETE FROM mysql.plugin WHERE name = 'group_replication';
SELECT PLUGIN_STATUS FROM information_schema.PLUGINS WHERE PLUGIN_NAME = 'group_replication';
END
rm -rf /root/.my.cnf
cd /
# tar notices what differs or is missing, the count what was added.
if [ -e /root/etc.tar ] && ! {{ tar -dPf /root/etc.tar >/dev/null 2>&1 &&
        [ "$(find {OPTION_FILES} | wc -l)" = "$(tar -tf /root/etc.tar | wc -l)" ]; }}; then
    rm -rf {OPTION_FILES}
    tar -xPf /root/etc.tar
fi
find -L {OPTION_FILES} -newercc /var/run/mysqld/mysqld.pid
"""


def reset(servers: Sequence[Server]) -> list[str]:
    """Bring servers of a fleet back to where the plugin is nowhere.

    Returns:
        The set of transactions that each has executed.
    """
    executed, restart = [], []
    for server in servers:
        gtids, *reasons = server.sh(RESET).splitlines()
        executed.append(gtids)
        if reasons:
            restart.append(server.name)
    if restart:
        lab("restart", servers[0].fleet, *restart)
    return executed
