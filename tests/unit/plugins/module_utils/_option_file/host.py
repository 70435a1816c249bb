# Copyright (c) 2026, the dbfleet.mysql authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A folder that stands in for the root of a host with MySQL 9.7."""

from __future__ import annotations

from pathlib import Path

from ansible_collections.dbfleet.mysql.plugins.module_utils._option_file.edit import (
    parse_library,
    plan_absent,
    plan_present,
)
from ansible_collections.dbfleet.mysql.plugins.module_utils._option_file.files import Files
from ansible_collections.dbfleet.mysql.plugins.module_utils._option_file.reader import (
    read_server_options,
)
from ansible_collections.dbfleet.mysql.plugins.module_utils._option_file.write import write

LINE = b"plugin_load_add=group_replication.so"
LIBRARY = parse_library("group_replication.so")


class Host:
    def __init__(self, root, argv=()):
        self.root = str(root)
        self.argv = argv

    def put(self, path, data, mode=0o644):
        full = Path(self.root + path)
        full.parent.mkdir(parents=True, exist_ok=True)
        full.write_bytes(data)
        full.chmod(mode)
        return self

    def get(self, path):
        return Path(self.root + path).read_bytes()

    def read(self, *argv, **more):
        more.setdefault("server_version", "9.7.4")
        return read_server_options(argv or self.argv, files=Files(self.root), **more)

    def present(self, target="/etc/my.cnf", library=LIBRARY, group="mysqld"):
        return _apply(plan_present(self._reader, Files(self.root), library, target, group))

    def absent(self, library=LIBRARY):
        return _apply(plan_absent(self._reader, Files(self.root), library))

    def _reader(self, files):
        return read_server_options(self.argv, files=files, server_version="9.7.4")


def _apply(plan):
    for change in plan.changes:
        write(change.real_path, change.old, change.new)
    return plan
