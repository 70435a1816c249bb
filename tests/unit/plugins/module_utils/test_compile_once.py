# Copyright (c) 2026, the dbfleet.mysql authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

import ast
import json
import pathlib
import subprocess
import sys
import zipfile

import pytest
from ansible_collections.dbfleet.mysql.plugins.module_utils import _compile_once

MODULES = ("group_replication_plugin", "plugin_load_add")
FOLDER = pathlib.Path(_compile_once.__file__).parent
PACKAGE = _compile_once.__name__.rpartition(".")[0]
NAMES = ("_compile_once", "_errors", "_error_numbers", "_option_file_system")

# Imports files from an archive as a module of ours does, and says how often each was compiled.
PROGRAM = """
import collections, importlib, json, os, sys, traceback
archive, package, *names = sys.argv[1:]
compiled = collections.Counter()
def audit(event, arguments):
    if event == "compile" and str(arguments[1]).startswith(archive):
        compiled[os.path.basename(arguments[1])[: -len(".py")]] += 1
if sys.version_info >= (3, 8):
    sys.addaudithook(audit)
sys.path.insert(0, archive)
modules = [importlib.import_module(package + "." + name) for name in names]
importlib.import_module("another")
try:
    importlib.import_module(package + ".missing")
except ImportError as error:
    missing = error.name
try:
    modules[-1].FilesReadOnce().read("/")
except OSError:
    lines = [frame.line for frame in traceback.extract_tb(sys.exc_info()[2])]
print(json.dumps({
    "compiled": compiled,
    "files": [module.__file__ for module in modules],
    "missing": missing,
    "package": modules[1].__spec__.parent,
    "lines": lines,
}))
"""


@pytest.fixture
def archive(tmp_path):
    path = tmp_path / "payload.zip"
    with zipfile.ZipFile(path, "w") as opened:
        folder = pathlib.Path(*PACKAGE.split("."))
        for package in (folder, *folder.parents):
            if package.name:
                opened.writestr(f"{package}/__init__.py", "")
        for name in NAMES:
            opened.write(FOLDER / f"{name}.py", f"{folder}/{name}.py")
        opened.writestr("another.py", "")
    return path


def test_files_of_an_archive(archive):
    command = [sys.executable, "-c", PROGRAM, str(archive), PACKAGE, *NAMES]
    done = subprocess.run(command, stdout=subprocess.PIPE, check=True)
    found = json.loads(done.stdout)
    if sys.version_info >= (3, 8):  # no older one tells
        assert {name: found["compiled"][name] for name in NAMES[1:]} == dict.fromkeys(NAMES[1:], 1)
        assert found["compiled"]["another"] >= 1
    assert found["files"] == [f"{archive}/{PACKAGE.replace('.', '/')}/{name}.py" for name in NAMES]
    assert found["missing"] == f"{PACKAGE}.missing"
    assert found["package"] == PACKAGE
    assert any("open(" in line for line in found["lines"]), "a traceback shows the source"


def test_files_of_no_archive():
    assert not [
        finder for finder in sys.meta_path if type(finder).__module__ == _compile_once.__name__
    ]


@pytest.mark.parametrize("module", MODULES)
def test_imported_before_the_others(module):
    source = (FOLDER.parent / "modules" / f"{module}.py").read_text(encoding="utf-8")
    imports = [
        node
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith(PACKAGE)
    ]
    first = min(imports, key=lambda node: node.lineno)
    assert [name.name for name in first.names] == ["_compile_once"]
