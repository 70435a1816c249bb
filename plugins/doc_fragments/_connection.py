# Copyright (c) 2026, the dbfleet.mysql authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Documentation of the options by which a module connects to a server."""

from __future__ import annotations


class ModuleDocFragment:
    """Fragment ``dbfleet.mysql._connection``."""

    DOCUMENTATION = r"""
options:
  login_user:
    description:
      - The MySQL account to log in as.
      - Without it O(config_file) decides, else the operating system user that the task runs as. As
        C(root), over the local socket, that is all that servers with C(auth_socket) and freshly
        initialised servers need.
    type: str
  login_password:
    description:
      - The account's password.
      - Without it O(config_file) decides, else it is empty.
    type: str
  login_host:
    description:
      - The host that the server runs on, as seen from the managed host.
      - As in MySQL's own client programs, V(localhost) means the local socket file where
        O(login_port) is not changed. Use V(127.0.0.1) for TCP.
      - A server on another host keeps its option files to itself, so what loads the plugin at its
        start cannot be seen.
    type: str
    default: localhost
  login_port:
    description: The server's TCP port.
    type: int
    default: 3306
  login_unix_socket:
    description:
      - The server's socket file. It wins over O(login_host) and O(login_port).
      - The module logs in only where root, its own account or the server's account listens there.
      - Without it, for V(localhost), the socket is the one in O(config_file), else the one that
        the server's option files name, else the one where the distributions' packages put it.
    type: path
  config_file:
    description:
      - An option file as MySQL's own program C(mysql) reads it, of which the groups C([client]) and
        C([mysql]) count. It gives C(user), C(password), C(host), C(port), C(socket), C(protocol),
        C(ssl-mode), C(ssl-ca), C(ssl-cert), C(ssl-key) and C(server-public-key-path) where the
        module's options do not.
      - The module fails, and names the line, where C(mysql) would stop there or ask for a password,
        or where the line asks for a check of the server that the module cannot make.
      - For V(localhost) a C(port) there is passed over, unless C(protocol=tcp) is there too.
      - C(~/.mylogin.cnf), which C(mysql_config_editor) writes, is not read.
      - A file that does not exist is passed over.
    type: path
    default: ~/.my.cnf
  connect_timeout:
    description: How long to wait for the server to accept the connection, in seconds.
    type: int
    default: 30
  ca_cert:
    description:
      - A PEM file with the certificate authority that signed the server's certificate. With it,
        a TCP connection is encrypted and the server's certificate is verified.
      - Without it, C(ssl-mode) in O(config_file) decides, and without that a TCP connection is
        encrypted where the server offers it, unverified.
    type: path
    aliases: [ssl_ca]
  client_cert:
    description: A PEM file with the client's certificate, for accounts that require one.
    type: path
    aliases: [ssl_cert]
  client_key:
    description: A PEM file with the key of O(client_cert).
    type: path
    aliases: [ssl_key]
  check_hostname:
    description:
      - Whether O(login_host) must be a name in the server's certificate. Only with O(ca_cert).
    type: bool
    default: true
attributes:
  action_group:
    description:
      - C(module_defaults) can set this module's options for a whole play or block by the name
        C(group/dbfleet.mysql.all). To the group belong the modules that log in to a server.
      - It does not reach into the role C(dbfleet.mysql.group_replication), which has variables for
        the same.
    support: full
    membership: [dbfleet.mysql.all]
requirements:
  - PyMySQL on the managed host (package C(python3-pymysql) or C(python3-PyMySQL))
"""
