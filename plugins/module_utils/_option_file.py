# Copyright (c) 2026, the dbfleet.mysql authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which arguments a MySQL server gets from its option files and its command line.

Reads as the server reads (``mysys/my_default.cc``): the order of files, includes, groups. Checked
against ``my_print_defaults`` of MySQL 9.7 by ``tests/fuzz/option_files.py``. Knows no server and no
Ansible. Private to dbfleet.mysql. Other modules take the questions about arguments from here too.

Text here is str with the bytes that are not UTF-8 kept by ``surrogateescape``.
"""

from __future__ import annotations

import os
import re
import stat
from typing import Iterator, Mapping, NamedTuple, Sequence

from ansible_collections.dbfleet.mysql.plugins.module_utils._errors import Failure
from ansible_collections.dbfleet.mysql.plugins.module_utils._option_arguments import (
    COMMAND_LINE,
    LOAD_OPTIONS,
    Argument,
    PluginLoad,
    Source,
    find_loads,
    make_argument,
    option_value,
    plain_name,
    plugin_loads,
)
from ansible_collections.dbfleet.mysql.plugins.module_utils._option_file_syntax import (
    BAD_DIRECTIVE,
    BAD_LINE,
    GROUP,
    INCLUDE,
    INCLUDEDIR,
    OPTION,
    parse,
)
from ansible_collections.dbfleet.mysql.plugins.module_utils._option_file_system import (
    Files,
    bytes_of,
    clean_path,
    os_reason,
    text_of,
)

__all__ = [
    "Argument",
    "Files",
    "PluginLoad",
    "Problem",
    "ServerOptions",
    "SkippedFile",
    "Source",
    "find_loads",
    "option_value",
    "plugin_loads",
    "read_server_options",
]

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


class SkippedFile(NamedTuple):
    """An option file or folder that is not read; the reason is half a sentence."""

    path: str
    reason: str


class Problem(NamedTuple):
    """A place at which MySQL stops reading a file.

    ``fatal``: the server does not start at all. Else it just misses the rest of an included file.
    """

    source: Source
    reason: str
    fatal: bool

    def __str__(self) -> str:
        return "{}: {}".format(*self)


class ServerOptions(NamedTuple):
    """What a server is started with.

    Attributes:
        arguments: those from option files in order, then those of the command line.
        files: the option files read, in order, included ones too; a file read twice stands twice.
        skipped: files that exist, or are included, and are not read.
        main_file: the file that the server starts from and that an edit belongs in, whether it
            exists or not; None with ``--no-defaults``.
        problems: where MySQL stops reading.
        other_versions: groups such as ``mysqld-8.0`` that were passed over because the server's
            version was not given.
        folders: those named by ``!includedir``.
        main_group: the group that an edit belongs in: this server's own where it has a suffix.
        extra_file: the one named by ``--defaults-extra-file``, if any.
    """

    arguments: list[Argument]
    files: list[str]
    skipped: list[SkippedFile]
    main_file: str | None
    problems: list[Problem]
    other_versions: list[str]
    folders: list[str]
    main_group: str
    extra_file: str | None = None

    @property
    def fatal(self) -> Problem | None:
        """What keeps the server from starting, if anything."""
        for problem in self.problems:
            if problem.fatal:
                return problem
        return None


def read_server_options(
    argv: Sequence[str] = (),
    environ: Mapping[str, str] | None = None,
    home: str | None = None,
    server_version: str | None = None,
    defaults_file: str | None = None,
    group_suffix: str | None = None,
    default_files: Sequence[str] = DEFAULT_FILES,
    cwd: str = "/",
    files: Files | None = None,
) -> ServerOptions:
    """Read what a server gets from its option files and its command line.

    Args:
        argv: the server's command line without the program's name. Its leading ``--no-defaults``,
            ``--defaults-file=``, ``--defaults-extra-file=`` and ``--defaults-group-suffix=`` decide
            which files and groups are read, as they do in MySQL.
        environ: the server's environment; MYSQL_HOME and MYSQL_GROUP_SUFFIX count.
        home: the home folder of the user who starts it. None: there is no ``~/.my.cnf``.
        server_version: such as ``8.0.36``; its ``mysqld-8.0`` group is read then. None: no such
            group is read, and ``other_versions`` names those seen. The group ``mysql_cluster`` is
            always read, as builds with NDB do; other builds ignore it.
        defaults_file: stands in for ``--defaults-file``.
        group_suffix: stands in for ``--defaults-group-suffix``.
        default_files: the build's option files before MYSQL_HOME and ``~/.my.cnf``.
        cwd: the server's working directory, for relative paths.
        files: the file system.

    Raises:
        Failure: option_files_too_large. Nothing else, whatever the files hold: what MySQL makes of
            odd files is in the result.
    """
    command = _split_command_line(argv)
    files = Files() if files is None else files
    environ = {} if environ is None else environ
    if group_suffix is None:
        group_suffix = command.group_suffix
    if group_suffix is None:
        group_suffix = environ.get("MYSQL_GROUP_SUFFIX", "")
    reader = _Reader(files, _groups(server_version, group_suffix), server_version, home, cwd)
    if defaults_file is None:
        defaults_file = command.defaults_file
    main_file: str | None
    if defaults_file is not None:
        main_file = os.path.join(cwd, defaults_file)
        reader.read_named(main_file)
    elif command.no_defaults:
        main_file = None
    else:
        global_files = _default_list(default_files, environ.get("MYSQL_HOME"))
        if command.extra_file is not None:
            global_files.append(os.path.join(cwd, command.extra_file))
        for path in global_files:
            if command.extra_file is not None and path == global_files[-1]:
                reader.read_named(path)
            else:
                reader.read(path)
        if home is not None:
            reader.read(os.path.join(home, ".my.cnf"))
        main_file = _main_file(files, global_files)
    return ServerOptions(
        reader.arguments + command.arguments,
        reader.files_read,
        reader.skipped,
        main_file,
        reader.problems,
        reader.other_versions,
        reader.folders,
        "mysqld" + group_suffix,
        command.extra_file,
    )


def read_group(path: str, group: str, home: str | None = None) -> ServerOptions:
    """Read one group of one option file and of what it includes, as a client program does.

    Args:
        path: the option file; one that does not exist has no options.
        group: the group's name, such as ``client``.
        home: the home folder of the user who reads it.
    """
    reader = _Reader(Files(), [_group_key(bytes_of(group))], None, home, "/")
    reader.read(path)
    return ServerOptions(
        reader.arguments, reader.files_read, reader.skipped, path, reader.problems, [], [], group
    )


class _Reader:
    """Reads option files one after the other; stops for good at a fatal problem."""

    def __init__(
        self,
        files: Files,
        groups: Sequence[bytes],
        server_version: str | None,
        home: str | None,
        cwd: str,
    ) -> None:
        self.files = files
        self.groups = groups
        self.server_version = server_version
        self.home = home
        self.cwd = cwd
        self.arguments: list[Argument] = []
        self.files_read: list[str] = []
        self.skipped: list[SkippedFile] = []
        self.problems: list[Problem] = []
        self.other_versions: list[str] = []
        self.folders: list[str] = []

    def read(self, path: str) -> None:
        """Read an option file if it is there."""
        if not self._stopped() and self.files.exists(path):
            self._read_top(path)

    def read_named(self, path: str) -> None:
        """Read an option file that the command line names: the server insists on it."""
        if self._stopped():
            return
        if not self.files.exists(path):
            self.problems.append(Problem(Source(path, 0), "the file does not exist", True))
        elif not self._read_top(path) and self.skipped[-1].reason != "it is world-writable":
            self.problems.append(Problem(Source(path, 0), "the file cannot be read", True))

    def _stopped(self) -> bool:
        return bool(self.problems) and self.problems[-1].fatal

    def _read_top(self, path: str) -> bool:
        problems = len(self.problems)
        was_read = self._read_file(path, 0)
        # An included file's problem comes before that of the file that includes it, if any.
        if len(self.problems) > problems and self.problems[-1].source.path == path:
            self.problems[-1] = self.problems[-1]._replace(fatal=True)
        return was_read

    def _read_file(self, path: str, depth: int) -> bool:
        """Read a file and what it includes; returns whether MySQL reads it at all."""
        if len(bytes_of(path)) > MAX_PATH:
            self.skipped.append(SkippedFile(path, "its path is too long"))
            return False
        try:
            mode = self.files.mode(path)
            if stat.S_ISDIR(mode):
                return True  # opens, and has no lines
            if not stat.S_ISREG(mode):
                self.skipped.append(SkippedFile(path, "it is not a regular file"))
                return False
            if mode & stat.S_IWOTH:
                self.skipped.append(SkippedFile(path, "it is world-writable"))
                return False
            data = self.files.read(path)
        except OSError as error:
            self.skipped.append(SkippedFile(path, os_reason(error)))
            return False
        self.files_read.append(path)
        if len(self.files_read) > MAX_FILES:
            raise Failure(
                "option_files_too_large",
                f"The option files include each other more than {MAX_FILES} times.",
                f"Look for an !includedir that includes its own folder, last in {path}.",
            )
        wanted = False
        for statement in parse(data):
            source = Source(path, statement.line)
            if statement.kind == GROUP:
                wanted = self._wanted(statement.text)
            elif statement.kind == OPTION:
                if wanted:
                    self.arguments.append(
                        make_argument(statement.text, statement.value, source, statement.start)
                    )
            elif statement.kind == BAD_LINE:
                self.problems.append(Problem(source, text_of(statement.text), False))
                break
            elif depth >= MAX_DEPTH:
                continue
            elif statement.kind == BAD_DIRECTIVE:
                self.problems.append(Problem(source, text_of(statement.text), False))
                break
            elif statement.kind == INCLUDE:
                self._read_file(self._path(statement.text), depth + 1)
            elif statement.kind == INCLUDEDIR and not self._include_folder(
                statement.text, source, depth
            ):
                break
        return True

    def _include_folder(self, folder: bytes, source: Source, depth: int) -> bool:
        """Read the option files of a folder; returns whether MySQL goes on after it.

        The folder itself is opened as it is written, without regard for ``~``.
        """
        path = os.path.join(self.cwd, text_of(folder))
        self.folders.append(path)
        try:
            names = self.files.names(path)
        except OSError as error:
            self.problems.append(Problem(source, f"!includedir {path}: {os_reason(error)}", False))
            return False
        for name in names:
            # The extension is all from the last dot, so ".cnf" has one too (fn_ext).
            if name.endswith(b".cnf"):
                self._read_file(self._path(folder + b"/" + name), depth + 1)
        return True

    def _wanted(self, group: bytes) -> bool:
        name = _group_key(group)
        if name in self.groups:
            return True
        version_group = self.server_version is None and re.match(rb"MYSQLD-\d+\.\d+", name)
        if version_group and text_of(group) not in self.other_versions:
            self.other_versions.append(text_of(group))
        return False

    def _path(self, path: bytes) -> str:
        return os.path.join(self.cwd, clean_path(text_of(path), self.home))


def _groups(server_version: str | None, suffix: str) -> list[bytes]:
    """Return the keys of the groups that the server reads (load_default_groups in mysqld.cc)."""
    groups = ["mysql_cluster", "mysqld", "server"]
    version = re.match(r"(\d+\.\d+)", server_version or "")
    if version:
        groups.append("mysqld-" + version.group(1))
    groups += [group + suffix for group in groups] if suffix else []
    return [_group_key(bytes_of(group)) for group in groups]


def _group_key(group: bytes) -> bytes:
    """Return what MySQL compares of a group's name: not its case (find_type in typelib.cc)."""
    return group.rstrip(b" ").upper()


def _default_list(default_files: Sequence[str], mysql_home: str | None) -> list[str]:
    """Return the default files in order; MYSQL_HOME moves a folder already listed to the end."""
    result = list(default_files)
    if mysql_home:
        own = os.path.join(clean_path(mysql_home + "/x", None)[:-2] or "/", "my.cnf")
        result = [path for path in result if path != own] + [own]
    return result


def _main_file(files: Files, candidates: Sequence[str]) -> str:
    """Return the file to edit: the last that exists, for there a line has the last word."""
    for path in reversed(candidates):
        if files.exists(path):
            return path
    return "/etc/mysql/my.cnf" if files.exists("/etc/mysql") else "/etc/my.cnf"


class _CommandLine(NamedTuple):
    no_defaults: bool
    defaults_file: str | None
    extra_file: str | None
    group_suffix: str | None
    arguments: list[Argument]


def _split_command_line(argv: Sequence[str]) -> _CommandLine:
    """Take the options about option files from the head of a command line (get_defaults_options).

    An option given as two words is joined with ``=``: mysqld takes no words but values.
    """
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
        rest.pop(0)
    return _CommandLine(
        no_defaults,
        found.get("--defaults-file"),
        found.get("--defaults-extra-file"),
        found.get("--defaults-group-suffix"),
        list(_command_line_arguments(rest, len(argv) - len(rest) + 1)),
    )


def _command_line_arguments(words: Sequence[str], position: int) -> Iterator[Argument]:
    index = 0
    while index < len(words):
        word = words[index]
        source = Source(COMMAND_LINE, position + index)
        index += 1
        if word == "--":
            return
        if not word.startswith("--"):
            yield Argument(word, word, None, source)
            continue
        name, equals, value = word[2:].partition("=")
        if (
            not equals
            and index < len(words)
            and (not words[index].startswith("-") or plain_name(name) in LOAD_OPTIONS)
        ):
            value, equals = words[index], "="
            index += 1
        yield make_argument(bytes_of(name), bytes_of(value) if equals else None, source, -1)
