# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026, the dbfleet.mysql authors
"""The Pythons of this machine's version manager, and copies of them for a server's host."""

import os
import shutil
import subprocess
from pathlib import Path

from dbfleet_lab.base import CHECKOUT, STATE, stage

_REQUIREMENTS = CHECKOUT / "lab" / "requirements-host.txt"
# What a host does not need: the standard library's tests, what programs in C are built with.
_LEFT_OUT = ("test", "tests", "config-*", "__pycache__", "*.a", "site-packages", "idlelib")


def runs(program: str | Path, minor: int) -> bool:
    """Whether it is a whole Python 3.MINOR; a version manager's shim may be there without one."""
    check = f"import sys, venv, ensurepip; sys.exit(sys.version_info[:2] != (3, {minor}))"
    done = subprocess.run([program, "-c", check], check=False, capture_output=True)
    return done.returncode == 0


def managed(minor: int) -> Path | None:
    """The program of pyenv's Python 3.MINOR, where there is one that runs."""
    root = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv"))
    found = sorted(root.glob(f"versions/3.{minor}.*/bin/python3.{minor}"))
    return next((program for program in found if runs(program, minor)), None)


def recipe() -> bytes:
    """What decides the packages in a copy."""
    return _REQUIREMENTS.read_bytes()


def copy(program: Path, folder: Path) -> None:
    """Makes a copy of a Python that a host can run, with PyMySQL.

    The folder is then the copy's; its parent must exist.
    """
    name = program.name
    source = program.parents[1]
    (folder / "bin").mkdir(parents=True)
    shutil.copy2(program.resolve(), folder / "bin" / name)
    (folder / "bin" / "python3").symlink_to(name)
    ignored = shutil.ignore_patterns(*_LEFT_OUT)
    shutil.copytree(source / "lib", folder / "lib", symlinks=True, ignore=ignored)
    packages = folder / "lib" / name / "site-packages"
    packages.mkdir(exist_ok=True)
    stage(
        f"fetching PyMySQL for {name}",
        [
            *(str(program), "-m", "pip", "install", "--disable-pip-version-check"),
            *(f"--cache-dir={STATE / 'cache' / 'pip'}", f"--target={packages}"),
            *("--only-binary=:all:", "-r", str(_REQUIREMENTS)),
        ],
        f"pip-{name}",
        next_step="Is a Python package index within reach?",
    )
