# Copyright (c) 2026, the dbfleet.mysql authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whose process may be the server. The accounts are made up: the control node has other ones."""

from __future__ import annotations

import os
from types import SimpleNamespace

import pytest
from ansible_collections.dbfleet.mysql.plugins.module_utils._mysql import account
from ansible_collections.dbfleet.mysql.plugins.module_utils._option_file.reader import (
    read_server_options,
)

ACCOUNTS = {"mysql": 70001, "dbadmin": 70002, "bob": 70003}


@pytest.fixture
def may_be_server(tmp_path, monkeypatch):
    """Return a function that says whether an account's process may be the server."""
    monkeypatch.setattr(
        account, "_account", lambda name: SimpleNamespace(pw_uid=ACCOUNTS.get(name))
    )

    def ask(name, text, mode=0o644):
        path = tmp_path / "my.cnf"
        path.write_text(text)
        path.chmod(mode)
        uid = ACCOUNTS.get(name, os.geteuid())
        return account.may_be_server(uid, lambda: read_server_options(defaults_file=str(path)))

    return ask


def test_the_account_of_a_trusted_option_file(may_be_server):
    own = "[mysqld]\nuser=dbadmin\nuser=bob\n"
    assert [name for name in ACCOUNTS if may_be_server(name, own)] == ["dbadmin"]
    assert may_be_server("ours", own)


def test_mysql_where_no_trusted_file_says_otherwise(may_be_server):
    assert [name for name in ACCOUNTS if may_be_server(name, "[mysqld]\n")] == ["mysql"]
    of_a_group = [name for name in ACCOUNTS if may_be_server(name, "[mysqld]\nuser=bob\n", 0o664)]
    assert of_a_group == ["mysql"]
