# Copyright (c) 2026, the dbfleet.mysql authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Runs on a server's host: run an AnsiballZ payload and say where its time goes.

Arguments: the payload, a file for the report, and then the functions to time by themselves. The
payload runs as it is, in this process: what it imports comes from its own zip. At each moment the
time counts for one part, the innermost that is under way, so that the parts add up to the whole.

Nothing is imported here that a payload would have to import: it would look free.
"""

import sys
import time

_importlib = sys.modules["_frozen_importlib"]
OWN = "ansible_collections."
FUNCTIONS = sys.argv[3:]


class Clock:
    """The time of each part; one part is under way at a time."""

    def __init__(self):
        self.parts = {}
        self.current = "wrapper"
        self.closed = 0
        self.start = self._wall = time.perf_counter()
        self._cpu = time.process_time()

    def switch(self, part):
        """Count the time so far for the current part, then go on with this one."""
        wall, cpu = time.perf_counter(), time.process_time()
        entry = self.parts.setdefault(self.current, [0.0, 0.0])
        entry[0] += wall - self._wall
        entry[1] += cpu - self._cpu
        self._wall, self._cpu = wall, cpu
        before, self.current = self.current, part
        return before


clock = Clock()
timed = set()
called = set()


def during(part, work, arguments, keywords=None, closed=False, then=None):
    """Call a function as a part; a closed one has no parts within itself."""
    if clock.closed:
        return work(*arguments, **(keywords or {}))
    before = clock.switch(part)
    clock.closed += closed
    try:
        return work(*arguments, **(keywords or {}))
    finally:
        clock.closed -= closed
        clock.switch(then or before)


def wrap(owner, name, part, closed=False, then=None):
    """Put a timed function in the place of another one."""
    original = getattr(owner, name)

    def timed_function(*arguments, **keywords):
        called.add(name)
        return during(part, original, arguments, keywords, closed, then)

    setattr(owner, name, timed_function)


def file_of(name):
    """Return a module's file, from the folder plugins of a collection (or ansible's own) on."""
    folders = name.split(".")
    return "file " + "/".join(folders[4 if name.startswith(OWN) else 1 :]) + ".py"


find_and_load = _importlib._find_and_load


def timed_import(name, import_):
    """Import a module that is not loaded yet, as a part that its name decides."""
    if name.startswith(OWN):
        deep = name.count(".") > 4
        module = during(file_of(name) if deep else "file packages", find_and_load, (name, import_))
        for function in FUNCTIONS:
            found = getattr(module, function, None)
            if found is not None and getattr(found, "__module__", "") == name:
                timed.add(function)
                wrap(module, function, function)
        return module
    if name == "pymysql" or name.startswith("pymysql."):
        return during("import pymysql", find_and_load, (name, import_), closed=True)
    if name == "ansible" or name.startswith("ansible."):
        module = during("import ansible", find_and_load, (name, import_), closed=True)
        if name == "ansible.module_utils.basic" or "ansible.module_utils.basic" in sys.modules:
            wrap_ansible_module()
        return module
    if clock.current == "wrapper":
        return find_and_load(name, import_)
    return during("import standard library", find_and_load, (name, import_), closed=True)


def wrap_ansible_module():
    """Time AnsibleModule() and exit_json(), once."""
    basic = sys.modules["ansible.module_utils.basic"]
    if "AnsibleModule" not in timed and hasattr(basic, "AnsibleModule"):
        timed.add("AnsibleModule")
        wrap(basic.AnsibleModule, "__init__", "AnsibleModule()", closed=True, then="the rest")
        wrap(basic.AnsibleModule, "exit_json", "exit_json", closed=True, then="wrapper's end")


def wrap_zip_import():
    """Time how the wrapper gets the module's own code, which it runs rather than imports."""
    import zipimport

    get_code = zipimport.zipimporter.get_code

    def timed_get_code(self, name):
        if ".modules." not in name or clock.closed:
            return get_code(self, name)
        part = file_of(name)
        return during(part, get_code, (self, name), then=part)

    zipimport.zipimporter.get_code = timed_get_code


def main():
    """Run the payload and write the report."""
    payload, report = sys.argv[1:3]
    sys.argv = [payload]
    _importlib._find_and_load = timed_import
    wrap_zip_import()
    code = None
    try:
        with open(payload, "rb") as file:
            source = file.read()
        names = {"__name__": "__main__", "__file__": payload}
        exec(compile(source, payload, "exec"), names)  # noqa: S102 - it is what is measured
    except SystemExit as end:
        code = end.code
    clock.switch("report")
    missing = [name for name in FUNCTIONS if name not in timed]
    idle = [name for name in FUNCTIONS if name in timed and name not in called]
    if missing or idle or code or not {"__init__", "exit_json"} <= called:
        text = f"not found: {missing}; not called: {idle}; exit code: {code}"
        sys.stderr.write(f"{payload}: {text}\n")
        sys.exit(3)
    with open(report, "w") as file:
        parts = {"parts": clock.parts, "first": clock.start}
        file.write(repr({**parts, "last": time.perf_counter()}))
    sys.exit(0)


main()
