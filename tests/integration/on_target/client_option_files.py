# Copyright (c) 2026, the dbfleet.mysql authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Log in with option files of a client as the program mysql and as the modules do.

Argument: the texts of the files as a list in JSON. Prints for each who logged in and how, by
``mysql`` and by ``ours``, null where nobody could; and what ``mysql_said`` and ``ours_said``.
"""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
from typing import Any

from ansible_collections.dbfleet.mysql.plugins.module_utils._errors import Failure
from ansible_collections.dbfleet.mysql.plugins.module_utils._mysql.connection import connect
from ansible_collections.dbfleet.mysql.plugins.module_utils._mysql.login import (
    connection_argument_spec,
    resolve_login,
)
from ansible_collections.dbfleet.mysql.plugins.module_utils._option_file.files import Files

PATH = "/root/.my.cnf"
DEFAULTS = {name: option.get("default") for name, option in connection_argument_spec().items()}
WHO = (
    "SELECT CURRENT_USER(), IF(CONNECTION_TYPE = 'Socket', 'socket', 'TCP')"
    " FROM performance_schema.threads WHERE PROCESSLIST_ID = CONNECTION_ID()"
)


def by_mysql() -> tuple[str | None, str]:
    """Return who logs in by the program mysql, and what it says otherwise."""
    done = subprocess.run(
        ["mysql", "--batch", "-Ne", WHO],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=False,
        env={**os.environ, "HOME": "/root"},
        start_new_session=True,  # it would ask a terminal for the password
    )
    text = done.stdout.decode().strip().replace("\t", " ")
    return (None if done.returncode else text), done.stderr.decode(errors="replace")


def by_ours() -> tuple[str | None, str]:
    """Return who logs in by our own code, and the failure's code and text otherwise."""
    params: dict[str, Any] = {**DEFAULTS, "config_file": PATH, "connect_timeout": 5}
    try:
        login = resolve_login(params, Files())
        with contextlib.closing(connect(login, lambda uid: uid >= 0, 5)) as connection:
            return " ".join(map(str, connection.rows(WHO, columns=2)[0])), ""
    except Failure as failure:
        return None, f"{failure.error_code}: {failure}"


def main() -> None:
    """Do it."""
    for text in json.loads(sys.argv[1]):
        descriptor = os.open(PATH, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
        names = ("mysql", "mysql_said", "ours", "ours_said")
        print(json.dumps(dict(zip(names, (*by_mysql(), *by_ours())))))
    os.unlink(PATH)


if __name__ == "__main__":
    main()
