# Copyright (c) 2026, the dbfleet.mysql authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The login that an option file of a client makes, beside that of MySQL's own program mysql."""

from __future__ import annotations

import json
from typing import Any

import pytest
from helpers.control import Control
from helpers.lab import LAYOUT, at_least
from helpers.server import Server

#: The password of ops, with all that an option file treats in a way of its own.
PASSWORD = 'it\'s "a" #1; \\t'  # noqa: S105 - a container's, gone after the test
WRITTEN = '"it\\\'s \\"a\\" #1; \\\\t"'
OTHER_SOCKET = "/run/mysqld/other.sock"

#: What the file holds, who is logged in by it, and how.
LOGINS = {
    f"[client]\nuser=plain\nport=3307\nsocket={LAYOUT.socket}": "plain socket",
    "[client]\nuser=plain\nport=3307": "plain socket",
    "[client]\nuser=plain\nhost=localhost\nport=3307": "plain socket",
    f"[client]\nuser=plain\nhost=127.0.0.1\nsocket={OTHER_SOCKET}": "plain TCP",
    "[client]\nuser=plain\nhost=127.0.0.1\nport=0": "plain TCP",
    "[client]\nuser=plain\nprotocol=tcp": "plain TCP",
    "[client]\nuser=plain\nprotocol=T\nhost=localhost\nport=3306": "plain TCP",
    f"[client]\nuser=plain\nprotocol=Sock\nsocket={LAYOUT.socket}": "plain socket",
    "[client]\nuser=plain\nhost=": "plain socket",
    "[client]\nuser=": "root socket",
    "[client]\nuser=plain\npassword=": "plain socket",
    "[client]\nuser=plain\npassword=x\nskip-password": "plain socket",
    "[client]\nuser=plain\npassword\npassword=": "plain socket",
    f"[client]\nuser=ops\npassword={WRITTEN}": "ops socket",
    f"[client]\nuser = 'ops' # who\n\tpassword = {WRITTEN}  \n": "ops socket",
    "[client]\nloose-user=ops\nloose_password=" + WRITTEN: "ops socket",
    f"[mysql]\nuser=ops\npassword={WRITTEN}": "ops socket",
    f"[client]\nuser=plain\n[mysql]\nuser=ops\npassword={WRITTEN}": "ops socket",
    f"[mysql]\nuser=plain\n[client]\nuser=ops\npassword={WRITTEN}": "ops socket",
    f"[client]\nuser=plain\n[mysqldump]\nuser=ops\npassword={WRITTEN}": "plain socket",
    "[CLIENT]\nuser=plain": "plain socket",
    "[client ]\nuser=plain": "plain socket",
    "[mysqladmin]\nuser\n[client]\nuser=plain": "plain socket",
    "[client-server]\nuser=plain": "root socket",
    "[client]\nuser=plain\n!include /nowhere.cnf": "plain socket",
    "# nothing\n": "root socket",
}
#: What mysql stops at, and the line.
STOPS = {
    "user=plain\npassword=x": 1,
    "# mine\n\nuser=plain\n[client]": 3,
    "[client]\nuser=plain\n[mysql": 3,
    "[client]\nuser=plain\n!include\n": 3,
    "[client]\nuser=plain\n!includedir /nowhere": 3,
    "[client]\nuser": 2,
    "[mysql]\nuser=plain\nhost": 3,
    "[client]\nport": 2,
    "[client]\nport=3306x": 2,
    "[client]\nhost=127.0.0.1\nport=99999": 3,
    "[client]\nuser=plain\nsocket": 3,
    "[client]\nuser=plain\nsocket=": 3,
    "[client]\nuser=plain\nprotocol": 3,
    "[client]\nuser=plain\nprotocol=bogus": 3,
    "[client]\nuser=plain\nprotocol=memory": 3,
    "[client]\nuser=plain\nhost=127.0.0.1\nprotocol=socket": 4,
    "[client]\nuser=plain\nssl-mode": 3,
    "[client]\nuser=plain\nssl-mode=bogus": 3,
    "[client]\nuser=plain\nssl-ca": 3,
}
#: Where mysql asks somebody for the password, and the line.
ASKS = {
    "[client]\nuser=ops\npassword": 3,
    f"[client]\nuser=ops\npassword={WRITTEN}\n[mysql]\npassword": 5,
}


@pytest.fixture
def accounts(server: Server) -> Server:
    """Return a server with the accounts plain, which has no password, and ops."""
    quoted = PASSWORD.replace("\\", "\\\\").replace("'", "''")
    server.sql(
        "SET SESSION sql_log_bin = 0; DROP USER IF EXISTS plain@'%', ops@'%';"
        f" CREATE USER plain@'%' IDENTIFIED BY '', ops@'%' IDENTIFIED BY '{quoted}';"
        " GRANT ALL ON *.* TO plain@'%', ops@'%'"
    )
    return server


def tried(server: Server, *texts: str) -> dict[str, dict[str, Any]]:
    """Return what became of each file, as on_target/client_option_files.py says."""
    return dict(zip(texts, server.python("client_option_files", json.dumps(texts)), strict=True))


@pytest.mark.main
@pytest.mark.hazard(
    "`~/.my.cnf` has `port` and `socket`, no group, a bare `password`, quotes, or groups of others",
    "logs in by MySQL's rules, stops, or asks",
    "logs in as `mysql` does, or names the line: `config_file_unusable`",
)
def test_login_as_mysql_makes_it(accounts: Server) -> None:
    logins = dict(LOGINS)
    if at_least("8.0.27"):
        logins[f"[client]\nuser=ops\npassword1={WRITTEN}"] = "ops socket"
    for text, found in tried(accounts, *logins, *STOPS, *ASKS).items():
        if text in logins:
            user, way = logins[text].split()
            host = "localhost" if user == "root" else "%"
            assert found["mysql"] == found["ours"] == f"{user}@{host} {way}", (text, found)
            continue
        assert found["mysql"] is None, (text, found)
        assert found["ours"] is None, (text, found)
        assert found["ours_said"].startswith("config_file_unusable: "), (text, found)
        place = f"/root/.my.cnf:{STOPS.get(text) or ASKS[text]}"
        assert place in found["ours_said"], (text, found)
        assert "#1" not in found["ours_said"]
        assert ("Enter password" in found["mysql_said"]) is (text in ASKS), (text, found)


def test_a_login_path_that_is_not_read(accounts: Server, control: Control) -> None:
    accounts.sh("install -m 0600 /dev/null /root/.mylogin.cnf")
    try:
        results = control.modules(
            accounts, {"login_user": "ops"}, {"login_user": "ops", "login_password": "wrong"}
        )
    finally:
        accounts.sh("rm /root/.mylogin.cnf")
    assert [result["error_code"] for result in results] == ["access_denied"] * 2
    named = ["/root/.mylogin.cnf" in result["next_step"] for result in results]
    # The task's own password would have won.
    assert named == [True, False]
