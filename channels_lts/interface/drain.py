"""The end of the server: nothing new comes in, what is under way ends, and whoever stays is told to go elsewhere."""

from __future__ import annotations

import logging
import signal
from collections.abc import Callable, Iterable
from time import monotonic
from typing import TYPE_CHECKING, Any, TypeVar

from twisted.internet import defer

from channels_lts.interface.channel import Channel
from channels_lts.interface.http import Request
from channels_lts.interface.websocket import WebSocket

if TYPE_CHECKING:
    from channels_lts.interface.server import Server

logger = logging.getLogger(__name__)

T = TypeVar("T")

_STEP = 0.1
# Sockets told in one step, at least. In a step each costs one more handshake of some other process.
_BATCH = 100
# The share of the time limit after which whoever is left is cut off; the rest is for the last messages to Redis.
_PATIENCE = 0.85


class Drain:
    """Ends *server* within its ``drain_timeout``, in this order:

    1. stop listening: with a shared socket the other processes go on accepting;
    2. close connections that wait between two requests, and let requests under way be answered;
    3. close sockets with 1012, so many a step that half of the time limit is enough for all;
    4. at 85 % of the limit, answer what is unanswered with 503 and cut off the rest;
    5. flush what is queued for Redis, and stop.
    """

    def __init__(self, server: Server, reactor: Any) -> None:
        self._server = server
        self._reactor = reactor
        self._stopping = False
        self._cut = False

    def signalled(self, number: int) -> None:
        """Begin, or, at the second signal, end at once."""
        if self._server.draining:
            logger.warning("Second %s: ending at once", signal.Signals(number).name)
            self._server.exit_status = 1
            if self._reactor.running:
                self._reactor.stop()
            return
        logger.info("%s: draining", signal.Signals(number).name)
        self.begin()

    def begin(self) -> None:
        server, now = self._server, monotonic()
        server.draining = True
        if server.ready_file:
            server.ready_file.remove()
        limit = server.options.drain_timeout
        self._cut_at = now + limit * _PATIENCE
        self._end_at = now + limit
        for port in server.listeners:
            defer.maybeDeferred(port.stopListening).addErrback(lambda failure: None)
        _each(list(server.channels), Channel.drain)
        sockets = [item for item in server.connections.values() if isinstance(item, WebSocket)]
        steps = max(1, int(limit / 2 / _STEP))
        self._batch = max(_BATCH, -(-len(sockets) // steps))
        logger.info("Draining %d sockets and %d other connections", len(sockets), len(server.channels))
        self._step(sockets)

    def _step(self, sockets: list[WebSocket]) -> None:
        if self._stopping:
            return
        server, now = self._server, monotonic()
        batch, rest = sockets[: self._batch], sockets[self._batch :]
        _each(batch, WebSocket.drain)
        if now >= self._cut_at and not self._cut:
            self._cut = True
            self._cut_off()
        if now >= self._end_at or not (server.connections or server.channels):
            self._stop()
        else:
            self._reactor.callLater(_STEP, self._step, rest)

    def _cut_off(self) -> None:
        unanswered = [item for item in self._server.connections.values() if isinstance(item, Request)]
        sockets = [item for item in self._server.connections.values() if isinstance(item, WebSocket)]
        # Refused requests and clients that come too slowly. First: what is answered below has yet to be sent.
        _each([channel for channel in self._server.channels if not channel.answering], Channel.abort)
        _each(sockets, lambda socket: socket.transport.abortConnection())
        _each(unanswered, Request.expire)

    def _stop(self) -> None:
        self._stopping = True
        server = self._server
        left = max(0.2, self._end_at - monotonic())
        flushed: defer.Deferred[Any] = defer.maybeDeferred(server.link.stop)
        flushed.addTimeout(left, self._reactor)
        flushed.addErrback(
            lambda failure: logger.warning("Not all messages reached Redis: %s", failure.getErrorMessage())
        )
        flushed.addBoth(self._exit)

    def _exit(self, _: object) -> None:
        counters = " ".join(f"{name}={value}" for name, value in sorted(self._server.counters.items()))
        logger.info("Drained: %s", counters or "nothing happened")
        if self._reactor.running:
            self._reactor.stop()


def _each(items: Iterable[T], action: Callable[[T], None]) -> None:
    """Do *action* to all of *items*: what fails for one must not keep the others, and the process, from ending."""
    for item in items:
        try:
            action(item)
        except Exception:
            logger.exception("%r could not be ended", item)


def handle_signals(handle: Callable[[int], None], reactor: Any) -> None:
    """From the reactor's start, SIGTERM and SIGINT call *handle* in its thread, with their number."""

    def received(number: int, frame: Any) -> None:
        reactor.callFromThread(handle, number)

    def install() -> None:
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, received)

    # Twisted installs handlers of its own when the reactor starts: ours come after them.
    reactor.callWhenRunning(install)
