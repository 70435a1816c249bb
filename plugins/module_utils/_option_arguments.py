# Copyright (c) 2026, the dbfleet.mysql authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a server's arguments say: an option's value, and the plugins loaded at start.

Follows the server: option names in ``mysys/my_getopt.cc``, lists of plugins in ``plugin_load_list``
of ``sql/sql_plugin.cc``. Private to dbfleet.mysql.
"""

from __future__ import annotations

import re
from typing import Iterator, NamedTuple, Sequence

from ansible_collections.dbfleet.mysql.plugins.module_utils._option_file_system import text_of

COMMAND_LINE = "command line"

LOAD_OPTIONS = ("plugin_load", "plugin_load_add", "early_plugin_load")

_SWITCHES = ("skip_", "disable_", "enable_")
_LIST_SEPARATORS = ";:"


class Source(NamedTuple):
    """Where an argument stands: a line of a file, or a place on the command line."""

    path: str
    line: int

    def __str__(self) -> str:
        return self.path if self.path == COMMAND_LINE else f"{self.path}:{self.line}"


class Argument(NamedTuple):
    """One argument of the server.

    Attributes:
        text: as my_print_defaults prints it, such as ``--plugin-load-add=group_replication.so``.
        name: its name with ``-`` as ``_`` and without ``loose_``.
        value: None where it has none.
        source: where it stands.
        offset: offset in bytes of its line in the file; -1 on the command line.
    """

    text: str
    name: str
    value: str | None
    source: Source
    offset: int = -1


class PluginLoad(NamedTuple):
    """One library in the list of what the server loads at start.

    Attributes:
        library: such as ``group_replication.so``.
        plugin: the one plugin of it that is loaded, from ``name=library``; None for all.
        argument: the argument that says so.
        start, end: the entry's place in the argument's value, as indexes.
    """

    library: str
    plugin: str | None
    argument: Argument
    start: int
    end: int


def make_argument(name: bytes, value: bytes | None, source: Source, offset: int) -> Argument:
    text = b"--" + name + (b"" if value is None else b"=" + value)
    return Argument(
        text_of(text),
        plain_name(text_of(name)),
        None if value is None else text_of(value),
        source,
        offset,
    )


def plain_name(name: str) -> str:
    name = name.replace("-", "_")
    while name.startswith("loose_"):
        name = name[len("loose_") :]
    return name


def option_value(arguments: Sequence[Argument], name: str) -> Argument | None:
    """Return the argument that decides an option, the last one, with its effective value.

    Args:
        arguments: as in :class:`ServerOptions`.
        name: the option's name, written with ``_``.

    ``skip_`` and ``disable_`` in front of the name make the value OFF, ``enable_`` ON (with the
    value 0 the other way round), no value makes it ON; else it is as written (my_getopt.cc). MySQL
    from 8.0 accepts no abbreviated names; 5.7 does, and only those of the ``plugin_load`` options
    are known here.
    """
    for argument in reversed(arguments):
        value = _value_for(argument, name)
        if value is not None:
            return argument._replace(value=value)
    return None


def _value_for(argument: Argument, name: str) -> str | None:
    """Return the value that an argument gives an option; None where it is about another one."""
    rest = argument.name
    switch: bool | None = None
    while rest != name:
        for prefix in _SWITCHES:
            if rest.startswith(prefix):
                switch = prefix == "enable_"
                rest = plain_name(rest[len(prefix) :])
                break
        else:
            return None
    if switch is None:
        return "ON" if argument.value is None else argument.value
    return "ON" if switch != (argument.value == "0") else "OFF"


def plugin_loads(
    arguments: Sequence[Argument], server_version: str | None = None
) -> list[PluginLoad]:
    """Return what a server with these arguments loads at start, in order.

    ``plugin_load_add`` adds to the list, ``plugin_load`` throws away what was on it. A list's
    entries are separated by ``;`` or ``:``, and blanks belong to the names. ``early_plugin_load``
    is a list of its own, loaded first: the entries of its last occurrence are returned first, with
    ``argument.name`` ``early_plugin_load``. Group Replication is refused there (MY-013421).

    Args:
        server_version: before 8.0, abbreviations of these option names count.
    """
    early: list[PluginLoad] = []
    normal: list[PluginLoad] = []
    for argument, option in _load_arguments(arguments, server_version):
        if option == "early_plugin_load":
            early = _entries(argument)
        elif option == "plugin_load":
            normal = _entries(argument)
        else:
            normal += _entries(argument)
    return early + normal


def all_entries(
    arguments: Sequence[Argument], server_version: str | None = None
) -> list[PluginLoad]:
    """Return the entries of all plugin lists, even if a later ``plugin_load`` drops them."""
    result: list[PluginLoad] = []
    for argument, _option in _load_arguments(arguments, server_version):
        result += _entries(argument)
    return result


def is_list(argument: Argument, server_version: str | None = None) -> bool:
    """Whether an argument is about one of the plugin lists."""
    return any(True for dummy in _load_arguments([argument], server_version)) or (
        argument.value is None and argument.name in LOAD_OPTIONS
    )


def find_loads(
    arguments: Sequence[Argument],
    library: str,
    plugin_name: str | None = "group_replication",
    server_version: str | None = None,
) -> list[PluginLoad]:
    """Return what loads a plugin from a library at start; empty where nothing does.

    Args:
        arguments: as in :class:`ServerOptions`.
        library: its file name.
        plugin_name: ``name=library`` counts for this plugin alone; None: for any of the library's.
        server_version: as in :func:`plugin_loads`.
    """
    return [
        load
        for load in plugin_loads(arguments, server_version)
        if load.argument.name != "early_plugin_load"
        and load.plugin != ""  # "=library" loads no plugin of it
        and is_entry_for(load, library, plugin_name)
    ]


def is_entry_for(load: PluginLoad, library: str, plugin_name: str | None) -> bool:
    """Whether an entry loads this plugin of this library (None: any plugin of it)."""
    if load.library != library:
        return False
    if load.plugin is None or plugin_name is None:
        return True
    return load.plugin.lower() == plugin_name.lower()


def _load_arguments(
    arguments: Sequence[Argument], server_version: str | None
) -> Iterator[tuple[Argument, str]]:
    """Yield the arguments about plugin lists, with their values, and the option each means."""
    for argument in arguments:
        if argument.value is None:
            continue  # the server does not start without a value
        option = _abbreviated(argument.name, server_version)
        if option is None:
            for candidate in LOAD_OPTIONS:
                value = _value_for(argument, candidate)
                if value is not None:
                    # skip_plugin_load=... sets the list to "0", enable_... to "1".
                    switched = argument.name != candidate
                    value = {"ON": "1", "OFF": "0"}[value] if switched else value
                    yield argument._replace(name=candidate, value=value), candidate
        else:
            yield argument._replace(name=option), option


def _abbreviated(name: str, server_version: str | None) -> str | None:
    """Return the list option that MySQL before 8.0 takes an abbreviation for."""
    if server_version is None or not re.match(r"5\.", server_version):
        return None
    if "plugin_load_add".startswith(name) and name.startswith("plugin_load_"):
        return "plugin_load_add"
    if "early_plugin_load".startswith(name) and name.startswith("ea"):
        return "early_plugin_load"
    return None


def _entries(argument: Argument) -> list[PluginLoad]:
    """Return the entries of a plugin list (plugin_load_list in sql_plugin.cc)."""
    value = argument.value or ""
    entries = []
    start = 0
    for end in range(len(value) + 1):
        if end < len(value) and value[end] not in _LIST_SEPARATORS:
            continue
        if end > start:
            parts = re.split("[=#]", value[start:end], maxsplit=1)
            plugin = parts[0] if len(parts) == 2 else None
            entries.append(PluginLoad(parts[-1], plugin, argument, start, end))
        start = end + 1
    return entries
