"""WebSockets on a real reactor and real sockets, with a channel layer that is a list in memory."""

from __future__ import annotations

import os
import socket
import struct
import threading
from collections.abc import Callable
from itertools import cycle
from operator import xor
from time import monotonic
from types import SimpleNamespace
from typing import Any, Protocol

from twisted.internet import protocol
from twisted.protocols.policies import WrappingFactory

from channels_lts import conf
from channels_lts.interface.departure import Departures
from channels_lts.interface.websocket import WebSocket
from tests.services import TIMEOUT_SCALE, wait_for

KEY = b"dGhlIHNhbXBsZSBub25jZQ=="
# RFC 6455's own example of the answer to this key.
PROOF = b"s3pPLMBiTxaQ9kYGzzhZRbK+xOo="
FULL = SimpleNamespace(name="FULL")
UNAVAILABLE = SimpleNamespace(name="UNAVAILABLE")


class Link:
    """Keeps what was sent. Channels in ``refuse`` are refused, and then nothing is kept."""

    def __init__(self, reactor: Any) -> None:
        self._reactor = reactor
        self._number = 0
        self.sent: list[tuple[str, dict[str, Any]]] = []
        self.forgotten: list[str] = []
        self.refuse: dict[str, Any] = {}
        self.on_message: Callable[[str, dict[str, Any]], None] = lambda channel, message: None

    def new_reply_channel(self) -> str:
        self._number += 1
        return f"daphne.response.harness!{self._number:08}"

    def send(self, channel: str, message: dict[str, Any], on_refused: Any = None) -> None:
        if channel in self.refuse:
            self._reactor.callLater(0, on_refused, self.refuse[channel])
            return
        self.sent.append((channel, dict(message)))
        self._reactor.callLater(0, self.on_message, channel, message)

    def forget(self, channel: str) -> None:
        self.forgotten.append(channel)

    def messages(self, channel: str) -> list[dict[str, Any]]:
        return [message for name, message in self.sent if name == channel]


class Harness:
    """A server for WebSockets alone: each connection is one from its first byte, as if upgraded just before."""

    def __init__(self, reactor: Any, **options: Any) -> None:
        self._reactor = reactor
        defaults = {name.lower(): value for name, value in conf.DEFAULTS.items()}
        self.options = SimpleNamespace(**{**defaults, **options})
        self.link = Link(reactor)
        self.connections: dict[str, WebSocket] = {}
        self.counters: dict[str, int] = {}
        self.departures = Departures(self)
        self.actions: list[str] = []
        self.closed: list[WebSocket] = []
        self.subprotocol: bytes | None = None
        self._factory = protocol.Factory()
        self._factory.buildProtocol = self._make  # type: ignore[method-assign]
        self._ports: list[Any] = []
        self._peers: list[Peer] = []

    def _make(self, address: Any) -> WebSocket:
        scope = {"path": "/chat/é\n", "headers": [(b"host", b"a")], "query_string": b"", "client": ["10.0.0.1", 99]}
        return WebSocket(self, scope, key=KEY, subprotocol=self.subprotocol)

    # --- What WebSocket needs ---

    def log_action(self, protocol: str, action: str, details: dict[str, Any]) -> None:
        self.actions.append(f"{protocol} {action} {details['path']} {details['client']}")

    def count(self, name: str) -> None:
        self.counters[name] = self.counters.get(name, 0) + 1

    def socket_closed(self, socket: WebSocket) -> None:
        self.closed.append(socket)

    # --- For tests ---

    def call(self, function: Callable[..., Any], *arguments: Any) -> Any:
        """Call *function* in the reactor's thread, and return what it returns."""
        return call(self._reactor, function, *arguments)

    def accept_all(self) -> None:
        def accept(channel: str, message: dict[str, Any]) -> None:
            if channel == "websocket.connect":
                self.connections[message["reply_channel"]].reply({"accept": True})

        self.link.on_message = accept

    def listen(self, *, unix: str | None = None, wrapped: bool = False) -> None:
        factory = WrappingFactory(self._factory) if wrapped else self._factory
        if unix:
            port = self.call(self._reactor.listenUNIX, unix, factory)
        else:
            port = self.call(lambda: self._reactor.listenTCP(0, factory, interface="127.0.0.1"))
        self._ports.append(port)

    def connect(self, **options: Any) -> Peer:
        """Connect; the peer's ``socket`` is our side of it."""
        known = set(self.connections)
        address = self._ports[-1].getHost()
        peer = Peer(getattr(address, "name", None) or (address.host, address.port), **options)
        self._peers.append(peer)
        peer.channel = wait_for(lambda: next(iter(set(self.connections) - known), None), "the connection is here")
        peer.ours = self.connections[peer.channel]
        return peer

    def opened(self, **options: Any) -> Peer:
        """Connect, and have it accepted."""
        peer = self.connect(**options)
        self.reply(peer, {"accept": True})
        assert peer.read_head().startswith(b"HTTP/1.1 101 ")
        return peer

    def reply(self, peer: Peer, *messages: dict[str, Any]) -> None:
        for message in messages:
            self.call(peer.ours.reply, message)

    def check(self, peer: Peer, *, after: float = 0) -> None:
        """Look at the time limits as if *after* seconds had gone by."""
        self.call(lambda: peer.ours.check(monotonic() + after))

    def is_connected(self, peer: Peer) -> bool:
        """Whether our side is still there, once the reactor has done what it was told to do."""
        self.call(lambda: None)
        self.call(lambda: None)
        return peer.ours not in self.closed

    def wait_closed(self, peer: Peer) -> dict[str, Any] | None:
        """Wait until our side is gone; return its ``websocket.disconnect``."""
        wait_for(lambda: peer.ours in self.closed, "the socket is closed")
        gone = [
            message
            for message in self.link.messages("websocket.disconnect")
            if message["reply_channel"] == peer.channel
        ]
        assert len(gone) <= 1
        assert self.closed.count(peer.ours) == 1
        assert self.link.forgotten.count(peer.channel) == 1
        assert peer.channel not in self.connections
        return gone[0] if gone else None

    def received(self, count: int) -> list[dict[str, Any]]:
        """Wait for *count* messages on ``websocket.receive``."""
        wait_for(lambda: len(self.link.messages("websocket.receive")) >= count, f"{count} messages are received")
        return self.link.messages("websocket.receive")

    def stop(self) -> None:
        for peer in self._peers:
            peer.close()
        for port in self._ports:
            self.call(port.stopListening)
        for connection in list(self.connections.values()):
            self.call(connection.abort)


class Peer:
    """A client, byte by byte."""

    channel = ""
    ours: Any = None

    def __init__(self, address: Any, *, buffer: int | None = None) -> None:
        self.socket = socket.socket(socket.AF_UNIX if isinstance(address, (str, bytes)) else socket.AF_INET)
        self.socket.settimeout(10 * TIMEOUT_SCALE)
        if buffer:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffer)
        self.socket.connect(address)
        self._data = b""

    def send(self, *parts: bytes) -> None:
        self.socket.sendall(b"".join(parts))

    def read_head(self) -> bytes:
        while b"\r\n\r\n" not in self._data:
            self.gather()
        head, self._data = self._data.split(b"\r\n\r\n", 1)
        return head

    def read_frame(self) -> tuple[int, bytes]:
        """Return first byte and payload of the next frame."""
        first, size = self._take(2)
        if size >= 126:
            size = int.from_bytes(self._take(2 if size == 126 else 8), "big")
        return first, self._take(size)

    def read_close(self) -> tuple[int, str]:
        first, payload = self.read_frame()
        assert first == 0x88, (first, payload)
        return struct.unpack("!H", payload[:2])[0], payload[2:].decode()

    def read_to_end(self) -> bytes:
        """Return all that comes until the server closes its side."""
        while True:
            chunk = self.socket.recv(1 << 16)
            if not chunk:
                data, self._data = self._data, b""
                return data
            self._data += chunk

    def reset(self) -> None:
        """Break the connection by a TCP reset."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.socket.close()

    def close(self) -> None:
        self.socket.close()

    def _take(self, size: int) -> bytes:
        while len(self._data) < size:
            self.gather()
        taken, self._data = self._data[:size], self._data[size:]
        return taken

    def gather(self) -> None:
        """Read what is there, for the methods above."""
        chunk = self.socket.recv(1 << 18)
        assert chunk, f"the server closed the connection after {self._data!r}"
        self._data += chunk


def frame(first: int, payload: bytes = b"", *, mask: bytes | None = None) -> bytes:
    """A frame as browsers send it."""
    mask = mask or os.urandom(4)
    size = len(payload)
    if size < 126:
        header = bytes((first, 0x80 | size))
    elif size < 65536:
        header = bytes((first, 0x80 | 126)) + size.to_bytes(2, "big")
    else:
        header = bytes((first, 0x80 | 127)) + size.to_bytes(8, "big")
    return header + mask + bytes(map(xor, payload, cycle(mask)))


def text(message: str) -> bytes:
    return frame(0x81, message.encode())


def close_frame(code: int, reason: str = "") -> bytes:
    return frame(0x88, struct.pack("!H", code) + reason.encode())


def call(reactor: Any, function: Callable[..., Any], *arguments: Any) -> Any:
    done = threading.Event()
    outcome: list[Any] = []

    def run() -> None:
        try:
            outcome.extend((function(*arguments), None))
        except BaseException as error:
            outcome.extend((None, error))
        done.set()

    reactor.callFromThread(run)
    assert done.wait(10 * TIMEOUT_SCALE), f"{function} did not return"
    result, error = outcome
    if error:
        raise error
    return result


class StartServer(Protocol):
    def __call__(self, *, unix: str | None = None, wrapped: bool = False, **options: Any) -> Harness: ...
