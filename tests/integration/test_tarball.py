# Copyright (c) 2026, the dbfleet.mysql authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The collection as a user gets it: built, imported by Galaxy, installed.

test_quick_start in test_examples.py runs what is installed.
"""

from __future__ import annotations

import fnmatch
import os
import re
import tarfile
from pathlib import Path
from typing import NamedTuple

import pytest
import yaml
from helpers.lab import CHECKOUT, run

# All that the tarball must hold: what a user runs or reads.
CONTENT = (
    "CHANGELOG.md",
    "CODE_OF_CONDUCT.md",
    "CONTRIBUTING.md",
    "COPYING",
    "FILES.json",
    "MANIFEST.json",
    "README.md",
    "SECURITY.md",
    "changelogs/changelog.yaml",
    "docs/*.md",
    "docs/docsite/links.yml",
    "meta/ee-bindep.txt",
    "meta/ee-requirements.txt",
    "meta/execution-environment.yml",
    "meta/runtime.yml",
    "playbooks/*.yml",
    "plugins/*.py",
    "roles/group_replication/README.md",
    "roles/group_replication/*.yml",
)
# What else it may hold, which belongs to these.
BESIDES = ("docs/images/*.png", "docs/images/*.svg", "plugins/plugin_utils/*.j2")

# A link to a file in Markdown, without the heading that it leads to.
LINK = re.compile(r"\]\(([^)#:]+)(?:#[^)]*)?\)")


class Package(NamedTuple):
    """The built collection.

    Attributes:
        tarball: the file that ansible-galaxy built.
        names: the files in it.
        collections: a folder in which it is installed.
    """

    tarball: Path
    names: list[str]
    collections: Path

    @property
    def installed(self) -> Path:
        """The installed collection's own folder."""
        return self.collections / "ansible_collections" / "dbfleet" / "mysql"


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Package:
    """Build the collection once and install it in a folder of its own."""
    folder = tmp_path_factory.mktemp("package")
    built = run("ansible-galaxy", "collection", "build", "--output-path", str(folder))
    assert built.returncode == 0, built.stderr
    (tarball,) = folder.glob("dbfleet-mysql-*.tar.gz")
    with tarfile.open(tarball) as archive:
        names = [member.name for member in archive if not member.isdir()]
    collections = folder / "collections"
    installed = run(
        *("ansible-galaxy", "collection", "install", "--offline", str(tarball)),
        *("-p", str(collections)),
        # Not the lab's: the checkout is linked there, and would count as installed already.
        env={**os.environ, "ANSIBLE_COLLECTIONS_PATH": str(collections)},
    )
    assert installed.returncode == 0, installed.stderr
    return Package(tarball, names, collections)


def test_holds_what_users_need_only(package: Package) -> None:
    patterns = (*CONTENT, *BESIDES)
    assert [
        name for name in package.names if not any(fnmatch.fnmatch(name, each) for each in patterns)
    ] == []
    assert [each for each in CONTENT if not fnmatch.filter(package.names, each)] == []
    assert [name for name in package.names if "__pycache__" in name] == []


def test_links_lead_to_files_in_it(package: Package) -> None:
    links = [
        (name, link)
        for name in fnmatch.filter(package.names, "*.md")
        for link in LINK.findall((package.installed / name).read_text())
    ]
    assert len(links) > 10
    assert [
        (name, link)
        for name, link in links
        if not (package.installed / name).parent.joinpath(link).exists()
    ] == []


def test_changelog_is_made_of_its_source() -> None:
    version = yaml.safe_load((CHECKOUT / "galaxy.yml").read_text())["version"]
    done = run("antsibull-changelog", "generate", "--output", "/dev/stdout")
    assert done.returncode == 0, done.stderr
    assert f"v{version}".replace(".", r"\.") in done.stdout
    assert (CHECKOUT / "CHANGELOG.md").read_text() == done.stdout


def test_galaxy_imports_it_without_a_complaint(package: Package, tmp_path: Path) -> None:
    config = tmp_path / "galaxy-importer.cfg"
    # ansible-lint with Galaxy's own profile and ansible-test sanity are parts of `make lint`.
    config.write_text(
        "[galaxy-importer]\n"
        "check_required_tags = true\nrequire_v1_or_greater = true\nrun_flake8 = false\n"
        "run_ansible_lint = false\n"
        f"ansible_local_tmp = {tmp_path}\ntmp_root_dir = {tmp_path}\n"
    )
    done = run(
        *("python", "-m", "galaxy_importer.main", str(package.tarball)),
        env={**os.environ, "GALAXY_IMPORTER_CONFIG": str(config)},
    )
    (CHECKOUT / "importer_result.json").unlink(missing_ok=True)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Importer processing completed successfully" in done.stdout
    assert not re.search(r"^(WARNING|ERROR)", done.stdout, re.MULTILINE), done.stdout


def test_execution_environment_knows_what_it_needs(package: Package) -> None:
    done = run("ansible-builder", "introspect", str(package.collections))
    assert done.returncode == 0, done.stdout + done.stderr
    found = yaml.safe_load(done.stdout)
    assert [line.split(" ")[0] for line in found["python"]] == ["PyMySQL>=0.9.3", "cryptography"]
    assert "gcc [compile platform:rpm]  # from collection dbfleet.mysql" in found["system"]
