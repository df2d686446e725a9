"""One HTTP request: a message to ``http.request``, and the reply messages written out as they come."""

from __future__ import annotations

import logging
from time import monotonic
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from twisted.web import http

from channels_lts import direct
from channels_lts.interface import forwarded, headers
from channels_lts.interface.response import PHRASES, ResponseError, Start, content_of, start
from channels_lts.interface.upgrade import upgrade

if TYPE_CHECKING:
    from channels_lts.interface.link import Refusal
    from channels_lts.interface.server import Server

logger = logging.getLogger(__name__)


class Request(http.Request):
    """A request from its head until it is answered or its client is gone.

    :class:`channels_lts.interface.channel.Channel` sets ``head``, hands over the body, and calls :meth:`process`.
    """

    head: headers.Head
    startedWriting: int
    reply_channel = ""

    def __init__(self, channel: Any) -> None:
        super().__init__(channel)
        self.server: Server = channel.factory.server
        self._chunks: list[bytes] = []
        self._size = 0
        self._left: int | None = None
        self._bodiless = False
        self._path = ""
        self._client: list[str | int] | None = None
        self.counted: str | None = None
        self._ended = False

    # --- The request ---

    def handleContentChunk(self, data: bytes) -> None:
        self._size += len(data)
        if self._size <= self.server.options.request_body_limit:
            self._chunks.append(data)
            return
        self._chunks = []
        self._too_large()

    def _too_large(self) -> None:
        self.server.count("body_too_large")
        raise headers.BadRequest("the request body is too large", 413)

    def process(self) -> None:
        self.started = self.last = monotonic()
        head = self.head
        self.method, self.uri = head.method, head.target
        self.server.count("requests")
        try:
            path, query = headers.split_target(head.target, head.by_name.get(b"host"))
            scope = self._scope(head, headers.decode_path(path), query)
            if not self._admitted():
                self.server.count("connections_refused")
                self.refuse(503, "too many connections from this address")
            elif head.by_name.get(b"upgrade", b"").lower() == b"websocket":
                upgrade(self, scope)
            else:
                self._send(head, scope)
        except headers.BadRequest as error:
            self.server.count("bad_requests")
            self.refuse(error.status, error.reason)
        except Exception:
            logger.exception("A request could not be passed on")
            self.server.count("errors")
            self.refuse(500, "the request could not be passed on")

    def _scope(self, head: headers.Head, path: str, query: bytes) -> dict[str, Any]:
        """What requests and handshakes have in common, as the ASGI 1 messages name it."""
        channel, options = self.channel, self.server.options
        client = server = None
        peer, host = self.client, self.host
        if hasattr(peer, "port"):
            client, server = [peer.host, peer.port], [host.host, host.port]
        scheme = "https" if channel.isSecure() else "http"
        if options.trusted_proxies:
            told, told_scheme = forwarded.visitor(
                head.headers, proxies=options.trusted_proxies, names=self.server.forwarded_headers
            )
            client, scheme = told or client, told_scheme or scheme
        self._client = client
        return {
            "http_version": head.version,
            "path": path,
            "root_path": options.root_path,
            "scheme": scheme,
            "query_string": query,
            "headers": head.headers,
            "client": client,
            "server": server,
        }

    def _admitted(self) -> bool:
        options = self.server.options
        if not (options.max_connections_per_address and options.trusted_proxies):
            return True
        address = str(self._client[0]) if self._client else None
        if not self.server.addresses.take(address):
            return False
        self.counted = address
        return True

    def _send(self, head: headers.Head, scope: dict[str, Any]) -> None:
        link = self.server.link
        self.reply_channel = scope["reply_channel"] = link.new_reply_channel()
        scope["method"] = head.method.decode("ascii")
        scope["body"] = b"".join(self._chunks)
        # A long poll may wait long: keep only what the answer needs.
        self._chunks, self._path = [], scope["path"]
        self.head = head._replace(headers=[], by_name={})
        self.server.connections[self.reply_channel] = self
        link.send("http.request", scope, self._refused)
        if self.server.draining:
            self.server.drain.requested(self)

    def _refused(self, refusal: Refusal) -> None:
        if self._ended:
            return
        full = refusal.name == "FULL"
        self.server.count("request_full" if full else "request_unavailable")
        self.refuse(
            503, "the request queue is full" if full else "the channel layer is unavailable", ("Retry-After", "1")
        )

    def handed_over(self) -> None:
        """The connection is a WebSocket now: nothing is left to do here."""
        self._ended = True

    # --- The response ---

    def reply(self, message: dict[str, Any]) -> None:
        """Write one reply message out. A bad one is logged, and the client gets 500, or its connection is cut."""
        if self._ended:
            return
        try:
            self._respond(message)
        except ResponseError as error:
            self.server.count("bad_responses")
            logger.error("Bad response to %s %s: %s", self.method.decode("latin-1"), self._path, error)
            if self.startedWriting:
                self.abort()
            else:
                self.refuse(500, "the response was malformed")

    def _respond(self, message: dict[str, Any]) -> None:
        content, more = content_of(message), message.get("more_content", False)
        head = b""
        if self.startedWriting:
            if "status" in message:
                raise ResponseError("a second status came")
        else:
            begun = start(message, method=self.method, version=self.head.version, size=len(content))
            self._left, self._bodiless, self.chunked = begun.length, begun.bodiless, begun.chunked
            self.code = begun.status
            head = self._head_bytes(begun)
        self.last = monotonic()
        if self._bodiless:
            content = b""
        elif self._left is not None:
            self._left -= len(content)
            if self._left < 0:
                raise ResponseError("there is more content than Content-Length says")
            if self._left and not more:
                raise ResponseError(f"{self._left} bytes less came than Content-Length says")
        self.startedWriting = 1
        self.sentLength += len(content)
        if self.chunked:
            content = (b"%x\r\n%b\r\n" % (len(content), content) if content else b"") + (b"" if more else b"0\r\n\r\n")
        if content and not head and self._backlog() > self.server.options.response_buffer_limit:
            # The worker cannot be held back: its parts come as fast as it makes them, and memory is everybody's.
            self.server.count("slow_clients")
            logger.warning("%s reads %s too slowly, and is cut off", self._client, quote(self._path))
            self.abort()
            return
        if head or content:
            self.channel.write(head + content)
        if not more:
            self._complete()

    def _backlog(self) -> int:
        """Return the bytes that wait for the client."""
        below = direct.descriptor(self.channel.transport)
        return 0 if below is None else direct.waiting(below)

    def _head_bytes(self, begun: Start) -> bytes:
        channel = self.channel
        if begun.close or self.server.draining:
            channel.persistent = 0
        return b"HTTP/%b %d %b\r\n%b%b\r\n" % (
            self.head.version.encode(),
            begun.status,
            PHRASES.get(begun.status, b"Unknown"),
            begun.block,
            b"" if channel.persistent else b"Connection: close\r\n",
        )

    def _complete(self) -> None:
        self._end()
        self.finished = 1
        server = self.server
        server.count("responses")
        if server.action_logger is not None:
            details = {
                "path": self.uri.decode("latin-1"),
                "status": self.code,
                "method": self.method.decode("latin-1"),
                "client": "{}:{}".format(*self._client) if self._client else None,
                "time_taken": monotonic() - self.started,
                "size": self.sentLength,
            }
            server.log_action("http", "complete", details)
        self._cleanup()

    def refuse(self, status: int, reason: str, *extra: tuple[str | bytes, str | bytes]) -> None:
        """Answer by ourselves and close the connection, where nothing was sent yet."""
        if self._ended or self.startedWriting:
            return
        message = {
            "status": status,
            "headers": [("Content-Type", "text/plain; charset=utf-8"), ("Connection", "close"), *extra],
            "content": f"{reason}\n",
        }
        self._respond(message)

    def abort(self) -> None:
        """Cut the connection, so that the client cannot take what it has for the whole."""
        self.server.count("responses_aborted")
        # Whatever comes now must not be sent behind the part that is missing.
        self._end()
        self.channel.abort()

    def connectionLost(self, reason: Any) -> None:
        self._end()
        super().connectionLost(reason)

    def _end(self) -> None:
        if self._ended:
            return
        self._ended = True
        server = self.server
        server.addresses.give_back(self.counted)
        if not self.reply_channel:
            return
        server.connections.pop(self.reply_channel, None)
        link = server.link
        if link.consumed("http.disconnect"):
            link.send("http.disconnect", {"reply_channel": self.reply_channel, "path": self._path})
        link.forget(self.reply_channel)

    # --- Called by the server ---

    def check(self, now: float) -> None:
        """Enforce the limit on the time that a worker may take."""
        if now - self.last <= self.server.options.http_timeout:
            return
        self.server.count("http_timeouts")
        if self.startedWriting:
            # It cannot be answered a second time, and a clean end would pass for a whole response.
            self.abort()
        else:
            self.refuse(503, "no worker answered in time")

    @property
    def waits_at(self) -> str | None:
        """The path, where the request was passed on and nothing has come back yet."""
        return None if self._ended or self.startedWriting else self._path

    def expire(self) -> None:
        """Drain is over: give up waiting."""
        if self.startedWriting:
            self.abort()
        else:
            self.refuse(503, "the server is restarting", ("Retry-After", "1"))
