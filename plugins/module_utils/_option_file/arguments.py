# Copyright (c) 2026, the dbfleet.mysql authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a server's arguments say: an option's value, and the plugins loaded at start.

Follows the server: option names in ``mysys/my_getopt.cc``, lists of plugins in ``plugin_load_list``
of ``sql/sql_plugin.cc``. Private to dbfleet.mysql.

No server that has Group Replication knows abbreviated option names. MySQL 5.7 took them away (bug
16996656). Measured on 5.7.20, in option files and on the command line: any shortened name, such as
``plugin_load_a``, ``plugin_loa``, ``early_plugin_loa`` or ``group_replication_start_on_boo``, ends
the start with "unknown variable", and has no effect with ``loose_`` in front of it.
"""

from __future__ import annotations

import re
from typing import Iterator, NamedTuple, Sequence

from .files import bytes_of, text_of
from .oddities import describe

COMMAND_LINE = "command line"

LOAD_OPTIONS = ("plugin_load", "plugin_load_add", "early_plugin_load")

_LOOSE = re.compile(r"(?:loose_)+")
#: What may stand in front of an option's name; the last of these counts.
_SWITCHES = re.compile(r"(?:(skip_|disable_|enable_)(?:loose_)*)+")


class Argument(NamedTuple):
    """One argument of the server.

    Attributes:
        text: as my_print_defaults prints it, such as ``--plugin-load-add=group_replication.so``.
        name: its name with ``-`` as ``_`` and without ``loose_``.
        value: None where it has none.
        path, line: the file and line that it stands in, or COMMAND_LINE and 0.
        offset: offset in bytes of its line in the file; -1 on the command line.
    """

    text: str
    name: str
    value: str | None
    path: str
    line: int
    offset: int = -1

    @property
    def source(self) -> str:
        """Where it stands, for people."""
        return self.path if self.path == COMMAND_LINE else f"{self.path}:{self.line}"


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


def make_argument(
    name: bytes, value: bytes | None, path: str, line: int, offset: int = -1
) -> Argument:
    """Return the argument that an option with this name and value makes."""
    written = text_of(name)
    if value is None:
        return Argument("--" + written, plain_name(written), None, path, line, offset)
    decoded = text_of(value)
    return Argument(f"--{written}={decoded}", plain_name(written), decoded, path, line, offset)


def odd_arguments(arguments: Sequence[Argument]) -> Iterator[str]:
    """Yield a sentence for each argument whose name, or list of plugins, has an odd character.

    No option and no library has one in its name, so MySQL takes the argument for an unknown one.
    """
    for argument in arguments:
        name = argument.text[len("--") :].partition("=")[0]
        odd, of_what = describe(bytes_of(name)), "option's name"
        if not odd and argument.name in LOAD_OPTIONS:
            odd, of_what = describe(bytes_of(argument.value or "")), "list of plugins"
        if odd:
            yield f"{argument.source}: the {of_what} {odd}, so MySQL takes it for another one."


def plain_name(name: str) -> str:
    """Return an option's name with ``-`` as ``_`` and without ``loose_``."""
    name = name.replace("-", "_")
    loose = _LOOSE.match(name)
    return name[loose.end() :] if loose else name


def option_value(arguments: Sequence[Argument], name: str) -> Argument | None:
    """Return the argument that decides an option, the last one, with its effective value.

    ``skip_`` and ``disable_`` in front of the name make the value OFF, ``enable_`` ON (with the
    value 0 the other way round), no value makes it ON; else it is as written (my_getopt.cc).

    Not known here: the option's type, so whether the server takes that value or makes another of it
    (``1`` for ON, ``1K`` for 1024, the nearest number within its limits); a second name that the
    server has for the same option; ``maximum_`` in front of a name.

    Args:
        arguments: as in :class:`ServerOptions`.
        name: the option's full name, written with ``_``.
    """
    for argument in reversed(arguments):
        value = _value_for(argument, name)
        if value is not None:
            return argument._replace(value=value)
    return None


def _value_for(argument: Argument, name: str) -> str | None:
    """Return the value that an argument gives an option; None where it is about another one."""
    if argument.name == name:
        return "ON" if argument.value is None else argument.value
    # In one look: whoever may write an option file can make a name of a million of these.
    switches = _SWITCHES.fullmatch(argument.name, 0, max(len(argument.name) - len(name), 0))
    if not argument.name.endswith(name) or switches is None:
        return None
    return "ON" if (switches.group(1) == "enable_") != (argument.value == "0") else "OFF"


def plugin_loads(arguments: Sequence[Argument]) -> list[PluginLoad]:
    """Return what a server with these arguments loads at start, in order.

    ``plugin_load_add`` adds to the list, ``plugin_load`` throws away what was on it. A list's
    entries are separated by ``;`` or ``:``, and blanks belong to the names. ``early_plugin_load``
    is a list of its own, loaded first: the entries of its last occurrence are returned first, with
    ``argument.name`` ``early_plugin_load``. Group Replication is refused there (MY-013421).
    """
    early: list[PluginLoad] = []
    normal: list[PluginLoad] = []
    for argument in load_arguments(arguments):
        if argument.name == "early_plugin_load":
            early = list_entries(argument)
        elif argument.name == "plugin_load":
            normal = list_entries(argument)
        else:
            normal += list_entries(argument)
    return early + normal


def find_loads(
    arguments: Sequence[Argument], library: str, plugin_name: str | None
) -> list[PluginLoad]:
    """Return what loads a plugin from a library at start; empty where nothing does.

    Args:
        arguments: as in :class:`ServerOptions`.
        library: its file name.
        plugin_name: ``name=library`` counts for this plugin alone; None: for any of the library's.
    """
    return [
        load
        for load in plugin_loads(arguments)
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


def load_arguments(arguments: Sequence[Argument]) -> Iterator[Argument]:
    """Yield the arguments about plugin lists, with the option that each means and its value."""
    for argument in arguments:
        if argument.value is None:
            continue  # the server does not start without a value
        for option in LOAD_OPTIONS:
            value = _value_for(argument, option)
            if value is None:
                continue
            if argument.name != option:  # skip_plugin_load=x sets the list to "0", enable_ to "1"
                value = "1" if value == "ON" else "0"
            yield argument._replace(name=option, value=value)


def list_entries(argument: Argument) -> list[PluginLoad]:
    """Return the entries of a plugin list (plugin_load_list in sql_plugin.cc)."""
    result = []
    start = 0
    for entry in (argument.value or "").replace(":", ";").split(";"):
        end = start + len(entry)
        if entry:
            name, mark, _library = entry.replace("#", "=").partition("=")
            plugin, library = (name, entry[len(name) + 1 :]) if mark else (None, entry)
            result.append(PluginLoad(library, plugin, argument, start, end))
        start = end + 1
    return result
