"""One WebSocket, from the request to upgrade until the connection is gone: frames to messages, replies to frames.

:mod:`channels_lts.interface.upgrade` hands a connection over once the request is known to be valid: it makes a
:class:`WebSocket`, sets it as the transport's protocol, calls :meth:`WebSocket.makeConnection`, and then
:meth:`WebSocket.dataReceived` with whatever came after the request's head.
"""

from __future__ import annotations

import logging
from time import monotonic
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from twisted.internet import interfaces
from zope.interface import implementer

from channels_lts.interface import frames, handshake
from channels_lts.interface.decoder import Close, Decoder, Ping, Violation
from channels_lts.interface.pace import Pace
from channels_lts.interface.wire import CLOSED, CLOSING, CONNECTING, OPEN, SocketServer, Wire

if TYPE_CHECKING:
    from channels_lts.interface.link import Refusal

logger = logging.getLogger(__name__)

_NO_HANDSHAKE = (b"", None)
_NOTHING: dict[str, Any] = {}
_PING = frames.encode(frames.PING, b"")


@implementer(interfaces.IProtocol)
class WebSocket(Wire):
    """A Twisted protocol for one WebSocket.

    Guarantees: each ``websocket.connect`` that the layer took is followed by one ``websocket.disconnect``; incoming
    frames keep their order; nothing that a peer does raises. Its owner calls :meth:`check` every second or two: all
    time limits are enforced there, so an idle socket has no timer of its own.

    It is no subclass of twisted's ``Protocol``: there is one for each browser, and slots halve its size.
    """

    __slots__ = (
        "_announced", "_client", "_close_code", "_early", "_handshake", "_heard", "_opened", "_order", "_pace", "_path",
        "_pinged", "_scope", "counted_address", "reply_channel",
    )  # fmt: skip

    def __init__(
        self, server: SocketServer, scope: dict[str, Any], *, key: bytes, subprotocol: bytes | None = None
    ) -> None:
        """Take a valid handshake, with its *key* and the *subprotocol* to speak.

        *scope* is the ``websocket.connect`` message, and is given ``reply_channel`` and ``order`` here.
        """
        super().__init__(server)
        self.reply_channel: str = server.link.new_reply_channel()
        # For the server: the address that this socket counts for. Nothing here looks at it.
        self.counted_address: str | None = None
        self._scope = scope
        self._handshake = (key, subprotocol)
        self._path: str = scope["path"]
        self._client: str | None = "{}:{}".format(*scope["client"]) if scope.get("client") else None
        # What came before the socket was open.
        self._early: bytearray | None = None
        self._pace: Pace | None = None
        # Whether somebody was told of this socket, and has to be told of its end.
        self._announced = False
        self._order = 0
        self._close_code: int | None = None
        self._opened = self._heard = monotonic()
        # When the ping that is not answered yet was sent, or 0.
        self._pinged = 0.0

    # --- Twisted's side ---

    def makeConnection(self, transport: Any) -> None:
        """Take over *transport*, and ask a consumer whether to accept."""
        self.attach(transport)
        server, scope = self.server, self._scope
        server.connections[self.reply_channel] = self
        self._announced = True
        scope["reply_channel"] = self.reply_channel
        scope["order"] = 0
        server.link.send("websocket.connect", scope, self._connect_refused)
        self._log_action("connecting")

    def dataReceived(self, data: bytes) -> None:
        self._heard = monotonic()
        if self.state is CONNECTING:
            self._keep_early(data)
            return
        decoder = self._decoder
        if decoder is None:
            # Refused or failed: read on, so that the connection can end in peace, but look at nothing.
            return
        send, path, reply_channel = self.server.link.send, self._path, self.reply_channel
        for event in decoder.feed(data):
            kind = type(event)
            if kind is str or kind is bytes:
                if self.state is not OPEN or (self._pace is not None and not self._admits()):
                    continue
                self._order = order = self._order + 1
                send(
                    "websocket.receive",
                    {
                        "reply_channel": reply_channel,
                        "path": path,
                        "order": order,
                        "text" if kind is str else "bytes": event,
                    },
                    self._receive_refused,
                )
            else:
                self._handle_control(event)

    def connectionLost(self, reason: Any = None) -> None:
        if self.state is CLOSED:
            return
        self.state = CLOSED
        self._decoder = self._early = None
        self._scope = _NOTHING
        server = self.server
        server.connections.pop(self.reply_channel, None)
        if self._announced:
            message = {
                "reply_channel": self.reply_channel,
                "code": 1006 if self._close_code is None else self._close_code,
                "path": self._path,
                "order": self._order + 1,
            }
            server.departures.announce(message)
        server.link.forget(self.reply_channel)
        self._log_action("disconnected")
        server.socket_closed(self)

    # --- What the peer sends ---

    def _keep_early(self, data: bytes) -> None:
        """Keep what came before the socket is open: a client should wait for that, but need not be punished."""
        if self._early is None:
            self._early = bytearray()
        self._early += data
        if len(self._early) > self.server.options.websocket_max_message_size:
            self._early = None
            self.server.count("protocol_errors")
            self.refuse(400, "too much was sent before the WebSocket was open")

    def _admits(self) -> bool:
        """Count one frame towards the message rate; False, and the socket fails, where it is one too many."""
        pace = self._pace
        if pace is None or pace.take(self._heard):
            return True
        self.server.count("rate_limited")
        self.fail(1008, f"more than {pace.rate:g} messages a second")
        return False

    def _handle_control(self, event: Any) -> None:
        kind = type(event)
        if kind is Ping:
            if self.state is OPEN and self._admits():
                self.write(frames.encode(frames.PONG, event.payload))
        elif kind is Close:
            self._close_code = event.code
            self.answer_close(event.code)
        elif kind is Violation:
            if self.state is OPEN:
                logger.debug("%s: %s", self.reply_channel, event.reason)
                self.server.count("too_big" if event.code == frames.TOO_BIG else "protocol_errors")
                self.fail(event.code, event.reason)
            else:
                self.finish()
        # A pong asks for nothing: that it came was noted with its bytes.

    # --- What the channel layer says ---

    def _connect_refused(self, refusal: Refusal) -> None:
        # No consumer will ever hear of this socket, so none is told of its end.
        self._announced = False
        self.server.count(f"connect_{refusal.name.lower()}")
        if self.state is CONNECTING:
            self.refuse(503, "no room for another WebSocket now", [(b"Retry-After", b"1")])

    def _receive_refused(self, refusal: Refusal) -> None:
        # A message is lost, and the client must know: it may try again on a new socket.
        self.server.count(f"receive_{refusal.name.lower()}")
        self.close(1013, "too busy, try again later")

    def reply(self, message: dict[str, Any]) -> None:
        """Do what a consumer's *message* says: accept, text or bytes, close, reason, in this order.

        A malformed one is logged and counted; then nothing is sent, and the socket stays as it is.
        """
        try:
            data = frames.encode_reply(message)
            closing = frames.close_of(message)
            accept = message.get("accept")
            if accept is not None and not isinstance(accept, bool):
                raise ValueError(f"accept of a WebSocket reply must be True or False, not {accept!r}")
        except ValueError as error:
            self.server.count("bad_replies")
            logger.error("Bad reply to %s (%s): %s", self.reply_channel, quote(self._path), error)
            return
        if self.state is CONNECTING:
            if accept is False or (closing and not (accept or data)):
                self._reject()
                return
            if not (accept or data):
                return
            self._accept(data)
        elif data:
            self.write(data)
        if closing:
            self.close(*closing)

    def _accept(self, data: bytes) -> None:
        """Open the socket, and send *data* with the answer to the handshake."""
        options = self.server.options
        self.state = OPEN
        self._decoder = Decoder(
            max_frame_size=options.websocket_max_frame_size, max_message_size=options.websocket_max_message_size
        )
        if options.message_rate:
            self._pace = Pace(options.message_rate)
        answer = handshake.accept(*self._handshake)
        # Headers and all the rest are known to the consumer; here they would only take memory.
        self._scope, self._handshake = _NOTHING, _NO_HANDSHAKE
        early, self._early = self._early, None
        self.write(answer + data)
        self._log_action("connected")
        if early:
            self.dataReceived(bytes(early))

    def _reject(self) -> None:
        self.refuse(403, "access denied")
        self._log_action("rejected")

    # --- Ending ---

    def close(self, code: int = 1000, reason: str = "") -> None:
        """Close an open socket by the closing handshake; refuse one that is not open yet."""
        if self.state is CONNECTING:
            self._reject()
        elif self.state is OPEN:
            self.close_open(code, reason)

    @property
    def path(self) -> str:
        return self._path

    def drain(self, advice: bytes = b"") -> None:
        """Send the peer away, because this server stops. *advice* is a frame that tells when to come back."""
        if self.state is CONNECTING:
            self.refuse(503, "the server restarts", [(b"Retry-After", b"1")])
        elif self.state is OPEN:
            if advice:
                self.write(advice)
            # A peer that reads too slowly has failed by now.
            self.close(1012, "the server restarts")

    # --- Time ---

    def check(self, now: float) -> None:
        """Enforce the time limits. *now* is :func:`time.monotonic`."""
        if self.state is OPEN:
            self._check_open(now)
        elif self.state is CLOSING:
            self.cut_overdue(now)
        elif self.state is CONNECTING:
            limit = self.server.options.websocket_connect_timeout
            if limit >= 0 and now - self._opened > limit:
                self.server.count("connect_timeouts")
                self._reject()

    def _check_open(self, now: float) -> None:
        options = self.server.options
        if 0 <= options.websocket_timeout < now - self._opened:
            self.server.count("websocket_timeouts")
            self.close(1000, "open for as long as allowed")
        elif self._pinged and self._heard <= self._pinged:
            if now - self._pinged > options.ping_timeout:
                self.server.count("ping_timeouts")
                self.abort()
        elif now - self._heard > options.ping_interval:
            # Only what was received says that the peer is there: what we send may go nowhere for a long time.
            self._pinged = now
            self.write(_PING)
        else:
            self._pinged = 0.0

    def _log_action(self, action: str) -> None:
        # Quoted: a path may hold a line break, and a log is lines.
        self.server.log_action("websocket", action, {"path": quote(self._path), "client": self._client})
