# Copyright (c) 2026, the dbfleet.mysql authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The file system as option files are read from it. Private to dbfleet.mysql.

Text here is str with the bytes that are not UTF-8 kept by ``surrogateescape``.
"""

from __future__ import annotations

import os

from ansible_collections.dbfleet.mysql.plugins.module_utils._errors import Failure

#: Ours, in bytes.
MAX_FILE_SIZE = 16 * 1024 * 1024
_USUAL_SIZE = 64 * 1024


class Files:
    """The file system, as far as reading option files needs it.

    Args:
        root: a folder to take as ``/``; links in it are followed as they stand.
    """

    def __init__(self, root: str = "") -> None:
        self.root = root

    def real_path(self, path: str) -> str:
        """Return the path of the file itself, links resolved."""
        return text_of(os.path.realpath(self._host(path)))

    def _host(self, path: str) -> bytes:
        while path.startswith("/../"):
            path = path[len("/..") :]  # above the root is the root
        return bytes_of(self.root + path)

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
        """Return the bytes of a regular file. Raises OSError, and Failure for one too large.

        Ask :meth:`mode` before: to open a FIFO would be to wait for somebody who writes to it.
        """
        with open(self._host(path), "rb") as opened:
            data = opened.read(_USUAL_SIZE)  # reserving room for the largest takes its time
            if len(data) == _USUAL_SIZE:
                data += opened.read(MAX_FILE_SIZE + 1 - _USUAL_SIZE)
        if len(data) > MAX_FILE_SIZE:
            raise Failure(
                "option_files_too_large",
                f"The option file {path} is larger than 16 MiB.",
                "Name the server's own option file.",
            )
        return data

    def names(self, path: str) -> list[bytes]:
        """Return the names in a folder, sorted by byte as MySQL sorts them. Raises OSError."""
        return sorted(os.listdir(self._host(path)))


class FilesReadOnce(Files):
    """The file system, of which no option file is opened twice.

    For reading the same files twice within a moment, before anything is changed.
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
    if isinstance(error, FileNotFoundError):
        return "it does not exist"
    if isinstance(error, PermissionError):
        return "this operating system user may not read it"
    return f"{error.strerror} (errno {error.errno})"
