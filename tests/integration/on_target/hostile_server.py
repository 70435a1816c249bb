# Copyright (c) 2026, the dbfleet.mysql authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A server that speaks MySQL's protocol and means no good.

What it does is a plan: a dictionary, because it comes from the tests as JSON. Text in it stands for
bytes, as latin1. Its keys, all optional:

greeting: "usual", "huge" (a version of 10 MB), "endless" (a packet that never ends), "trickle" (a
    byte now and then), "silent", "endless version" (without the byte 0 at its end), or "cut" (its
    first ``cut`` bytes, and then nothing more comes).
version, plugin: what the greeting says of them.
nonce_length: what it says of its nonce.
tls_flood: in place of a handshake it sends messages of TLS without an end.
tls: certificate and key, for a server that offers TLS.
claims_tls: whether it says that it offers TLS, and goes on without.
login: what is sent after the client's login packet, each answered by the client but the last.
    "OK" stands for the packet of that name, "TRICKLE" for one that comes a byte now and then,
    "HUGE ERROR" for an error of 10 MB; without a list the server says "OK".
answers: "honest", or one of the functions of ODD_ANSWERS.
settings: what it says of itself, by the name of the column's variable.
pad: how many bytes longer it makes these.
plugin_row: what it says of the plugin; null where it does not have it.
file: the file that it asks the client for ("local_infile").
leaves: the path of its socket, which it gives up at the first SET GLOBAL super_read_only.

The specification is MySQL's own: "Client/Server Protocol" in its source documentation.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import socket
import ssl
import struct
import time
from typing import Any, BinaryIO, Callable, Optional, Sequence

SALT = b"12345678abcdefghijkl"
#: LOCAL FILES, PROTOCOL 4.1, SECURE CONNECTION, MULTI STATEMENTS and RESULTS, PLUGIN AUTH and more;
#: not DEPRECATE_EOF.
CAPABILITIES = 0x003FA28F
CAPABILITY_TLS = 0x800
MORE_RESULTS = 0x8
UTF8 = 45
BINARY = 63
VAR_STRING, LONGLONG, DECIMAL = 0xFD, 0x08, 0xF6
MEGABYTE = 1024 * 1024

#: In the order of the module's query.
SETTINGS = {
    "version_comment": "MySQL Community Server - GPL",
    "plugin_dir": "/usr/lib/mysql/plugin/",
    "datadir": "/var/lib/mysql/",
    "pid_file": "/run/mysqld/mysqld.pid",
    "version_compile_os": "Linux",
    "server_uuid": "b2f3c3a0-0000-11ef-8000-0242ac110002",
    "super_read_only": "0",
}
PLUGIN = [
    "group_replication",
    "ACTIVE",
    "GROUP REPLICATION",
    "group_replication.so",
    "GPL",
    "1.1",
    "ON",
]

Value = Optional[bytes]


def lenenc(data: Value) -> bytes:
    """Return a text with its length in front; None is NULL."""
    if data is None:
        return b"\xfb"
    if len(data) < 251:
        return bytes([len(data)]) + data
    if len(data) < 1 << 16:
        return b"\xfc" + struct.pack("<H", len(data)) + data
    return b"\xfd" + struct.pack("<I", len(data))[:3] + data


def packet(number: int, payload: bytes) -> bytes:
    """Return a packet, in as many pieces as the protocol needs."""
    pieces = []
    while True:
        piece, payload = payload[:0xFFFFFF], payload[0xFFFFFF:]
        pieces.append(struct.pack("<I", len(piece))[:3] + bytes([number % 256]) + piece)
        number += 1
        if len(piece) < 0xFFFFFF:
            return b"".join(pieces)


def ok(status: int = 2) -> bytes:
    """Return the payload of an OK packet."""
    return b"\0\0\0" + struct.pack("<HH", status, 0)


def eof(status: int = 2) -> bytes:
    """Return the payload of an EOF packet."""
    return b"\xfe" + struct.pack("<HH", 0, status)


def huge_error() -> bytes:
    """Return the payload of an error with a text of 10 MB."""
    return b"\xff" + struct.pack("<H", 1045) + b"#28000" + b"x" * (10 * MEGABYTE)


SPECIAL: dict[str, Callable[[], bytes]] = {"OK": ok, "HUGE ERROR": huge_error}


def column(name: bytes, kind: int = VAR_STRING, charset: int = UTF8) -> bytes:
    """Return the payload that describes a column."""
    head = b"".join(map(lenenc, (b"def", b"", b"", b"", name, name)))
    return head + b"\x0c" + struct.pack("<HIBHBxx", charset, 1024, kind, 0, 0)


class Gone(Exception):
    """The client has left."""


class Session:
    """The conversation with one client.

    Args:
        client: its connection.
        plan: as the module's docstring says.
        record: where all that the client sends is kept.
    """

    def __init__(self, client: socket.socket, plan: dict[str, Any], record: BinaryIO) -> None:
        self.client = client
        self.plan = plan
        self.record = record
        self.number = 0

    def converse(self) -> None:
        """Greet, let the client log in, and answer what it asks."""
        self._greet()
        self.read()
        certificate = self.plan.get("tls")
        if certificate and len(self.last) == 32:
            self._begin_tls(*certificate)
            self.read()
        if self.plan.get("tls_flood"):
            while True:  # requests to begin anew (RFC 5246, 7.4.1.1), which carry no data
                self.client.sendall(b"\x16\x03\x03\x00\x04\x00\x00\x00\x00" * 1000)
        replies = self.plan.get("login", ["OK"])
        for position, reply in enumerate(replies):
            if reply == "TRICKLE":
                self.trickle()
            self.send(SPECIAL[reply]() if reply in SPECIAL else reply.encode("latin1"))
            # After "your scramble was enough" the client waits for what follows.
            if position < len(replies) - 1 and reply != "\x01\x03":
                self.read()
        while True:
            command = self.read()
            if command[:1] == b"\x01":
                return
            self._answer(command[1:].decode("utf-8", "replace"))

    def read(self) -> bytes:
        """Return the payload of the client's next packet."""
        header = self._exactly(4)
        self.number = header[3] + 1
        self.last = self._exactly(int.from_bytes(header[:3], "little"))
        return self.last

    def send(self, payload: bytes) -> None:
        """Send one packet."""
        self.raw(packet(self.number, payload))
        self.number += len(payload) // 0xFFFFFF + 1

    def raw(self, data: bytes) -> None:
        """Send bytes as they are."""
        self.client.sendall(data)

    def trickle(self) -> None:
        """Send the head of a long packet, then a byte now and then for ever."""
        self.raw(struct.pack("<I", 100000)[:3] + bytes([self.number % 256]))
        while True:
            time.sleep(0.3)
            self.raw(b"\x0a")

    def endless_packet(self, first: bytes) -> None:
        """Send a packet that never ends."""
        while True:
            self.raw(b"\xff\xff\xff" + bytes([self.number % 256]))
            self.raw((first + b"x" * 0xFFFFFF)[:0xFFFFFF])
            first = b""
            self.number += 1

    def result(self, columns: Sequence[bytes], rows: Sequence[Sequence[Value]], more: bool) -> None:
        """Send a result set."""
        status = 2 | (MORE_RESULTS if more else 0)
        self.send(bytes([len(columns)]))
        for each in columns:
            self.send(each)
        self.send(eof(status))
        for row in rows:
            self.send(b"".join(map(lenenc, row)))
        self.send(eof(status))

    def _greet(self) -> None:
        kind = self.plan.get("greeting", "usual")
        version = self.plan.get("version", "8.4.3").encode("latin1")
        nonce_length = self.plan.get("nonce_length", len(SALT) + 1)
        says_tls = self.plan.get("tls") or self.plan.get("claims_tls")
        flags = CAPABILITIES | (CAPABILITY_TLS if says_tls else 0)
        if kind == "huge":
            version += b"x" * (10 * MEGABYTE)
        whole = b"".join(
            (
                b"\x0a" + version + b"\0" + struct.pack("<I", 7) + SALT[:8] + b"\0",
                struct.pack("<HBHHB", flags & 0xFFFF, 255, 2, flags >> 16, nonce_length),
                b"\0" * 10 + SALT[8:] + b"\0",
                self.plan.get("plugin", "caching_sha2_password").encode("latin1") + b"\0",
            )
        )
        if kind == "endless":
            self.endless_packet(b"\x0a")
        elif kind == "trickle":
            self.trickle()
        elif kind == "silent":
            time.sleep(3600)
        elif kind == "endless version":
            # PyMySQL then counts from the beginning; each number is made of bytes that are not 0.
            numbers = struct.pack("<HBHHB", 0xF7FF, 255, 0x0202, 0x0FFF, 21)
            name = self.plan["plugin"].encode("latin1")
            self.send(b"\x0a8.4" + b"x" * 9 + numbers + b"x" * 23 + name)
        elif kind == "cut":
            self.send(whole[: self.plan["cut"]])
        else:
            self.send(whole)

    def _begin_tls(self, certificate: str, key: str) -> None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate, key)
        self.client = context.wrap_socket(self.client, server_side=True)

    def _answer(self, sql: str) -> None:
        if "leaves" in self.plan and sql.startswith("SET GLOBAL super_read_only"):
            os.unlink(self.plan["leaves"])
            time.sleep(0.5)  # time for another one to take the place
            os._exit(0)
        texts = sql.split("; ")
        odd = ODD_ANSWERS.get(self.plan.get("answers", "honest"))
        for position, text in enumerate(texts):
            if odd is not None and text.startswith("SELECT"):
                odd(self)
                return
            more = position < len(texts) - 1
            found = honest(text, self.plan)
            if found is None:
                self.send(ok(2 | (MORE_RESULTS if more else 0)))
            else:
                self.result(found[0], found[1], more)

    def _exactly(self, length: int) -> bytes:
        data = b""
        while len(data) < length:
            piece = self.client.recv(length - len(data))
            if not piece:
                raise Gone
            self.record.write(piece)
            self.record.flush()
            data += piece
        return data


def honest(sql: str, plan: dict[str, Any]) -> tuple[list[bytes], list[list[Value]]] | None:
    """Return columns and rows as a server that has the plugin would; None for no result set."""
    if "version_comment" in sql:
        found = {**SETTINGS, **plan.get("settings", {})}
        for name, length in plan.get("pad", {}).items():
            found[name] += "x" * length
        kinds = [LONGLONG if name == "super_read_only" else VAR_STRING for name in found]
        columns = [column(name.encode(), kind) for name, kind in zip(found, kinds)]
        return columns, [[value.encode("utf-8", "surrogateescape") for value in found.values()]]
    if "information_schema.PLUGINS" in sql:
        row = [value.encode("latin1") for value in plan.get("plugin_row", PLUGIN) or []]
        return [column(b"c")] * len(PLUGIN), [list(row)] if row else []
    if "mysql.user" in sql:
        return [column(b"1", LONGLONG, BINARY)], [[b"1"]]
    if "Ssl_cipher" in sql:
        # It says that there is TLS, whatever there is.
        return [column(b"n"), column(b"v")], [[b"Ssl_cipher", b"TLS_AES_256_GCM_SHA384"]]
    if "gtid_mode" in sql:
        return [column(b"g")], [[b"OFF"]]
    return ([column(b"c")], []) if sql.startswith(("SELECT", "SHOW")) else None


def endless_rows(session: Session) -> None:
    """Send rows for ever."""
    session.send(b"\x01")
    session.send(column(b"c"))
    session.send(eof())
    payload = lenenc(b"x" * 4096)
    # Numbers of packets begin anew after 256.
    block = b"".join(packet(session.number + step, payload) for step in range(256))
    while True:
        session.raw(block)


def endless_columns(session: Session) -> None:
    """Announce as many columns as the protocol can count, and describe them."""
    session.send(b"\xfe" + struct.pack("<Q", 1 << 60))
    block = b"".join(packet(session.number + step, column(b"c" * 200)) for step in range(256))
    while True:
        session.raw(block)


def endless_results(session: Session) -> None:
    """Say after each result that another one follows."""
    block = b"".join(packet(session.number + step, ok(2 | MORE_RESULTS)) for step in range(256))
    while True:
        session.raw(block)


def local_infile(session: Session) -> None:
    """Ask the client for a file."""
    session.send(b"\xfb" + session.plan["file"].encode())
    with contextlib.suppress(Gone):
        session.read()


def one_value(kind: int, charset: int, value: Value) -> Callable[[Session], None]:
    """Return what answers with one row of one column."""

    def answer(session: Session) -> None:
        session.result([column(b"c", kind, charset)], [[value]], more=False)

    return answer


def no_rows(session: Session) -> None:
    """Answer each query with no row."""
    session.result([column(b"c")], [], more=False)


def null_settings(session: Session) -> None:
    """Answer with NULL in each column."""
    session.result([column(b"c")] * 7, [[None] * 7], more=False)


def cut_row(session: Session) -> None:
    """Send a row whose text is shorter than the length in front of it."""
    session.send(b"\x01")
    session.send(column(b"c"))
    session.send(eof())
    session.send(b"\xfd\xff\xff\xff" + b"x")
    session.send(eof())


ODD_ANSWERS: dict[str, Callable[[Session], None]] = {
    "endless_rows": endless_rows,
    "endless_columns": endless_columns,
    "endless_results": endless_results,
    "endless_packet": lambda session: session.endless_packet(b"\x01"),
    "trickle": Session.trickle,
    "silent": lambda session: time.sleep(3600),
    "local_infile": local_infile,
    "no_rows": no_rows,
    "null_settings": null_settings,
    "one_column": one_value(VAR_STRING, UTF8, b"x"),
    "cut_row": cut_row,
    "long_number": one_value(LONGLONG, BINARY, b"9" * 5000),
    "no_number": one_value(LONGLONG, BINARY, b"nine"),
    "no_decimal": one_value(DECIMAL, BINARY, b"nine"),
    "unknown_charset": one_value(VAR_STRING, 65535, b"x"),
    "no_utf8": one_value(VAR_STRING, UTF8, b"\xff\xfe"),
    "huge_text": one_value(VAR_STRING, UTF8, b"x" * (10 * MEGABYTE)),
}


def listen(address: Any) -> socket.socket:
    """Return a socket that listens: on a path, or on a port of this machine."""
    if isinstance(address, int):
        listener = socket.socket(socket.AF_INET)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(("127.0.0.1", address))
    else:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(address)
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(address)
        os.chmod(address, 0o777)  # noqa: S103 - as MySQL does
    listener.listen(16)
    return listener


def serve(listener: socket.socket, plan: dict[str, Any], record: BinaryIO) -> None:
    """Serve one client after the other, for ever."""
    while True:
        client = listener.accept()[0]
        session = Session(client, plan, record)
        with contextlib.suppress(Gone, OSError):
            session.converse()
        with contextlib.suppress(OSError):
            session.client.close()


def look_like(arguments: Sequence[str]) -> None:
    """Let this process's command line be another one for whoever reads it in /proc."""
    with open("/proc/self/stat", encoding="ascii") as status:
        # The name, in parentheses, comes second; arg_start and arg_end are fields 48 and 49.
        fields = status.read().rpartition(")")[2].split()
    start, end = int(fields[45]), int(fields[46])
    text = b"".join(os.fsencode(argument) + b"\0" for argument in arguments)
    assert len(text) <= end - start
    ctypes.memmove(start, text.ljust(end - start, b"\0"), end - start)
