# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026, the dbfleet.mysql authors
"""Builds the images of the servers, and only what a changed recipe asks for."""

import os
import shutil
import subprocess
from pathlib import Path

from dbfleet_lab import podman
from dbfleet_lab.base import (
    LAB,
    PREFIX,
    STATE,
    LabError,
    digest,
    locked,
    say,
    search_path,
    stage,
    tail,
)

_WORKPLACE = STATE / "build"

SERVERS = ("mysql", "mariadb")
WITHOUT = ("pymysql", "python", "server")
WITH = ("ssh",)

_SUITE = "sid"  # of Debian, the only one with a MySQL server
_PACKAGES = {
    "mysql": ("mysql-server-core", "mysql-client-core"),
    "mariadb": ("mariadb-server-core", "mariadb-client-core"),
}
_PYTHON = ("python3", "python3-apt", "python3-pymysql", "iproute2")

# The package lists and PyMySQL's package stay in the image, so that installing it in a container
# needs no network; the rest of what apt keeps would only make the image larger.
_CLEAN = (
    'find "$1/var/cache/apt" -type f ! -name "python3-pymysql_*.deb" -delete',
    'rm -rf "$1/usr/share/doc" "$1/usr/share/man" "$1/usr/share/locale"',
)


def foreign() -> str:
    """The image from a registry to use instead of one made of Debian packages, or nothing."""
    return os.environ.get("LAB_MYSQL_IMAGE", "")


def option_file(server: str) -> str:
    """Where the image keeps the server's settings, as its own distribution does."""
    if server == "mariadb":
        return "/etc/mysql/mariadb.conf.d/mysqld.cnf"
    return "/etc/mysql/conf.d/mysqld.cnf" if foreign() else "/etc/mysql/mysql.conf.d/mysqld.cnf"


def ensure(server: str = "mysql", target: str = "full") -> str:
    """The image's name; builds it first where it is missing.

    The target is one of the Containerfile's: full, with-ssh, without-python and so on.
    """
    given = _is_given(server, target)
    base = _base_name(server, given)
    origin = "-given" if given else ""
    name = f"localhost/{PREFIX}/{server}{origin}-{target}:{digest(base, *_recipe())}"
    if _exists(name):
        podman.find_settings(name)
        return name
    with locked("image"):
        if not _exists(name):
            _ensure_base(server, base, given)
            podman.find_settings(base)
            _build(server, target, base, name, given)
            _remove_old(base, name)
    return name


def remove_all() -> None:
    """Removes every image of this checkout."""
    names = _names()
    if names:
        podman.call("rmi", "--force", *names, check=False)
    # What a cut-off build left behind carries no name, only the label of its build.
    podman.call("image", "prune", "--force", f"--filter=label=dbfleet={PREFIX}", check=False)


def clear_workplace() -> None:
    """Removes what a build that was killed left behind, mounts of the system first."""
    mounts = [line.split()[1] for line in Path("/proc/self/mounts").read_text().splitlines()]
    for mount in reversed(mounts):
        if Path(mount).is_relative_to(_WORKPLACE):
            done = subprocess.run(["umount", mount], check=False, env=podman.environment())
            if done.returncode:
                raise LabError(f"{mount}, left by a build that was killed, is busy: unmount it")
    shutil.rmtree(_WORKPLACE, ignore_errors=True)


def _exists(name: str) -> bool:
    return podman.call("image", "exists", name, check=False).returncode == 0


def _names() -> list[str]:
    found = podman.lines("images", "--format", "{{.Repository}}:{{.Tag}}")
    return [name for name in found if name.startswith(f"localhost/{PREFIX}/")]


def _recipe() -> list[bytes]:
    files = sorted(path for path in (LAB / "image").rglob("*") if path.is_file())
    return [part for path in files for part in (path.name.encode(), path.read_bytes())]


def _is_given(server: str, target: str) -> bool:
    # A host that gets its server from Debian's packages is a Debian host in any case.
    return server == "mysql" and target != "without-server" and bool(foreign())


def _base_name(server: str, given: bool) -> str:
    if given:
        return foreign()
    content = digest(_SUITE, *_PACKAGES[server], *_PYTHON, *_CLEAN)
    return f"localhost/{PREFIX}/{server}-base:{content}"


def _ensure_base(server: str, base: str, given: bool) -> None:
    if _exists(base):
        return
    if given:
        stage(f"pulling {base}", ["podman", "pull", base], "pull", podman.environment())
        return
    tar = STATE / f"{server}.tar"
    try:
        _bootstrap(server, tar)
        stage(
            "importing it into podman",
            ["podman", "import", "--quiet", str(tar), base],
            f"import-{server}",
            podman.environment(),
        )
    finally:
        tar.unlink(missing_ok=True)


def _bootstrap(server: str, tar: Path) -> None:
    command = ["mmdebstrap", "--variant=minbase", "--skip=cleanup/apt"]
    command += [f"--include={','.join((*_PACKAGES[server], *_PYTHON))}"]
    command += ['--aptopt=Acquire::Languages "none"']
    command += [f"--customize-hook={hook}" for hook in _CLEAN]
    if _expired():
        say("the mirror's list of Debian packages is past its date: used all the same")
        command += ['--aptopt=Acquire::Check-Valid-Until "false"']
    env = dict(os.environ, PATH=search_path())
    if os.geteuid() == 0:
        # Without root, mmdebstrap works under other user ids, which may not enter the checkout.
        clear_workplace()
        _WORKPLACE.mkdir()
        env["TMPDIR"] = str(_WORKPLACE)
    stage(
        f"installing {_PACKAGES[server][0]} from Debian {_SUITE}",
        [*command, _SUITE, str(tar)],
        f"debian-{server}",
        env,
        "Is a Debian mirror within reach? LAB_MYSQL_IMAGE names a MySQL image to use instead",
    )


def _expired() -> bool:
    # A mirror that lags behind is refused by apt; only then is the date not looked at.
    probe = subprocess.run(
        ["mmdebstrap", "--variant=custom", "--format=null", _SUITE],
        capture_output=True,
        check=False,
        text=True,
        env=dict(os.environ, PATH=search_path(), LC_ALL="C"),
    )
    if probe.returncode == 0:
        return False
    if "expired" in probe.stderr:
        return True
    raise LabError(
        f"Debian {_SUITE} cannot be read (is a Debian mirror within reach? LAB_MYSQL_IMAGE names "
        "a MySQL image to use instead):\n" + tail(probe.stderr)
    )


def _build(server: str, target: str, base: str, name: str, given: bool) -> None:
    # Only these have something to fetch.
    network = [] if given or target == "with-ssh" else ["--network=none"]
    stage(
        f"building the {server} image" + ("" if target == "full" else f" {target}"),
        [
            *("podman", "build", "--pull=never", "--layers", f"--target={target}", *network),
            *(f"--build-arg=BASE={base}", f"--build-arg=SERVER={server}"),
            *(f"--label=dbfleet={PREFIX}", "--tag", name, str(LAB / "image")),
        ],
        f"build-{server}-{target}",
        podman.environment(),
    )


def _remove_old(*kept: str) -> None:
    """Removes what an earlier recipe of these made, where no container uses it any more."""
    stems = {name.rpartition(":")[0] for name in kept}
    old = [name for name in _names() if name not in kept and name.rpartition(":")[0] in stems]
    if old:
        podman.call("rmi", *old, check=False)
