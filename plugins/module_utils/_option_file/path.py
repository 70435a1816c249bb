# Copyright (c) 2026, the dbfleet.mysql authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Paths of option files as MySQL cleans them. Private to dbfleet.mysql."""

from __future__ import annotations

import pwd


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
