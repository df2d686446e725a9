"""A WebSocket client that costs little: the load shares its cores with what it loads.

A library's client takes some fifty microseconds for a message. Hundreds of people at hundreds of messages a second
cannot spare those. This one reads what a server of ours sends: whole text frames, pings and the closing frame.
"""

from __future__ import annotations

import asyncio
import base64
import os
import struct
from collections.abc import Callable

_TEXT, _CLOSE, _PING, _PONG = 1, 8, 9, 10
_FIN = 0x80


class QuickSocket(asyncio.Protocol):
    """One connection. *on_text* gets each text frame, as bytes; *on_end* the closing code, 1006 where there was none.

    *on_end* is called once, also where the handshake was refused: then with the status of HTTP.
    """

    def __init__(
        self, path: str, host: str, cookie: str, on_text: Callable[[bytes], None], on_end: Callable[[int], None]
    ) -> None:
        self.open = False
        self._request = (
            f"GET {path} HTTP/1.1\r\nHost: {host}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            f"Sec-WebSocket-Key: {base64.b64encode(os.urandom(16)).decode()}\r\nSec-WebSocket-Version: 13\r\n"
            f"Origin: http://{host}\r\nCookie: {cookie}\r\n\r\n"
        ).encode()
        self._on_text, self._on_end = on_text, on_end
        self._buffer = b""
        self._code = 1006
        self._ended = False
        self._transport: asyncio.Transport | None = None

    def send(self, text: str) -> None:
        """Send one text frame; nothing where the connection has gone."""
        if self.open and self._transport is not None:
            self._transport.write(_frame(_TEXT, text.encode()))

    def abort(self) -> None:
        """End the connection without a word, as a laptop does that is closed."""
        if self._transport is not None:
            self._transport.abort()

    def close(self) -> None:
        """Say goodbye, and end."""
        if self.open and self._transport is not None:
            self._transport.write(_frame(_CLOSE, struct.pack("!H", 1000)))
            self._transport.close()

    # --- asyncio.Protocol ---

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        transport.write(self._request)

    def data_received(self, data: bytes) -> None:
        self._buffer = buffer = self._buffer + data if self._buffer else data
        if not self.open:
            head, found, rest = buffer.partition(b"\r\n\r\n")
            if not found:
                return
            status = int(head.split(b" ", 2)[1])
            if status != 101:
                self._code = status
                self.abort()
                return
            self.open = True
            self._buffer = buffer = rest
        self._buffer = buffer[self._frames(buffer) :]

    def connection_lost(self, error: Exception | None) -> None:
        self.open = False
        if not self._ended:
            self._ended = True
            self._on_end(self._code)

    def _frames(self, buffer: bytes) -> int:
        """Take the whole frames at the beginning of *buffer*; returns where the rest begins."""
        at, size = 0, len(buffer)
        while size - at >= 2:
            kind, length, begin = buffer[at], buffer[at + 1], at + 2
            if length == 126:
                begin += 2
                length = int.from_bytes(buffer[at + 2 : begin], "big") if begin <= size else size
            elif length == 127:
                begin += 8
                length = int.from_bytes(buffer[at + 2 : begin], "big") if begin <= size else size
            if begin + length > size:
                break
            at = begin + length
            if kind == _FIN | _TEXT:
                self._on_text(buffer[begin:at])
            else:
                self._control(kind, buffer[begin:at])
        return at

    def _control(self, kind: int, body: bytes) -> None:
        assert self._transport is not None
        if kind == _FIN | _CLOSE:
            self._code = int.from_bytes(body[:2], "big") if len(body) >= 2 else 1005
            self._transport.write(_frame(_CLOSE, body[:2]))
            self._transport.close()
        elif kind == _FIN | _PING:
            self._transport.write(_frame(_PONG, body))
        elif kind != _FIN | _PONG:
            raise ValueError(f"a frame of a kind that no server of ours sends: {kind:#x}")


def _frame(kind: int, body: bytes) -> bytes:
    # A mask of zeros masks nothing, and costs nothing.
    size = len(body)
    if size < 126:
        return bytes((_FIN | kind, 0x80 | size)) + b"\0\0\0\0" + body
    return struct.pack("!BBHI", _FIN | kind, 0x80 | 126, size, 0) + body
