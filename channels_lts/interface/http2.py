"""Requests over HTTP/2, where Twisted's extra ``http2`` is installed: Twisted's connection, our messages.

WebSockets do not come this way: the upgrade is a matter of HTTP/1.1.
"""

from __future__ import annotations

from time import monotonic
from typing import Any

from twisted.web import http
from twisted.web.http_headers import Headers

from channels_lts.interface import headers
from channels_lts.interface.http import Request
from channels_lts.interface.response import PHRASES, Start


class Negotiated(http._GenericHTTPChannelProtocol):
    """A connection that speaks HTTP/1 until TLS has agreed on HTTP/2; then Twisted's own class does."""

    def dataReceived(self, data: bytes) -> None:
        first = self._channel
        super().dataReceived(data)
        if self._channel is not first:
            # No requests come that way any more; for its address the connection still counts.
            self._first = first
            first.factory.server.channels.discard(first)

    _first: Any = None

    def connectionLost(self, reason: Any) -> None:
        self._channel.connectionLost(reason)
        if self._first is not None:
            self._first.leave()


class Http2Request(Request):
    """What Twisted's HTTP/2 connection makes for each stream."""

    clientproto = b"HTTP/2"

    def __init__(self, channel: Any, queued: bool = False) -> None:
        super().__init__(channel)
        self._refuse_as_too_large = False

    def gotLength(self, length: int | None) -> None:
        pass

    def _too_large(self) -> None:
        # The stream goes on to its end; only then can it be answered.
        self._refuse_as_too_large = True

    def requestReceived(self, command: bytes, path: bytes, version: bytes) -> None:
        fields = [(name.lower(), value) for name, values in self.requestHeaders.getAllRawHeaders() for value in values]
        lines = b"".join(b"%b: %b\r\n" % field for field in fields)
        self.started = self.last = monotonic()
        try:
            head = headers.parse_head(b"%b %b HTTP/1.1\r\n%b" % (command, path, lines))
            self.head = head._replace(version="2")
            if self._refuse_as_too_large:
                super()._too_large()
        except headers.BadRequest as error:
            self.method, self.uri = b"GET", b"/"
            self.head = headers.Head(b"GET", b"/", "2", [], {}, 0)
            if error.status != 413:
                self.server.count("bad_requests")
            self.refuse(error.status, error.reason)
            return
        self.process()

    def _backlog(self) -> int:
        # One connection carries many responses; how much of it is this one's is not known.
        return 0

    def _head_bytes(self, begun: Start) -> bytes:
        fields = Headers()
        for line in begun.block.split(b"\r\n")[:-1]:
            name, _, value = line.partition(b": ")
            fields.addRawHeader(name, value)
        self.channel.writeHeaders(self.clientproto, b"%d" % begun.status, PHRASES.get(begun.status, b""), fields)
        return b""

    def abort(self) -> None:
        self.server.count("responses_aborted")
        self._end()
        self.channel.abortConnection()
