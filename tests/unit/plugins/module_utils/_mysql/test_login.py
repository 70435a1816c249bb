# Copyright (c) 2026, the dbfleet.mysql authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What becomes of a login that fails: errors that a test's server does not give, or gives late."""

from __future__ import annotations

import socket
import ssl

import pytest
from ansible_collections.dbfleet.mysql.plugins.module_utils._errors import Failure
from ansible_collections.dbfleet.mysql.plugins.module_utils._mysql.errors import ReportedError
from ansible_collections.dbfleet.mysql.plugins.module_utils._mysql.failure import (
    UnsafePassword,
    connection_failure,
    login_failure,
)
from ansible_collections.dbfleet.mysql.plugins.module_utils._mysql.login import (
    connection_argument_spec,
    resolve_login,
)
from ansible_collections.dbfleet.mysql.plugins.module_utils._mysql.meanings import LOGIN, STATEMENT
from ansible_collections.dbfleet.mysql.plugins.module_utils._option_file.files import Files

DEFAULTS = {name: option.get("default") for name, option in connection_argument_spec().items()}
ON_SOCKET = {"login_user": "ops", "login_unix_socket": "/run/mysqld/mysqld.sock"}


def login(tmp_path, text="", **options):
    config_file = tmp_path / "my.cnf"
    config_file.write_text(text)
    config_file.chmod(0o644)
    return resolve_login({**DEFAULTS, "config_file": str(config_file), **options}, Files())


@pytest.mark.parametrize("table", [LOGIN, STATEMENT])
def test_each_meaning_has_a_cause_and_a_next_step(table):
    for number, meaning in table.items():
        failure = meaning.failure(
            ReportedError(reported(number)), address="ADDRESS", account="ACCOUNT", sql="SQL"
        )
        assert failure.cause.endswith(f" (error {number}: the server's words).")
        assert failure.next_step.endswith(".")
        assert not set("{}") & set(str(failure))


def test_words_of_the_library_alone_are_not_shown(tmp_path):
    failure = connection_failure(Exception("Packet sequence number wrong"), login(tmp_path))
    assert failure.error_code == "server_answer_invalid"
    assert "sequence" not in str(failure)


def reported(number, original=None):
    """Return an exception as PyMySQL raises it."""
    error = Exception(number, "the server's words")
    error.original_exception = original
    return error


@pytest.mark.parametrize(
    ("error", "error_code"),
    [
        (reported(1045), "access_denied"),
        (reported(1698), "access_denied"),
        (reported(1130), "host_not_allowed"),
        (reported(1129), "host_not_allowed"),
        (reported(3118), "account_locked"),
        (reported(1820), "password_expired"),
        (reported(1862), "password_expired"),
        (reported(1040), "too_many_connections"),
        (reported(1203), "too_many_connections"),
        (reported(3955), "account_locked"),
        (reported(2059), "auth_plugin_unsupported"),
        (reported(1053), "server_stopping"),
        (reported(1041), "out_of_memory"),
        (reported(2026), "tls_failed"),
        (reported(2003, ssl.SSLError()), "tls_failed"),
        (reported(2003, FileNotFoundError()), "socket_not_found"),
        (reported(2003, PermissionError()), "socket_not_permitted"),
        (reported(2003, socket.gaierror()), "host_not_found"),
        (reported(2003, ConnectionRefusedError()), "server_down"),
        (reported(2003, socket.timeout()), "server_unreachable"),
        (reported(2013), "server_unreachable"),
        (reported(4711), "connection_failed"),
    ],
)
def test_login_that_the_server_or_the_network_refuses(tmp_path, error, error_code):
    failure = connection_failure(error, login(tmp_path, **ON_SOCKET))
    assert failure.error_code == error_code
    assert failure.details == {"mysql_error_number": error.args[0]}
    assert "/run/mysqld/mysqld.sock" in failure.cause
    assert "the server's words" in failure.cause


@pytest.mark.parametrize(
    ("error", "text", "error_code"),
    [
        (UnsafePassword(), "", "password_not_safe"),
        (ValueError("no key"), "", "password_not_safe"),
        (RuntimeError("cryptography"), "", "password_not_safe"),
        (RuntimeError("cryptography"), "server-public-key-path=/k", "cryptography_missing"),
        (ValueError("no key"), "server-public-key-path=/k", "tls_file_unusable"),
        (UnicodeDecodeError("ascii", b"", 0, 1, ""), "", "server_answer_invalid"),
        (IndexError("short"), "", "server_answer_invalid"),
    ],
)
def test_login_that_pymysql_gives_up(tmp_path, error, text, error_code):
    over_tcp = login(tmp_path, "[client]\n" + text, login_host="127.0.0.1")
    assert login_failure(error, over_tcp).error_code == error_code


@pytest.mark.parametrize(
    ("text", "options", "mode"),
    [
        ("", {}, "PREFERRED"),
        ("ssl-mode=verify_identity\nssl-ca=/ca.pem", {}, "VERIFY_IDENTITY"),
        ("ssl-mode=REQUIRED", {}, "REQUIRED"),
        ("ssl-mode=DISABLED\nssl-ca=/ca.pem", {}, "DISABLED"),
        ("ssl-ca=/ca.pem", {}, "VERIFY_IDENTITY"),
        ("ssl-mode=DISABLED", {"ca_cert": "/ca.pem"}, "VERIFY_IDENTITY"),
        ("", {"ca_cert": "/ca.pem", "check_hostname": False}, "VERIFY_CA"),
    ],
)
def test_how_much_tls_is_asked_for(tmp_path, text, options, mode):
    over_tcp = login(tmp_path, "[client]\n" + text, login_host="127.0.0.1", **options)
    assert over_tcp.ssl_mode == mode


@pytest.mark.parametrize("text", ["ssl-mode=VERIFY_CA", "ssl-mode=yes"])
def test_ssl_mode_that_cannot_be_kept(tmp_path, text):
    with pytest.raises(Failure) as caught:
        login(tmp_path, "[client]\n" + text)
    assert caught.value.error_code == "config_file_unusable"


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("ssl-verify-server-cert", 2),
        ("ssl-mode=DISABLED\nssl", 3),
        ("ssl-crl=/crl.pem\nssl-ca=/ca.pem", 2),
        ("ssl-mode=", 2),
    ],
)
def test_tls_that_is_asked_for_in_other_words(tmp_path, text, line):
    """Over a socket it does not matter, nor where 5.7's switches are off."""
    text = "[client]\n" + text
    with pytest.raises(Failure, match=f"/my.cnf:{line} ") as caught:
        login(tmp_path, text, login_host="127.0.0.1")
    assert caught.value.error_code == "config_file_unusable"
    off = "[client]\nskip-ssl\ndisable-ssl-verify-server-cert\n"
    assert login(tmp_path, off, login_host="127.0.0.1").ssl_mode == "PREFERRED"
    assert login(tmp_path, "[client]\nssl-verify-server-cert", **ON_SOCKET).ssl_mode == "PREFERRED"


def test_a_password_that_mysql_would_ask_for(tmp_path):
    text = "[client]\npassword\n"
    with pytest.raises(Failure, match=r"/my\.cnf:2 has no password"):
        login(tmp_path, text)
    assert login(tmp_path, text, login_password=text).password == text


@pytest.mark.parametrize("options", [{"login_port": 0}, {"connect_timeout": 0}])
def test_numbers_out_of_range(tmp_path, options):
    with pytest.raises(Failure) as caught:
        login(tmp_path, **options)
    assert caught.value.error_code == "login_invalid"


def test_options_of_the_module_win_over_the_configuration_file(tmp_path):
    text = "[client]\nuser=a\npassword=b\nhost=db1\nport=3307\nssl-ca=/ca.pem\n"
    of_file = login(tmp_path, text)
    assert of_file[:5] == ("a", "b", "db1", 3307, None)
    assert of_file.ca_cert == "/ca.pem"
    given = login(tmp_path, text, login_user="x", login_password="", login_host="db2")
    assert given[:5] == ("x", "", "db2", 3307, None)


def test_localhost_is_the_socket_whatever_port_the_file_names(tmp_path):
    """Any account may listen on the port; mysql does not try it for localhost either."""
    text = "[client]\nport=3307\nsocket=/run/mysqld/second.sock\n"
    assert login(tmp_path, text).unix_socket == "/run/mysqld/second.sock"
    assert login(tmp_path, "[client]\nport=3307\n").unix_socket is not None
    assert login(tmp_path, text, login_port=3308).unix_socket is None
    assert login(tmp_path, text, login_host="127.0.0.1").unix_socket is None


def test_configuration_file_that_is_not_usable(tmp_path):
    with pytest.raises(Failure, match=r"The option port at .*/my.cnf:2 is not the number"):
        login(tmp_path, "[client]\nport=x\n")
    (tmp_path / "my.cnf").chmod(0o666)
    params = {**DEFAULTS, "config_file": str(tmp_path / "my.cnf")}
    with pytest.raises(Failure, match="world-writable"):
        resolve_login(params, Files())
