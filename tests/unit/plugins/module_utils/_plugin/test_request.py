# Copyright (c) 2026, the dbfleet.mysql authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What no server can be asked for, as far as tests/integration does not show it."""

from __future__ import annotations

import pytest
from ansible_collections.dbfleet.mysql.plugins.module_utils._errors import Failure
from ansible_collections.dbfleet.mysql.plugins.module_utils._plugin.request import check_request
from made_up_servers import REQUEST


@pytest.mark.parametrize("seconds", [0, -1, 31536001])
def test_lock_wait_timeout_out_of_range(seconds):
    with pytest.raises(Failure) as failure:
        check_request(REQUEST._replace(lock_wait_timeout=seconds))
    assert failure.value.error_code == "lock_wait_timeout_invalid"
