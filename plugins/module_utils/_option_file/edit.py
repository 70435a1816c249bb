# Copyright (c) 2026, the dbfleet.mysql authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What to change in option files so that a library is loaded at start, or no longer is.

Decides and writes nothing: bytes in, bytes out, and each result is read again by our reader before
it is believed. Private to dbfleet.mysql.
"""

from __future__ import annotations

import errno
import os
import re
import stat
from typing import Callable, Iterator, Mapping, NamedTuple

from .._errors import Failure, option_names
from .arguments import (
    COMMAND_LINE,
    LOAD_OPTIONS,
    Argument,
    PluginLoad,
    find_loads,
    is_entry_for,
    list_entries,
    load_arguments,
    plain_name,
    plugin_loads,
)
from .files import Files, bytes_of, os_reason, text_of
from .reader import ServerOptions
from .syntax import ESCAPE, GROUP, OPTION, SPACE, Line, Syntax, parse, unquoted, without_end_comment

#: Stands above a group that we added, so that taking the line out takes the group out as well.
GROUP_MARK = b"# This group was added by dbfleet.mysql.plugin_load_add."
#: Stands at the head of a file that we created, so that the file goes with its last line.
FILE_MARK = b"# This file was created by dbfleet.mysql.plugin_load_add."

#: Ours: how many entries are taken out in one run; the files are read again after each.
MOST_ENTRIES = 20

_LIBRARY = re.compile(r"(?:(?P<plugin>\w+)=)?(?P<library>[\w.+-]+)", re.ASCII)

#: Reads the option files of a file system.
Reader = Callable[[Files], ServerOptions]


class ChangedFiles(Files):
    """A file system with some contents taken as if they were already written.

    Args:
        files: the file system as it is.
        changes: the contents, by :meth:`real_path`; None for a file that is removed.
    """

    def __init__(self, files: Files, changes: Mapping[str, bytes | None]) -> None:
        super().__init__(files.root)
        self._files = files
        self._changes = changes

    def mode(self, path: str) -> int:
        """Return type and permission bits, as :meth:`Files.mode` does."""
        real = self.real_path(path)
        if real in self._changes:
            if self._changes[real] is None:
                raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT))
            if not self._files.exists(path):
                return stat.S_IFREG | 0o644
        return self._files.mode(path)

    def read(self, path: str) -> bytes:
        """Return the bytes of a regular file, as :meth:`Files.read` does."""
        change = self._changes.get(self.real_path(path))
        return self._files.read(path) if change is None else change

    def names(self, path: str) -> list[bytes]:
        """Return the names in a folder, as :meth:`Files.names` does."""
        names = set(self._files.names(path))
        own = self.real_path(path)
        for changed, data in self._changes.items():
            folder, name = os.path.split(changed)
            if folder == own:
                (names.discard if data is None else names.add)(bytes_of(name))
        return sorted(names)


class Library(NamedTuple):
    """A library as the user asks for it; ``plugin``: just this one of its plugins."""

    name: str
    plugin: str | None

    @property
    def entry(self) -> str:
        """The entry in a plugin list."""
        return self.name if self.plugin is None else f"{self.plugin}={self.name}"

    def loads(self, options: ServerOptions) -> list[PluginLoad]:
        """Return what loads it at start; ``name=library`` of its one plugin is as good."""
        plugin = self.plugin
        if plugin is None and self.name.startswith("group_replication."):
            plugin = "group_replication"
        return find_loads(options.arguments, self.name, plugin)

    def is_named_by(self, entry: PluginLoad) -> bool:
        """Whether an entry of a plugin list goes where the library shall not be loaded."""
        return is_entry_for(entry, self.name, self.plugin)


class Change(NamedTuple):
    """New contents of one file.

    Attributes:
        path: the file as MySQL's options name it.
        real_path: the file itself, links resolved; what gets written.
        old: its bytes; None where it does not exist.
        new: its bytes to be; None where it shall be removed.
    """

    path: str
    real_path: str
    old: bytes | None
    new: bytes | None


class Plan(NamedTuple):
    """What to change, and what the server loads at start before and after."""

    changes: list[Change]
    before: ServerOptions
    after: ServerOptions


class _Place(NamedTuple):
    """Where a line stands: its file, links resolved, and the offset of its first byte."""

    real_path: str
    offset: int

    def holds(self, argument: Argument, files: Files) -> bool:
        """Whether an argument stands here."""
        return (
            argument.offset == self.offset
            and argument.path != COMMAND_LINE
            and files.real_path(argument.path) == self.real_path
        )


def parse_library(text: str) -> Library:
    """Return a library from ``library`` or ``name=library``.

    Raises:
        Failure: library_name_invalid. A path is refused by MySQL too, and the separators of a
            plugin list would make it something else.
    """
    match = _LIBRARY.fullmatch(text)
    if match is None:
        raise Failure(
            "library_name_invalid",
            f"'{text}' is no file name of a plugin library.",
            f"Set {option_names('library')} to the name of a file in the server's plugin_dir, such "
            "as group_replication.so, or to name=file.",
        )
    return Library(match.group("library"), match.group("plugin"))


def plan_present(reader: Reader, files: Files, library: Library, target: str, group: str) -> Plan:
    """Plan for the library to be loaded at start.

    Args:
        reader: reads the option files.
        files: the file system.
        library: what is to be loaded.
        target: the file to add the line to, if one must be added.
        group: the group for that line, such as ``mysqld``.

    Raises:
        Failure: no line in the target would load the library, or would so without changing
            something else; or MySQL ignores the target.
    """
    before = reader(files)
    _refuse_broken(before)
    if library.loads(before):
        return Plan([], before, before)
    old = _target_bytes(files, target)
    line = b"plugin_load_add=" + bytes_of(library.entry)
    best: Plan | None = None
    for new, offset in _candidates(old, bytes_of(group), line, before.syntax):
        place = _Place(files.real_path(target), offset)
        after = reader(ChangedFiles(files, {place.real_path: new}))
        if not library.loads(after) or not _differ_by_line(before, after, files, place):
            continue
        plan = Plan([Change(target, place.real_path, old, new)], before, after)
        if _without_line(new, offset) == old:
            return plan
        best = best or plan
    if best is not None:
        return best
    raise _no_place(before, after, files, target, place, group)


def plan_absent(reader: Reader, files: Files, library: Library) -> Plan:
    """Plan for the library to be loaded no longer: every entry for it goes, from every file.

    An entry that a later ``plugin_load`` throws away goes too: it would come back with that line
    gone. A ``plugin_load`` that has nothing left stays as an empty one where it throws something
    away. Arguments as of :func:`plan_present`.

    Raises:
        Failure: an entry stands where it cannot be taken out.
    """
    before = current = reader(files)
    _refuse_broken(before)
    changes: dict[str, Change] = {}
    contents: dict[str, bytes | None] = {}
    if len(_entries(before, library)) > MOST_ENTRIES:
        raise Failure(
            "line_not_editable",
            f"More than {MOST_ENTRIES} entries of the option files load the library.",
            "Take them out by hand.",
        )
    while True:
        entry = next(iter(_entries(current, library)), None)
        if entry is None:
            return Plan(list(changes.values()), before, current)
        path = entry.argument.path
        real_path = files.real_path(path)
        data = ChangedFiles(files, contents).read(path)
        kept = _others(current, library)
        for new in _without_entry(data, entry, before.syntax):
            after = reader(ChangedFiles(files, {**contents, real_path: new}))
            if _others(after, library) == kept:
                earlier = changes.get(real_path, Change(path, real_path, data, data))
                changes[real_path] = earlier._replace(new=new)
                contents[real_path] = new
                current = after
                break
        else:
            raise Failure(
                "line_not_editable",
                f"The entry in {entry.argument.source} cannot be taken out without changing"
                " what else the server loads.",
                "Take it out by hand.",
            )


# ---- refusing ----


def section_not_read(group: str) -> Failure:
    """Return the failure for a group that the server does not read."""
    return Failure(
        "section_not_read",
        f"The server does not read the group {group}.",
        f"Set {option_names('section')} to mysqld, or to the group that the server is started "
        "with.",
    )


def _refuse_broken(options: ServerOptions) -> None:
    if options.fatal is not None:
        raise Failure(
            "option_file_broken",
            f"MySQL does not start with these option files: {options.fatal}.",
            "Correct that line."
            if options.fatal.line
            else f"Correct {option_names('option_file', 'defaults_extra_file')}.",
        )


def _target_bytes(files: Files, target: str) -> bytes | None:
    """Return the bytes of the file to add a line to; None where it must be created."""
    folder = target.rpartition("/")[0] or "/"
    if not files.exists(target):
        if files.exists(folder):
            return None
        raise Failure(
            "option_file_folder_missing",
            f"The folder {folder} does not exist, so {target} cannot be created.",
            "Install MySQL first, create the folder, or name another file in "
            f"{option_names('option_file', 'drop_in')}.",
        )
    try:
        mode = files.mode(target)
        if not stat.S_ISREG(mode):
            raise OSError(errno.EINVAL, "it is not a regular file")
        data = files.read(target)
    except OSError as error:
        raise Failure(
            "option_file_unreadable",
            f"{target} cannot be read: {os_reason(error)}.",
            f"Name a regular file in {option_names('option_file', 'drop_in')}, or run the task "
            "with become: true.",
        ) from None
    if mode & stat.S_IWOTH:
        raise Failure(
            "option_file_world_writable",
            f"MySQL ignores {target}, because every user may write to it.",
            f"Make it safe: chmod o-w {target}",
        )
    return data


def _no_place(
    before: ServerOptions,
    after: ServerOptions,
    files: Files,
    target: str,
    place: _Place,
    group: str,
) -> Failure:
    """Return why a line in the target would not load the library.

    Args:
        after: with the line at the end of the target.
        place: the line's.
    """
    if after.fatal is None and place.real_path not in map(files.real_path, after.files):
        return Failure(
            "drop_in_not_included",
            f"MySQL does not read {target}.",
            f"Include it from {before.main_file} with !includedir (only *.cnf counts) or !include.",
        )
    if not any(place.holds(item, files) for item in after.arguments):
        return section_not_read(f"[{group}] of {target}")
    resets = [item for item in after.arguments if item.name == "plugin_load"]
    if resets:
        return Failure(
            "plugin_load_overrides",
            f"plugin_load in {resets[-1].source} comes after every place in {target}, and throws"
            " away what was added before.",
            "Turn that line into plugin_load_add, or name its file in "
            f"{option_names('option_file', 'drop_in')}.",
            decided_by=resets[-1].source,
        )
    return Failure(
        "line_not_editable",
        f"A line in {target} would change more than what is loaded.",
        f"Add the line by hand, or name another file in {option_names('drop_in')}.",
    )


# ---- comparing what is read before and after ----


def _differ_by_line(
    before: ServerOptions, after: ServerOptions, files: Files, place: _Place
) -> bool:
    """Whether the line at a place is all that the server gets in addition."""
    rest = [item.text for item in after.arguments if not place.holds(item, files)]
    return (
        after.fatal is None
        and rest == [item.text for item in before.arguments]
        and len(after.read_errors) == len(before.read_errors)
    )


def _others(
    options: ServerOptions, library: Library
) -> tuple[list[str], list[tuple[str, str, str | None]]]:
    """Return all that is not about a library: the other arguments, and what else is loaded."""
    loads = [
        (load.argument.name, load.library, load.plugin)
        for load in plugin_loads(options.arguments)
        if not library.is_named_by(load)
    ]
    return [item.text for item in options.arguments if not _is_list(item)], loads


def _is_list(argument: Argument) -> bool:
    """Whether an argument is about one of the plugin lists."""
    return argument.name in LOAD_OPTIONS or any(load_arguments([argument]))


def _entries(options: ServerOptions, library: Library) -> list[PluginLoad]:
    """Return the entries for a library, the last first, so that earlier lines keep their place.

    Entries that a later ``plugin_load`` drops are among them.
    """
    return [
        entry
        for argument in reversed(list(load_arguments(options.arguments)))
        if argument.path != COMMAND_LINE
        for entry in reversed(list_entries(argument))
        if library.is_named_by(entry)
    ]


# ---- adding a line ----


def _candidates(
    data: bytes | None, group: bytes, line: bytes, syntax: Syntax
) -> Iterator[tuple[bytes, int]]:
    """Yield the file with the line added, best place first, and the line's offset in it.

    Best is right below the last line of the group about plugin lists, then the end of the group
    (its last option), then right below its name; last the end of the file, in a group of its own.
    """
    if not data:
        head = (FILE_MARK if data is None else GROUP_MARK) + b"\n[" + group + b"]\n"
        yield head + line + b"\n", len(head)
        return
    for place in _places(data, group, syntax):
        yield _inserted(data, place, line)
    # A lone CR at the end of the file would become one line end with an LF.
    eol = b"\r\n" if data.endswith(b"\r") else _line_end(data, len(data))
    head = eol + GROUP_MARK + eol + b"[" + group + b"]" + eol
    if data.endswith(b"\n"):
        yield data + head + line + eol, len(data) + len(head)
    else:  # the last line stays one without a line end
        yield data + eol + head + line, len(data) + len(eol) + len(head)


def _places(data: bytes, group: bytes, syntax: Syntax) -> list[int]:
    """Return offsets of line starts at which a line would stand in the group, best first."""
    own = [item for item in parse(data, syntax) if _in_group(item, group)]
    options = [item for item in own if item.kind == OPTION]
    lists = [item.end for item in options if plain_name(text_of(item.text)) in LOAD_OPTIONS[:2]]
    heads = [item.end for item in own if item.kind == GROUP]
    last = max([item.end for item in options] + heads, default=None)
    places = [*lists[-1:], last, *heads[-1:], *heads[:1]]
    return [place for place in dict.fromkeys(places) if place is not None]


def _in_group(line: Line, group: bytes) -> bool:
    name = line.text if line.kind == GROUP else line.group
    return name.rstrip(b" ").lower() == group.lower()


def _inserted(data: bytes, place: int, line: bytes) -> tuple[bytes, int]:
    eol = _line_end(data, place)
    if place == len(data) and not data.endswith(b"\n"):
        return data + eol + line, place + len(eol)
    return data[:place] + line + eol + data[place:], place


def _line_end(data: bytes, place: int) -> bytes:
    """Return the line end in use before an offset, else anywhere in the file."""
    newline = data.rfind(b"\n", 0, place)
    if newline < 0:
        newline = data.find(b"\n")
    return b"\r\n" if newline > 0 and data[newline - 1 : newline] == b"\r" else b"\n"


# ---- taking a line or an entry out ----


def _without_line(data: bytes, offset: int) -> bytes | None:
    """Return the file without the line at an offset, and without the group if it was ours.

    The inverse of adding it. None for a file that we created and that has nothing left.
    """
    newline = data.find(b"\n", offset)
    end = len(data) if newline < 0 else newline + 1
    start = offset
    tail = data[end:]
    if newline < 0:
        start = _before_line_end(data, start)
    mark = re.search(
        rb"(?:(?P<blank>\r?\n)|\A)(?P<mark>%s|%s)\r?\n\[[^\]\r\n]*\](\r?\n|\Z)\Z"
        % (re.escape(GROUP_MARK), re.escape(FILE_MARK)),
        data[:start] if newline >= 0 else data[:offset],
    )
    if mark is not None and not tail:
        if mark.group("mark") == FILE_MARK and mark.start() == 0:
            return None
        start = mark.start()
        if newline < 0:
            start = _before_line_end(data, start)
    return data[:start] + tail


def _before_line_end(data: bytes, offset: int) -> int:
    """Return the offset of the line end right before an offset."""
    if data[:offset].endswith(b"\r\n"):
        return offset - 2
    return offset - 1 if data[:offset].endswith(b"\n") else offset


def _without_entry(data: bytes, entry: PluginLoad, syntax: Syntax) -> Iterator[bytes | None]:
    """Yield the file without one entry; None where it shall be removed.

    The first is best: the whole line goes where nothing else is in its list. Then the list stays
    there, empty.
    """
    argument = entry.argument
    value = argument.value or ""
    if len(list_entries(argument)) == 1:
        _spans(data, argument, syntax)
        yield _without_line(data, argument.offset)
    else:
        start, end = entry.start, entry.end + 1  # with the separator after it
        if entry.end == len(value):
            start, end = entry.start - 1, entry.end  # the last, with the one before it
        yield _cut(data, argument, start, end, syntax)
    yield _cut(data, argument, 0, len(value), syntax)


def _cut(data: bytes, argument: Argument, start: int, end: int, syntax: Syntax) -> bytes:
    """Return the file without a part of an argument's value, given as indexes in the value."""
    value = argument.value or ""
    spans = _spans(data, argument, syntax)
    first = len(bytes_of(value[:start]))
    last = len(bytes_of(value[:end]))
    return data[: spans[first][0]] + data[spans[last - 1][1] :]


def _spans(data: bytes, argument: Argument, syntax: Syntax) -> list[tuple[int, int]]:
    """Return where in its file each byte of an argument's value comes from, as offsets."""
    for item in parse(data, syntax):
        line = data[item.start : item.end]
        if item.start == argument.offset and item.value and b"\0" not in line:
            body = without_end_comment(line.lstrip(SPACE))
            name, _equals, written = body.partition(b"=")
            value = unquoted(written.strip(SPACE))
            spaces = len(written) - len(written.lstrip(SPACE))
            quotes = len(written.strip(SPACE)) - len(value)
            place = item.start + len(line) - len(line.lstrip(SPACE)) + len(name) + 1
            place += spaces + quotes // 2
            return [
                (place + match.start(), place + match.end())
                for match in re.finditer(ESCAPE + b"|.", value, re.DOTALL)
            ]
    raise Failure(
        "line_not_editable",
        f"The line in {argument.source} holds NUL bytes.",
        "Correct that line.",
    )
