"""One HTTP/1 connection: bytes to requests, one at a time, with limits on size and time.

Twisted's ``HTTPChannel`` keeps the order of pipelined requests and the back pressure; the head is parsed
here in one go, by :mod:`channels_lts.interface.headers`.
"""

from __future__ import annotations

import logging
from time import monotonic
from typing import Any

from twisted.web import http

from channels_lts import direct
from channels_lts.interface import headers
from channels_lts.interface.http import Request
from channels_lts.interface.response import PHRASES

logger = logging.getLogger(__name__)

# Seconds that a connection may stay open between two requests: longer than the 60 s of nginx, so that nginx is first.
KEEP_ALIVE = 75
# Seconds in which the rest of a refused request is read and thrown away. Closed at once, the kernel would reset the
# connection, and the refusal would be lost with it.
LINGER = 5


class Channel(http.HTTPChannel):
    """What a client's HTTP/1 connection is until it closes or becomes a WebSocket.

    Its owner calls :meth:`check` about once a second.
    """

    # Twisted's timer for each connection; ours is one for all of them.
    timeOut = None
    persistent: int
    _dataBuffer: list[bytes]

    def __init__(self) -> None:
        super().__init__()
        self._head = b""
        self._lingering = False
        self._since = self._active = monotonic()
        self._sent: tuple[int, int] | None = None
        self._sent_at = 0.0
        # What this connection counts as for --max-connections-per-address.
        self.counted_address: str | None = None

    def connectionMade(self) -> None:
        super().connectionMade()
        self.peer, self.local = self.transport.getPeer(), self.transport.getHost()
        self._direct = direct.is_direct(self.transport)
        server = self.factory.server
        server.channels.add(self)
        server.count("connections")
        if server.options.max_connections_per_address and not server.options.trusted_proxies:
            address = getattr(self.peer, "host", None)
            if server.addresses.take(address):
                self.counted_address = address
            else:
                server.count("connections_refused")
                self.refuse(503, "too many connections from this address")

    def connectionLost(self, reason: Any) -> None:
        self.leave()
        super().connectionLost(reason)

    def leave(self) -> None:
        """Be forgotten by the server."""
        self.factory.server.channels.discard(self)
        address, self.counted_address = self.counted_address, None
        self.factory.server.addresses.give_back(address)

    def getPeer(self) -> Any:
        return self.peer

    def getHost(self) -> Any:
        return self.local

    # --- Incoming ---

    def dataReceived(self, data: bytes) -> None:
        if self._lingering:
            return
        try:
            self._active = monotonic()
            if self._handlingRequest:
                # The next request, sent before this one is answered: Twisted's part.
                self.rawDataReceived(data)
            elif self._transferDecoder is not None:
                self._body(data)
            else:
                self._collect(data)
        except headers.BadRequest as error:
            self.refuse(error.status, error.reason)
        except Exception:
            logger.exception("A request could not be read")
            self.factory.server.count("errors")
            self.transport.abortConnection()

    def _collect(self, data: bytes) -> None:
        if self._head:
            data = self._head + data
        else:
            self._since = self._active
            while data.startswith(b"\r\n"):
                data = data[2:]
        end = data.find(b"\r\n\r\n")
        if end < 0 or end > headers.MAX_HEAD_SIZE:
            if len(data) > headers.MAX_HEAD_SIZE:
                raise headers.BadRequest("the head of the request is too large", 431)
            self._head = data
            return
        self._head = b""
        self._begin(headers.parse_head(data[: end + 2]), data[end + 4 :])

    def _begin(self, head: headers.Head, rest: bytes) -> None:
        limit = self.factory.server.options.request_body_limit
        if head.length is not None and head.length > limit:
            self.factory.server.count("body_too_large")
            raise headers.BadRequest("the request body is too large", 413)
        request = Request(self)
        request.head = head
        self.requests.append(request)
        connection = head.by_name.get(b"connection", b"").lower()
        last = head.version == "1.0" or b"close" in connection or self.factory.server.draining
        self.persistent = 0 if last else 1
        if head.length == 0:
            self._handle(request, rest)
            return
        if head.length is None:
            self._transferDecoder = http._ChunkedTransferDecoder(request.handleContentChunk, self._finishRequestBody)
        else:
            self._transferDecoder = http._IdentityTransferDecoder(
                head.length, request.handleContentChunk, self._finishRequestBody
            )
        if not rest and head.by_name.get(b"expect", b"").lower() == b"100-continue" and head.version == "1.1":
            self._send100Continue()
        if rest:
            self._body(rest)

    def _body(self, data: bytes) -> None:
        try:
            self._transferDecoder.dataReceived(data)
        except http._MalformedChunkedDataError:
            raise headers.BadRequest("the chunks of the body are malformed") from None

    def _finishRequestBody(self, data: bytes) -> None:
        self._transferDecoder = None
        self._handle(self.requests[-1], data)

    def _handle(self, request: Any, rest: bytes) -> None:
        self._handlingRequest = True
        if rest:
            self._dataBuffer.append(rest)
        request.process()

    def hand_over(self) -> tuple[bytes, str | None]:
        """Let go of the transport. Returns what came after the request, and the address that goes on being counted."""
        address, self.counted_address = self.counted_address, None
        self.leave()
        rest, self._dataBuffer = b"".join(self._dataBuffer), []
        self.requests.clear()
        self.transport.unregisterProducer()
        return rest, address

    # --- Outgoing ---

    def write(self, data: bytes) -> None:
        if not (self._direct and direct.write(self.transport, data)):
            self.transport.write(data)

    def refuse(self, status: int, reason: str) -> None:
        """Answer with *status* and close. What the client still sends is read for a while and thrown away."""
        if self._lingering:
            return
        server = self.factory.server
        if status in (400, 431):
            server.count("bad_requests")
        logger.info("%s: %d, %s", self.peer, status, reason)
        if not any(request.startedWriting for request in self.requests):
            self.transport.write(plain_response(status, reason))
        self.close()

    def close(self) -> None:
        """Close when all is sent, without losing what is under way to the client."""
        if self._lingering:
            return
        self._lingering, self._since, self._head = True, monotonic(), b""
        self._networkProducer.unregisterProducer()
        self._networkProducer.resumeProducing()
        if hasattr(self.transport, "loseWriteConnection"):
            self.transport.loseWriteConnection()
        else:
            self.transport.loseConnection()

    def requestDone(self, request: Any) -> None:
        self._active = monotonic()
        super().requestDone(request)

    def abort(self) -> None:
        self.transport.abortConnection()

    def _respondToBadRequestAndDisconnect(self) -> None:
        self.refuse(400, "the request is malformed")

    def leave_quietly(self, since: float) -> None:
        """Close where nothing has come or gone *since*, a :func:`time.monotonic`, and nothing waits to be read.

        A client that has sent a request in this very moment, too late to arrive, loses it: HTTP/1.1 has no way to tell
        it beforehand (RFC 9112, section 9.6), other than the header ``Connection: close`` of the answer before.
        """
        if self.idle and not self._lingering and self._active <= since and not direct.unread(self.transport):
            self.transport.loseConnection()

    # --- Time ---

    @property
    def idle(self) -> bool:
        """Whether no part of a request is here."""
        return not (self.requests or self._head)

    @property
    def answering(self) -> bool:
        """Whether a request is whole and not answered."""
        return self._handlingRequest

    def check(self, now: float) -> None:
        """Enforce the limits on time."""
        if self._stalled(now) or (self._lingering and now - self._since > LINGER):
            self.transport.abortConnection()
        elif self._handlingRequest or self._lingering:
            return
        else:
            self._check_reading(now)

    def _check_reading(self, now: float) -> None:
        options = self.factory.server.options
        if self._transferDecoder is not None:
            late = now - self._active > options.request_header_timeout
        elif self._head:
            late = now - self._since > options.request_header_timeout
        else:
            if now - self._active > KEEP_ALIVE:
                self.transport.loseConnection()
            return
        if late:
            self.factory.server.count("request_timeouts")
            self.refuse(408, "the request took too long to arrive")

    def _stalled(self, now: float) -> bool:
        """Whether the client has read nothing of what waits for it for as long as a worker may be silent."""
        transport = self.transport
        try:
            waiting = len(transport.dataBuffer) - transport.offset + transport._tempDataLen
            sent = (len(transport.dataBuffer), transport.offset)
        except AttributeError:
            # TLS and whatever else hides its buffer.
            return False
        if not waiting or sent != self._sent:
            self._sent, self._sent_at = sent, now
            return False
        return now - self._sent_at > self.factory.server.options.http_timeout


def plain_response(status: int, reason: str) -> bytes:
    """Return a whole response in plain text, after which the connection closes."""
    body = f"{reason}\n".encode()
    return b"HTTP/1.1 %d %b\r\nContent-Type: text/plain; charset=utf-8\r\n" % (
        status,
        PHRASES.get(status, b"Unknown"),
    ) + b"Content-Length: %d\r\nConnection: close\r\n\r\n%b" % (len(body), body)
