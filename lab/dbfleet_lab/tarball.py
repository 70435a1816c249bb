# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026, the dbfleet.mysql authors
"""MySQL servers as tarballs, in the layout of Oracle's generic Linux ones."""

import os
import re
import tarfile
from pathlib import Path

from dbfleet_lab.base import CHECKOUT, STATE, LabError

_NAME = re.compile(r"mysql-(?P<version>\d+\.\d+\.\d+)-linux-.*\.tar(\.\w+)?")
_VERSION = re.compile(r"\d+\.\d+(\.\d+)?")

#: The Python 3.x of the hosts of each version: one of its time.
PYTHONS = {"5.7": 8, "8.0": 9, "8.4": 11}


def folder() -> Path:
    """Where tarballs are looked for: LAB_SERVERS, or a folder beside the checkout, or in .lab."""
    given = os.environ.get("LAB_SERVERS")
    if given:
        return Path(given)
    beside = CHECKOUT.parent / "shared" / "servers"
    return beside if beside.is_dir() else STATE / "servers"


def find(word: str) -> Path | None:
    """The tarball that a person means by a version or a path; None where it is neither."""
    if _NAME.fullmatch(Path(word).name):
        path = Path(word).absolute()
        if not path.is_file():
            raise LabError(f"there is no tarball {path}")
        return path
    if not _VERSION.fullmatch(word):
        return None
    found = {path: version_of(path) for path in there()}
    matching = [path for path, version in found.items() if f"{version}.".startswith(f"{word}.")]
    if not matching:
        known = ", ".join(found.values()) or "none"
        raise LabError(
            f"{folder()} has no server of version {word} (there: {known}); put "
            f"mysql-{word}...-linux-....tar.xz there, Oracle's or one like it, or set LAB_SERVERS "
            "to the folder that has it"
        )
    return max(matching, key=lambda path: [int(part) for part in found[path].split(".")])


def there() -> list[Path]:
    """The tarballs of the folder, in the order of their versions."""
    found = [path for path in folder().glob("mysql-*.tar*") if _NAME.fullmatch(path.name)]
    return sorted(found, key=lambda path: [int(part) for part in version_of(path).split(".")])


def version_of(path: Path) -> str:
    """The version of the server in a tarball, as its name says."""
    return _NAME.sub(r"\g<version>", path.name)


def python_of(path: Path) -> int | None:
    """The minor version of the Python for the tarball's hosts; None for the distribution's."""
    return PYTHONS.get(version_of(path).rpartition(".")[0])


def identity(path: Path) -> str:
    """A text that changes where the tarball does."""
    status = path.stat()
    return f"{path.name} {status.st_size} {status.st_mtime_ns}"


def decompress(path: Path, target: Path) -> str:
    """Writes the tarball without its compression, which hosts may not know.

    Returns:
        The name of its top folder.
    """
    top = ""
    with tarfile.open(path) as source, tarfile.open(target, "w") as output:
        for member in source:
            top = top or Path(member.name).parts[0]
            output.addfile(member, source.extractfile(member) if member.isfile() else None)
    if not top:
        raise LabError(f"{path} is empty")
    return top
