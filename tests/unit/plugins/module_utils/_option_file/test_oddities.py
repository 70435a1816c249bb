# Copyright (c) 2026, the dbfleet.mysql authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A character that nobody sees has a name in the message."""

from __future__ import annotations

import pytest
from ansible_collections.dbfleet.mysql.plugins.module_utils._option_file.arguments import (
    odd_arguments,
)
from ansible_collections.dbfleet.mysql.plugins.module_utils._option_file.oddities import (
    describe,
    lone_return,
)
from host import Host


@pytest.mark.parametrize(
    ("line", "words"),
    [
        (b"[mysqld]\r\n", ""),
        (b"  port = 1 # x\n", ""),
        (b"\xef\xbb\xbf[mysqld]\n", "begins with a byte order mark (EF BB BF)"),
        (b"\xff\xfe[\0m\0", "begins with the byte order mark of UTF-16 (FF FE)"),
        (b"[\0m\0", "holds a NUL byte (00)"),
        (b" \xc2\xa0port=1", "begins with a no-break space (C2 A0)"),
        (b"port\xe2\x80\x8b=1", "holds a zero width space (E2 80 8B)"),
        (b"a=\xe2\x80\x9cx\xe2\x80\x9d", "holds a curly quotation mark (E2 80 9C)"),
        (b"skip\xe2\x80\x93name", "holds an en dash (E2 80 93)"),
        (b"caf\xe9=1", "holds the byte E9, which is not of UTF-8"),
        (b"port=1\rport=2\n", "holds a carriage return (0D)"),
        (b"\x1b[31m", "begins with a control character (1B)"),
    ],
)
def test_what_is_odd(line, words):
    assert describe(line) == words


@pytest.mark.parametrize(
    ("data", "line"),
    [(b"a\r\nb\n", 0), (b"a\r", 0), (b"[mysqld]\rport=1\r", 1), (b"[a]\nb\rc\n", 2), (b"", 0)],
)
def test_line_ends_of_old_macs(data, line):
    assert lone_return(data) == line


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (
            b"\xef\xbb\xbf[mysqld]\n",
            ":1: option before the first group; the line begins with a",
        ),
        (b"port=1\n", ":1: option before the first group"),
        (
            b"[mysqld]\n[x\xe2\x80\x8b\n",
            ":2: group without a closing bracket; the line holds a",
        ),
        (b"[mysqld]\n!includedir /nope\n", ":2: !includedir /nope: it does not exist"),
    ],
)
def test_where_no_server_starts(tmp_path, data, reason):
    (tmp_path / "etc").mkdir()
    fatal = Host(tmp_path).put("/etc/my.cnf", data).read().fatal
    assert str(fatal).startswith("/etc/my.cnf" + reason)


def test_a_named_file_that_is_not_there(tmp_path):
    (tmp_path / "etc").mkdir()
    fatal = Host(tmp_path).read("--defaults-extra-file=/x.cnf").fatal
    assert str(fatal) == "/x.cnf: the file does not exist"


def test_names_and_lists(tmp_path):
    (tmp_path / "etc").mkdir()
    data = b"[mysqld]\nport\xe2\x80\x8b=1\nplugin_load_add=\xe2\x80\x9ca.so\nx=\xc3\xa9\n"
    read = Host(tmp_path).put("/etc/my.cnf", data).read()
    name, plugins = odd_arguments(read.arguments)
    assert name.startswith("/etc/my.cnf:2: the option's name holds a zero width space")
    assert plugins.startswith("/etc/my.cnf:3: the list of plugins begins with a curly")
