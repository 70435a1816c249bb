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
from typing import Callable, Iterator, Mapping, NamedTuple, Sequence

from ansible_collections.dbfleet.mysql.plugins.module_utils._errors import Failure
from ansible_collections.dbfleet.mysql.plugins.module_utils._option_file.arguments import (
    COMMAND_LINE,
    LOAD_OPTIONS,
    Argument,
    PluginLoad,
    find_loads,
    is_entry_for,
    list_entries,
    load_arguments,
    plugin_loads,
)
from ansible_collections.dbfleet.mysql.plugins.module_utils._option_file.files import (
    bytes_of,
    os_reason,
)
from ansible_collections.dbfleet.mysql.plugins.module_utils._option_file.reader import (
    Files,
    ServerOptions,
)
from ansible_collections.dbfleet.mysql.plugins.module_utils._option_file.syntax import (
    ESCAPE,
    GROUP,
    OPTION,
    SPACE,
    Statement,
    parse,
    unquoted,
    without_end_comment,
)

#: Stands above a group that we added, so that taking the line out takes the group out as well.
GROUP_MARK = b"# This group was added by dbfleet.mysql.plugin_load_add."
#: Stands at the head of a file that we created, so that the file goes with its last line.
FILE_MARK = b"# This file was created by dbfleet.mysql.plugin_load_add."

_LIBRARY = re.compile(r"(?:(?P<plugin>\w+)=)?(?P<library>[\w.+-]+)", re.ASCII)

#: Reads the option files of a file system.
Reader = Callable[[Files], ServerOptions]


class ChangedFiles(Files):
    """The file system with some contents taken as if they were already written.

    Args:
        root: as of :class:`Files`.
        changes: the contents, by :meth:`real_path`; None for a file that is removed.
    """

    def __init__(self, root: str, changes: Mapping[str, bytes | None]) -> None:
        super().__init__(root)
        self.changes = changes
        self._real_paths: dict[str, str] = {}

    def real_path(self, path: str) -> str:
        if path not in self._real_paths:
            self._real_paths[path] = super().real_path(path)
        return self._real_paths[path]

    def mode(self, path: str) -> int:
        real = self.real_path(path)
        if real in self.changes:
            if self.changes[real] is None:
                raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT))
            if not os.path.exists(bytes_of(real)):
                return stat.S_IFREG | 0o644
        return super().mode(path)

    def read(self, path: str) -> bytes:
        change = self.changes.get(self.real_path(path))
        return super().read(path) if change is None else change

    def names(self, path: str) -> list[bytes]:
        names = set(super().names(path))
        own = bytes_of(self.real_path(path))
        for changed, data in self.changes.items():
            folder, name = os.path.split(bytes_of(changed))
            if folder == own:
                (names.discard if data is None else names.add)(name)
        return sorted(names)


class Library(NamedTuple):
    """A library as the user asks for it; ``plugin``: just this one of its plugins."""

    name: str
    plugin: str | None

    @property
    def entry(self) -> str:
        """The entry in a plugin list."""
        return self.name if self.plugin is None else f"{self.plugin}={self.name}"

    @property
    def satisfied_by(self) -> str | None:
        """The plugin whose ``name=library`` is as good; None: any."""
        if self.plugin is None and self.name.startswith("group_replication."):
            return "group_replication"
        return self.plugin


class Change(NamedTuple):
    """New contents of one file.

    Attributes:
        path: the file as MySQL's options name it.
        real_path: the file itself, links resolved; what gets written.
        old: its bytes; None where it does not exist.
        new: its bytes to be; None where it is to be removed.
        before, after: the changed lines alone, without what else stands in them, for people.
    """

    path: str
    real_path: str
    old: bytes | None
    new: bytes | None
    before: str
    after: str


class Plan(NamedTuple):
    """What to change, and what the server loads at start before and after."""

    changes: list[Change]
    before: ServerOptions
    after: ServerOptions


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
            "Give a file in the server's plugin_dir, such as group_replication.so, or name=file.",
        )
    return Library(match.group("library"), match.group("plugin"))


def plan_present(
    reader: Reader,
    files: Files,
    library: Library,
    target: str,
    group: str,
    before: ServerOptions | None = None,
) -> Plan:
    """Plan for the library to be loaded at start.

    Args:
        reader: reads the option files.
        files: the file system.
        library: what is to be loaded.
        target: the file to add the line to, if one must be added.
        group: the group for that line, such as ``mysqld``.
        before: what the reader makes of the files as they are, where they were read already.

    Raises:
        Failure: no line in the target would load the library, or would so without changing
            something else; or MySQL ignores the target.
    """
    if before is None:
        before = reader(files)
    _refuse_broken(before)
    if find_loads(before.arguments, library.name, library.satisfied_by):
        return Plan([], before, before)
    _refuse_ignored(before, files, target)
    real_path = files.real_path(target)
    old = _target_bytes(files, target)
    line = b"plugin_load_add=" + bytes_of(library.entry)
    best: Plan | None = None
    for new, offset in _candidates(old, bytes_of(group), line):
        after = reader(ChangedFiles(files.root, {real_path: new}))
        if not find_loads(after.arguments, library.name, library.satisfied_by):
            continue
        if not _differ_by_line(before, after, files, real_path, offset):
            continue
        added = new[offset:].splitlines()[0].decode("utf-8", "surrogateescape") + "\n"
        plan = Plan([Change(target, real_path, old, new, "", added)], before, after)
        if _without_line(new, offset) == old:
            return plan
        best = best or plan
    if best is not None:
        return best
    raise _no_place(reader, files, before, target, real_path, old, line, group)


def plan_absent(
    reader: Reader, files: Files, library: Library, before: ServerOptions | None = None
) -> Plan:
    """Plan for the library to be loaded no longer: every entry for it goes, from every file.

    An entry that a later ``plugin_load`` throws away goes too: it would come back with that line
    gone. A ``plugin_load`` that has nothing left stays as an empty one where it throws something
    away. Arguments as of :func:`plan_present`.

    Raises:
        Failure: an entry stands where it cannot be taken out.
    """
    if before is None:
        before = reader(files)
    _refuse_broken(before)
    changes: dict[str, Change] = {}
    current = before
    while True:
        entry = _next_entry(current, library)
        if entry is None:
            break
        path = entry.argument.path
        real_path = files.real_path(path)
        now = ChangedFiles(files.root, _contents(changes))
        data = now.read(path)
        new, removed, left = _without_entry(data, entry)
        kept = _others(current, library)
        after = reader(ChangedFiles(files.root, {**_contents(changes), real_path: new}))
        if _others(after, library) != kept:
            new, left = _emptied(data, entry)
            after = reader(ChangedFiles(files.root, {**_contents(changes), real_path: new}))
            if _others(after, library) != kept:
                raise Failure(
                    "line_not_editable",
                    f"The entry in {entry.argument.source} cannot be taken out without changing"
                    " what else the server loads.",
                    "Take it out by hand.",
                )
        earlier = changes.get(real_path)
        changes[real_path] = Change(
            earlier.path if earlier else path,
            real_path,
            earlier.old if earlier else data,
            new,
            (earlier.before if earlier else "") + removed,
            (earlier.after if earlier else "") + left,
        )
        current = after
    return Plan([_removed_if_ours(change) for change in changes.values()], before, current)


def _contents(changes: Mapping[str, Change]) -> dict[str, bytes | None]:
    return {path: change.new for path, change in changes.items()}


# ---- refusing ----


def _refuse_broken(options: ServerOptions) -> None:
    if options.fatal is not None:
        raise Failure(
            "option_file_broken",
            f"MySQL does not start with these option files: {options.fatal}.",
            "Put that line right.",
        )


def _refuse_ignored(options: ServerOptions, files: Files, target: str) -> None:
    real_path = files.real_path(target)
    for path, reason in options.skipped:
        if files.real_path(path) != real_path or not files.exists(path):
            continue
        if reason == "it is world-writable":
            raise Failure(
                "option_file_world_writable",
                f"MySQL ignores {target}, because every user may write to it.",
                f"Make it safe: chmod o-w {target}",
            )
        raise Failure(
            "option_file_unreadable",
            f"{target} is not read: {reason}.",
            "Run the task with become: true, or name another file.",
        )


def _target_bytes(files: Files, target: str) -> bytes | None:
    """Return the bytes of the file to add a line to; None where it is to be created."""
    folder = target.rpartition("/")[0] or "/"
    try:
        if files.exists(target):
            mode = files.mode(target)
            if not stat.S_ISREG(mode) and not stat.S_ISDIR(mode):
                raise OSError(errno.EINVAL, "it is not a regular file")
            return files.read(target)
        if not files.exists(folder):
            raise Failure(
                "option_file_folder_missing",
                f"The folder {folder} does not exist, so {target} cannot be created.",
                "Install MySQL first, or name the option file of the server.",
            )
    except OSError as error:
        raise Failure(
            "option_file_unreadable",
            f"{target} cannot be read: {os_reason(error)}.",
            "Name a regular file, or run the task with become: true.",
        ) from None
    return None


def _no_place(
    reader: Reader,
    files: Files,
    before: ServerOptions,
    target: str,
    real_path: str,
    old: bytes | None,
    line: bytes,
    group: str,
) -> Failure:
    """Return why a line in the target would not load the library."""
    new, offset = list(_candidates(old, bytes_of(group), line))[-1]
    after = reader(ChangedFiles(files.root, {real_path: new}))
    if after.fatal is None and not any(files.real_path(path) == real_path for path in after.files):
        return Failure(
            "drop_in_not_included",
            f"MySQL does not read {target}.",
            f"Include it from {before.main_file} with !includedir (only *.cnf counts) or !include.",
        )
    if not any(_is_at(item, files, real_path, offset) for item in after.arguments):
        return Failure(
            "section_not_read",
            f"The server does not read the group [{group}] of {target}.",
            "Use the section mysqld, or the one that the server is started with.",
        )
    resets = [item for item in after.arguments if item.name == "plugin_load"]
    if resets:
        return Failure(
            "plugin_load_overrides",
            f"plugin_load in {resets[-1].source} comes after every place in {target}, and throws"
            " away what was added before.",
            "Turn that line into plugin_load_add, or name its file in option_file or drop_in.",
            decided_by=str(resets[-1].source),
        )
    return Failure(
        "line_not_editable",
        f"A line in {target} would change more than what is loaded.",
        "Add the line by hand, or use drop_in.",
    )


# ---- comparing what is read before and after ----


def _is_at(argument: Argument, files: Files, real_path: str, offset: int) -> bool:
    return (
        argument.offset == offset
        and argument.path != COMMAND_LINE
        and files.real_path(argument.path) == real_path
    )


def _differ_by_line(
    before: ServerOptions, after: ServerOptions, files: Files, real_path: str, offset: int
) -> bool:
    """Whether the line at the offset is all that the server gets in addition."""
    rest = [item for item in after.arguments if not _is_at(item, files, real_path, offset)]
    return (
        after.fatal is None
        and [item.text for item in rest] == [item.text for item in before.arguments]
        and len(after.problems) == len(before.problems)
    )


def _others(
    options: ServerOptions, library: Library
) -> tuple[list[str], list[tuple[str, str, str | None]]]:
    """Return all that is not about a library: the other arguments, and what else is loaded."""
    loads = [
        (load.argument.name, load.library, load.plugin)
        for load in plugin_loads(options.arguments)
        if not _is_ours(load, library)
    ]
    return [item.text for item in options.arguments if not _is_list(item)], loads


def _is_ours(entry: PluginLoad, library: Library) -> bool:
    return is_entry_for(entry, library.name, library.plugin)


def _next_entry(options: ServerOptions, library: Library) -> PluginLoad | None:
    """Return the last entry for a library in the files, so that earlier lines keep their place."""
    for entry in reversed(_all_entries(options.arguments)):
        if _is_ours(entry, library) and entry.argument.path != COMMAND_LINE:
            return entry
    return None


def _all_entries(arguments: Sequence[Argument]) -> list[PluginLoad]:
    """Return the entries of all plugin lists, even if a later ``plugin_load`` drops them."""
    result: list[PluginLoad] = []
    for argument in load_arguments(arguments):
        result += list_entries(argument)
    return result


def _is_list(argument: Argument) -> bool:
    """Whether an argument is about one of the plugin lists."""
    if argument.value is None:
        return argument.name in LOAD_OPTIONS
    return bool(list(load_arguments([argument])))


# ---- adding a line ----


def _candidates(data: bytes | None, group: bytes, line: bytes) -> Iterator[tuple[bytes, int]]:
    """Yield the file with the line added, best place first, and the line's offset in it.

    Best is right below the last line of the group about plugin lists, then the end of the group
    (its last option), then right below its name; last the end of the file, in a group of its own.
    """
    if not data:
        head = (FILE_MARK if data is None else GROUP_MARK) + b"\n[" + group + b"]\n"
        yield head + line + b"\n", len(head)
        return
    statements = list(parse(data))
    for place in _places(data, statements, group):
        yield _inserted(data, place, line)
    eol = _line_end(data, len(data))
    head = eol + GROUP_MARK + eol + b"[" + group + b"]" + eol
    if data.endswith(b"\n"):
        yield data + head + line + eol, len(data) + len(head)
    else:  # the last line stays one without a line end
        yield data + eol + head + line, len(data) + len(eol) + len(head)


def _places(data: bytes, statements: list[Statement], group: bytes) -> list[int]:
    """Return offsets of line starts at which a line would stand in the group, best first."""
    own = [item for item in statements if _in_group(item, group)]
    lists = [item.end for item in own if item.kind == OPTION and _names_list(item.text)]
    heads = [item.end for item in own if item.kind == GROUP]
    last = [item.end for item in own if item.kind == OPTION] + heads
    places = lists[-1:] + ([max(last)] if last else []) + heads[-1:] + heads[:1]
    return list(dict.fromkeys(places))


def _in_group(statement: Statement, group: bytes) -> bool:
    name = statement.text if statement.kind == GROUP else statement.group
    return name.rstrip(b" ").lower() == group.lower()


def _names_list(name: bytes) -> bool:
    return re.fullmatch(rb"(loose[-_])*plugin[-_]load([-_]add)?", name) is not None


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


def _removed_if_ours(change: Change) -> Change:
    """Make a change that leaves nothing of a file that we created into its removal."""
    return (
        change._replace(new=None)
        if change.new == b"" and change.old != b"" and (change.old or b"").startswith(FILE_MARK)
        else change
    )


def _before_line_end(data: bytes, offset: int) -> int:
    """Return the offset of the line end right before an offset."""
    if data[:offset].endswith(b"\r\n"):
        return offset - 2
    return offset - 1 if data[:offset].endswith(b"\n") else offset


def _without_entry(data: bytes, entry: PluginLoad) -> tuple[bytes, str, str]:
    """Return the file without one entry, and its line before and after, for people.

    The whole line goes where nothing else is in its list.
    """
    argument = entry.argument
    value = argument.value or ""
    _spans(data, argument)
    left = [other for other in list_entries(argument) if (other.start, other.end) != entry[-2:]]
    shown = f"{argument.name}={value}\n"
    if not left:
        return _without_line(data, argument.offset) or b"", shown, ""
    start, end = entry.start, entry.end
    if end < len(value):
        end += 1  # with the separator after it
    else:
        start -= 1
    new = _cut(data, argument, start, end)
    return new, shown, f"{argument.name}={value[:start]}{value[end:]}\n"


def _emptied(data: bytes, entry: PluginLoad) -> tuple[bytes, str]:
    """Return the file with the entry's list left empty, and the line for people."""
    value = entry.argument.value or ""
    return _cut(data, entry.argument, 0, len(value)), f"{entry.argument.name}=\n"


def _cut(data: bytes, argument: Argument, start: int, end: int) -> bytes:
    """Return the file without a part of an argument's value, given as indexes in the value."""
    value = argument.value or ""
    spans = _spans(data, argument)
    first = len(bytes_of(value[:start]))
    last = len(bytes_of(value[:end]))
    return data[: spans[first][0]] + data[spans[last - 1][1] :]


def _spans(data: bytes, argument: Argument) -> list[tuple[int, int]]:
    """Return where in its file each byte of an argument's value comes from, as offsets."""
    for statement in parse(data):
        line = data[statement.start : statement.end]
        if statement.start == argument.offset and statement.value and b"\0" not in line:
            body = without_end_comment(line.lstrip(SPACE))
            name, _equals, written = body.partition(b"=")
            value = unquoted(written.strip(SPACE))
            spaces = len(written) - len(written.lstrip(SPACE))
            quotes = len(written.strip(SPACE)) - len(value)
            place = statement.start + len(line) - len(line.lstrip(SPACE)) + len(name) + 1
            place += spaces + quotes // 2
            return [
                (place + match.start(), place + match.end())
                for match in re.finditer(ESCAPE + b"|.", value, re.DOTALL)
            ]
    raise Failure(
        "line_not_editable",
        f"The line in {argument.source} holds NUL bytes.",
        "Put that line right.",
    )
