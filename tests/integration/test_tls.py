# Copyright (c) 2026, the dbfleet.mysql authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Connections over TLS: what is verified, and what is refused."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import trustme
from helpers.control import Control
from helpers.lab import CHECKOUT, FLEET, LAYOUT, at_least, lab
from helpers.server import Server, reset

PASSWORD = "only-in-this-test-1234"  # noqa: S105 - a container's, gone after the test
# The certificates that the server made for itself have no host's name in them.
OWN_AUTHORITY = f"{LAYOUT.datadir}/ca.pem"
OWN_CA = {"ca_cert": OWN_AUTHORITY, "check_hostname": False}


#: The kind of account whose password goes to the server; 5.7's default kind sends a hash.
SENDS_PASSWORD = "caching_sha2_password" if at_least("8.0") else "sha256_password"


@pytest.fixture
def login(server: Server) -> dict[str, Any]:
    """Return the login of an account that must use TLS."""
    server.sql(
        "SET SESSION sql_log_bin = 0; DROP USER IF EXISTS tls@'%';"
        f" CREATE USER tls@'%' IDENTIFIED BY '{PASSWORD}' REQUIRE SSL; GRANT ALL ON *.* TO tls@'%'"
    )
    return {"login_user": "tls", "login_password": PASSWORD, "login_host": "127.0.0.1"}


@pytest.mark.main
def test_verified_against_the_authority(
    server: Server, control: Control, login: dict[str, Any]
) -> None:
    result = control.module(server, **login, **OWN_CA)
    assert result["plugin"]["status"] == "ACTIVE"


@pytest.mark.main
@pytest.mark.hazard(
    "The host's name is not in the server's certificate",
    "connects all the same",
    "refused: `tls_failed`",
)
@pytest.mark.hazard(
    "The server's certificate is signed by another authority",
    "connects all the same",
    "refused: `tls_failed`",
)
def test_certificate_that_cannot_be_trusted(
    server: Server, control: Control, login: dict[str, Any]
) -> None:
    certificate = (CHECKOUT / "tests/integration/files/other_ca.pem").read_text()
    server.sh(f"cat > /root/other.pem <<'END'\n{certificate}END")
    other_host, other_authority, no_file = control.modules(
        server,
        {**login, "ca_cert": OWN_AUTHORITY},
        {**login, "ca_cert": "/root/other.pem", "check_hostname": False},
        {**login, "ca_cert": "/root/nowhere.pem"},
    )
    assert other_host["error_code"] == "tls_failed"
    assert other_authority["error_code"] == "tls_failed"
    assert no_file["error_code"] == "tls_file_unusable"
    assert server.plugin_status() == ""


@pytest.fixture
def certificate(server: Server) -> Iterator[str]:
    """Give the server a certificate for 127.0.0.1 and return its authority's file."""
    authority = trustme.CA()
    issued = authority.issue_cert("127.0.0.1")
    folder = f"{LAYOUT.datadir}/test-tls"
    before = server.sql("SELECT @@ssl_ca, @@ssl_cert, @@ssl_key")[0]
    server.sh(f"install -d -o mysql -g mysql {folder}")
    server.write(f"{folder}/ca.pem", authority.cert_pem.bytes())
    server.write(f"{folder}/cert.pem", issued.cert_chain_pems[0].bytes())
    server.write(f"{folder}/key.pem", issued.private_key_pem.bytes())
    own = [f"{folder}/{name}.pem" for name in ("ca", "cert", "key")]
    if not at_least("8.0.16"):  # takes them at its start alone; the next test's reset undoes it
        names = ("ssl_ca", "ssl_cert", "ssl_key")
        server.add_options(*(f"{name}={path}" for name, path in zip(names, own, strict=True)))
        server.restart()
        yield own[0]
        return
    take_certificate(server, *own)
    yield own[0]
    take_certificate(server, *before)


def take_certificate(server: Server, authority: str, certificate: str, key: str) -> None:
    """Have the running server take another certificate."""
    server.sql(
        f"SET GLOBAL ssl_ca = '{authority}'; SET GLOBAL ssl_cert = '{certificate}';"
        f" SET GLOBAL ssl_key = '{key}'; ALTER INSTANCE RELOAD TLS"
    )


def test_host_name_that_is_in_the_certificate(
    server: Server, control: Control, login: dict[str, Any], certificate: str
) -> None:
    options = {**login, "ca_cert": certificate}
    result, refused = control.modules(server, options, {**options, "login_host": "mysql1"})
    assert result["plugin"]["status"] == "ACTIVE"
    assert refused["error_code"] == "tls_failed"


@pytest.fixture
def without_tls(fleet: None) -> Server:
    """Return a server that offers no TLS."""
    lab("up", FLEET, "plain", "--arg=--tls-version=")
    server = Server("plain")
    reset([server])
    server.sql(
        "SET SESSION sql_log_bin = 0; DROP USER IF EXISTS plain@'%';"
        f" CREATE USER plain@'%' IDENTIFIED WITH {SENDS_PASSWORD} BY '{PASSWORD}';"
        " GRANT ALL ON *.* TO plain@'%'"
    )
    return server


@pytest.mark.parametrize(
    ("options", "error_code"),
    [({}, "password_not_safe"), ({"ca_cert": OWN_AUTHORITY}, "tls_failed")],
)
@pytest.mark.hazard(
    "A password over TCP without TLS",
    "encrypts it with a key that whoever answers has sent",
    "refused: `password_not_safe`",
)
def test_server_without_tls(
    without_tls: Server, control: Control, options: dict[str, Any], error_code: str
) -> None:
    result = control.module(
        without_tls,
        login_user="plain",
        login_password=PASSWORD,
        login_host="127.0.0.1",
        **options,
    )
    assert result["error_code"] == error_code
    assert PASSWORD not in result["_output"]
    assert without_tls.plugin_status() == ""
