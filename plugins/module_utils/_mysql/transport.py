# Copyright (c) 2026, the dbfleet.mysql authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The wire to a MySQL server, before PyMySQL says a word: who answers, and what it offers.

Whoever listens there may be no server of ours. So what comes is bounded in bytes and time, and
PyMySQL is given the open socket only after the other end was looked at. Private to dbfleet.mysql.
"""

from __future__ import annotations

import contextlib
import re
import socket
import ssl
import struct
import threading
import time
from typing import Any, Iterator, NamedTuple

#: What a server may send over one connection, in bytes; ours take a few thousand.
MAX_BYTES = 1024 * 1024
#: The longest greeting, in bytes; MySQL's take about a hundred.
_MAX_GREETING = 4096
#: The length of its nonce with the NUL at its end, and where the plugin's name follows the version.
_NONCE = 21
_PLUGIN = 31 + 13
#: What other programs say first, and who they are.
_OTHERS = (
    (re.compile(rb"SSH-"), "an SSH server"),
    (re.compile(rb"HTTP/"), "a web server"),
    (re.compile(rb"220[ -]"), "a mail or FTP server"),
    (re.compile(rb"[\x15\x16]\x03"), "a program that speaks TLS alone"),
    # A length in four bytes, and the type of a notice or of an error (manual of the X Protocol).
    (re.compile(rb"(?s)..\0\0[\x0b\x01]"), "MySQL's X Protocol"),
)
#: In seconds.
_GRACE = 0.5
#: The flag of a server that offers TLS (manual of the protocol, "Capabilities Flags").
_CLIENT_SSL = 0x800


class NotMySQL(Exception):
    """What answers is no MySQL server; the text says who it is, as far as that can be told."""


class Silent(Exception):
    """What took the connection says nothing."""


class Limits:
    """What is left of the bytes and the time that the other end may use.

    Attributes:
        exceeded: why too many bytes came, as half a sentence; empty while they are not.
        timed_out: whether the time was up.
    """

    def __init__(self) -> None:
        self.exceeded = ""
        self.timed_out = False
        self._bytes_left = MAX_BYTES
        self._deadline = 0.0
        self._guarded: socket.socket | None = None
        self._guard: threading.Timer | None = None

    @contextlib.contextmanager
    def clock(self, seconds: float) -> Iterator[None]:
        """Give the other end so many seconds for what is done meanwhile."""
        self._deadline = time.monotonic() + seconds
        self._arm()
        try:
            yield
        finally:
            self._disarm()

    def guard(self, opened: socket.socket) -> None:
        """Have a connection cut off where the time is up, whoever reads from it.

        OpenSSL reads on by itself as long as messages come that carry no data.
        """
        self._guarded = opened.dup()
        self._arm()

    def release(self) -> None:
        """Forget the connection."""
        self._disarm()
        if self._guarded is not None:
            self._guarded.close()
            self._guarded = None

    def _arm(self) -> None:
        if self._guarded is not None:
            # A moment later than what reads by our own rules notices it.
            left = max(self._deadline - time.monotonic(), 0) + _GRACE
            self._guard = threading.Timer(left, self._cut_off)
            self._guard.daemon = True
            self._guard.start()

    def _disarm(self) -> None:
        if self._guard is not None:
            self._guard.cancel()
            self._guard = None

    def _cut_off(self) -> None:
        self.timed_out = True
        if self._guarded is not None:
            with contextlib.suppress(OSError):
                self._guarded.shutdown(socket.SHUT_RDWR)

    def seconds_left(self) -> float:
        """Return how long to wait for more. Raises socket.timeout where nothing is left."""
        left = self._deadline - time.monotonic()
        if left <= 0:
            self.timed_out = True
            raise socket.timeout("timed out")
        return left

    def count(self, received: int) -> None:
        """Count bytes that came. Raises OSError where they are too many."""
        self._bytes_left -= received
        if self._bytes_left < 0:
            self.exceeded = f"it sends more than {MAX_BYTES} bytes"
            raise OSError(self.exceeded)


class _Limited:
    """A socket that keeps to its limits whenever it is read from."""

    limits: Limits

    def recv_into(self, *arguments: Any) -> int:
        """Receive as ``socket.socket`` does, within the limits."""
        limits = self.limits
        self.settimeout(limits.seconds_left())  # type: ignore[attr-defined]
        try:
            received: int = super().recv_into(*arguments)  # type: ignore[misc]
        except socket.timeout:
            limits.timed_out = True
            raise
        limits.count(received)
        return received


class LimitedSocket(_Limited, socket.socket):
    """A socket with limits; set them before it is read from."""


class LimitedContext(ssl.SSLContext):
    """A TLS context whose connections share limits; set them before it is used."""

    limits: Limits


class _LimitedTLSSocket(_Limited, ssl.SSLSocket):
    @property
    def limits(self) -> Limits:  # type: ignore[override]  # those of the context, which PyMySQL keeps
        limits: Limits = self.context.limits  # type: ignore[attr-defined]
        return limits


class Peer(NamedTuple):
    """The process at the other end of a Unix socket; ``pid`` is 0 in another PID namespace."""

    pid: int
    uid: int


class Greeting(NamedTuple):
    """What a server says first: whether it offers TLS, and how it wants passwords proved."""

    offers_tls: bool
    auth_plugin: str


def open_socket(path: str, limits: Limits) -> LimitedSocket:
    """Connect to a Unix socket within the limits. Raises OSError."""
    opened = LimitedSocket(socket.AF_UNIX, socket.SOCK_STREAM)
    opened.limits = limits
    try:
        opened.settimeout(limits.seconds_left())
        opened.connect(path)
    except BaseException:
        opened.close()
        raise
    return opened


def open_tcp(host: str, port: int, limits: Limits) -> LimitedSocket:
    """Connect to a TCP port within the limits. Raises OSError."""
    plain = _first_that_answers(host, port, limits)
    plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    plain.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    opened = LimitedSocket(fileno=plain.detach())
    opened.limits = limits
    return opened


def _first_that_answers(host: str, port: int, limits: Limits) -> socket.socket:
    """Connect to one of a host's addresses; all of them share the time."""
    problem = OSError(f"{host} has no address")
    for family, kind, protocol, _name, address in socket.getaddrinfo(
        host, port, type=socket.SOCK_STREAM
    ):
        opened = socket.socket(family, kind, protocol)
        try:
            opened.settimeout(limits.seconds_left())
            opened.connect(address)
            return opened
        except OSError as error:
            opened.close()
            problem = error
            if limits.timed_out:
                break
        except BaseException:
            opened.close()
            raise
    raise problem


def peer_of(opened: socket.socket) -> Peer:
    """Return who listened on the Unix socket, as the kernel says (unix(7), SO_PEERCRED)."""
    size = struct.calcsize("3i")
    pid, uid, _gid = struct.unpack(
        "3i", opened.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, size)
    )
    return Peer(pid, uid)


def tls_context(limits: Limits) -> LimitedContext:
    """Return a TLS context that verifies nothing yet."""
    context = LimitedContext(ssl.PROTOCOL_TLS_CLIENT)
    context.limits = limits
    context.sslsocket_class = _LimitedTLSSocket
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def peek_greeting(opened: LimitedSocket) -> Greeting | None:
    """Return what the server says first, and leave it for PyMySQL to read.

    Returns:
        None where it says an error, which PyMySQL then reports.

    Raises:
        NotMySQL: it speaks another protocol, or closes the connection.
        Silent: it says nothing in its time.
    """
    data = b""
    while True:
        seen = len(data)
        try:
            opened.settimeout(opened.limits.seconds_left())
            data = opened.recv(_MAX_GREETING, socket.MSG_PEEK)
        except socket.timeout:
            if data:
                raise _not_mysql(data) from None
            raise Silent from None
        except OSError:
            data = b""
        if not data:
            raise NotMySQL("a program that closes the connection at once")
        if len(data) >= 5:
            # Packets begin with their length in three bytes and a number; a greeting is the first.
            length = int.from_bytes(data[:3], "little")
            if data[3] == 0 and data[4] == 0xFF:
                return None
            if data[3] or data[4] not in (9, 10) or not 20 < length <= _MAX_GREETING - 4:
                raise _not_mysql(data)
            if len(data) >= 4 + length:
                return _parse_greeting(data[5 : 4 + length])
        if len(data) == seen:
            time.sleep(0.01)  # to peek does not wait for more


def _not_mysql(data: bytes) -> NotMySQL:
    """Say who begins with these bytes."""
    for beginning, who in _OTHERS:
        if beginning.match(data):
            return NotMySQL(who)
    return NotMySQL("a program that speaks another protocol")


def _parse_greeting(body: bytes) -> Greeting:
    """Parse a greeting after its protocol number (manual of the protocol, "HandshakeV10").

    That is: the version up to a NUL, a thread's number (4), half of a nonce (8), a zero, the lower
    half of the flags (2), character set (1), status (2), the upper half of the flags (2), the
    nonce's length (1), 10 unused, the rest of the nonce (13 or more), the plugin up to a NUL.
    """
    _version, end, rest = body.partition(b"\0")
    flags = int.from_bytes(rest[13:15], "little")
    nonce_length = rest[20] if len(rest) > 20 else 0
    # MySQL's is 21. With another, or in a greeting that ends early, PyMySQL looks for the plugin in
    # another place than the protocol says.
    if not end or nonce_length > _NONCE or 20 < len(rest) < _PLUGIN:
        raise NotMySQL("a program that speaks another protocol")
    name = rest[_PLUGIN:].partition(b"\0")[0]
    return Greeting(bool(flags & _CLIENT_SSL), name.decode("ascii", "replace"))
