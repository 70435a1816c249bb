# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026, the dbfleet.mysql authors
"""Builds the images of the servers, and only what a changed recipe asks for."""

import dataclasses
import os
import re
import shutil
import subprocess
import tempfile
from pathlib import Path

from dbfleet_lab import podman, pythons, tarball
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
from dbfleet_lab.layout import DEBIAN, MARIADB, REGISTRY, TARBALL, Layout

_WORKPLACE = STATE / "build"

SERVERS = ("mysql", "mariadb")
WITHOUT = ("pymysql", "python", "server")
WITH = ("ssh",)

_SUITE = "sid"  # of Debian, the only one with a MySQL server
_STABLE = "bookworm"  # Debian 12, for a tarball's server
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


@dataclasses.dataclass(frozen=True)
class _Base:
    """What the images of a server start from.

    Attributes:
        name: the base image's name.
        word: what its images' names have beside the server's.
        tarball: the server's tarball, if it comes as one.
        python: the Python of the version manager that comes with it, if one does.
        registry: it comes from a registry.
    """

    name: str
    word: str = ""
    tarball: Path | None = None
    python: Path | None = None
    registry: bool = False


def layout(server: str = "mysql") -> Layout:
    """Where the image keeps what belongs to its server."""
    base = _base(server, "full")
    if base.registry:
        return REGISTRY
    if base.tarball:
        python = f"/opt/{base.python.name}/bin/python3" if base.python else TARBALL.python
        return dataclasses.replace(TARBALL, python=python)
    return MARIADB if server == "mariadb" else DEBIAN


def version() -> str:
    """The version of the image's MySQL server, such as 8.4.8; asks it."""
    command = ("run", "--rm", "--network=none", "--entrypoint=mysqld", ensure(), "--version")
    found = re.search(r"Ver (\d+\.\d+\.\d+)", podman.output(*command))
    if not found:
        raise LabError("the image's mysqld --version names no version")
    return found[1]


def ensure(server: str = "mysql", target: str = "full") -> str:
    """The image's name; builds it first where it is missing.

    The target is one of the Containerfile's: full, with-ssh, without-python and so on.
    """
    base = _base(server, target)
    name = f"localhost/{PREFIX}/{server}{base.word}-{target}:{digest(base.name, *_recipe())}"
    if _exists(name):
        podman.find_settings(name)
        return name
    with locked("image"):
        if not _exists(name):
            _ensure_base(server, base)
            podman.find_settings(base.name)
            _build(server, target, base, name)
            _remove_old(base.name, name)
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


def _base(server: str, target: str) -> _Base:
    chosen = os.environ.get("LAB_MYSQL_IMAGE", "")
    # MariaDB is Debian's in any case.
    if server != "mysql" or not chosen:
        content = digest(_SUITE, *_PACKAGES[server], *_PYTHON, *_CLEAN)
        return _Base(f"localhost/{PREFIX}/{server}-base:{content}")
    archive = tarball.find(chosen)
    if archive is None:
        if target == "without-server":
            raise LabError(f"no host without a server can be made of the image {chosen}")
        return _Base(chosen, "-registry", registry=True)
    minor = tarball.python_of(archive)
    python = pythons.managed(minor) if minor else None
    content = digest(
        *(_STABLE, *_PYTHON, *_CLEAN, tarball.identity(archive), pythons.recipe()),
        *([str(python)] if python else []),
    )
    word = f"-{tarball.version_of(archive)}"
    return _Base(f"localhost/{PREFIX}/mysql{word}-base:{content}", word, archive, python)


def _ensure_base(server: str, base: _Base) -> None:
    if _exists(base.name):
        return
    if base.registry:
        command = ["podman", "pull", base.name]
        stage(f"pulling {base.name}", command, "pull", podman.environment())
        return
    tar = STATE / f"{server}{base.word}.tar"
    try:
        _bootstrap(server, base, tar)
        stage(
            "importing it into podman",
            ["podman", "import", "--quiet", str(tar), base.name],
            f"import-{server}{base.word}",
            podman.environment(),
        )
    finally:
        tar.unlink(missing_ok=True)


def _bootstrap(server: str, base: _Base, tar: Path) -> None:
    suite = _STABLE if base.tarball else _SUITE
    packages = (*(() if base.tarball else _PACKAGES[server]), *_PYTHON)
    about = tarball.version_of(base.tarball) if base.tarball else packages[0]
    command = ["mmdebstrap", "--variant=minbase", "--skip=cleanup/apt"]
    command += [f"--include={','.join(packages)}"]
    command += ['--aptopt=Acquire::Languages "none"']
    if _expired(suite):
        say("the mirror's list of Debian packages is past its date: used all the same")
        command += ['--aptopt=Acquire::Check-Valid-Until "false"']
    env = dict(os.environ, PATH=search_path())
    if os.geteuid() == 0:
        # Without root, mmdebstrap works under other user ids, which may not enter the checkout.
        clear_workplace()
        _WORKPLACE.mkdir()
        env["TMPDIR"] = str(_WORKPLACE)
    with tempfile.TemporaryDirectory(dir=STATE) as folder:
        hooks = [*_server_hooks(base, Path(folder)), *_CLEAN]
        stage(
            f"installing MySQL {about} on Debian {suite}"
            if base.tarball
            else f"installing {about} from Debian {suite}",
            [*command, *(f"--customize-hook={hook}" for hook in hooks), suite, str(tar)],
            f"debian-{server}{base.word}",
            env,
            "Is a Debian mirror within reach? LAB_MYSQL_IMAGE names a MySQL image to use instead",
        )


def _server_hooks(base: _Base, folder: Path) -> list[str]:
    """What mmdebstrap does with a tarball and a Python; both are put into the folder for it."""
    hooks = []
    if base.tarball:
        plain = folder / "mysql.tar"
        top = tarball.decompress(base.tarball, plain)
        hooks += [f"tar-in {plain} /usr/local", f'ln -s {top} "$1/usr/local/mysql"']
        # For the hosts that are to get their server later.
        hooks += [f"upload {plain} /usr/local/src/mysql.tar"]
    if base.python:
        copy = folder / base.python.name
        pythons.copy(base.python, copy)
        hooks += [f"copy-in {copy} /opt"]
        # It looks for its library where it was built.
        hooks += [f'echo /opt/{copy.name}/lib > "$1/etc/ld.so.conf.d/{copy.name}.conf"']
        hooks += ['chroot "$1" ldconfig']
    return hooks


def _expired(suite: str) -> bool:
    # A mirror that lags behind is refused by apt; only then is the date not looked at.
    probe = subprocess.run(
        ["mmdebstrap", "--variant=custom", "--format=null", suite],
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
        f"Debian {suite} cannot be read (is a Debian mirror within reach? LAB_MYSQL_IMAGE names "
        "a MySQL image to use instead):\n" + tail(probe.stderr)
    )


def _build(server: str, target: str, base: _Base, name: str) -> None:
    # Only these have something to fetch.
    network = [] if base.registry or target == "with-ssh" else ["--network=none"]
    stage(
        f"building the {server}{base.word} image" + ("" if target == "full" else f" {target}"),
        [
            *("podman", "build", "--pull=never", "--layers", f"--target={target}", *network),
            *(f"--build-arg=BASE={base.name}", f"--build-arg=RECIPE={layout(server).recipe}"),
            *(f"--label=dbfleet={PREFIX}", "--tag", name, str(LAB / "image")),
        ],
        f"build-{server}{base.word}-{target}",
        podman.environment(),
    )


def _remove_old(*kept: str) -> None:
    """Removes what an earlier recipe of these made, where no container uses it any more."""
    stems = {name.rpartition(":")[0] for name in kept}
    old = [name for name in _names() if name not in kept and name.rpartition(":")[0] in stems]
    if old:
        podman.call("rmi", *old, check=False)
