"""The server: listen, serve, drain, exit. It holds the connections by reply channel and hands messages to them."""

from __future__ import annotations

import logging
from collections.abc import Collection, Sequence
from time import monotonic
from typing import TYPE_CHECKING, Any

from daphne.server import Server as DaphneServer
from twisted.internet import defer, reactor
from twisted.logger import LogLevel, STDLibLogObserver, globalLogBeginner
from twisted.python.failure import Failure

from channels_lts.interface.departure import Departures
from channels_lts.interface.drain import Drain, handle_signals
from channels_lts.interface.endpoints import ListenError, descriptions, listen
from channels_lts.interface.factory import Factory
from channels_lts.interface.forwarded import ForwardedHeaders
from channels_lts.interface.frames import encode_reply
from channels_lts.interface.heartbeat import InterfaceHeartbeat
from channels_lts.interface.http import Request
from channels_lts.interface.limits import Addresses
from channels_lts.interface.link import Link
from channels_lts.interface.options import Options
from channels_lts.interface.websocket import OPEN, WebSocket
from channels_lts.ready import ReadyFile

if TYPE_CHECKING:
    from channels_lts.interface.access import AccessLog
    from channels_lts.interface.channel import Channel

logger = logging.getLogger(__name__)

# Seconds between two looks at the time limits of all connections.
CHECK_INTERVAL = 1.0
# Seconds that listening waits for Redis, so that the first visitors do not get a 503 in a normal start.
_LINK_PATIENCE = 2.0
_FRAME_KEYS = frozenset({"text", "bytes"})


class Server(DaphneServer):
    """Daphne's server with its constructor, on our own connections.

    *options* by the lower-case names of the settings may be given as keywords; the rest comes from the settings.
    After :meth:`run`, :attr:`exit_status` is 0 after a drain, 1 where it was cut short.
    """

    def __init__(
        self,
        channel_layer: Any,
        host: str | None = None,
        port: int | None = None,
        endpoints: list[str] | None = None,
        unix_socket: str | None = None,
        file_descriptor: int | None = None,
        signal_handlers: bool = True,
        action_logger: AccessLog | None = None,
        http_timeout: float | None = None,
        websocket_timeout: float | None = None,
        websocket_connect_timeout: float | None = None,
        ping_interval: float | None = None,
        ping_timeout: float | None = None,
        ws_protocols: Sequence[str] | None = None,
        root_path: str = "",
        proxy_forwarded_address_header: str | None = None,
        proxy_forwarded_port_header: str | None = None,
        proxy_forwarded_proto_header: str | None = None,
        force_sync: bool = False,
        verbosity: int = 1,
        # The head of a handshake is a request's: see request_header_timeout.
        websocket_handshake_timeout: float | None = None,
        ready_file: str | None = None,
        **options: Any,
    ) -> None:
        endpoints = list(endpoints or [])
        if any(value is not None for value in (host, port, unix_socket, file_descriptor)):
            endpoints += descriptions(host=host, port=port, unix_socket=unix_socket, file_descriptor=file_descriptor)
        super().__init__(
            channel_layer, endpoints=endpoints, signal_handlers=signal_handlers, action_logger=action_logger,
            ws_protocols=ws_protocols, root_path=root_path, force_sync=force_sync, verbosity=verbosity,
        )  # fmt: skip
        self.options = Options(
            root_path=root_path, ws_protocols=ws_protocols, http_timeout=http_timeout,
            websocket_timeout=websocket_timeout, websocket_connect_timeout=websocket_connect_timeout,
            ping_interval=ping_interval, ping_timeout=ping_timeout, **options,
        )  # fmt: skip
        if proxy_forwarded_address_header and not self.options.trusted_proxies:
            self.options.trusted_proxies = 1
        self.forwarded_headers = _forwarded(
            proxy_forwarded_address_header, proxy_forwarded_port_header, proxy_forwarded_proto_header
        )
        self.connections: dict[str, Request | WebSocket] = {}
        self.channels: set[Channel] = set()
        self.counters: dict[str, int] = {}
        self.departures = Departures(self)
        self.addresses = Addresses(self.options.max_connections_per_address)
        self.draining = False
        self.ready_file = ReadyFile(ready_file) if ready_file else None
        self.exit_status = 0

    # --- Stages ---

    def run(self) -> None:
        """Serve until a signal, or until the reactor is stopped.

        Raises:
            ListenError: one of the endpoints cannot be listened on, or the ready file not be written.
            Exception: whatever kept the channel layer from starting.
        """
        _begin_logging(self.verbosity)
        self.factory = Factory(self)
        self.link = Link(self.channel_layer, self, force_sync=self.force_sync)
        self.send_channel = self.link.process_channel
        self.drain = Drain(self, reactor)
        self._failure: BaseException | None = None
        heartbeat = InterfaceHeartbeat(self)
        reactor.callWhenRunning(heartbeat.begin)
        reactor.callWhenRunning(self._begin)
        if self.signal_handlers:
            handle_signals(self.drain.signalled, reactor)
        reactor.run(installSignalHandlers=self.signal_handlers)
        heartbeat.end()
        if self._failure:
            raise self._failure

    def _begin(self) -> None:
        reactor.callLater(CHECK_INTERVAL, self._check)
        self._start().addErrback(self._cannot_start)

    @defer.inlineCallbacks
    def _start(self) -> Any:
        patience: defer.Deferred[None] = defer.Deferred()
        call = reactor.callLater(_LINK_PATIENCE, patience.callback, None)
        try:
            yield defer.DeferredList(
                [self.link.start(), patience], fireOnOneCallback=True, fireOnOneErrback=True, consumeErrors=True
            )
        except defer.FirstError as error:
            raise error.subFailure.value from None
        finally:
            if call.active():
                call.cancel()
        if self.draining:
            return
        for endpoint in self.endpoints:
            self.listeners.append((yield listen(endpoint, self.factory, reactor)))
        if self.ready_file:
            try:
                self.ready_file.write()
            except OSError as error:
                raise ListenError(f"cannot write {self.ready_file.path}: {error.strerror}") from error
        logger.info("Listening on %s", ", ".join(self.endpoints))

    @defer.inlineCallbacks
    def _cannot_start(self, failure: Failure) -> Any:
        # Listening on a part of the endpoints, or on none, would look like a server that runs.
        self._failure, self.exit_status = failure.value, 1
        try:
            yield self.link.stop()
        finally:
            if reactor.running:
                reactor.stop()

    # --- Receiver of the link ---

    def deliver(self, channel: str, message: dict[str, Any]) -> None:
        """Hand one message to the connection of reply channel *channel*."""
        connection = self.connections.get(channel)
        if connection is None:
            logger.debug("A message for %s, which is gone", channel)
            return
        try:
            connection.reply(message)
        except Exception:
            self.count("errors")
            logger.exception("A message for %s could not be delivered", channel)

    def deliver_group(self, channels: Collection[str], messages: Sequence[dict[str, Any]]) -> None:
        """Hand *messages*, in order, to each of *channels*. For open sockets each is encoded once."""
        connections, get = self.connections, self.connections.get
        plain = all(_FRAME_KEYS.issuperset(message) for message in messages)
        data: bytes | None = None
        # A copy: whoever is closed on the way leaves the group.
        for channel in tuple(channels):
            connection = get(channel)
            if connection is None:
                continue
            try:
                if plain and type(connection) is WebSocket and connection.state is OPEN:
                    if data is None:
                        data = self._encode(messages)
                    if data:
                        connection.write(data)
                    continue
                for message in messages:
                    # An earlier message may have ended it.
                    if channel in connections:
                        connection.reply(message)
            except Exception:
                self.count("errors")
                logger.exception("A group's message for %s could not be delivered", channel)

    def _encode(self, messages: Sequence[dict[str, Any]]) -> bytes:
        frames = []
        for message in messages:
            try:
                frames.append(encode_reply(message))
            except ValueError as error:
                self.count("bad_replies")
                logger.error("A group's message is none for a WebSocket: %s", error)
        return b"".join(frames)

    # --- For the connections ---

    def count(self, name: str) -> None:
        """Add one to the counter *name*. What there is to count is counted from the start of the process:

        ``connections``, ``connections_refused`` (too many from one address); ``requests``, ``responses``,
        ``responses_aborted``, ``bad_requests`` (400, 431), ``body_too_large`` (413), ``request_timeouts`` (408),
        ``http_timeouts`` (no worker in time), ``request_full`` and ``request_unavailable`` (503), ``bad_responses`` (of
        workers); ``websockets``, and those of :mod:`channels_lts.interface.websocket`; ``errors`` (of ours).
        """
        self.counters[name] = self.counters.get(name, 0) + 1

    def log_action(self, protocol: str, action: str, details: dict[str, Any]) -> None:
        """Pass an action on to the access log, if there is one."""
        if self.action_logger is not None:
            self.action_logger(protocol, action, details)

    def socket_closed(self, socket: WebSocket) -> None:
        """Called by each socket, once, when its connection is gone."""
        self.addresses.give_back(socket.counted_address)

    def _check(self) -> None:
        # Armed again whatever happens: one connection's fault must never end the timers of all the others.
        try:
            now = monotonic()
            for connection in [*self.connections.values(), *self.channels]:
                try:
                    connection.check(now)
                except Exception:
                    self.count("errors")
                    logger.exception("The time limits of %r could not be checked", connection)
        finally:
            reactor.callLater(CHECK_INTERVAL, self._check)


def _forwarded(address: str | None, port: str | None, scheme: str | None) -> ForwardedHeaders:
    if not address:
        return ForwardedHeaders()
    names = [name.lower().encode("ascii") if name else None for name in (port, scheme)]
    return ForwardedHeaders(address.lower().encode("ascii"), *names)


def _begin_logging(verbosity: int) -> None:
    """Twisted's own log goes to ``logging``: all of it at verbosity 2, else only what went wrong."""
    observer = STDLibLogObserver(__name__)

    def errors_only(event: Any) -> None:
        if event["log_level"] >= LogLevel.error:
            observer(event)

    globalLogBeginner.beginLoggingTo(
        [observer if verbosity > 1 else errors_only], redirectStandardIO=False, discardBuffer=True
    )
