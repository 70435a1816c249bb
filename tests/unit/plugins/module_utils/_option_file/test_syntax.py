# Copyright (c) 2026, the dbfleet.mysql authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Where the versions of MySQL read option files differently, each is read as itself.

What is expected here was printed by my_print_defaults 5.7.20, 8.0.39, 8.4.8 and 9.7.4.
"""

from __future__ import annotations

import pytest
from ansible_collections.dbfleet.mysql.plugins.module_utils._option_file.syntax import (
    BAD_LINE,
    INCLUDE,
    OPTION,
    parse,
    syntax_of,
)
from host import Host


@pytest.fixture
def host(tmp_path):
    (tmp_path / "etc/mysql").mkdir(parents=True)
    return Host(tmp_path)


def options(data, version):
    lines = parse(data, syntax_of(version))
    return [(line.text, line.value) for line in lines if line.kind == OPTION]


def includes(data, version):
    return [(line.kind, line.text) for line in parse(data, syntax_of(version))]


@pytest.mark.parametrize("version", ["8.0.39", "8.4.8", "9.7.4"])
def test_a_long_line_is_one_line(version):
    value = b"x" * 5000
    assert options(b"[mysqld]\na=" + value + b"\n", version) == [(b"a", value)]


def test_a_long_line_is_several_lines_in_5_7():
    found = options(b"[mysqld]\na=" + b"x" * 5000 + b"\nb\n", "5.7.20")
    assert found == [(b"a", b"x" * 4092), (b"x" * 908, None), (b"b", None)]


@pytest.mark.parametrize("version", ["8.0.39", "8.4.8", "9.7.4"])
def test_a_nul_byte_joins_two_lines(version):
    assert options(b"[mysqld]\na\0b\nc=1\n", version) == [(b"ac", b"1")]


def test_a_nul_byte_ends_a_line_in_5_7():
    assert options(b"[mysqld]\na\0b\nc=1\n", "5.7.20") == [(b"a", None), (b"c", b"1")]


@pytest.mark.parametrize(
    ("version", "path"),
    [
        ("5.7.20", b"/x.cnf # y"),
        ("8.0.39", b"/x.cnf # y"),
        ("8.4.8", b"/x.cnf # y"),
        ("9.7.4", b"/x.cnf"),
    ],
)
def test_comment_after_the_path_of_an_include(version, path):
    assert includes(b"!include /x.cnf # y\n", version) == [(INCLUDE, path)]


@pytest.mark.parametrize(
    ("version", "path"),
    [("5.7.20", b"/x.cn"), ("8.0.39", b"/x.cn"), ("8.4.8", b"/x.cn"), ("9.7.4", b"/x.cnf")],
)
def test_path_of_an_include_at_the_end_of_the_file(version, path):
    assert includes(b"!include /x.cnf", version) == [(INCLUDE, path)]


@pytest.mark.parametrize("data", [b"!include /x.cnf # y\n", b"!include /x.cnf"])
@pytest.mark.parametrize("version", [None, "9.1.0"])
def test_a_path_that_versions_read_differently_is_refused(data, version):
    assert [kind for kind, _text in includes(data, version)] == [BAD_LINE]


@pytest.mark.parametrize(
    ("version", "read"), [("5.7.20", []), ("8.0.39", ["--a"]), ("9.7.4", ["--a"])]
)
def test_group_suffix_of_the_environment(host, version, read):
    host.put("/etc/my.cnf", b"[mysqld@a]\na\n")
    found = host.read(environ={"MYSQL_GROUP_SUFFIX": "@a"}, server_version=version)
    assert [item.text for item in found.arguments] == read
    assert found.main_group == ("mysqld@a" if read else "mysqld")
