# Copyright (c) 2026, the dbfleet.mysql authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""TLS of a connection to a server. Private to dbfleet.mysql."""

from __future__ import annotations

import os
from typing import Any

from ansible_collections.dbfleet.mysql.plugins.module_utils._errors import Failure
from ansible_collections.dbfleet.mysql.plugins.module_utils._mysql.connection import (
    Connection,
    Login,
)


def tls_arguments(login: Login) -> dict[str, Any]:
    """Return PyMySQL's ``ssl`` argument; empty leaves TLS to PyMySQL's own default.

    Raises:
        Failure: a file is not a regular one; OpenSSL would wait for a FIFO's writer for ever.
    """
    for path in (login.ca_cert, login.client_cert, login.client_key):
        if path and not os.path.isfile(path):
            raise Failure(
                "tls_file_unusable",
                f"{path}, for the TLS connection to {login.address}, is missing or not a regular "
                "file.",
                "Check ca_cert, client_cert and client_key: each must be a readable PEM file.",
            )
    tls: dict[str, Any] = {}
    if login.ca_cert:
        tls["ca"] = login.ca_cert
        tls["check_hostname"] = login.check_hostname
    if login.client_cert:
        tls["cert"] = login.client_cert
    if login.client_key:
        tls["key"] = login.client_key
    return tls


def require_tls(connection: Connection, login: Login) -> None:
    """Refuse a connection that was to be verified and is not encrypted at all.

    PyMySQL before 1.2 goes on without TLS where the server offers none.
    """
    row = connection.row("SHOW SESSION STATUS LIKE 'Ssl_cipher'")
    if not row or not row[1]:
        connection.close()
        raise Failure(
            "tls_failed",
            f"The server at {login.address} offers no TLS, but ca_cert asks for it.",
            "Enable TLS in the server, or leave out ca_cert where the network can be trusted.",
        )
