# Copyright (c) 2026, the dbfleet.mysql authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The file system as option files are read from it. Private to dbfleet.mysql.

No other file opens an option file to read it. Text here is str with the bytes that are not UTF-8
kept by ``surrogateescape``.
"""

from __future__ import annotations

import errno
import os
import pwd
import re

from .._errors import Failure
from .._files import names_in, read_regular, real_path

#: Ours, in bytes.
MAX_FILE_SIZE = 1024 * 1024
#: Above the root is the root.
_ABOVE_ROOT = re.compile(r"(?:/\.\.)+(?=/)")
#: Ours: how many names of a folder are looked at.
MAX_NAMES = 20000


class Files:
    """The file system, as far as reading option files needs it.

    Args:
        root: a folder to take as ``/``; links in it are followed as they stand.
    """

    def __init__(self, root: str = "") -> None:
        self.root = root

    def real_path(self, path: str) -> str:
        """Return the path of the file itself, links resolved, and with the root in front."""
        return text_of(real_path(self._host(path)))

    def _host(self, path: str) -> bytes:
        above = _ABOVE_ROOT.match(path)
        return bytes_of(self.root + (path[above.end() :] if above else path))

    def exists(self, path: str) -> bool:
        """Whether a file or folder is there."""
        try:
            self.mode(path)
        except OSError:
            return False
        return True

    def mode(self, path: str) -> int:
        """Return type and permission bits. Raises OSError."""
        return os.stat(self._host(path)).st_mode

    def read(self, path: str) -> bytes:
        """Return the bytes of a regular file. Raises OSError, and Failure for one too large."""
        try:
            return read_regular(self._host(path), MAX_FILE_SIZE)
        except OSError as error:
            if error.errno != errno.EFBIG:
                raise
            raise Failure(
                "option_files_too_large",
                f"The option file {path} is larger than 1 MiB.",
                "Name the server's own option file.",
            ) from None

    def names(self, path: str) -> list[bytes]:
        """Return the names in a folder, sorted by byte as MySQL sorts them.

        Raises:
            OSError: it cannot be read.
            Failure: it holds too many.
        """
        try:
            return sorted(names_in(self._host(path), MAX_NAMES))
        except OSError as error:
            if error.errno != errno.EFBIG:
                raise
            raise Failure(
                "option_files_too_large",
                f"The folder {path} of an !includedir holds more than {MAX_NAMES} files.",
                "Name a folder that holds option files alone.",
            ) from None


class FilesReadOnce(Files):
    """The file system, of which no option file is opened twice.

    For looking at the same files several times within a moment, before anything is changed.
    """

    def __init__(self) -> None:
        super().__init__()
        self._contents: dict[str, bytes] = {}

    def read(self, path: str) -> bytes:
        """Return the bytes of a regular file, as :meth:`Files.read` does."""
        if path not in self._contents:
            self._contents[path] = super().read(path)
        return self._contents[path]


def text_of(data: bytes) -> str:
    """Return bytes of a file or path as text that :func:`bytes_of` turns back."""
    return data.decode("utf-8", "surrogateescape")


def bytes_of(text: str) -> bytes:
    """Return the bytes that :func:`text_of` made text of."""
    return text.encode("utf-8", "surrogateescape")


def os_reason(error: OSError) -> str:
    """Return why a file cannot be read, as half a sentence for people."""
    if isinstance(error, FileNotFoundError):
        return "it does not exist"
    if isinstance(error, PermissionError):
        return "this operating system user may not read it"
    return f"{error.strerror} (errno {error.errno})"


def clean_path(path: str, home: str | None) -> str:
    """Return an included file's path as MySQL cleans it (fn_format, mysys/mf_pack.cc).

    The folder part loses ``//``, ``/./`` and ``/../`` by text alone, so ``link/..`` is not what the
    kernel makes of it; a leading ``~`` or ``~user`` becomes a home folder.
    """
    folder, slash, name = path.rpartition("/")
    if not slash:
        return path
    parts: list[str] = []
    for index, part in enumerate(folder.split("/")):
        if part == "~" and index:
            parts = ["~"]
        elif part == ".." and parts == ["~"] and home is not None:
            parts = home.rstrip("/").split("/")[:-1]
        elif part == ".." and parts and parts[-1] not in ("", "..", ".") and parts[-1][:1] != "~":
            parts.pop()
        elif part == ".." and parts == [""]:
            continue
        elif index == 0 or part not in ("", "."):
            parts.append(part)
    if parts and parts[0].startswith("~"):
        found = home if parts[0] == "~" else _home_of(parts[0][1:])
        if found is not None:
            parts[0] = found.rstrip("/")
    return "/".join([*parts, name])


def _home_of(user: str) -> str | None:
    try:
        return pwd.getpwnam(user).pw_dir
    except (KeyError, ValueError):
        return None
