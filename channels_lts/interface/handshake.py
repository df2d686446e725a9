"""The answers to a request to open a WebSocket, as bytes."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable, Sequence
from http import HTTPStatus

# RFC 6455, section 1.3: proves that the answer comes from a server that knows WebSockets.
_GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"


def choose(offered: Iterable[str], supported: Iterable[str]) -> str | None:
    """Return the subprotocol to speak: the client's first that is among *supported*."""
    known = frozenset(supported)
    return next((name for name in offered if name in known), None)


def accept(key: bytes, subprotocol: str | None) -> bytes:
    """Return the answer that opens the WebSocket. *key* is the request's Sec-WebSocket-Key."""
    proof = base64.b64encode(hashlib.sha1(key + _GUID, usedforsecurity=False).digest())
    chosen = b"Sec-WebSocket-Protocol: %b\r\n" % subprotocol.encode("ascii") if subprotocol else b""
    return (
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        b"Sec-WebSocket-Accept: %b\r\n%b\r\n" % (proof, chosen)
    )


def refusal(status: int, reason: str, headers: Sequence[tuple[bytes, bytes]] = ()) -> bytes:
    """Return the answer that refuses, after which the connection closes."""
    body = f"{reason}\n".encode()
    fields = [
        (b"Content-Type", b"text/plain; charset=utf-8"),
        (b"Content-Length", b"%d" % len(body)),
        (b"Connection", b"close"),
        *headers,
    ]
    head = b"".join(b"%b: %b\r\n" % field for field in fields)
    return b"HTTP/1.1 %d %b\r\n%b\r\n%b" % (status, HTTPStatus(status).phrase.encode(), head, body)
