"""The sending half of a WebSocket: frames out, back pressure, and every way in which a connection ends."""

from __future__ import annotations

import enum
from collections.abc import MutableMapping, Sequence
from time import monotonic
from typing import TYPE_CHECKING, Any, Protocol

from channels_lts import direct
from channels_lts.interface import frames, handshake

if TYPE_CHECKING:
    from channels_lts.interface.decoder import Decoder
    from channels_lts.interface.departure import Departures

# Seconds that a peer has to answer a close frame, or to take in a refusal, before its connection is cut.
CLOSE_TIMEOUT = 5


class State(enum.Enum):
    CONNECTING = "connecting"
    OPEN = "open"
    CLOSING = "closing"
    CLOSED = "closed"


CONNECTING, OPEN, CLOSING, CLOSED = State.CONNECTING, State.OPEN, State.CLOSING, State.CLOSED


class SocketServer(Protocol):
    """What a socket needs of the server that holds it."""

    link: Any  # channels_lts.interface.link.Link
    options: Any  # channels_lts.interface.options.Options
    connections: MutableMapping[str, Any]
    departures: Departures

    def log_action(self, protocol: str, action: str, details: dict[str, Any]) -> None: ...
    def count(self, name: str) -> None: ...
    def socket_closed(self, socket: Any) -> None: ...


class Wire:
    """Holds the transport. Whatever happens, the connection ends within a known time of its owner calling it closed.

    A connection in CLOSING is cut by :meth:`cut_overdue` once its deadline is over.
    """

    __slots__ = ("_deadline", "_decoder", "_direct", "server", "state", "transport")

    def __init__(self, server: SocketServer) -> None:
        self.server = server
        self.state = CONNECTING
        self.transport: Any = None
        # None before the socket is open, and again when nothing that the peer sends matters any more.
        self._decoder: Decoder | None = None
        self._direct = False
        self._deadline = 0.0

    @property
    def is_open(self) -> bool:
        return self.state is OPEN

    def attach(self, transport: Any) -> None:
        """Write to *transport* from now on."""
        self.transport = transport
        # Limits on what waits to be written are ours: what produced for the transport before is not to pause us.
        transport.unregisterProducer()
        transport.resumeProducing()
        self._direct = direct.is_direct(transport)

    def write(self, data: bytes) -> None:
        """Send *data*, one or more whole frames. Does nothing where the socket is not open.

        A peer that does not read fails with 1013 once more than ``send_buffer_limit`` bytes wait for it.
        """
        if self.state is not OPEN:
            return
        transport = self.transport
        if self._direct and direct.write(transport, data):
            return
        below = transport if self._direct else direct.descriptor(transport)
        # What waits already counts, not what comes: one large message to a peer that keeps up is no fault of its.
        if below is not None and direct.waiting(below) > self.server.options.send_buffer_limit:
            self.server.count("slow_consumers")
            self.fail(1013, "reads too slowly", timeout=self.server.options.ping_timeout)
            return
        transport.write(data)

    def close_open(self, code: int, reason: str) -> None:
        """Begin the closing handshake of an open socket."""
        self._begin_closing(CLOSE_TIMEOUT)
        self._write_last(frames.encode_close(code, reason))

    def answer_close(self, code: int) -> None:
        """End the connection after the peer's close frame, which is answered where ours was not sent before."""
        if self.state is OPEN:
            # RFC 6455, section 5.5.1: the answer repeats the code.
            self._write_last(frames.encode_close(code))
        self.finish()

    def fail(self, code: int, reason: str, *, timeout: float = CLOSE_TIMEOUT) -> None:
        """Tell the peer why, and send no more, not even what a closing handshake would (RFC 6455, section 7.1.7)."""
        self._begin_closing(timeout)
        self._write_last(frames.encode_close(code, reason))
        self._end_writing()

    def refuse(self, status: int, reason: str, headers: Sequence[tuple[bytes, bytes]] = ()) -> None:
        """Answer the handshake with an HTTP error."""
        self._begin_closing(CLOSE_TIMEOUT)
        self._write_last(handshake.refusal(status, reason, headers))
        self._end_writing()

    def finish(self) -> None:
        """Close the connection when all is written, at the latest by the deadline."""
        if self.state is OPEN:
            self._begin_closing(CLOSE_TIMEOUT)
        self._decoder = None
        self.transport.loseConnection()

    def abort(self) -> None:
        """Cut the connection, whatever waits."""
        if self.state is CLOSED:
            return
        self._begin_closing(0)
        self._decoder = None
        self.transport.abortConnection()

    def cut_overdue(self, now: float) -> None:
        if now >= self._deadline:
            self.transport.abortConnection()

    def _begin_closing(self, timeout: float) -> None:
        self.state = CLOSING
        self._deadline = monotonic() + timeout

    def _write_last(self, data: bytes) -> None:
        """Send *data*, after which nothing follows, whatever waits before it."""
        if not (self._direct and direct.write(self.transport, data)):
            self.transport.write(data)

    def _end_writing(self) -> None:
        # Closed at once, with bytes of the peer unread, the kernel would send a reset, which overtakes what we said.
        if self._direct:
            self.transport.loseWriteConnection()
        else:
            self.transport.loseConnection()
