# Copyright (c) 2026, the dbfleet.mysql authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Option files are read as MySQL 9.7 reads them.

What is expected here was printed by my_print_defaults 9.7.4, or by mysqld 9.7.4 where it says so.
"""

from __future__ import annotations

import json
import os

import pytest
from ansible_collections.dbfleet.mysql.plugins.module_utils._errors import Failure
from ansible_collections.dbfleet.mysql.plugins.module_utils._option_file.arguments import (
    find_loads,
    option_value,
    plugin_loads,
)
from ansible_collections.dbfleet.mysql.plugins.module_utils._option_file.files import Files
from ansible_collections.dbfleet.mysql.plugins.module_utils._option_file.reader import (
    read_server_options,
)
from host import Host


@pytest.fixture
def host(tmp_path):
    (tmp_path / "etc/mysql").mkdir(parents=True)
    return Host(tmp_path)


def texts(options):
    assert options.fatal is None
    return [argument.text for argument in options.arguments]


def read_main(host, data):
    return texts(host.put("/etc/my.cnf", data).read())


# ---- one file ----


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"[mysqld]\nport=1\n", ["--port=1"]),
        (b"[mysqld]\nport=1", ["--port=1"]),
        (b"[mysqld]\r\nport=1\r\nfoo\r\n", ["--port=1", "--foo"]),
        (b"  [mysqld]  trailing\n\tport =\t1  \n", ["--port=1"]),
        (b"[client]\na\n[mysqld]\nb\n[client]\nc\n", ["--b"]),
        (b"[MySQLd]\na\n[mysqld ]\nb\n[ mysqld]\nc\n", ["--a", "--b"]),
        (b"[server]\na\n[mysql_cluster]\nb\n[mysqld-9.7]\nc\n[mysqld-8.0]\nd\n", "abc"),
        (b"# x\n; y\n\n \n[mysqld]\na # x\nb;c\nd=1#x\n", ["--a", "--b;c", "--d=1"]),
        (b"[mysqld]\na='1 # 2' # 3\n", ["--a=1 # 2"]),
        (b"[mysqld]\na=it's # no comment\n", ["--a=it's # no comment"]),
        (b"[mysqld]\na='x\\'# y'\n", ["--a=x'# y"]),
        (
            b"[mysqld]\na=\"1\"\nb='1\"\nc='\nd=''\ne=' '\n",
            ["--a=1", "--b='1\"", "--c='", "--d=", "--e= "],
        ),
        (b"[mysqld]\na=\\n\\t\\r\\b\\s\\\"\\'\\\\x\\x\n", ["--a=\n\t\r\b \"'\\x\\x"]),
        (b"[mysqld]\na=b\\\n", ["--a=b\\"]),
        (b"[mysqld]\na\nb=\nc = \n=d\n", ["--a", "--b=", "--c=", "--=d"]),
        (b"[mysqld]\na b = c d\n", ["--a b=c d"]),
        (b"[mysqld]\na=b=c\n", ["--a=b=c"]),
        (b"[]\na\n[mysqld\\]\nb\n", []),
        (b"", []),
        # A no-break space is white space even within UTF-8.
        (b"[mysqld]\n\xa0a=\xa0caf\xc3\xa0\n", ["--a=caf\udcc3"]),
        (b"[mysqld]\na=\xff\xe9\n", ["--a=\udcff\udce9"]),
        # A line longer than MySQL's buffer is one line; a NUL byte joins the next line.
        (b"[mysqld]\na=" + b"x" * 9000 + b"\nb\n", ["--a=" + "x" * 9000, "--b"]),
        (b"[mysqld]\nfoo\0bar\nbaz\nc\n", ["--foobaz", "--c"]),
    ],
)
def test_syntax(host, data, expected):
    assert read_main(host, data) == (
        ["--" + letter for letter in expected] if isinstance(expected, str) else expected
    )


@pytest.mark.parametrize(
    ("data", "line", "reason"),
    [
        (b"port=1\n[mysqld]\n", 1, "option before the first group"),
        (b"[mysqld]\na\n[client\n", 3, "group without a closing bracket"),
        (b"[mysqld]\n!include\n", 2, "!include without a path"),
        (b"!includedir  \n", 1, "!includedir without a path"),
        (b"!includedir /nothing\n", 1, "!includedir /nothing: it does not exist"),
        (b"[mysqld]\n!includedir ~/x\n", 2, "!includedir /~/x: it does not exist"),
    ],
)
def test_files_that_keep_the_server_from_starting(host, data, line, reason):
    problem = host.put("/etc/my.cnf", data).read(home="/root").fatal
    assert str(problem) == f"/etc/my.cnf:{line}: {reason}"


def test_reading_ends_at_a_fatal_problem(host):
    host.put("/etc/my.cnf", b"[mysqld]\na\n[oops\n").put("/etc/mysql/my.cnf", b"[mysqld]\nb\n")
    options = host.read()
    assert options.fatal
    assert [item.text for item in options.arguments] == ["--a"]


# ---- includes ----


def test_included_folder_in_byte_order_and_only_cnf(host):
    for name in ("b.cnf", "B.cnf", "a.b.cnf", "a.cnf", ".cnf", "x.ini", "y.cnf.bak", "z.CNF"):
        host.put("/etc/conf.d/" + name, b"[mysqld]\n%s\n" % name.encode())
    host.put("/etc/conf.d/dir.cnf/x.cnf", b"[mysqld]\nnot me\n")
    expected = ["--.cnf", "--B.cnf", "--a.b.cnf", "--a.cnf", "--b.cnf"]
    assert read_main(host, b"!includedir /etc/conf.d\n") == expected


@pytest.mark.parametrize(
    "line",
    [
        b"!include /etc/x.cnf",
        b"!include /etc/x.cnf\n",
        b" ! include\t/etc/x.cnf  \r\n",
        b"!include /etc/x.cnf # comment\n",
        b"!include /etc/x.cnf#comment",
        b"!include //etc/./mysql/../x.cnf\n",
        b"!include etc/x.cnf\n",
        b"!include ../etc/x.cnf\n",
        b"!include ~/x.cnf\n",
        b"!include ~/../etc/x.cnf\n",
        b"!include /anything/~/x.cnf\n",
        b"!includedir /etc/d\n",
        b"!includedir /etc/d/#",
    ],
)
def test_include_spellings(host, line):
    host.put("/etc/x.cnf", b"[mysqld]\nx\n").put("/etc/d/a.cnf", b"[mysqld]\nx\n")
    host.put("/etc/my.cnf", line)
    assert texts(host.read(home="/etc")) == ["--x"]


@pytest.mark.parametrize("line", [b"!includes /etc/x.cnf\n", b"!Include /etc/x.cnf\n", b"!x\n"])
def test_unknown_directives_are_ignored(host, line):
    host.put("/etc/x.cnf", b"[mysqld]\nx\n")
    assert read_main(host, line) == []


def test_an_included_file_has_groups_of_its_own(host):
    host.put("/etc/x.cnf", b"[client]\nx\n")
    assert read_main(host, b"[mysqld]\na\n!include /etc/x.cnf\nb\n") == ["--a", "--b"]


def test_a_problem_in_an_included_file_ends_that_file_only(host):
    host.put("/etc/x.cnf", b"[mysqld]\nx\n[oops\ny\n")
    options = host.put("/etc/my.cnf", b"!include /etc/x.cnf\n[mysqld]\na\n").read()
    assert texts(options) == ["--x", "--a"]
    assert [str(item) for item in options.read_errors] == [
        "/etc/x.cnf:3: group without a closing bracket"
    ]


def test_a_missing_include_is_passed_over(host):
    options = host.put("/etc/my.cnf", b"!include /nothing.cnf\n[mysqld]\na\n").read()
    assert texts(options) == ["--a"]
    assert options.skipped == [("/nothing.cnf", "it does not exist")]


def test_a_loop_ends_ten_includes_deep(host):
    assert read_main(host, b"[mysqld]\na\n!include /etc/my.cnf\n") == ["--a"] * 11


def test_bad_directives_ten_includes_deep_are_ignored(host):
    host.put("/etc/x.cnf", b"[mysqld]\na\n!include /etc/x.cnf\n!include\nb\n")
    # The deepest file goes on after its bad directive, the ten above end at it.
    assert read_main(host, b"!include /etc/x.cnf\n") == ["--a"] * 10 + ["--b"]


def test_an_exploding_tree_is_refused(host):
    for name in "abcde":
        host.put(f"/etc/d/{name}.cnf", b"!includedir /etc/d\n")
    host.put("/etc/my.cnf", b"!includedir /etc/d\n")
    with pytest.raises(Failure) as caught:
        host.read()
    assert caught.value.error_code == "option_files_too_large"


def test_names_without_end_are_refused(host):
    """A folder is listed each time that it is included, whatever its names are."""
    for number in range(300):
        host.put(f"/etc/d/{number}.txt", b"")
    host.put("/etc/my.cnf", b"!includedir /etc/d\n" * 200)
    with pytest.raises(Failure) as caught:
        host.read()
    assert caught.value.error_code == "option_files_too_large"


def test_includes_of_nothing_without_end_are_refused(host):
    host.put("/etc/my.cnf", b"!include /x\n" * 60000)
    with pytest.raises(Failure) as caught:
        host.read()
    assert caught.value.error_code == "option_files_too_large"


def test_a_command_line_without_end_is_refused():
    with pytest.raises(Failure) as caught:
        read_server_options(["--no-defaults", *["--a"] * 30000])
    assert caught.value.error_code == "option_files_too_large"
    words = ["--plugin-load-add", "x.so", "--b"] * 6000
    assert len(read_server_options(words).arguments) == 12000


def test_world_writable_files_are_ignored(host):
    host.put("/etc/x.cnf", b"[mysqld]\nx\n", 0o666)
    options = host.put("/etc/my.cnf", b"!include /etc/x.cnf\n[mysqld]\na\n").read()
    assert texts(options) == ["--a"]
    assert options.skipped == [("/etc/x.cnf", "it is world-writable")]


def test_a_fifo_is_not_waited_for(host):
    os.mkfifo(host.root + "/etc/my.cnf")
    assert host.read().skipped == [("/etc/my.cnf", "it is not a regular file")]


@pytest.mark.parametrize("count", [5, 50])
def test_each_file_is_read_once(tmp_path, included, count):
    folder, opened = included(count)
    (tmp_path / "my.cnf").write_bytes(b"!includedir %s\n" % bytes(folder))
    options = read_server_options([f"--defaults-file={tmp_path / 'my.cnf'}"])
    assert opened == options.files[1:] == sorted(str(path) for path in folder.iterdir())


# ---- which files ----


@pytest.fixture
def full_host(host):
    for path in ("/etc/my.cnf", "/etc/mysql/my.cnf", "/home/.my.cnf", "/srv/my.cnf", "/x.cnf"):
        host.put(path, b"[mysqld]\nfrom=%s\n[mysqld@a]\nsuffixed\n" % path.encode())
    return host


@pytest.mark.parametrize(
    ("argv", "environ", "files"),
    [
        ([], {}, ["/etc/my.cnf", "/etc/mysql/my.cnf", "/home/.my.cnf"]),
        (
            [],
            {"MYSQL_HOME": "/srv"},
            ["/etc/my.cnf", "/etc/mysql/my.cnf", "/srv/my.cnf", "/home/.my.cnf"],
        ),
        ([], {"MYSQL_HOME": "/etc/"}, ["/etc/mysql/my.cnf", "/etc/my.cnf", "/home/.my.cnf"]),
        (["--defaults-file=/x.cnf", "--port=1"], {}, ["/x.cnf"]),
        (
            ["--defaults-extra-file=/x.cnf"],
            {},
            ["/etc/my.cnf", "/etc/mysql/my.cnf", "/x.cnf", "/home/.my.cnf"],
        ),
        # Options about files count at the head only.
        (
            ["--port=1", "--defaults-file=/x.cnf"],
            {},
            ["/etc/my.cnf", "/etc/mysql/my.cnf", "/home/.my.cnf"],
        ),
    ],
)
def test_which_files(full_host, argv, environ, files):
    options = full_host.read(*argv, environ=environ, home="/home")
    assert [item.value for item in options.arguments if item.name == "from"] == files
    assert options.files == files
    assert options.main_file == [path for path in files if path != "/home/.my.cnf"][-1]


def test_no_defaults(full_host):
    options = full_host.read("--no-defaults", "--defaults-file=/x.cnf", home="/home")
    assert options.files == []
    assert options.main_file is None
    assert texts(options) == ["--defaults-file=/x.cnf"]
    assert options.arguments[0].source == "command line"


@pytest.mark.parametrize("option", ["--defaults-file=/no.cnf", "--defaults-extra-file=/no.cnf"])
def test_a_named_file_must_exist_for_mysqld(full_host, option):
    assert str(full_host.read(option).fatal) == "/no.cnf: the file does not exist"


def test_a_world_writable_defaults_file_is_ignored_by_mysqld(host):
    options = host.put("/x.cnf", b"[mysqld]\na\n", 0o666).read("--defaults-file=/x.cnf")
    assert texts(options) == []


@pytest.mark.parametrize(
    ("argv", "environ"),
    [
        (["--defaults-group-suffix=@a"], {}),
        ([], {"MYSQL_GROUP_SUFFIX": "@a"}),
        (["--defaults-file=/x.cnf", "--defaults-group-suffix=@a"], {"MYSQL_GROUP_SUFFIX": "@b"}),
    ],
)
def test_group_suffix(full_host, argv, environ):
    assert "--suffixed" in texts(full_host.read(*argv, environ=environ))


def test_main_file_where_there_is_none(tmp_path):
    assert read_server_options(files=Files(str(tmp_path))).main_file == "/etc/my.cnf"
    (tmp_path / "etc/mysql").mkdir(parents=True)
    assert read_server_options(files=Files(str(tmp_path))).main_file == "/etc/mysql/my.cnf"


def test_version_groups_are_named_where_the_version_is_unknown(host):
    host.put("/etc/my.cnf", b"[mysqld-8.0]\na\n[mysqld-5.7]\nb\n")
    options = host.read(server_version=None)
    assert texts(options) == []
    assert options.other_versions == ["mysqld-8.0", "mysqld-5.7"]
    assert host.read().other_versions == []


def test_sources_name_file_and_line(host):
    host.put("/etc/x.cnf", b"\n[mysqld]\nx\n")
    host.put("/etc/my.cnf", b"[mysqld]\r\n# c\r\na\r\n!include /etc/x.cnf\r\nb\r\n")
    sources = [item.source for item in host.read().arguments]
    assert sources == ["/etc/my.cnf:3", "/etc/x.cnf:3", "/etc/my.cnf:5"]


# ---- options ----


@pytest.mark.parametrize(
    ("lines", "value"),
    [
        ("log_bin=x", "x"),
        ("log-bin=x", "x"),
        ("loose-log_bin=x", "x"),
        ("loose_loose-log-bin", "ON"),
        ("skip-log-bin", "OFF"),
        ("disable_log_bin", "OFF"),
        ("loose-skip-log-bin", "OFF"),
        ("skip-loose-log-bin", "OFF"),
        ("skip-log-bin=0", "ON"),
        ("enable-log-bin", "ON"),
        ("enable-log-bin=0", "OFF"),
        ("log_bin=1\nlog-bin=2", "2"),
        ("log_bin=\nport=1", ""),
        ("port=1", None),
        ("log_bi=1", None),
    ],
)
def test_option_value(host, lines, value):
    options = host.put("/etc/my.cnf", b"[mysqld]\n" + lines.encode()).read()
    found = option_value(options.arguments, "log_bin")
    assert (found and found.value) == value


def test_an_option_whose_own_name_starts_with_skip(host):
    options = host.put("/etc/my.cnf", b"[mysqld]\nskip-name-resolve\n").read()
    assert option_value(options.arguments, "skip_name_resolve").value == "ON"


@pytest.mark.parametrize("prefix", ["skip-", "enable_", "loose-", "disable-loose_", "loose_skip-"])
def test_a_name_of_a_million_prefixes_takes_no_long(host, prefix):
    """Looked at anew for each prefix, it took minutes."""
    count = 900_000 // len(prefix)
    options = host.put("/etc/my.cnf", b"[mysqld]\n" + prefix.encode() * count + b"log-bin=x").read()
    values = {"loose-": "x", "enable_": "ON"}
    for _look in range(50):
        assert option_value(options.arguments, "log_bin").value == values.get(prefix, "OFF")
        assert option_value(options.arguments, "port") is None


def test_ways_above_the_root_and_long_homes_take_no_long(host):
    """The account of the server chooses the paths of folders, and the HOME of its process."""
    above = b"/.." * 200_000
    host.put("/etc/d/a.cnf", b"[mysqld]\nport=1\n")
    lines = [b"!includedir " + above + b"/etc/d\n", b"!include /x/" + b"~/../" * 60_000 + b"x\n"]
    options = host.put("/etc/my.cnf", b"".join(lines)).read(home="/h" * 60_000)
    assert option_value(options.arguments, "port").value == "1"


# ---- plugin lists ----


@pytest.mark.parametrize(
    ("lines", "loaded"),
    [
        ("plugin_load_add=a.so", "a.so"),
        ("plugin-load-add='a.so'", "a.so"),
        ("loose-plugin-load_add=a.so", "a.so"),
        ("plugin_load_add=a.so;b.so", "a.so b.so"),
        ("plugin_load_add=a.so:b.so", "a.so b.so"),
        ("plugin_load_add=;a.so;;b.so;", "a.so b.so"),
        ("plugin_load_add='x=a.so;b.so'", "x=a.so b.so"),
        ("plugin_load_add='x#a.so'", "x=a.so"),
        ("plugin_load_add=x=y=a.so", "x=y=a.so"),
        ("plugin_load_add=a.so\nplugin_load_add=b.so", "a.so b.so"),
        ("plugin_load_add=a.so\nplugin_load=b.so", "b.so"),
        ("plugin_load=a.so\nplugin_load_add=b.so", "a.so b.so"),
        ("plugin_load=a.so\nplugin-load=", ""),
        ("plugin_load_add=a.so\nskip-plugin-load", "a.so"),
        ("early-plugin-load=k.so\nplugin_load_add=a.so\nearly-plugin-load=l.so", "l.so a.so"),
        ("plugin_load", ""),
    ],
)
def test_plugin_loads(host, lines, loaded):
    options = host.put("/etc/my.cnf", b"[mysqld]\n" + lines.encode() + b"\n").read()
    assert (
        " ".join(
            load.library if load.plugin is None else f"{load.plugin}={load.library}"
            for load in plugin_loads(options.arguments)
        )
        == loaded
    )


@pytest.mark.parametrize("version", ["5.7.20", "8.0.30", None])
@pytest.mark.parametrize("name", ["plugin_load_a", "plugin-load-", "plugin_lo", "early_plugin"])
def test_no_server_knows_abbreviations(host, version, name):
    """Mysqld 5.7.20, 8.0.39, 8.4.8 and 9.7.4: unknown variable."""
    options = host.put("/etc/my.cnf", f"[mysqld]\n{name}=a.so\n".encode())
    assert plugin_loads(options.read(server_version=version).arguments) == []


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("plugin_load_add=group_replication.so", True),
        ("plugin_load_add=group_replication=group_replication.so", True),
        ("plugin_load_add=GROUP_REPLICATION=group_replication.so", True),
        ("plugin_load_add=other=group_replication.so", False),
        ("plugin_load_add= group_replication.so", True),
        ("plugin_load_add=' group_replication.so'", False),
        ("plugin_load_add=group_replication.so.1", False),
        ("plugin_load_add=group_replication", False),
        ("plugin_load_add='=group_replication.so;x=b.so'", False),  # no plugin of that name
        ("early-plugin-load=group_replication.so", False),  # MY-013421 of mysqld 9.7
    ],
)
def test_find_loads(host, line, found):
    arguments = host.put("/etc/my.cnf", f"[mysqld]\n{line}\n".encode()).read().arguments
    assert bool(find_loads(arguments, "group_replication.so", "group_replication")) == found


def test_any_plugin_of_a_library(host):
    arguments = (
        host.put("/etc/my.cnf", b"[mysqld]\nplugin_load_add='=a.so;x=b.so'\n").read().arguments
    )
    assert find_loads(arguments, "a.so", None) == []
    assert len(find_loads(arguments, "b.so", None)) == 1


@pytest.mark.parametrize("argv", [["--plugin-load-add=a.so"], ["--plugin-load-add", "a.so"]])
def test_the_command_line_loads_too(host, argv):
    (load,) = find_loads(host.read(*argv).arguments, "a.so", None)
    assert load.argument.source == "command line"


def test_the_command_line_comes_last(host):
    host.put("/etc/my.cnf", b"[mysqld]\nplugin_load_add=a.so\n")
    assert find_loads(host.read("--plugin-load=b.so").arguments, "a.so", None) == []


def test_hostile_bytes_never_raise(host):
    for data in (b"\0", b"[", b"]", b"!", b"[mysqld]\n\\", b"[mysqld]\n=", b"\n" * 1000, b"\xff"):
        host.put("/etc/my.cnf", data).read()
        json.dumps([str(item) for item in host.read().read_errors])
