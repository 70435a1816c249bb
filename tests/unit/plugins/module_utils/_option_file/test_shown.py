# Copyright (c) 2026, the dbfleet.mysql authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A diff shows the changed lines where they stand, and no value of another line."""

from __future__ import annotations

import difflib

import pytest
from ansible_collections.dbfleet.mysql.plugins.module_utils._option_file.edit import FILE_MARK
from ansible_collections.dbfleet.mysql.plugins.module_utils._option_file.shown import excerpts
from host import LINE, Host


@pytest.fixture
def host(tmp_path):
    (tmp_path / "etc").mkdir()
    return Host(tmp_path)


def diff(before, after, path="/etc/my.cnf"):
    """Return what Ansible prints (CallbackBase._get_diff)."""
    text = ""
    for entry in excerpts(path, before, after):
        lines = difflib.unified_diff(
            entry["before"].splitlines(True),
            entry["after"].splitlines(True),
            entry["before_header"],
            entry["after_header"],
        )
        text += "".join(lines)
    return text


def test_the_line_with_its_surroundings(host):
    host.put(
        "/etc/my.cnf",
        b"# Ours\n!include /etc/d.cnf\n[client]\npassword = hunter2\n\n# old password: hunter2\n"
        b"[mysqld]\n  port=3306\nskip-networking\n\n[mysqldump]\nquick\nuser=hunter2\n",
    )
    (change,) = host.present().changes
    assert diff(change.old, change.new) == (
        "--- /etc/my.cnf, line 10 in [mysqld]\n"
        "+++ /etc/my.cnf, line 10 in [mysqld]\n"
        "@@ -1,6 +1,7 @@\n"
        " [mysqld]\n"
        "   port=...\n"
        " skip-networking\n"
        "+plugin_load_add=group_replication.so\n"
        " \n"
        " [mysqldump]\n"
        " quick\n"
    )


def test_a_new_group_is_shown_with_its_comment(host):
    host.put("/etc/my.cnf", b"[client]\nport=1")
    (change,) = host.present().changes
    (entry,) = excerpts("/etc/my.cnf", change.old, change.new)
    assert entry["after_header"] == "/etc/my.cnf, line 6 in [mysqld]"
    assert entry["before"] == "[client]\nport=..."
    assert entry["after"] == (
        "[client]\nport=...\n\n# This group was added by dbfleet.mysql.plugin_load_add.\n"
        "[mysqld]\nplugin_load_add=group_replication.so"
    )


def test_a_file_that_comes_and_goes():
    data = FILE_MARK + b"\n[mysqld]\n" + LINE + b"\n"
    text = FILE_MARK.decode() + "\n[mysqld]\nplugin_load_add=group_replication.so\n"
    assert excerpts("/x.cnf", None, data) == [
        {
            "before_header": "/x.cnf (does not exist)",
            "after_header": "/x.cnf (created)",
            "before": "",
            "after": text,
        }
    ]
    assert excerpts("/x.cnf", data, None) == [
        {
            "before_header": "/x.cnf, line 3 in [mysqld]",
            "after_header": "/x.cnf (removed)",
            "before": text,
            "after": "",
        }
    ]


def test_places_that_are_far_apart(host):
    filler = b"# filler\n" * 300
    host.put("/etc/my.cnf", b"[mysqld]\n%s\n%s%s\n" % (LINE, filler, LINE))
    (change,) = host.absent().changes
    headers = [entry["before_header"] for entry in excerpts("x", change.old, change.new)]
    assert headers == ["x, line 2 in [mysqld]", "x, line 303 in [mysqld]"]


def test_an_entry_of_a_list(host):
    host.put(
        "/etc/my.cnf", b"[mysqld]\r\nloose-plugin-load = 'a.so;group_replication.so' # hunter2\r\n"
    )
    (change,) = host.absent().changes
    shown = diff(change.old, change.new).splitlines()
    assert "-loose-plugin-load = 'a.so;group_replication.so' # ..." in shown
    assert "+loose-plugin-load = 'a.so' # ..." in shown


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        (b"password=hunter2", "password=..."),
        (b"loose-wsrep_sst_auth = root:hunter2 # x", "loose-wsrep_sst_auth=... # ..."),
        (b"#password=hunter2", "# ..."),
        (b";password=hunter2", "; ..."),
        (b"password hunter2", "..."),
        (b"\xef\xbb\xbfhunter2", "..."),
        (b"password\0=\nhunter2", "...\n..."),
        (b"password=\\\nhunter2=x", "password=...\nhunter2=..."),
        (b"[hunter2", "..."),
        (b"[client] hunter2", "[client] ..."),
        (b"!include /etc/x.cnf # hunter2", "!include /etc/x.cnf ..."),
        (b"!hunter2", "..."),
        (b"plugin_load_add=a.so' # hunter2", "plugin_load_add=..."),
        (b"plugin_load_add=\xe2\x80\x9chunter2", "plugin_load_add=..."),
        (b"early-plugin-load=a.so # hunter2", "early-plugin-load=a.so # ..."),
        (b"skip_networking\r", "skip_networking"),
    ],
)
def test_no_value_is_shown(line, shown):
    frame = b"[mysqld]\n%s\n%s"
    (entry,) = excerpts("x", frame % (line, b""), frame % (line, LINE + b"\n"))
    assert entry["before"] == f"[mysqld]\n{shown}\n"
