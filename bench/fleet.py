# Copyright (c) 2026, the dbfleet.mysql authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The servers that are measured, and the inventories through which runs reach them."""

from __future__ import annotations

import concurrent.futures
import contextlib
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

BENCH = Path(__file__).resolve().parent
CHECKOUT = BENCH.parent
FLEET = "bench"

PODMAN = "podman"
SSH = "ssh"
SSH_PIPELINING = "ssh, pipelining"
CONNECTIONS = (PODMAN, SSH, SSH_PIPELINING)

# Without Ansible's own way of ending masters after a minute without a run: the fleet ends them.
_SSH_ARGS = "-C -o ControlMaster=auto -o ControlPersist=7200s"
_ACCOUNT = """
usermod --password '*' root
install -d -m 0700 /root/.ssh
cat > /root/.ssh/authorized_keys
[ -e /root/etc.tar ] || tar -cf /root/etc.tar -C / etc/mysql
cat /etc/ssh/ssh_host_ed25519_key.pub
"""
# As tests/integration/conftest.py does it between two tests, in short.
_RESET = """
mysql -e 'UNINSTALL PLUGIN group_replication' 2>/dev/null
mysql -e "SET sql_log_bin = 0; DELETE FROM mysql.plugin WHERE name = 'group_replication'"
rm -rf /etc/mysql && tar -xf /root/etc.tar -C /
"""


def output(*command: str, text: str = "") -> str:
    """Run a command and return what it prints; a failure ends the benchmark."""
    done = subprocess.run(
        command, input=text, capture_output=True, text=True, cwd=CHECKOUT, check=False
    )
    if done.returncode:
        sys.stderr.write(done.stdout[-2000:] + done.stderr[-2000:])
        raise SystemExit(f"{' '.join(command[:4])}: status {done.returncode}")
    return done.stdout


class Fleet:
    """Servers that run, and a folder with what a control node needs to reach them.

    Attributes:
        names: the servers.
        folder: keeps keys, inventories and whatever else a section has to write down.
    """

    def __init__(self, names: Sequence[str], folder: Path) -> None:
        self.names = list(names)
        self.folder = folder
        self._ssh = folder / "ssh"
        self._ssh.mkdir(mode=0o700)
        self._masters = folder / "masters"
        self._masters.mkdir(mode=0o700)
        output("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(self._ssh / "key"))
        key = (self._ssh / "key.pub").read_text()
        host_keys = self.each(self.names, lambda name: self.sh(name, _ACCOUNT, text=key))
        (self._ssh / "known_hosts").write_text(
            "".join(f"{name} {key}" for name, key in zip(self.names, host_keys, strict=True))
        )

    def container(self, name: str) -> str:
        """Return the name of a server's container."""
        return f"{os.environ['LAB_PREFIX']}-{FLEET}-{name}"

    def sh(self, name: str, script: str, text: str = "") -> str:
        """Run a shell script on a server's host and return what it prints."""
        return self.run(name, "sh", "-c", script, text=text)

    def run(self, name: str, *command: str, text: str = "") -> str:
        """Run a command on a server's host and return what it prints."""
        start = ("podman", "exec", "--interactive", self.container(name))
        return output(*start, *command, text=text)

    def put(self, name: str, program: str) -> str:
        """Bring a program of bench/on_target to a server's host; returns its path there."""
        path = f"/root/{program}.py"
        text = (BENCH / "on_target" / f"{program}.py").read_text()
        self.run(name, "sh", "-c", f"cat > {path}", text=text)
        return path

    @staticmethod
    def each(names: Sequence[str], work: Callable[[str], str]) -> list[str]:
        """Do the work for some servers, a few at a time."""
        with concurrent.futures.ThreadPoolExecutor(max_workers=4) as pool:
            return list(pool.map(work, names))

    def inventory(self, connection: str) -> str:
        """Write an inventory of all servers for a connection; returns its path."""
        variables = {"ansible_python_interpreter": "/usr/bin/python3"}
        if connection == PODMAN:
            variables["ansible_connection"] = "containers.podman.podman"
        else:
            proxy = "podman exec --interactive {{ bench_container }} /usr/sbin/sshd -i -o UsePAM=no"
            variables |= {
                "ansible_connection": "ansible.builtin.ssh",
                "ansible_user": "root",
                "ansible_ssh_private_key_file": str(self._ssh / "key"),
                "ansible_ssh_args": _SSH_ARGS,
                "ansible_ssh_common_args": (
                    f"-F none -o IdentitiesOnly=yes -o StrictHostKeyChecking=yes"
                    f" -o UserKnownHostsFile={self._ssh / 'known_hosts'}"
                    f' -o ProxyCommand="{proxy}"'
                ),
                "ansible_control_path_dir": str(self._masters),
                "ansible_pipelining": "true" if connection == SSH_PIPELINING else "false",
            }
        hosts = {}
        for name in self.names:
            container = self.container(name)
            address = container if connection == PODMAN else name
            hosts[name] = {"ansible_host": address, "bench_container": container}
        return self.write_inventory(re.sub(r"\W+", "_", connection), variables, hosts)

    def write_inventory(
        self, name: str, variables: dict[str, str], hosts: dict[str, dict[str, str]]
    ) -> str:
        """Write an inventory; returns its path."""
        lines = ["mysql:", "  vars:"]
        lines += [f"    {key}: {_quoted(value)}" for key, value in variables.items()]
        lines += ["  hosts:"]
        for host, own in hosts.items():
            lines += [f"    {host}:"]
            lines += [f"      {key}: {_quoted(value)}" for key, value in own.items()]
        path = self.folder / f"{name}.yml"
        path.write_text("\n".join([*lines, ""]))
        return str(path)

    def reset(self, names: Sequence[str]) -> None:
        """Bring servers back to where the plugin is nowhere."""
        self.each(names, lambda name: self.sh(name, _RESET))
        # MySQL 9 is not asked to install with options older than its option files.
        output("lab/lab", "restart", FLEET, *names)

    def end_masters(self) -> None:
        """End the ssh connections that were kept open between runs."""
        for path in self._masters.iterdir():
            command = ["ssh", "-F", "none", "-o", f"ControlPath={path}", "-O", "exit", "host"]
            subprocess.run(command, stderr=subprocess.DEVNULL, check=False)


@contextlib.contextmanager
def servers(count: int, folder: Path, keep: bool) -> Iterator[Fleet]:
    """Start servers, or take those that are there; at the end they are removed or kept."""
    names = [f"mysql{number}" for number in range(1, count + 1)]
    fleet = None
    try:
        print(f"starting {count} servers", flush=True)
        output("lab/lab", "up", FLEET, "--with=ssh", *names)
        fleet = Fleet(names, folder)
        yield fleet
    finally:
        if fleet is not None:
            fleet.end_masters()
        if keep:
            print(f"The servers are left: `lab/lab down {FLEET}` removes them.", flush=True)
        else:
            output("lab/lab", "down", FLEET)


def _quoted(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"
