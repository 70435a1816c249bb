# Copyright (c) 2026, the dbfleet.mysql authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The Pythons of this machine that ansible-core runs modules with, and an environment for each."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(CHECKOUT / "lab"))
from dbfleet_lab.pythons import managed, runs  # noqa: E402 - it is on the path only now

FOLDER = CHECKOUT / ".lab" / "unit"

# Pythons that a supported ansible-core runs modules with, and what the tests need there: the last
# release of each that supports that Python. ansible-core is there for its module_utils alone, which
# support older Pythons than the rest of it does.
OLD = ("ansible-core==2.17.14", "PyMySQL==1.1.1", "pytest==7.4.4", "hypothesis==6.79.4")
NEW = (
    *("ansible-core==2.19.14", "PyMySQL==1.2.4", "pytest==9.2.0", "Jinja2==3.1.6", "PyYAML==6.0.3"),
    "hypothesis==6.170.15",
)
FOR_3_10 = (*NEW[:-1], "hypothesis==6.168.5")
SUPPORTED = {
    minor: OLD if minor < 10 else FOR_3_10 if minor == 10 else NEW for minor in range(7, 15)
}


def pythons() -> dict[int, str]:
    """Return the Python of each supported minor version, those of pyenv too."""
    found = {}
    for minor in SUPPORTED:
        own = shutil.which(f"python3.{minor}")
        candidate = own if own and runs(own, minor) else managed(minor)
        if candidate:
            found[minor] = str(candidate)
    return found


def environment(minor: int, python: str) -> Path:
    """Return the Python of a virtual environment with what the tests need, made where missing."""
    folder = FOLDER / f"python3.{minor}"
    stamp = folder / "installed"
    wanted = "\n".join(SUPPORTED[minor])
    if not stamp.exists() or stamp.read_text() != wanted:
        print(f"Making a virtual environment for the unit tests: Python 3.{minor}", flush=True)
        subprocess.run([python, "-m", "venv", "--clear", folder], check=True)
        pip = [folder / "bin" / "python", "-m", "pip", "install", "-qq"]
        core, *others = SUPPORTED[minor]
        subprocess.run([*pip, *others], check=True)
        # Alone, because what the rest of ansible-core needs does not support old Pythons.
        subprocess.run([*pip, "--no-deps", "--ignore-requires-python", core], check=True)
        stamp.write_text(wanted)
    return folder / "bin" / "python"
