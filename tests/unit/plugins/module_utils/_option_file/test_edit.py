# Copyright (c) 2026, the dbfleet.mysql authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Option files are changed in the one line that must change."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest
from ansible_collections.dbfleet.mysql.plugins.module_utils._errors import Failure
from ansible_collections.dbfleet.mysql.plugins.module_utils._option_file.edit import (
    FILE_MARK,
    GROUP_MARK,
    parse_library,
)
from host import LIBRARY, LINE, Host


@pytest.fixture
def host(tmp_path):
    (tmp_path / "etc").mkdir()
    return Host(tmp_path)


def add_and_remove(host, before, after, path="/etc/my.cnf"):
    host.put(path, before)
    plan = host.present(path)
    assert host.get(path) == after
    assert host.read().arguments == plan.after.arguments
    assert not host.present(path).changes
    host.absent()
    assert host.get(path) == before
    assert not host.absent().changes


# ---- adding ----


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (b"[mysqld]\nport=1\n", b"[mysqld]\nport=1\n" + LINE + b"\n"),
        (b"[mysqld]\nport=1", b"[mysqld]\nport=1\n" + LINE),
        (b"[mysqld]\r\nport=1\r\n", b"[mysqld]\r\nport=1\r\n" + LINE + b"\r\n"),
        (b"[mysqld]\r\nport=1", b"[mysqld]\r\nport=1\r\n" + LINE),
        (b"[mysqld]\n", b"[mysqld]\n" + LINE + b"\n"),
        (b"[mysqld]", b"[mysqld]\n" + LINE),
        (b"[MYSQLD] # x\n\n# c\n", b"[MYSQLD] # x\n" + LINE + b"\n\n# c\n"),
        (
            b"[mysqld]\na\n\n# about the clients\n[client]\nb\n",
            b"[mysqld]\na\n" + LINE + b"\n\n# about the clients\n[client]\nb\n",
        ),
        (
            b"[mysqld]\nplugin_load_add = a.so\nport=1\n",
            b"[mysqld]\nplugin_load_add = a.so\n" + LINE + b"\nport=1\n",
        ),
        (
            b"[mysqld]\nplugin-load=a.so\n[client]\n[mysqld]\nb\n",
            b"[mysqld]\nplugin-load=a.so\n" + LINE + b"\n[client]\n[mysqld]\nb\n",
        ),
        # Below the last plugin_load, even where it stands in another group of the server.
        (
            b"[mysqld]\nplugin_load_add=a.so\n[server]\nplugin_load=b.so\n[mysqld]\nport=1\n",
            b"[mysqld]\nplugin_load_add=a.so\n[server]\nplugin_load=b.so\n[mysqld]\nport=1\n"
            + LINE
            + b"\n",
        ),
        (b"[mysqld]\ncaf\xe9\xff=1\n", b"[mysqld]\ncaf\xe9\xff=1\n" + LINE + b"\n"),
        # Without the group there is a new one, which goes with the line.
        (
            b"[client]\nport=1\n",
            b"[client]\nport=1\n\n" + GROUP_MARK + b"\n[mysqld]\n" + LINE + b"\n",
        ),
        (b"[client]\r\n", b"[client]\r\n\r\n" + GROUP_MARK + b"\r\n[mysqld]\r\n" + LINE + b"\r\n"),
        (b"[client]", b"[client]\n\n" + GROUP_MARK + b"\n[mysqld]\n" + LINE),
        (b"# only this", b"# only this\n\n" + GROUP_MARK + b"\n[mysqld]\n" + LINE),
        (b"\n", b"\n\n" + GROUP_MARK + b"\n[mysqld]\n" + LINE + b"\n"),
        (b"", GROUP_MARK + b"\n[mysqld]\n" + LINE + b"\n"),
        (b"\r", b"\r\r\n\r\n" + GROUP_MARK + b"\r\n[mysqld]\r\n" + LINE),
    ],
)
def test_the_line_goes_in_and_out(host, before, after):
    add_and_remove(host, before, after)


def test_an_include_that_the_last_byte_would_break_is_left_alone(host):
    """A CR at the end of a file belongs to the line before: no line end may join it."""
    add_and_remove(host, b"[mysqld]\na\r", b"[mysqld]\n" + LINE + b"\na\r")


@pytest.mark.parametrize(
    "loaded",
    [
        b"plugin_load_add=group_replication.so",
        b"plugin-load-add = 'group_replication.so'  # by hand",
        b'loose-plugin-load="a.so;group_replication=group_replication.so"',
        b"plugin_load = group_replication.so",
    ],
)
@pytest.mark.parametrize("group", [b"mysqld", b"server", b"mysqld-9.7"])
def test_no_change_where_it_is_loaded_in_any_spelling(host, loaded, group):
    host.put("/etc/my.cnf", b"!include /etc/x.cnf\n").put(
        "/etc/x.cnf", b"[%s]\n%s" % (group, loaded)
    )
    plan = host.present()
    assert not plan.changes
    assert plan.after is plan.before


@pytest.mark.parametrize(
    "not_loaded",
    [
        b"# plugin_load_add=group_replication.so",
        b"plugin_load_add=group_replication.so\nplugin_load=a.so",
        b"plugin_load_add=other=group_replication.so",
        b"early-plugin-load=group_replication.so",
        b"[client]\nplugin_load_add=group_replication.so",
        b"[mysqld-8.0]\nplugin_load_add=group_replication.so",
    ],
)
def test_what_looks_loaded_and_is_not(host, not_loaded):
    host.put("/etc/my.cnf", b"[mysqld]\n" + not_loaded + b"\n")
    host.present()
    assert LIBRARY.loads(host.read())


def test_the_line_goes_after_a_plugin_load_of_an_included_file(host):
    host.put("/etc/d/x.cnf", b"[mysqld]\nplugin_load=a.so\n")
    before = b"[mysqld]\nport=1\n!includedir /etc/d\n"
    add_and_remove(host, before, before + b"\n" + GROUP_MARK + b"\n[mysqld]\n" + LINE + b"\n")


def test_a_second_library_in_our_group_keeps_it(host):
    host.put("/etc/my.cnf", b"[client]\n")
    host.present()
    with_one = host.get("/etc/my.cnf")
    host.present(library=parse_library("mysql_clone.so"))
    host.absent(parse_library("mysql_clone.so"))
    assert host.get("/etc/my.cnf") == with_one
    host.present(library=parse_library("mysql_clone.so"))
    host.absent()
    host.absent(parse_library("mysql_clone.so"))
    assert host.get("/etc/my.cnf") == b"[client]\n"


def test_a_created_file_goes_with_its_line(host):
    host.put("/etc/my.cnf", b"!includedir /etc/d\n").put("/etc/d/README", b"")
    host.present("/etc/d/x.cnf")
    assert host.get("/etc/d/x.cnf") == FILE_MARK + b"\n[mysqld]\n" + LINE + b"\n"
    plan = host.absent()
    assert not os.path.exists(host.root + "/etc/d/x.cnf")
    assert plan.after.files == host.read().files == ["/etc/my.cnf"]


def test_a_created_file_with_something_else_in_it_stays(host):
    host.present()
    host.put("/etc/my.cnf", host.get("/etc/my.cnf") + b"port=1\n")
    host.absent()
    assert host.get("/etc/my.cnf") == FILE_MARK + b"\n[mysqld]\nport=1\n"


def test_an_included_file_that_is_missing_can_be_the_target(host):
    host.put("/etc/my.cnf", b"!include /etc/x.cnf\n")
    host.present("/etc/x.cnf")
    assert LIBRARY.loads(host.read())


def test_one_plugin_of_a_library(host):
    library = parse_library("clone=mysql_clone.so")
    host.put("/etc/my.cnf", b"[mysqld]\nplugin_load_add=other=mysql_clone.so\n")
    host.present(library=library)
    assert host.get("/etc/my.cnf").endswith(b"\nplugin_load_add=clone=mysql_clone.so\n")
    host.absent(library)
    assert host.get("/etc/my.cnf") == b"[mysqld]\nplugin_load_add=other=mysql_clone.so\n"


def test_a_link_is_named_and_its_target_changed(host):
    host.put("/etc/real.cnf", b"[mysqld]\n")
    os.symlink("real.cnf", host.root + "/etc/my.cnf")
    (change,) = host.present().changes
    assert change.path == "/etc/my.cnf"
    assert change.real_path == host.root + "/etc/real.cnf"
    assert os.path.islink(host.root + "/etc/my.cnf")


# ---- refusing ----


def refused(call, *arguments, **more):
    with pytest.raises(Failure) as caught:
        call(*arguments, **more)
    assert caught.value.cause.endswith(".")
    return caught.value


@pytest.mark.parametrize(
    "name",
    ["", "a/b.so", "../a.so", "a.so;b.so", "a:b", "a b", "x=", "=a.so", "a#b", "'a'", "é.so"],
)
def test_bad_library_names(name):
    assert refused(parse_library, name).error_code == "library_name_invalid"


@pytest.mark.parametrize(
    ("files", "target", "group", "error_code"),
    [
        ({}, "/nothing/my.cnf", "mysqld", "option_file_folder_missing"),
        ({"/etc/d/a.cnf": b""}, "/etc/other.cnf", "mysqld", "drop_in_not_included"),
        ({"/etc/d/a.cnf": b""}, "/etc/d/x.ini", "mysqld", "drop_in_not_included"),
        ({}, "/etc/my.cnf", "mysqld-8.0", "section_not_read"),
        (
            {"/etc/d/b.cnf": b"[mysqld]\n\nplugin_load=a.so\n"},
            "/etc/d/a.cnf",
            "mysqld",
            "plugin_load_overrides",
        ),
    ],
)
def test_no_place_for_the_line(host, files, target, group, error_code):
    host.put("/etc/my.cnf", b"!includedir /etc/d\n[mysqld]\n").put("/etc/d/README", b"")
    for path, data in files.items():
        host.put(path, data)
    failure = refused(host.present, target, group=group)
    assert failure.error_code == error_code
    if error_code == "plugin_load_overrides":
        assert failure.details["decided_by"] == "/etc/d/b.cnf:3"
    assert target == "/etc/my.cnf" or not os.path.exists(host.root + target)


def test_a_world_writable_target(host):
    host.put("/etc/my.cnf", b"[mysqld]\n", 0o666)
    assert refused(host.present).error_code == "option_file_world_writable"


@pytest.mark.parametrize("call", ["present", "absent"])
def test_files_that_mysql_does_not_start_with(host, call):
    host.put("/etc/my.cnf", b"[mysqld]\nport=1\n[oops\n")
    failure = refused(getattr(host, call))
    assert failure.error_code == "option_file_broken"
    assert "/etc/my.cnf:3" in failure.cause


def test_a_line_with_nul_bytes(host):
    host.put("/etc/my.cnf", b"[mysqld]\nplugin_load\0x\n_add=group_replication.so\n")
    assert refused(host.absent).error_code == "line_not_editable"


# ---- taking out ----


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (b"a.so;group_replication.so", b"a.so"),
        (b"group_replication.so;a.so", b"a.so"),
        (b"a.so;group_replication.so;b.so", b"a.so;b.so"),
        (b"a.so:group_replication.so:b.so", b"a.so:b.so"),
        (b"'a.so;group_replication.so' # why", b"'a.so' # why"),
        (b'  "group_replication=group_replication.so;a.so"', b'  "a.so"'),
        (b"group_replication.so;a.so;group_replication=group_replication.so", b"a.so"),
        (b"a\\sb.so;group_replication.so", b"a\\sb.so"),
        (b"a.so;\\s;group_replication.so", b"a.so;\\s"),
        (b"'x;group_replication.so'", b"'x'"),
        (b"a.so;group_replication.so.1;group_replication.so", b"a.so;group_replication.so.1"),
    ],
)
@pytest.mark.parametrize("option", [b"plugin_load_add = ", b"loose-plugin-load="])
def test_an_entry_of_a_list(host, option, before, after):
    frame = b"[mysqld]\r\n%s\r\n\r\nport=1"
    host.put("/etc/my.cnf", frame % (option + before))
    host.absent()
    assert host.get("/etc/my.cnf") == frame % (option + after)


def test_every_duplicate_in_every_file(host):
    host.put("/etc/my.cnf", b"[mysqld]\n" + LINE + b"\na\n" + LINE + b"\n!include /etc/x.cnf\n")
    host.put("/etc/x.cnf", b"[server]\nb\nearly_plugin_load=group_replication.so\n" + LINE)
    plan = host.absent()
    assert len(plan.changes) == 2
    assert host.get("/etc/my.cnf") == b"[mysqld]\na\n!include /etc/x.cnf\n"
    assert host.get("/etc/x.cnf") == b"[server]\nb"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        # Other groups, and comments.
        (b"[client]\n%s\n[mysqld-8.0]\n%s\n# %s\n" % (LINE, LINE, LINE),) * 2,
        # A plugin_load that threw something away goes on doing so.
        (
            b"[mysqld]\nplugin_load_add=a.so\nplugin_load=group_replication.so\n",
            b"[mysqld]\nplugin_load_add=a.so\nplugin_load=\n",
        ),
        # One that threw nothing away goes.
        (
            b"[mysqld]\nplugin_load=group_replication.so\nplugin_load_add=a.so\n",
            b"[mysqld]\nplugin_load_add=a.so\n",
        ),
        # An entry that was thrown away goes too.
        (b"[mysqld]\n%s\nplugin_load=a.so\n" % LINE, b"[mysqld]\nplugin_load=a.so\n"),
    ],
)
def test_what_goes_and_what_stays(host, before, after):
    host.put("/etc/my.cnf", before).absent()
    assert host.get("/etc/my.cnf") == after


# ---- properties, on the trees of the comparison with my_print_defaults ----

sys.path.append(str(Path(__file__).resolve().parents[4] / "fuzz"))
import option_file_edits as edits  # noqa: E402 - found by the path above


@pytest.mark.parametrize("block", range(4))
def test_random_edits(tmp_path, block):
    """The properties that need no MySQL; tests/fuzz/option_file_edits.py checks all of them."""
    made = 0
    for number in range(block * 100, block * 100 + 100):
        case = edits.make_case(11, number)
        if edits.is_undefined(case.tree):
            continue
        outcome = edits.make_outcome(case, str(tmp_path / "root"))
        assert not outcome.mistake, case
        made += not outcome.refused
    assert made > 20
