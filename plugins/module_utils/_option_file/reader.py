# Copyright (c) 2026, the dbfleet.mysql authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which arguments a MySQL server gets from its option files and its command line.

Reads as the server reads (``mysys/my_default.cc``): the order of files, includes, groups. Checked
against ``my_print_defaults`` of MySQL 9.7 by ``tests/fuzz/option_files.py``. Knows no server and no
Ansible. Private to dbfleet.mysql.

Text here is str with the bytes that are not UTF-8 kept by ``surrogateescape``.
"""

from __future__ import annotations

import os
import re
import stat
from typing import Iterator, Mapping, NamedTuple, Sequence

from .._errors import Failure
from .arguments import COMMAND_LINE, LOAD_OPTIONS, Argument, make_argument, plain_name
from .files import Files, bytes_of, clean_path, os_reason, text_of
from .syntax import (
    BAD_DIRECTIVE,
    BAD_LINE,
    GROUP,
    INCLUDE,
    INCLUDEDIR,
    NEWEST,
    OPTION,
    Syntax,
    parse,
    syntax_of,
)

#: The option files that servers start from before ``~/.my.cnf``. The first two are in every build;
#: the others are the build's SYSCONFDIR: Oracle's RPM packages, then its tar archives.
DEFAULT_FILES = (
    "/etc/my.cnf",
    "/etc/mysql/my.cnf",
    "/usr/etc/my.cnf",
    "/usr/local/mysql/etc/my.cnf",
)

#: Directives this many includes deep are ignored (max_recursion_level in my_default.cc).
MAX_DEPTH = 10
#: Longest path in bytes that MySQL opens: FN_REFLEN - 4 in my_default.cc.
MAX_PATH = 508
#: Ours: a directory that includes itself can make MySQL read millions of files.
MAX_FILES = 2000
#: Ours, in bytes: of all files together, each counted as often as it is read.
MAX_TOTAL_SIZE = 4 * 1024 * 1024
#: Ours: options in the groups that are read.
MAX_ARGUMENTS = 20000
#: Ours: how many includes and names in included folders are looked at.
MAX_LOOKS = 50000
#: How many groups of other versions are named.
_MOST_GROUPS = 50

_WORLD_WRITABLE = "it is world-writable"


class ReadError(NamedTuple):
    """A place at which MySQL stops reading a file; line 0 is the file itself.

    ``fatal``: the server does not start at all. Else it just misses the rest of an included file.
    """

    path: str
    line: int
    reason: str
    fatal: bool

    def __str__(self) -> str:
        place = f"{self.path}:{self.line}" if self.line else self.path
        return f"{place}: {self.reason}"


class ServerOptions:
    """What a server is started with.

    Attributes:
        arguments: those from option files in order, then those of the command line.
        files: the option files read, in order, included ones too; a file read twice stands twice.
        skipped: files that exist, or are included, and are not read: path, and half a sentence why.
        main_file: the file that the server starts from and that an edit belongs in, whether it
            exists or not; None with ``--no-defaults``.
        read_errors: where MySQL stops reading.
        other_versions: groups such as ``mysqld-8.0`` that were passed over because the server's
            version was not given.
        folders: those named by ``!includedir``.
        main_group: the group that an edit belongs in: this server's own where it has a suffix.
        extra_file: the one named by ``--defaults-extra-file``, if any.
        included_by: for each included file, the first that includes it.
        syntax: how the server's version reads option files.
        unreadable: files and folders that we may not read; MySQL passes over those that it may not
            read either.
    """

    def __init__(
        self,
        main_group: str,
        extra_file: str | None = None,
        syntax: Syntax = NEWEST,
        groups: Sequence[bytes] = (),
    ) -> None:
        self.arguments: list[Argument] = []
        self.files: list[str] = []
        self.skipped: list[tuple[str, str]] = []
        self.main_file: str | None = None
        self.read_errors: list[ReadError] = []
        self.other_versions: list[str] = []
        self.folders: list[str] = []
        self.main_group = main_group
        self.extra_file = extra_file
        self.syntax = syntax
        self.included_by: dict[str, str] = {}
        self.unreadable: list[str] = []
        self._groups = groups

    def way_to(self, path: str) -> list[str]:
        """Return the files that make MySQL read a file, from itself up to the first."""
        way = [path]
        while way[-1] in self.included_by and self.included_by[way[-1]] not in way:
            way.append(self.included_by[way[-1]])
        return way

    def has_group(self, name: str) -> bool:
        """Whether the server reads a group of this name."""
        return _group_key(bytes_of(name)) in self._groups

    @property
    def fatal(self) -> ReadError | None:
        """What keeps the server from starting, if anything."""
        return next((error for error in self.read_errors if error.fatal), None)


def read_server_options(
    argv: Sequence[str] = (),
    environ: Mapping[str, str] | None = None,
    home: str | None = None,
    server_version: str | None = None,
    defaults_file: str | None = None,
    default_files: Sequence[str] = DEFAULT_FILES,
    files: Files | None = None,
) -> ServerOptions:
    """Read what a server gets from its option files and its command line.

    Relative paths count from ``/``.

    Args:
        argv: the server's command line without the program's name. Its leading ``--no-defaults``,
            ``--defaults-file=``, ``--defaults-extra-file=`` and ``--defaults-group-suffix=`` decide
            which files and groups are read, as they do in MySQL.
        environ: the server's environment; MYSQL_HOME and MYSQL_GROUP_SUFFIX count,
            the latter under another name in 5.7.
        home: the home folder of the user who starts it. None: there is no ``~/.my.cnf``.
        server_version: such as ``8.0.36``; its ``mysqld-8.0`` group is read then. None: no such
            group is read, and ``other_versions`` names those seen. The group ``mysql_cluster`` is
            always read, as builds with NDB do; other builds ignore it.
        defaults_file: stands in for ``--defaults-file``.
        default_files: the build's option files before MYSQL_HOME and ``~/.my.cnf``.
        files: the file system.

    Raises:
        Failure: option_files_too_large. Nothing else, whatever the files hold: what MySQL makes of
            odd files is in the result.
    """
    no_defaults, found, command_line = _split_command_line(argv)
    files = Files() if files is None else files
    environ = {} if environ is None else environ
    if home is not None and len(bytes_of(home)) > MAX_PATH:
        home = None  # no file in it can be opened
    syntax = syntax_of(server_version)
    suffix = found.get("--defaults-group-suffix", environ.get(syntax.suffix_variable, ""))
    if defaults_file is None:
        defaults_file = found.get("--defaults-file")
    extra_file = found.get("--defaults-extra-file") if defaults_file is None else None
    groups = _groups(server_version, suffix)
    options = ServerOptions("mysqld" + suffix, extra_file, syntax, groups)
    reader = _Reader(options, files, groups, home)
    if defaults_file is not None:
        options.main_file = os.path.join("/", defaults_file)
        reader.read_named(options.main_file)
    elif not no_defaults:
        global_files = _with_mysql_home(default_files, environ.get("MYSQL_HOME"))
        for path in global_files:
            reader.read(path)
        if options.extra_file is not None:
            global_files.append(os.path.join("/", options.extra_file))
            reader.read_named(global_files[-1])
        if home is not None:
            reader.read(os.path.join(home, ".my.cnf"))
        options.main_file = _main_file(files, global_files)
    if server_version is None:
        options.other_versions = list(reader.version_groups.values())
    options.arguments += command_line
    return options


def read_groups(path: str, groups: Sequence[str], home: str | None = None) -> ServerOptions:
    """Read groups of one option file and of what it includes, as a client program does.

    Args:
        path: the option file; one that does not exist has no options.
        groups: the groups' names, such as ``client``.
        home: the home folder of the user who reads it.
    """
    options = ServerOptions(groups[0])
    options.main_file = path
    _Reader(options, Files(), [_group_key(bytes_of(group)) for group in groups], home).read(path)
    return options


class _Reader:
    """Reads option files one after the other; stops for good at a fatal error.

    Args:
        options: what is read is added to these.
        files: the file system.
        groups: keys of the groups that are read.
        home: stands for ``~`` in paths.
    """

    def __init__(
        self, options: ServerOptions, files: Files, groups: Sequence[bytes], home: str | None
    ) -> None:
        self.options = options
        self.files = files
        self.groups = groups
        self.home = home
        #: Groups such as ``mysqld-8.0`` that are not read: key and name.
        self.version_groups: dict[bytes, str] = {}
        self._size = 0
        self._looks = 0

    def read(self, path: str) -> None:
        """Read an option file if it is there."""
        if not self.options.fatal and self._exists(path):
            self._read_file(path, 0)

    def read_named(self, path: str) -> None:
        """Read an option file that the command line names: the server insists on it."""
        if self.options.fatal:
            return
        if not self._exists(path):
            self._stop(path, 0, "the file does not exist", 0)
        elif self._read_file(path, 0) not in ("", _WORLD_WRITABLE):
            self._stop(path, 0, "the file cannot be read", 0)

    def _exists(self, path: str) -> bool:
        """Whether a file is there, as far as MySQL sees: not in a folder that it may not enter."""
        try:
            self.files.mode(path)
        except PermissionError:
            self.options.unreadable.append(path)
            return False
        except OSError:
            return False
        return True

    def _read_file(self, path: str, depth: int) -> str:
        """Read a file and what it includes; returns why MySQL passes it over, empty if not."""
        try:
            data, reason = self._bytes(path)
        except OSError as error:
            data, reason = None, self._reason(path, error)
        if reason:
            self.options.skipped.append((path, reason))
        if data is not None:
            self._read_lines(path, data, depth)
        return reason

    def _reason(self, path: str, error: OSError) -> str:
        if isinstance(error, PermissionError):
            self.options.unreadable.append(path)
        return os_reason(error)

    def _bytes(self, path: str) -> tuple[bytes | None, str]:
        """Return a file's bytes, or None and why it is not read. Raises OSError.

        A folder opens, and has no lines: that is no reason.
        """
        if len(bytes_of(path)) > MAX_PATH:
            return None, "its path is too long"
        mode = self.files.mode(path)
        if stat.S_ISDIR(mode):
            return None, ""
        if not stat.S_ISREG(mode):
            return None, "it is not a regular file"
        if mode & stat.S_IWOTH:
            return None, _WORLD_WRITABLE
        return self.files.read(path), ""

    def _read_lines(self, path: str, data: bytes, depth: int) -> None:
        self.options.files.append(path)
        self._size += len(data)
        if self._size > MAX_TOTAL_SIZE:
            raise Failure(
                "option_files_too_large",
                f"The option files hold more than {MAX_TOTAL_SIZE >> 20} MiB in all.",
                f"Look for a file that is included again and again, last {path}.",
            )
        if len(self.options.files) > MAX_FILES:
            raise Failure(
                "option_files_too_large",
                f"The option files include each other more than {MAX_FILES} times.",
                f"Look for an !includedir that includes its own folder, last in {path}.",
            )
        for line in parse(data, self.options.syntax):
            if line.kind == OPTION and _group_key(line.group) in self.groups:
                self.options.arguments.append(
                    make_argument(line.text, line.value, path, line.number, line.start)
                )
                if len(self.options.arguments) > MAX_ARGUMENTS:
                    raise Failure(
                        "option_files_too_large",
                        f"The option files hold more than {MAX_ARGUMENTS} options.",
                        f"Look at the last file that was read, {path}.",
                    )
            elif line.kind == GROUP:
                self._note_version_group(line.text)
            elif line.kind == BAD_LINE or (line.kind == BAD_DIRECTIVE and depth < MAX_DEPTH):
                self._stop(path, line.number, text_of(line.text), depth)
                return
            elif line.kind == INCLUDE and depth < MAX_DEPTH:
                self._include(self._path(line.text), path, depth)
            elif line.kind == INCLUDEDIR and depth < MAX_DEPTH:
                reason = self._include_folder(line.text, path, depth)
                if reason:
                    self._stop(path, line.number, reason, depth)
                    return

    def _stop(self, path: str, line: int, reason: str, depth: int) -> None:
        self.options.read_errors.append(ReadError(path, line, reason, fatal=depth == 0))

    def _count_looks(self, number: int, path: str) -> None:
        self._looks += number
        if self._looks > MAX_LOOKS:
            raise Failure(
                "option_files_too_large",
                f"The option files include more than {MAX_LOOKS} files, or names in folders.",
                f"Look for what is included again and again, last {path}.",
            )

    def _include(self, path: str, by: str, depth: int) -> None:
        self._count_looks(1, path)
        self.options.included_by.setdefault(path, by)
        self._read_file(path, depth + 1)

    def _include_folder(self, folder: bytes, by: str, depth: int) -> str:
        """Read the option files of a folder; returns why MySQL stops there, empty if it does not.

        The folder itself is opened as it is written, without regard for ``~``.
        """
        path = os.path.join("/", text_of(folder))
        self.options.folders.append(path)
        try:
            names = self.files.names(path)
        except OSError as error:
            return f"!includedir {path}: {self._reason(path, error)}"
        self._count_looks(len(names) + 1, path)
        beginning = self._path(folder.rstrip(b"/") + b"/")
        for name in names:
            # The extension is all from the last dot, so ".cnf" has one too (fn_ext).
            if name.endswith(b".cnf"):
                self._include(beginning + text_of(name), by, depth)
        return ""

    def _path(self, path: bytes) -> str:
        return os.path.join("/", clean_path(text_of(path), self.home))

    def _note_version_group(self, group: bytes) -> None:
        key = _group_key(group)
        if (
            len(self.version_groups) < _MOST_GROUPS
            and re.match(rb"MYSQLD-\d+\.\d+", key)
            and key not in self.groups
        ):
            self.version_groups.setdefault(key, text_of(group))


def _groups(server_version: str | None, suffix: str) -> list[bytes]:
    """Return the keys of the groups that the server reads (load_default_groups in mysqld.cc)."""
    groups = ["mysql_cluster", "mysqld", "server"]
    if server_version:
        groups.append("mysqld-" + ".".join(server_version.split(".")[:2]))
    groups += [group + suffix for group in groups] if suffix else []
    return [_group_key(bytes_of(group)) for group in groups]


def _group_key(group: bytes) -> bytes:
    """Return what MySQL compares of a group's name: not its case (find_type in typelib.cc)."""
    return group.rstrip(b" ").upper()


def _with_mysql_home(default_files: Sequence[str], mysql_home: str | None) -> list[str]:
    """Return the global option files; MYSQL_HOME moves a folder already listed to the end."""
    if not mysql_home:
        return list(default_files)
    folder = clean_path(mysql_home + "/x", None)[:-2] or "/"
    own = os.path.join(folder, "my.cnf")
    return [*(path for path in default_files if path != own), own]


def _main_file(files: Files, candidates: Sequence[str]) -> str:
    """Return the file to edit: the last that exists, for there a line has the last word."""
    for path in reversed(candidates):
        if files.exists(path):
            return path
    return "/etc/mysql/my.cnf" if files.exists("/etc/mysql") else "/etc/my.cnf"


def _split_command_line(argv: Sequence[str]) -> tuple[bool, dict[str, str], list[Argument]]:
    """Take the options about option files from the head of a command line (get_defaults_options).

    Returns:
        Whether it begins with ``--no-defaults``, the other options about option files with their
        values, and the server's own arguments.
    """
    if len(argv) > MAX_ARGUMENTS:
        raise Failure(
            "option_files_too_large",
            f"The server's command line has more than {MAX_ARGUMENTS} words.",
            "Look at how the server is started.",
        )
    no_defaults = bool(argv) and argv[0] == "--no-defaults"
    found: dict[str, str] = {}
    rest = list(argv[1:] if no_defaults else argv)
    keys = ["--defaults-group-suffix", "--login-path"]
    if not no_defaults:
        keys += ["--defaults-file", "--defaults-extra-file"]
    while rest:
        key, equals, value = rest[0].partition("=")
        if not equals or key not in keys or key in found:
            break
        found[key] = value
        rest = rest[1:]
    return no_defaults, found, list(_command_line_arguments(rest))


def _command_line_arguments(words: Sequence[str]) -> Iterator[Argument]:
    """Yield the server's own arguments of a command line.

    One of two words is joined with ``=``: mysqld takes no words but values.
    """
    # The last word first: to take the first one off a list moves all the others.
    rest = list(reversed(words))
    while rest:
        word = rest.pop()
        if word == "--":
            return
        if not word.startswith("--"):
            yield Argument(word, word, None, COMMAND_LINE, 0)
            continue
        name, equals, value = word[2:].partition("=")
        needs_value = plain_name(name) in LOAD_OPTIONS
        if not equals and rest and (needs_value or not rest[-1].startswith("-")):
            equals, value = "=", rest.pop()
        yield make_argument(bytes_of(name), bytes_of(value) if equals else None, COMMAND_LINE, 0)
