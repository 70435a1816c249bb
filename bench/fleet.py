# Copyright (c) 2026, the dbfleet.mysql authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The servers that are measured, and the inventories through which Ansible reaches them."""

from __future__ import annotations

import json
import os
import re
import subprocess
from collections.abc import Sequence
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[1]
FLEET = "bench"
PODMAN, SSH, LOCAL = "podman", "ssh", "local"

# root logs in with a key; the option files are kept for resets.
_PREPARE = """
usermod --password '*' root
install -d -m 0700 /root/.ssh
cat > /root/.ssh/authorized_keys
[ -e /root/mysql ] || cp --archive /etc/mysql /root/mysql
"""
_RESET = """
mysql -e 'UNINSTALL PLUGIN group_replication' 2>/dev/null
mysql -e "SET sql_log_bin = 0; DELETE FROM mysql.plugin WHERE name = 'group_replication'"
rm -rf /etc/mysql
cp --archive /root/mysql /etc/mysql
"""
# The Python of simulated hosts: it runs a module in a container and notes the CPU time.
_INTERPRETER = """#!/bin/bash
nsenter --target {pid} --all --root --wd python3 - < "$1"
status=$?
times >> {times}
exit $status
"""


def output(*command: str, text: str = "") -> str:
    """Run a command and return what it prints; a failure ends the benchmark."""
    done = subprocess.run(
        command, input=text, stdout=subprocess.PIPE, text=True, cwd=CHECKOUT, check=False
    )
    if done.returncode:
        raise SystemExit(f"{' '.join(command[:4])}: status {done.returncode}")
    return done.stdout


class Fleet:
    """Servers of the lab.

    Args:
        size: the number of servers.
        folder: an empty folder for the key, the inventories and what simulated hosts leave.
    """

    def __init__(self, size: int, folder: Path) -> None:
        self.size = size
        self._names = [f"mysql{number}" for number in range(1, size + 1)]
        self._containers = [f"{os.environ['LAB_PREFIX']}-{FLEET}-{name}" for name in self._names]
        self._folder = folder
        self._key = folder / "key"
        self._interpreter = folder / "python"
        self._times = folder / "times"

    def start(self) -> None:
        """Start the servers, or take those that run, and prepare the ways to reach them."""
        output("lab/lab", "up", FLEET, "--with=ssh", *self._names)
        output("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(self._key))
        self._sh(self._containers, _PREPARE, self._key.with_suffix(".pub").read_text())
        pid = output("podman", "inspect", "--format={{.State.Pid}}", self._containers[0]).strip()
        self._interpreter.write_text(_INTERPRETER.format(pid=pid, times=self._times))
        self._interpreter.chmod(0o700)

    def remove(self) -> None:
        """Remove the servers, whatever state they are in."""
        output("lab/lab", "down", FLEET)

    def reset(self, size: int) -> None:
        """Take the plugin from the first servers, and restart them."""
        self._sh(self._containers[:size], _RESET)
        output("lab/lab", "restart", FLEET, *self._names[:size])

    def versions(self) -> str:
        """Return the versions of MySQL and Python on the servers."""
        script = "mysql -Ne 'SELECT VERSION()'; python3 --version"
        return "MySQL " + ", ".join(self._sh(self._containers[:1], script).splitlines())

    def inventory(self, connection: str, hosts: int) -> Path:
        """Write an inventory of servers, or of simulated hosts where the connection is local."""
        variables = {
            PODMAN: {"ansible_connection": "containers.podman.podman"},
            SSH: {
                "ansible_connection": "ansible.builtin.ssh",
                "ansible_user": "root",
                "ansible_ssh_private_key_file": str(self._key),
                "ansible_ssh_args": "-C -o ControlMaster=auto -o ControlPersist=600s",
                "ansible_ssh_common_args": (
                    "-F none -o IdentitiesOnly=yes -o StrictHostKeyChecking=no"
                    " -o UserKnownHostsFile=/dev/null -o ProxyCommand="
                    "'podman exec --interactive %h /usr/sbin/sshd -i -o UsePAM=no'"
                ),
            },
            LOCAL: {
                "ansible_connection": "ansible.builtin.local",
                "ansible_remote_tmp": str(self._folder / "tmp"),
            },
        }[connection]
        names = [f"host{number}" for number in range(hosts)]
        addresses = names if connection == LOCAL else self._containers
        python = str(self._interpreter) if connection == LOCAL else "/usr/bin/python3"
        group = {
            "vars": {**variables, "ansible_python_interpreter": python},
            "hosts": {
                name: {"ansible_host": address}
                for name, address in zip(names, addresses, strict=False)
            },
        }
        path = self._folder / f"{connection}-{hosts}.json"
        path.write_text(json.dumps({"mysql": group}))
        return path

    def take_module_time(self) -> float:
        """Return the CPU time, in seconds, of simulated hosts' modules since the last call."""
        found = re.findall(r"(\d+)m([\d.]+)s", self._times.read_text())
        self._times.unlink()
        return sum(60 * int(minutes) + float(seconds) for minutes, seconds in found)

    @staticmethod
    def _sh(containers: Sequence[str], script: str, text: str = "") -> str:
        start = ("podman", "exec", "--interactive")
        return "".join(
            output(*start, container, "sh", "-c", script, text=text) for container in containers
        )
