# Copyright (c) 2026, the dbfleet.mysql authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A task's options are checked before anything is looked at, alike on each Python."""

from __future__ import annotations

import pytest
from ansible_collections.dbfleet.mysql.plugins.module_utils._errors import Failure
from ansible_collections.dbfleet.mysql.plugins.module_utils._input import check_texts


@pytest.mark.parametrize(
    "params",
    [
        {"config_file": "/root/\0.my.cnf"},
        {"defaults_file": "/etc/my.cnf\n"},
        {"library": "a\x7f.so"},
        {"login_password": "a\0b"},
    ],
)
def test_control_characters(params):
    with pytest.raises(Failure) as caught:
        check_texts(params)
    assert caught.value.error_code == "text_invalid"
    assert next(iter(params)) in caught.value.cause
    assert "a\0b" not in str(caught.value)


def test_all_else():
    check_texts({"login_user": "jürgen", "login_password": "a\tb\n", "port": 1, "ca_cert": None})
