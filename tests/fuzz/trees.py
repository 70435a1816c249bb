# Copyright (c) 2026, the dbfleet.mysql authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Random trees of option files: made from a seed, written below a folder, made smaller."""

from __future__ import annotations

import os
import random
import re
import shutil
from typing import Iterator, NamedTuple

from ansible_collections.dbfleet.mysql.plugins.module_utils._option_file.files import bytes_of

HOME = "/etc/mysql/home"
#: The newest version of MySQL that trees are made for.
NEWEST = "9.7"


class Tree(NamedTuple):
    """A tree of option files, how the server is started, and its version, such as 8.4.

    ``files``: contents (None: a folder) and mode by absolute path. All are below /etc/my.cnf and
    /etc/mysql.
    """

    files: dict[bytes, tuple[bytes | None, int]]
    argv: tuple[str, ...] = ()
    environ: tuple[tuple[str, str], ...] = ()
    version: str = NEWEST


_NAMES = (
    "plugin_load_add",
    "plugin-load-add",
    "plugin_load",
    "plugin-load",
    "loose-plugin_load_add",
    "loose_plugin-load-add",
    "early-plugin-load",
    "port",
    "skip-networking",
    "skip_name_resolve",
    "disable-log-bin",
    "enable-foo",
    "password",
    "loose-group_replication_group_name",
    "a",
    "x y",
)
_WORDS = (
    b"group_replication.so",
    b"group_replication=group_replication.so",
    b"a.so;group_replication.so",
    b"group_replication.so;b.so",
    b"x=a.so;group_replication=group_replication.so;b.so",
    b"a.so:b.so",
    b"semisync_master.so",
    b"3306",
    b"it's",
    b'say "hi"',
    b"/var/lib/mysql",
    b"a#b",
    b"a\\nb",
    b"a\\tb\\\\c\\s\\x\\'",
    b"\\",
    b"ends with \\",
    b"caf\xc3\xa0",
    b"\xff\xfe",
    b"\xa0",
    b"=",
    b"a=b",
    b";",
    b"[mysqld]",
    b"",
    b"x" * 300,
)
_GROUPS = (
    b"mysqld",
    b"mysqld",
    b"mysqld",
    b"server",
    b"mysqld-9.7",
    b"mysqld-8.0",
    b"mysql_cluster",
    b"MYSQLD",
    b"mysqld@a",
    b"server@a",
    b"client",
    b"mysqld ",
    b" mysqld",
    b"mysqld1",
    b"",
    b"my]sqld",
)
_BLANKS = (b"", b"", b"", b"", b" ", b"\t", b"  ", b"\xa0", b"\v")
_ENDS = (b"\n", b"\n", b"\n", b"\n", b"\n", b"\r\n", b" \n", b"\n\n")
_FILES = (
    b"/etc/my.cnf",
    b"/etc/mysql/my.cnf",
    b"/etc/mysql/conf.d/a.cnf",
    b"/etc/mysql/conf.d/b.cnf",
    b"/etc/mysql/conf.d/B.cnf",
    b"/etc/mysql/conf.d/a.b.cnf",
    b"/etc/mysql/conf.d/.cnf",
    b"/etc/mysql/conf.d/z.ini",
    b"/etc/mysql/conf.d/z.cnf.bak",
    b"/etc/mysql/conf.d/caf\xc3\xa9.cnf",
    b"/etc/mysql/conf.d/sub.cnf/x.cnf",
    b"/etc/mysql/extra.cnf",
    b"/etc/mysql/loop.cnf",
    b"/etc/mysql/m/my.cnf",
    HOME.encode() + b"/.my.cnf",
)
_TARGETS = (
    b"/etc/mysql/conf.d",
    b"/etc/mysql/conf.d/",
    b"/etc/mysql/conf.d//",
    b"/etc/mysql/nothing",
    b"/etc/mysql/m",
    b"/etc/mysql/extra.cnf",
    b"/etc/mysql/loop.cnf",
    b"/etc/mysql/./conf.d/../extra.cnf",
    b"/etc/mysql/conf.d/a.cnf",
    b"/etc/mysql//conf.d/b.cnf",
    b"etc/mysql/extra.cnf",
    b"etc/mysql/conf.d",
    b"./etc/mysql/extra.cnf",
    b"../etc/mysql/extra.cnf",
    b"~/.my.cnf",
    b"~/../extra.cnf",
    b"~",
    b"/etc/mysql/missing.cnf",
    b"/etc/mysql/extra.cnf # x",
    b"",
)


def make_tree(seed: int, number: int, version: str = NEWEST) -> Tree:
    """Return the tree of this seed and number."""
    dice = random.Random(f"{seed}:{number}")  # noqa: S311 - no secret
    hostile = dice.random()
    files: dict[bytes, tuple[bytes | None, int]] = {b"/etc/mysql": (None, 0o755)}
    for path in _FILES:
        if dice.random() < 0.35:
            mode = 0o666 if dice.random() < 0.05 else 0o644
            files[path] = (_content(dice, hostile), mode)
    environ = []
    if dice.random() < 0.7:
        environ.append(("HOME", HOME))
    if dice.random() < 0.1:
        environ.append(("MYSQL_HOME", dice.choice(("/etc/mysql/m", "/etc/mysql/m/", "/etc", ""))))
    if dice.random() < 0.1:
        environ.append(("MYSQL_GROUP_SUFFIX", dice.choice(("@a", "1", ""))))
    argv = []
    if dice.random() < 0.3:
        there = [path for path in _FILES[:4] if path in files]
        path = dice.choice(there or _FILES[:1])
        files.setdefault(path, (_content(dice, hostile), 0o644))
        argv.append("--defaults-file=" + path.decode())
    elif dice.random() < 0.15:
        argv.append("--defaults-extra-file=" + dice.choice(_FILES[:12]).decode("latin1"))
    elif dice.random() < 0.03:
        argv.append("--no-defaults")
    if dice.random() < 0.15:
        argv.append("--defaults-group-suffix=" + dice.choice(("@a", "1", "")))
    argv = [item for item in argv if item.isascii()]
    own = b"mysqld-%s" % version.encode()
    files = {
        path: (data and data.replace(b"mysqld-9.7", own), mode)
        for path, (data, mode) in files.items()
    }
    return Tree(files, tuple(argv), tuple(environ), version)


def _content(dice: random.Random, hostile: float) -> bytes:
    lines = []
    if dice.random() < 0.85:
        lines.append(b"[%s]%s" % (dice.choice(_GROUPS), dice.choice(_ENDS)))
    for _dummy in range(dice.choice((0, 1, 2, 3, 5, 8))):
        lines.append(_line(dice, hostile))
    data = b"".join(lines)
    if dice.random() < 0.15:
        data = data.rstrip(b"\r\n")
    if hostile < 0.15 and data:
        for _dummy in range(dice.randrange(4)):
            place = dice.randrange(len(data) + 1)
            data = data[:place] + dice.choice(_NOISE) + data[place + dice.randrange(3) :]
    return data


_NOISE = (b"\0", b"\xef\xbb\xbf", b"'", b'"', b"\\", b"[", b"]", b"!", b"#", b"=", b"\n", b"\r")


def _line(dice: random.Random, hostile: float) -> bytes:
    blank = dice.choice(_BLANKS)
    end = dice.choice(_ENDS)
    kind = dice.random()
    if kind < 0.15:
        return blank + b"[" + dice.choice(_GROUPS) + b"]" + dice.choice(_BLANKS) + end
    if kind < 0.22:
        return blank + dice.choice((b"#", b";", b"# plugin_load_add=x", b"#!include /x")) + end
    if kind < 0.30:
        target = dice.choice(_TARGETS if hostile < 0.5 else _TARGETS[:3] + _TARGETS[5:11])
        word = b"!includedir" if b"conf.d" in target and b".cnf" not in target else b"!include"
        if dice.random() < 0.1:
            word = dice.choice((b"!include", b"!includedir", b"! include", b"!includ", b"!Include"))
        return blank + word + (dice.choice(_BLANKS) or b" ") + target + end
    if kind < 0.33:
        return blank + end
    name = dice.choice(_NAMES if hostile < 0.5 else _NAMES[:-1]).encode()
    if dice.random() < 0.01:
        return b"=" + dice.choice(_WORDS) + end
    if dice.random() < 0.15:
        return blank + name + dice.choice((b"", b" # no", b"#", b" ;")) + end
    word = dice.choice(_WORDS)
    if dice.random() < 0.005:
        word = b"x" * dice.choice((4070, 4090, 4094, 4095, 4096, 9000))
    if dice.random() < 0.3:
        quote = dice.choice((b"'", b'"'))
        word = quote + word + dice.choice((quote, quote, quote, b"", b"'"))
    after = dice.choice((b"", b"", b" # x", b"#x", b" ; x", b" "))
    return blank + name + dice.choice(_BLANKS) + b"=" + dice.choice(_BLANKS) + word + after + end


def write_tree(tree: Tree, root: str) -> None:
    """Write a tree below a folder."""
    shutil.rmtree(root, ignore_errors=True)
    for path, (data, mode) in tree.files.items():
        full = root.encode() + path
        os.makedirs(os.path.dirname(full), exist_ok=True)
        if data is None:
            os.makedirs(full, exist_ok=True)
            continue
        with open(full, "wb") as opened:
            opened.write(data)
        os.chmod(full, mode)


def is_undefined(tree: Tree) -> bool:
    """Whether nothing can be learnt from a tree.

    - my_print_defaults takes a missing --defaults-file for an empty one; mysqld does not start.
    - An indented option without a name makes MySQL compute a negative length: it prints the line
      twice, or crashes.
    - A NUL byte at the start of a line makes it read the byte before its buffer.
    """
    named = [item.split("=", 1)[1] for item in tree.argv if item.startswith("--defaults-file=")]
    if named and bytes_of(named[0]) not in tree.files:
        return True
    return any(
        data is not None and re.search(rb"(^|\n|\0)([\t\v\f\r \xa0]+=|\0)", data)
        for data, _mode in tree.files.values()
    )


def smaller(tree: Tree) -> Iterator[Tree]:
    """Yield trees with one thing less, the largest things first."""
    for path in tree.files:
        if path != b"/etc/mysql":
            yield tree._replace(files={k: v for k, v in tree.files.items() if k != path})
    for index in range(len(tree.argv)):
        yield tree._replace(argv=tree.argv[:index] + tree.argv[index + 1 :])
    for index in range(len(tree.environ)):
        yield tree._replace(environ=tree.environ[:index] + tree.environ[index + 1 :])
    for path, (data, mode) in tree.files.items():
        if data is None:
            continue
        if mode != 0o644:
            yield tree._replace(files={**tree.files, path: (data, 0o644)})
        lines = data.splitlines(keepends=True)
        for index in range(len(lines)):
            less = b"".join(lines[:index] + lines[index + 1 :])
            yield tree._replace(files={**tree.files, path: (less, mode)})
        for size in (len(data) // 2, len(data) // 4, len(data) // 16, 1):
            if not size or (size == 1 and len(data) > 200):
                break
            for start in range(0, len(data), size):
                less = data[:start] + data[start + size :]
                yield tree._replace(files={**tree.files, path: (less, mode)})
