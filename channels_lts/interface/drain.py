"""The end of the server: nothing new comes in, what is under way ends, and whoever stays is told to go elsewhere."""

from __future__ import annotations

import logging
import signal
from collections import deque
from collections.abc import Callable, Iterable
from time import monotonic
from typing import TYPE_CHECKING, Any, TypeVar

from twisted.internet import defer, task

from channels_lts.interface import advice
from channels_lts.interface.channel import Channel
from channels_lts.interface.endpoints import BACKLOG
from channels_lts.interface.http import Request
from channels_lts.interface.routes import Routes
from channels_lts.interface.websocket import WebSocket
from channels_lts.ready import ReadyFile

if TYPE_CHECKING:
    from channels_lts.interface.link import Refusal
    from channels_lts.interface.server import Server

logger = logging.getLogger(__name__)

T = TypeVar("T")

# Asks the project to answer a request that it holds. Sent only where its routing has a consumer for the path.
ENDING = "http.drain"

_STEP = 0.1
# Told in one step, at least. Each costs one more handshake, or request, of some other process.
_BATCH = 100
# The share of the time limit after which whoever is left is cut off; the rest is for the last messages to Redis.
_PATIENCE = 0.85
# Seconds of silence after which a connection without a request closes; at most this share of the time limit.
_QUIET, _QUIET_SHARE = 2.0, 0.25
# Departures that are sent again in one step, and the seconds, or the share, that the farewell to Redis is left.
_RETRIES = 500
_FAREWELL, _FAREWELL_SHARE = 2.5, 0.05
# What is left, after the last message, for the process itself to end.
_EXIT, _EXIT_SHARE = 1.0, 0.04


class Drain:
    """Ends *server* within its ``drain_timeout``, in this order:

    1. stop listening: with a shared socket the other processes go on accepting. Connections that wait in a socket of
       our own are taken in first, since nobody else would;
    2. let requests under way be answered, and those that still come on open connections; each answer says
       ``Connection: close``. Connections without a request close after two seconds of silence;
    3. send sockets away, and ask the project to end the requests that it holds, so many a step that half of the time
       limit is enough for all;
    4. at 85 % of the limit, answer what is unanswered with 503 and cut off the rest;
    5. send what the channel layer refused again until it is taken, flush what is queued, and stop.
    """

    def __init__(self, server: Server, reactor: Any) -> None:
        self._server = server
        self._reactor = reactor
        self._routes = Routes(server.channel_layer)
        self._sockets: deque[WebSocket] = deque()
        self._requests: deque[Request] = deque()
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
        _each([server.ready_file] if server.ready_file else [], ReadyFile.remove)
        limit = server.options.drain_timeout
        self._quiet_from = now + min(_QUIET, limit * _QUIET_SHARE)
        self._quiet = self._quiet_from - now
        self._cut_at = now + limit * _PATIENCE
        self._end_at = now + limit - min(_EXIT, limit * _EXIT_SHARE)
        _each(server.listeners, _stop_listening)
        for item in server.connections.values():
            if isinstance(item, WebSocket):
                self._sockets.append(item)
            else:
                self._requests.append(item)
        steps = max(1, int(limit / 2 / _STEP))
        told = len(self._sockets) + len(self._requests)
        self._batch = max(_BATCH, -(-told // steps))
        self._advice = advice.frame(advice.window(server.options.reconnect_after, len(self._sockets)))
        logger.info(
            "Draining %d sockets, %d requests and %d connections",
            len(self._sockets), len(self._requests), len(server.channels),
        )  # fmt: skip
        self._step()

    def requested(self, request: Request) -> None:
        """A request came on a connection from before."""
        self._requests.append(request)

    def _step(self) -> None:
        server, now = self._server, monotonic()
        try:
            self._advance(now)
        except Exception:
            # Whatever it is, the process has to end.
            logger.exception("error while draining")
        if now >= self._end_at or not (server.connections or server.channels):
            self._finish()
        else:
            self._reactor.callLater(_STEP, self._step)

    def _advance(self, now: float) -> None:
        server = self._server
        _each(_first(self._sockets, self._batch), self._send_away)
        _each(_first(self._requests, self._batch), self._ask_for_an_end)
        if now >= self._quiet_from:
            _each(list(server.channels), lambda channel: channel.leave_quietly(now - self._quiet))
        server.departures.retry(_RETRIES)
        if now >= self._cut_at and not self._cut:
            self._cut = True
            self._cut_off()

    def _send_away(self, socket: WebSocket) -> None:
        socket.drain(self._advice if socket.is_open and self._routes.multiplexed(socket.path) else b"")

    def _ask_for_an_end(self, request: Request) -> None:
        """Tell the project of a request that may be held: whoever holds it can end it as its client expects."""
        path = request.waits_at
        if path is None or self._routes.consumer(ENDING, path) is None:
            return

        def refused(_: Refusal) -> None:
            self._requests.append(request)

        self._server.link.send(ENDING, {"reply_channel": request.reply_channel, "path": path}, refused)

    def _cut_off(self) -> None:
        unanswered = [item for item in self._server.connections.values() if isinstance(item, Request)]
        sockets = [item for item in self._server.connections.values() if isinstance(item, WebSocket)]
        logger.warning("Cutting off %d sockets and %d requests", len(sockets), len(unanswered))
        # Refused requests and clients that come too slowly. First: what is answered below has yet to be sent.
        _each([channel for channel in self._server.channels if not channel.answering], Channel.abort)
        _each(sockets, lambda socket: socket.transport.abortConnection())
        _each(unanswered, Request.expire)

    @defer.inlineCallbacks
    def _finish(self) -> Any:
        server = self._server
        try:
            yield self._settle(self._end_at - min(_FAREWELL, server.options.drain_timeout * _FAREWELL_SHARE))
            left = max(0.2, self._end_at - monotonic())
            yield defer.maybeDeferred(server.link.stop).addTimeout(left, self._reactor)
        except Exception as error:
            logger.warning("Not all messages reached Redis: %s", error)
        counters = " ".join(f"{name}={value}" for name, value in sorted(server.counters.items()))
        logger.info("Drained: %s", counters or "nothing happened")
        if self._reactor.running:
            self._reactor.stop()

    @defer.inlineCallbacks
    def _settle(self, until: float) -> Any:
        """Have the last messages taken by the channel layer, until then at the latest."""
        departures, link = self._server.departures, self._server.link
        while True:
            left = max(_STEP, until - monotonic())
            answered = yield link.flushed().addTimeout(left, self._reactor, lambda result, timeout: False)
            if answered and not departures:
                return
            if monotonic() >= until:
                break
            yield task.deferLater(self._reactor, _STEP)
            departures.retry(_RETRIES)
        if not answered:
            logger.warning("Redis does not answer: what was sent last may be lost")
        departures.give_up()


def _stop_listening(port: Any) -> None:
    if getattr(port, "_shouldShutdown", False):
        # The socket is ours alone: who waits in its queue would be cut off.
        port.numberAccepts = BACKLOG
        port.doRead()
    defer.maybeDeferred(port.stopListening).addErrback(lambda failure: None)


def _first(queue: deque[T], count: int) -> list[T]:
    return [queue.popleft() for _ in range(min(count, len(queue)))]


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
