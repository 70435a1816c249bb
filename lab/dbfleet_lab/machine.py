# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026, the dbfleet.mysql authors
"""What the machine must have: Debian packages, the virtual environment, a few links."""

import os
import shutil
import sys
import tempfile
import zipfile
from pathlib import Path

from dbfleet_lab import image, podman
from dbfleet_lab.base import (
    ANSIBLE,
    CHECKOUT,
    PREFIX,
    STATE,
    VENV,
    LabError,
    digest,
    locked,
    say,
    search_path,
    stage,
)

# Debian package -> a program or file of it. A program from elsewhere is as good.
_PACKAGES = {
    "podman": "podman",
    "runc": "runc",
    "mmdebstrap": "mmdebstrap",
    "iptables": "iptables",
    "netavark": "/usr/lib/podman/netavark",
    "aardvark-dns": "/usr/lib/podman/aardvark-dns",
}
# What the tests need besides.
_TESTS = {"shellcheck": "shellcheck", "git": "git", "openssh-client": "ssh"}
# What the documentation site is built with besides.
_DOCS = {"graphviz": "dot"}
# What containers need besides where the caller is not root.
_ROOTLESS = {"uidmap": "newuidmap", "slirp4netns": "slirp4netns", "passt": "pasta"}

_CONSTRAINTS = CHECKOUT / "constraints.txt"
_REQUIREMENTS = CHECKOUT / "requirements.txt"
_TEST_REQUIREMENTS = CHECKOUT / "requirements-test.txt"
_STAMP = VENV / "complete"
# This program may itself run in the virtual environment that it makes anew.
_BASE_PYTHON: str = getattr(sys, "_base_executable", sys.executable)
_CACHE = STATE / "cache"
_PIP_OPTIONS = ("--disable-pip-version-check", f"--cache-dir={_CACHE / 'pip'}")
_COLLECTIONS = ANSIBLE / "collections" / "ansible_collections"
# Taken out of the package "ansible": the whole of it is half a gigabyte.
_ANSIBLE = "ansible==14.5.0"
_WANTED = ("containers/podman",)
# What the benchmark needs besides.
_BENCH = ("ansible/mysql", "community/general")
_BENCH_REQUIREMENTS = CHECKOUT / "requirements-bench.txt"


def setup(*, tests: bool = True, docs: bool = False, bench: bool = False) -> None:
    """Brings the machine to where the lab, the tests, the documentation or the benchmark works.

    Quick where it is.
    """
    _packages(_PACKAGES | (_TESTS if tests else {}) | (_DOCS if docs else {}))
    _session()
    with locked("setup"):
        _virtual_environment(tests=tests)
        _link()
        _collections("from", _WANTED)
        if bench:
            _collections("from-bench", _BENCH)
            _packages_of_the_benchmark()


def environment(*, full: bool = False) -> dict[str, str]:
    """The environment for others: all of it, or only what is ours."""
    own = {
        "LAB_PREFIX": PREFIX,
        "LAB_PYTHON": image.layout().python,
        "LAB_TARBALL": "yes" if image.layout().recipe == "tarball" else "no",
        "PATH": os.pathsep.join([str(VENV / "bin"), search_path()]),
        "VIRTUAL_ENV": str(VENV),
        # Nothing of ours goes to the caller's home.
        "ANSIBLE_HOME": str(ANSIBLE),
        "XDG_CACHE_HOME": str(_CACHE),
        "ANSIBLE_COLLECTIONS_PATH": str(ANSIBLE / "collections"),
        "MOLECULE_GLOB": "molecule/*/molecule.yml",
    }
    if podman.SETTINGS.exists():
        own["CONTAINERS_CONF"] = str(podman.SETTINGS)
    return {**os.environ, **own} if full else own


def _packages(wanted: dict[str, str]) -> None:
    missing = _missing(wanted)
    if not missing:
        return
    if shutil.which("apt-get") is None:
        raise LabError(
            f"missing here: {' '.join(missing)} (so named in Debian); "
            "install them with your package manager, then go on"
        )
    install = ["apt-get", "install", "--yes", "--no-install-recommends", *missing]
    if os.geteuid() != 0:
        raise LabError(f"packages are missing; install them and go on:\nsudo {' '.join(install)}")
    say(f"Debian packages to install: {' '.join(missing)}")
    wait = ("-o", "DPkg::Lock::Timeout=300")
    env = dict(os.environ, DEBIAN_FRONTEND="noninteractive", PATH=search_path())
    stage("reading the package lists", ["apt-get", *wait, "update"], "apt-update", env)
    stage("installing them", [*install[:1], *wait, *install[1:]], "apt-install", env)
    left = _missing(wanted)
    if left:
        raise LabError(f"still missing after the installation: {' '.join(left)}")


def _session() -> None:
    # Podman without root keeps its networks in the folder of the login session.
    if os.geteuid() != 0 and not os.environ.get("XDG_RUNTIME_DIR"):
        raise LabError(
            "this shell belongs to no login session (XDG_RUNTIME_DIR is not set), which podman "
            "needs where it runs without root: log in (ssh, or `machinectl shell USER@`) and go on"
        )


def _missing(wanted: dict[str, str]) -> list[str]:
    if os.geteuid() != 0:
        wanted = wanted | _ROOTLESS
    path = search_path()
    missing = [
        package
        for package, proof in wanted.items()
        if shutil.which(proof, path=path) is None and not _helper(proof)
    ]
    try:
        import ensurepip  # noqa: F401  # Debian's Python comes without it
    except ImportError:
        missing.append("python3-venv")
    return missing


def _helper(proof: str) -> bool:
    # Podman looks for its helpers in these.
    folders = ("/usr/lib/podman", "/usr/libexec/podman", "/usr/local/libexec/podman")
    return any((Path(folder) / Path(proof).name).exists() for folder in folders)


def _virtual_environment(*, tests: bool) -> None:
    """Makes it anew, or adds the test tools to one that has none yet."""
    small = digest(_REQUIREMENTS.read_bytes(), _CONSTRAINTS.read_bytes(), sys.version)
    whole = digest(small, _TEST_REQUIREMENTS.read_bytes())
    there = _STAMP.read_text() if _STAMP.exists() else ""
    if there == whole or (there == small and not tests):
        return
    # The stamp goes first and comes last: what a cut-off run leaves is never taken for whole.
    _STAMP.unlink(missing_ok=True)
    if there != small:
        shutil.rmtree(VENV, ignore_errors=True)
        version = ".".join(map(str, sys.version_info[:3]))
        stage(
            f"making the virtual environment .venv (Python {version})",
            [_BASE_PYTHON, "-m", "venv", str(VENV)],
            "venv",
        )
    pip = [str(VENV / "bin" / "python"), "-m", "pip", *_PIP_OPTIONS]
    requirements = _TEST_REQUIREMENTS if tests else _REQUIREMENTS
    stage(
        f"installing Ansible{' and the test tools' if tests else ''} into it",
        [*pip, "install", "-r", str(requirements), "-c", str(_CONSTRAINTS)],
        "pip",
        next_step="Is a Python package index within reach?",
    )
    _STAMP.write_text(whole if tests else small)


def _packages_of_the_benchmark() -> None:
    """Puts what the benchmark alone needs into the virtual environment; quick where it is there."""
    pip = [str(VENV / "bin" / "python"), "-m", "pip", *_PIP_OPTIONS]
    stage(
        "installing what the benchmark needs",
        [*pip, "install", "-r", str(_BENCH_REQUIREMENTS), "-c", str(_CONSTRAINTS)],
        "pip-bench",
        next_step="Is a Python package index within reach?",
    )


def _link() -> None:
    """Ansible finds the checkout as the installed collection."""
    link = _COLLECTIONS / "dbfleet" / "mysql"
    link.parent.mkdir(parents=True, exist_ok=True)
    target = os.path.relpath(CHECKOUT, link.parent)
    if link.is_symlink() and os.readlink(link) == target:
        return
    link.unlink(missing_ok=True)
    link.symlink_to(target)


def _collections(stamp_name: str, names: tuple[str, ...]) -> None:
    """Puts in collections of others that the lab or the benchmark uses."""
    stamp = _COLLECTIONS / stamp_name
    wanted = digest(_ANSIBLE, *names)
    if stamp.exists() and stamp.read_text() == wanted:
        return
    with tempfile.TemporaryDirectory() as folder:
        stage(
            f"fetching the collections of {_ANSIBLE}",
            [
                *(str(VENV / "bin" / "python"), "-m", "pip", *_PIP_OPTIONS),
                *("download", "--no-deps", "--only-binary=:all:", "--ignore-requires-python"),
                *(f"--dest={folder}", _ANSIBLE),
            ],
            "collections",
            next_step="Is a Python package index within reach?",
        )
        wheel = next(Path(folder).glob("*.whl"))
        for name in names:
            shutil.rmtree(_COLLECTIONS / name, ignore_errors=True)
        stems = tuple(f"ansible_collections/{name}/" for name in names)
        with zipfile.ZipFile(wheel) as archive:
            members = [name for name in archive.namelist() if name.startswith(stems)]
            archive.extractall(_COLLECTIONS.parent, members)
    stamp.write_text(wanted)
