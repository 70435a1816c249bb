# Copyright (c) 2026, the dbfleet.mysql authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The collection as a user gets it: built, installed from the tarball, run by its full name."""

from __future__ import annotations

import os
import tarfile
from pathlib import Path

from conftest import Control, Server, run

TOP_LEVEL = {
    "CHANGELOG.md",
    "COPYING",
    "FILES.json",
    "MANIFEST.json",
    "README.md",
    "docs",
    "meta",
    "playbooks",
    "plugins",
    "roles",
}


def test_build_install_run(server: Server, control: Control, tmp_path: Path) -> None:
    built = run("ansible-galaxy", "collection", "build", "--output-path", str(tmp_path))
    assert built.returncode == 0, built.stderr
    (tarball,) = tmp_path.glob("dbfleet-mysql-*.tar.gz")
    with tarfile.open(tarball) as archive:
        names = archive.getnames()
    assert {name.split("/")[0] for name in names} == TOP_LEVEL
    assert not [name for name in names if "__pycache__" in name or name.endswith(".pyc")]

    collections = tmp_path / "collections"
    installed = run(
        *("ansible-galaxy", "collection", "install", "--offline", str(tarball)),
        *("-p", str(collections)),
        # Not the lab's: the checkout is linked there, and would count as installed already.
        env={**os.environ, "ANSIBLE_COLLECTIONS_PATH": str(collections)},
    )
    assert installed.returncode == 0, installed.stderr

    # The lab's own collections stay within reach, behind the installed one.
    path = f"{collections}:{os.environ['ANSIBLE_COLLECTIONS_PATH']}"
    for playbook, status in (
        ("dbfleet.mysql.group_replication_plugin", "ACTIVE"),
        ("dbfleet.mysql.verify", "ACTIVE"),
        ("dbfleet.mysql.remove", ""),
    ):
        done = control.playbook(playbook, {"mysql1": {}}, "-vv", ANSIBLE_COLLECTIONS_PATH=path)
        assert done.code == 0, done.output
        assert str(collections / "ansible_collections/dbfleet/mysql") in done.output
        assert server.plugin_status() == status
