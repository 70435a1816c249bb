# Copyright (c) 2026, the dbfleet.mysql authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Has Python compile each of the collection's own files once. Private to dbfleet.mysql.

Ansible sends a module as a zip archive without bytecode, and Python compiles each file of such an
archive twice: once to find out its file name, which is that of the archive anyway, and once to run
it (``zipimporter.get_filename`` in Lib/zipimport.py, https://github.com/python/cpython/issues/141276).
The first took a quarter of the time that a healthy host took over ``ansible.builtin.ping``.

A module imports this file before the others of this folder. It finds those, and no others; where
they come from no archive, it leaves them to Python.
"""

from __future__ import annotations

import sys
from importlib.machinery import ModuleSpec
from importlib.util import spec_from_file_location
from typing import Any, Sequence
from zipimport import zipimporter

_PACKAGE = __name__.rpartition(".")[0]


class _ArchiveFinder:
    """Finds the files of this folder in the archive that this file came from."""

    def __init__(self, archive: zipimporter, folder: str) -> None:
        self._archive = archive
        self._folder = folder

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: Any = None
    ) -> ModuleSpec | None:
        """Return where a file of this folder is, None for anything else."""
        package, _dot, name = fullname.rpartition(".")
        if package != _PACKAGE:
            return None
        try:
            if self._archive.is_package(fullname):
                return None
        except ImportError:
            return None  # Python says it better
        return spec_from_file_location(
            fullname,
            f"{self._folder}/{name}.py",
            loader=self._archive,
            submodule_search_locations=None,
        )


def _install() -> None:
    archive = __spec__.loader if __spec__ else None
    if isinstance(archive, zipimporter):
        sys.meta_path.insert(0, _ArchiveFinder(archive, __file__.rpartition("/")[0]))


_install()
