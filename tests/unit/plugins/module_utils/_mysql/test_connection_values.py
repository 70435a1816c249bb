# Copyright (c) 2026, the dbfleet.mysql authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Values that a server answers with, of which some would cost minutes to make a number of."""

from __future__ import annotations

import decimal

import pytest
from ansible_collections.dbfleet.mysql.plugins.module_utils._mysql.connection import _is_plain


@pytest.mark.parametrize(
    ("value", "is_plain"),
    [
        (None, True),
        ("text", True),
        (b"bytes", True),
        (2**64 - 1, True),
        (10**400, False),
        (1e999, False),
        (decimal.Decimal("1E2000000"), False),
        ([], False),
    ],
)
def test_value_of_an_answer(value, is_plain):
    assert _is_plain(value) is is_plain
