"""The opening handshake of RFC 6455, on bytes: what a request's head asks for, and what it is answered."""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Iterable, Sequence
from http import HTTPStatus
from typing import NamedTuple

# RFC 6455, section 1.3: proves that the answer comes from a server that knows WebSockets.
_GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
_KEY_SIZE = 16
_VERSION = b"13"

Header = tuple[bytes, bytes]


class Handshake(NamedTuple):
    """What a valid request to upgrade asks for, as :class:`channels_lts.interface.websocket.WebSocket` takes it."""

    key: bytes
    subprotocol: bytes | None


class BadHandshake(ValueError):
    """Raised for a request to upgrade that RFC 6455 forbids; *status* and *headers* are those of its answer."""

    def __init__(self, reason: str, *, status: int = 400, headers: Sequence[Header] = ()) -> None:
        super().__init__(reason)
        self.status = status
        self.headers = tuple(headers)


def read(method: bytes, headers: Iterable[Header], *, http_version: str, subprotocols: Sequence[str] = ()) -> Handshake:
    """Return what the request asks for. The subprotocol is the client's first that is among *subprotocols*.

    *headers* have lower-case names. That ``Upgrade`` says ``websocket`` is how the caller knows to call this.

    Raises:
        BadHandshake: it is no valid request to upgrade.
    """
    if method != b"GET":
        raise BadHandshake("a WebSocket opens with GET", status=405, headers=[(b"Allow", b"GET")])
    if http_version < "1.1":
        raise BadHandshake("a WebSocket opens with HTTP/1.1")
    versions, keys, offered, connection = [], [], [], []
    for name, value in headers:
        if name == b"sec-websocket-key":
            keys.append(value)
        elif name == b"sec-websocket-version":
            versions.append(value)
        elif name == b"sec-websocket-protocol":
            offered += _listed(value)
        elif name == b"connection":
            connection += _listed(value.lower())
    if b"upgrade" not in connection:
        raise BadHandshake("the Connection header does not say Upgrade")
    if versions != [_VERSION]:
        answer = [(b"Sec-WebSocket-Version", _VERSION), (b"Upgrade", b"websocket")]
        raise BadHandshake("only version 13 of WebSocket is spoken here", status=426, headers=answer)
    if len(keys) != 1 or not _is_key(keys[0]):
        raise BadHandshake("Sec-WebSocket-Key is not 16 bytes in base64")
    return Handshake(keys[0], _choose(offered, subprotocols))


def _listed(value: bytes) -> list[bytes]:
    return [item.strip() for item in value.split(b",")]


def _is_key(value: bytes) -> bool:
    try:
        return len(base64.b64decode(value, validate=True)) == _KEY_SIZE
    except binascii.Error:
        return False


def _choose(offered: list[bytes], supported: Sequence[str]) -> bytes | None:
    if not all(name.isascii() for name in offered):
        raise BadHandshake("Sec-WebSocket-Protocol is not ASCII")
    return next((name for name in offered if name.decode("ascii") in supported), None)


def accept(key: bytes, subprotocol: bytes | None) -> bytes:
    """Return the answer that opens the WebSocket."""
    proof = base64.b64encode(hashlib.sha1(key + _GUID, usedforsecurity=False).digest())
    chosen = b"Sec-WebSocket-Protocol: %b\r\n" % subprotocol if subprotocol else b""
    return (
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        b"Sec-WebSocket-Accept: %b\r\n%b\r\n" % (proof, chosen)
    )


def refusal(status: int, reason: str, headers: Sequence[Header] = ()) -> bytes:
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
