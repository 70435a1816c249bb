# Copyright (c) 2026, the dbfleet.mysql authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""plugin_load_add on a host of its own: secrets, crashes, runs at once, files that resist."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from helpers.control import Control, Playbook
from helpers.debian import MAIN, RESTORE, debian_host
from helpers.lab import CHECKOUT, LAYOUT, container, fleet_name, run
from helpers.output import results
from helpers.soak import SOAK

MODULE = "dbfleet.mysql.plugin_load_add"
FLEET = fleet_name("option-files")


class Host:
    """A host with MySQL's programs and option files; its server does not run."""

    def __init__(self) -> None:
        self.container = container("host", FLEET)

    def sh(self, script: str, *flags: str) -> str:
        """Run a shell script as root that must succeed."""
        done = run("podman", "exec", *flags, self.container, "sh", "-c", script)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def put(self, path: str, content: str) -> None:
        """Write a file."""
        done = run("podman", "exec", "-i", self.container, "tee", path, input=content)
        assert done.returncode == 0, done.stderr

    def python(self, program: str, *flags: str) -> str:
        """Run a Python program that finds the collection."""
        done = run(
            *("podman", "exec", "-i", *flags, "--env=PYTHONPATH=/root/collections"),
            *(self.container, LAYOUT.python, "-"),
            input=program,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout


@pytest.fixture(scope="module")
def machine() -> Iterator[Host]:
    """Start the host once, with the collection's module_utils on it."""
    for _server in debian_host(FLEET):
        host = Host()
        collection = "/root/collections/ansible_collections/dbfleet/mysql/plugins"
        host.sh(f"mkdir -p {collection}")
        source = str(CHECKOUT / "plugins" / "module_utils")
        done = run("podman", "cp", source, f"{host.container}:{collection}/")
        assert done.returncode == 0, done.stderr
        yield host


@pytest.fixture
def host(machine: Host) -> Host:
    """Return the host with its option files as they were."""
    machine.sh(f"{RESTORE} && rm -rf /srv/* && mkdir /srv/d")
    return machine


def ansible(
    control: Control, host: Host, tasks: list[dict[str, Any]], *flags: str, user: str = "root"
) -> Playbook:
    variables = {"ansible_host": host.container, "ansible_user": user}
    return control.play(tasks, {"host": variables}, *flags)


def refusal(control: Control, host: Host, user: str = "root", **options: Any) -> dict[str, Any]:
    """Run the module, which must fail, and return its result; check mode says the same before."""
    tasks = [{MODULE: options, "check_mode": True, "ignore_errors": True}, {MODULE: options}]
    played = ansible(control, host, tasks, "-v", user=user)
    assert played.code != 0
    predicted, result = results(played.output)
    assert {**predicted, "invocation": 0} == {**result, "invocation": 0}
    return result


# ---- secrets ----

SECRET = "correct-horse-battery"  # noqa: S105 - planted
SECRETS = f"""\
[client]
password={SECRET}-1
[mysqld]
loose-group_replication_recovery_password={SECRET}-2
plugin_load_add=mysql_clone.so # {SECRET}-3
loose-group_replication_recovery_user={SECRET}-4
[client]
password={SECRET}-5
"""
#: An option where the plugin is loaded; where it is not, mysqld does not start, and says why.
STRICT = f"[mysqld]\ngroup_replication_group_name={SECRET}-6\n"


def test_no_secret_is_shown(control: Control, host: Host) -> None:
    host.put("/etc/mysql/conf.d/secrets.cnf", SECRETS)
    host.put(MAIN, f"[client]\npassword={SECRET}-7\n!includedir /etc/mysql/conf.d/\n" + SECRETS)
    drop_in = "/etc/mysql/conf.d/secrets.cnf"
    tasks = [
        {MODULE: {**options, "backup": True}, **more}
        for options in (
            {},
            {"state": "absent"},
            {"drop_in": drop_in},
            {"state": "absent", "library": "mysql_clone.so"},
        )
        for more in ({"check_mode": True}, {})
    ]
    played = ansible(control, host, tasks, "-vvv", "--diff")
    assert played.code == 0, played.output
    assert "changed=8" in played.output
    assert "\n loose-group_replication_recovery_user=...\n" in played.output
    assert "+plugin_load_add=group_replication.so" in played.output
    assert SECRET not in played.output


@pytest.mark.main
def test_no_secret_is_shown_where_mysqld_refuses_the_change(control: Control, host: Host) -> None:
    host.put(MAIN, "[mysqld]\nplugin_load_add=group_replication.so\n" + STRICT)
    played = ansible(control, host, [{MODULE: {"state": "absent"}}], "-vvv", "--diff")
    assert played.code != 0
    assert "validation_failed" in played.output
    assert "unknown variable 'group_replication_group_name=...'" in played.output
    assert SECRET not in played.output
    assert "plugin_load_add=group_replication.so" in host.sh(f"cat {MAIN}")


# ---- characters that nobody sees ----


@pytest.mark.hazard(
    "An option file begins with a byte order mark, or has another line on which MySQL gives up",
    "succeeds; the next start fails",
    "refused with the file, the line and the invisible character: `option_file_broken`",
)
@pytest.mark.parametrize(
    ("text", "odd"),
    [
        ("\ufeff[mysqld]\n", ":1: option before the first group; the line begins with a byte or"),
        ("\u00a0[mysqld]\n", ":1: option before the first group; the line begins with a no-brea"),
        ("[mysqld]\n[x\u200b\n", ":2: group without a closing bracket; the line holds a zero wid"),
        ("[mysqld]\n!includedir /no/\n", ":2: !includedir /no/: it does not exist"),
    ],
)
def test_a_file_with_which_no_server_starts(
    control: Control, host: Host, text: str, odd: str
) -> None:
    host.put("/srv/d/my.cnf", text)
    host.sh("! my_print_defaults --defaults-file=/srv/d/my.cnf mysqld")
    result = refusal(control, host, option_file="/srv/d/my.cnf")
    assert result["error_code"] == "option_file_broken"
    assert f"/srv/d/my.cnf{odd}" in result["cause"]
    assert host.sh("cat /srv/d/my.cnf") == text


@pytest.mark.parametrize(
    ("line", "odd"),
    [
        ("\u00a0port=1", ":2: the option's name begins with a no-break space (C2 A0)"),
        ("\ufeff[mysqld]", ":2: the option's name begins with a byte order mark (EF BB BF)"),
        ("plugin_load_add=\u201ca.so\u201d", ":2: the list of plugins begins with a curly quota"),
        ("# Mac\rport=1", ":2: a carriage return (0D) stands there without a line feed"),
        ("!include /no.cnf", "/no.cnf, which /srv/d/my.cnf includes, is not read: it does not ex"),
    ],
)
def test_a_line_that_means_something_else(
    control: Control, host: Host, line: str, odd: str
) -> None:
    host.put("/srv/d/my.cnf", f"[mysqld]\n{line}\n")
    options = {"option_file": "/srv/d/my.cnf", "validate_config": "never"}
    played = ansible(control, host, [{MODULE: options}], "-v")
    assert played.code == 0, played.output
    assert odd in " ".join(played.output.split())
    read = host.sh("my_print_defaults --defaults-file=/srv/d/my.cnf mysqld 2>/dev/null")
    assert "--port=1" not in read
    assert "--plugin_load_add=a.so" not in read


# ---- crashes, and runs at once ----

KILLS = 300 if SOAK else 40
KILLED = f"""
import os, random, signal, time
from ansible_collections.dbfleet.mysql.plugins.module_utils._option_file.files import Files
from ansible_collections.dbfleet.mysql.plugins.module_utils._option_file.reader import (
    read_server_options)
from ansible_collections.dbfleet.mysql.plugins.module_utils._option_file.edit import (
    parse_library, plan_absent, plan_present)
from ansible_collections.dbfleet.mysql.plugins.module_utils._option_file.write import locked, write

path = "{MAIN}"
library = parse_library("group_replication.so")
old = b"[mysqld]\\n" + b"# a comment\\n" * 20000
new = old + b"plugin_load_add=group_replication.so\\n"
new = old[:9] + b"plugin_load_add=group_replication.so\\n" + old[9:]
open(path, "wb").write(old)
reader = lambda files: read_server_options(files=files)
present = plan_present(reader, Files(), library, path, "mysqld").changes[0]
assert present.new == new
dice = random.Random(1)
seen = {{old: 0, new: 0}}
for number in range({KILLS}):
    child = os.fork()
    if not child:
        while True:
            for data in (new, old):
                with locked():
                    write(path, open(path, "rb").read(), data)
    time.sleep(dice.random() * 0.02)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    seen[open(path, "rb").read()] += 1  # a KeyError is a file that is neither
left = [name for name in os.listdir(os.path.dirname(path)) if name.endswith(".new")]
assert not [name for name in left if name.endswith(".cnf")]
print(min(seen.values()), len(left))
"""


@pytest.mark.soak
def test_a_kill_at_any_moment_leaves_the_old_or_the_new_file(host: Host) -> None:
    """Neither text is rare, and some kills came in the middle of a write."""
    names = host.sh("ls /etc/mysql")
    rarer, left = map(int, host.python(KILLED).split())
    assert rarer > KILLS / 10
    assert left > 0
    assert [name for name in host.sh("ls /etc/mysql").split() if name not in names.split()] == []
    read = host.sh("my_print_defaults mysqld")
    assert read in ("", "--plugin_load_add=group_replication.so\n")


def test_ten_runs_at_once_lose_nothing(control: Control, host: Host) -> None:
    libraries = [f"plugin{number}.so" for number in range(10)]
    task = {MODULE: {"library": "{{ inventory_hostname }}", "validate_config": "never"}}
    hosts = {library: {"ansible_host": host.container} for library in libraries}
    played = control.play([task], hosts, "--forks=10")
    assert played.code == 0, played.output
    read = host.sh("my_print_defaults mysqld").splitlines()
    assert sorted(line for line in read if line.startswith("--plugin_load_add")) == [
        f"--plugin_load_add={library}" for library in libraries
    ]


def test_backup(control: Control, host: Host) -> None:
    host.sh(f"chmod 0640 {MAIN}; chgrp mysql {MAIN}")
    before = host.sh(f"cat {MAIN}")
    played = ansible(control, host, [{MODULE: {"backup": True, "validate_config": "never"}}])
    assert played.code == 0, played.output
    copies = host.sh(f"ls {MAIN}.*~").split()
    assert len(copies) == 1
    assert host.sh(f"cat {copies[0]}") == before
    assert host.sh(f"stat -c '%a %U %G' {copies[0]} {MAIN}") == "640 root mysql\n" * 2
    assert "--plugin_load_add=group_replication.so" in host.sh("my_print_defaults mysqld")


# ---- files that resist ----

FLAG = """
import fcntl, struct, sys
with open("/srv/d/my.cnf") as opened:
    try:
        fcntl.ioctl(opened, 0x40086602, struct.pack("l", %d))  # FS_IOC_SETFLAGS
    except OSError as error:
        print(error)
"""
IMMUTABLE = 0x10


@pytest.fixture
def immutable(host: Host) -> Iterator[str]:
    """Return an option file that nobody may change."""
    host.put("/srv/d/my.cnf", "[mysqld]\n")
    problem = host.python(FLAG % IMMUTABLE, "--privileged")
    if problem:
        pytest.skip(f"the containers' file system has no immutable files: {problem}")
    yield "/srv/d/my.cnf"
    host.python(FLAG % 0, "--privileged")


@pytest.fixture
def mounted(host: Host) -> Iterator[Host]:
    """Return the host, where mounts on /srv/d and files in it are taken away afterwards."""
    yield host
    host.sh("umount /srv/d/my.cnf 2>/dev/null; umount /srv/d 2>/dev/null; true", "--privileged")


def test_an_immutable_file(control: Control, host: Host, immutable: str) -> None:
    result = refusal(control, host, option_file=immutable, validate_config="never")
    assert result["error_code"] == "option_file_not_writable"
    assert "chattr -i" in result["next_step"]
    assert host.sh("ls -A /srv/d; cat /srv/d/my.cnf") == "my.cnf\n[mysqld]\n"


@pytest.mark.hazard(
    "The option file's file system is read-only",
    "not touched",
    "says so, in check mode too: `option_file_not_writable`",
)
def test_a_read_only_mount(control: Control, mounted: Host) -> None:
    mounted.sh(
        "mount -t tmpfs -o mode=0755 tmpfs /srv/d; echo [mysqld] > /srv/d/my.cnf;"
        " mount -o remount,ro /srv/d",
        "--privileged",
    )
    result = refusal(control, mounted, option_file="/srv/d/my.cnf", validate_config="never")
    assert result["error_code"] == "option_file_not_writable"
    assert "its file system is read-only" in result["cause"]


@pytest.mark.hazard(
    "The option file's file system is full",
    "not touched",
    "says so, in check mode too, and leaves the file as it was: `option_file_not_writable`",
)
def test_a_full_file_system(control: Control, mounted: Host) -> None:
    mounted.sh("mount -t tmpfs -o size=4k,mode=0755 tmpfs /srv/d", "--privileged")
    mounted.sh("{ echo [mysqld]; yes '# filler' | head -n 440; } > /srv/d/my.cnf")
    before = mounted.sh("cat /srv/d/my.cnf")
    result = refusal(control, mounted, option_file="/srv/d/my.cnf", validate_config="never")
    assert result["error_code"] == "option_file_not_writable"
    assert "its file system is full" in result["cause"]
    assert mounted.sh("ls -A /srv/d; cat /srv/d/my.cnf") == "my.cnf\n" + before


def test_an_account_that_may_not_write(control: Control, host: Host) -> None:
    host.put("/srv/d/my.cnf", "[mysqld]\n")
    options = {"option_file": "/srv/d/my.cnf", "validate_config": "never"}
    result = refusal(control, host, user="nobody", **options)
    assert result["error_code"] == "option_file_not_writable"
    assert "become: true" in result["next_step"]


def test_an_account_that_cannot_keep_the_group(control: Control, host: Host) -> None:
    host.sh("chown nobody:root /srv/d")
    host.put("/srv/d/my.cnf", "[mysqld]\n")
    options = {"option_file": "/srv/d/my.cnf", "validate_config": "never"}
    result = refusal(control, host, user="nobody", **options)
    assert result["error_code"] == "option_file_not_writable"
    assert "chgrp" in result["next_step"]


def test_a_file_that_is_a_mount_point(control: Control, mounted: Host) -> None:
    mounted.put("/srv/outside.cnf", "[mysqld]\n")
    mounted.sh("touch /srv/d/my.cnf")
    mounted.sh("mount --bind /srv/outside.cnf /srv/d/my.cnf", "--privileged")
    options = {"option_file": "/srv/d/my.cnf", "validate_config": "never"}
    result = refusal(control, mounted, **options)
    assert result["error_code"] == "option_file_not_writable"
    assert "mount point" in result["cause"]
    played = ansible(control, mounted, [{MODULE: {**options, "unsafe_writes": True}}], "--check")
    assert "changed=1" in played.output
    assert mounted.sh("ls -A /srv/d; cat /srv/outside.cnf") == "my.cnf\n[mysqld]\n"
    played = ansible(control, mounted, [{MODULE: {**options, "unsafe_writes": True}}])
    assert played.code == 0, played.output
    assert mounted.sh("cat /srv/outside.cnf") == "[mysqld]\nplugin_load_add=group_replication.so\n"
