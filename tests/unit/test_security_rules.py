# Copyright (c) 2026, the dbfleet.mysql authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Each thing in which security lies is done in one place (CONTRIBUTING.md, "Security")."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

PLUGINS = Path(__file__).resolve().parents[2] / "plugins"
MODULE_CODE = sorted([*PLUGINS.glob("module_utils/**/*.py"), *PLUGINS.glob("modules/*.py")])

# Calls, by their last two words, and the only files of the modules that may make them.
ALLOWED = {
    "open": (),
    "Path.open": (),
    "io.open": (),
    "os.open": ("_files.py", "_option_file/write.py"),
    "os.fdopen": ("_files.py",),
    "os.rename": ("_files.py",),
    "os.replace": (),
    "os.unlink": ("_files.py",),
    "os.remove": (),
    "os.chmod": (),
    "os.chown": (),
    "os.listdir": (),
    "os.scandir": ("_files.py",),
    "shutil.copy": (),
    "shutil.copyfile": (),
    "shutil.move": (),
    "module.backup_local": (),
    "module.atomic_move": (),
    "module.run_command": (),
    "subprocess.Popen": ("_mysql/binary.py",),
    "subprocess.run": (),
    "os.system": (),
    "tempfile.mkstemp": (),
    "tempfile.TemporaryFile": ("_mysql/binary.py",),
    "socket.socket": ("_mysql/transport.py",),
    "socket.create_connection": (),
    "pymysql.connect": ("_mysql/connection.py",),
    "pymysql.Connection": (),
    "fcntl.flock": ("_option_file/write.py",),
    "fcntl.ioctl": ("_files.py",),
}


def calls(text: str) -> set[str]:
    """Return the names of the functions that a program calls, at most two words of each."""
    found = set()
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Call):
            found.add(_name(node.func))
    return found


def _name(function: ast.expr) -> str:
    if isinstance(function, ast.Name):
        return function.id
    if not isinstance(function, ast.Attribute):
        return ""
    before = function.value
    owner = before.id if isinstance(before, ast.Name) else getattr(before, "attr", "")
    return f"{owner}.{function.attr}"


@pytest.mark.parametrize("path", MODULE_CODE, ids=lambda path: str(path.relative_to(PLUGINS)))
def test_only_one_place(path):
    name = path.relative_to(PLUGINS).as_posix()
    for call in calls(path.read_text()) & ALLOWED.keys():
        places = tuple("module_utils/" + place for place in ALLOWED[call])
        assert name in places, f"{name} calls {call}; see tests/unit/test_security_rules.py"


def test_the_check_sees_calls():
    assert calls("import os\nos.open('x')\nopen('y')\na.module.run_command(z)") == {
        "os.open",
        "open",
        "module.run_command",
    }


@pytest.mark.parametrize("call", [call for call, places in ALLOWED.items() if places])
def test_each_place_is_one(call):
    for place in ALLOWED[call]:
        assert call in calls((PLUGINS / "module_utils" / place).read_text())
