# Copyright (c) 2026, the dbfleet.mysql authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Run a statement that waits longer than it may, as INSTALL PLUGIN of MySQL 5.7 does for a backup.

Prints the error number that comes of it, and how many such statements are left in the server.
"""

from __future__ import annotations

import json

from ansible_collections.dbfleet.mysql.plugins.module_utils._mysql.connection import (
    Statement,
    connect,
)
from ansible_collections.dbfleet.mysql.plugins.module_utils._mysql.errors import ReportedError
from ansible_collections.dbfleet.mysql.plugins.module_utils._mysql.login import (
    connection_argument_spec,
    resolve_login,
)
from ansible_collections.dbfleet.mysql.plugins.module_utils._option_file.files import Files

DEFAULTS = {name: option.get("default") for name, option in connection_argument_spec().items()}
LEFT = "SELECT COUNT(*) FROM information_schema.PROCESSLIST WHERE INFO LIKE 'DO SLEEP%'"


def main() -> None:
    """Do it."""
    connection = connect(resolve_login(DEFAULTS, Files()), lambda uid: uid >= 0, read_timeout=1)
    number = 0
    try:
        connection.run([Statement("DO SLEEP(100)")])
    except ReportedError as error:
        number = error.number
    print(json.dumps({"number": number, "left": connection.rows(LEFT)[0][0]}))


if __name__ == "__main__":
    main()
