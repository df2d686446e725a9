"""A UDP interface server after the ASGI 1 specification: datagrams become messages, and replies datagrams.

A message on ``udp.receive`` has ``data`` (bytes), ``client`` and ``server`` (``[host, port]``), and ``reply_channel``,
which begins with ``udp.send.`` and leads to this process: what a consumer sends there as ``data`` leaves from the very
address that the datagram came to. The reply channel holds the client's address itself, so nothing is kept of a client,
and a reply may come as late as it likes, while this process lives. Such a channel cannot be in groups.

UDP promises nothing, and neither does this: what is too large, finds its channel full, or comes while Redis is away is
dropped and counted. What was taken from the kernel and accepted by the layer is not lost at the end of the process.
"""

from __future__ import annotations

import contextlib
import logging
import socket
from collections import Counter
from collections.abc import Collection, Sequence
from time import monotonic
from typing import Any

from twisted.internet import defer, error, reactor, task

from channels_lts import conf, heartbeat
from channels_lts.beating import Heartbeat
from channels_lts.drops import Drops
from channels_lts.interface.drain import handle_signals
from channels_lts.interface.link import Link, Refusal
from channels_lts.ready import ReadyFile
from channels_lts.udp_address import bound, packed, unpacked

logger = logging.getLogger(__name__)

CHANNEL = "udp.receive"
_PREFIX = "udp.send."
# Datagrams that are read before the channel layer must have answered: the rest waits in the kernel, which drops what it
# has no room for.
_AT_ONCE = 500
# How often that is done at the end, where more may come than we read.
_LAST_TURNS = 100
# Datagrams that wait for a reply, at most, as far as the end of the process heeds them.
_HEEDED = 10_000
# Seconds that the start waits for Redis, and between two looks at the end.
_LINK_PATIENCE = 2.0
_STEP = 0.05


class UdpServer:
    """Serves one address until a signal, or until the reactor is stopped.

    Args:
        max_size: Bytes of a datagram, at most; larger ones are dropped.
        drain_timeout: Seconds that the end of the process waits for replies to what it has handed over.
        ready_file: Written when it listens, removed when it ends.
    """

    def __init__(
        self,
        channel_layer: Any,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        max_size: int | None = None,
        drain_timeout: float | None = None,
        ready_file: ReadyFile | None = None,
        signal_handlers: bool = True,
    ) -> None:
        self.counts: Counter[str] = Counter()
        self.drops = Drops(logger)
        self.draining = False
        self.channel_layer = channel_layer
        self._host, self._port = host, port
        self._max_size = conf.get("UDP_MAX_SIZE") if max_size is None else max_size
        self._drain_timeout = conf.get("UDP_DRAIN_TIMEOUT") if drain_timeout is None else drain_timeout
        self._ready_file = ready_file
        self._signal_handlers = signal_handlers
        # By reply channel: how many datagrams of this address have no reply yet, and when the last of them was read.
        self._unanswered: dict[str, tuple[int, float]] = {}
        self._unflushed = 0

    # --- Stages: listen, serve, drain, exit ---

    def run(self) -> None:
        """Serve. Returns when what was received has been handed over.

        Raises:
            CannotListen: the address is taken, or none of ours.
        """
        self._socket = bound(self._host, self._port)
        self.address = list(self._socket.getsockname()[:2])
        self.link = Link(self.channel_layer, self, prefix=_PREFIX)
        self._reader = _Reader(self._socket, self._read)
        beating = _UdpHeartbeat(self)
        reactor.callWhenRunning(lambda: defer.ensureDeferred(self._begin()))
        if heartbeat.supported(self.channel_layer):
            reactor.callWhenRunning(beating.start)
        if self._signal_handlers:
            handle_signals(self._signalled, reactor)
        try:
            reactor.run(installSignalHandlers=self._signal_handlers)
        finally:
            if beating.is_alive():
                beating.retire()
            self._socket.close()

    async def _begin(self) -> None:
        started = self.link.start()
        started.addErrback(self._cannot_start)
        # So that the first datagrams are not lost in a normal start; where Redis is away it listens all the same.
        await defer.DeferredList([started, task.deferLater(reactor, _LINK_PATIENCE)], fireOnOneCallback=True)
        if self.draining or not reactor.running:
            return
        reactor.addReader(self._reader)
        if self._ready_file:
            self._ready_file.write()
        logger.info("listening on UDP %s port %s", *self.address)

    def _cannot_start(self, failure: Any) -> None:
        logger.error("cannot use the channel layer: %s", failure.value)
        reactor.stop()

    def _signalled(self, number: int) -> None:
        if self.draining:
            logger.warning("second signal: ending at once")
            _stop()
            return
        self.draining = True
        defer.ensureDeferred(self._drain())

    async def _drain(self) -> None:
        """Hand over what the kernel has, wait for the replies, and hand over what came meanwhile, which gets none."""
        if self._ready_file:
            self._ready_file.remove()
        logger.info("draining: %s wait for a reply", sum(count for count, _ in self._unanswered.values()))
        await self._hand_over()
        until = monotonic() + self._drain_timeout
        while self._unanswered and monotonic() < until:
            await task.deferLater(reactor, _STEP)
        await self._hand_over()
        await self.link.stop()
        totals = self.counts + Counter(self.drops.totals())
        logger.info(
            "ended: %s", ", ".join(f"{count} {what}" for what, count in sorted(totals.items())) or "nothing done"
        )
        _stop()

    async def _hand_over(self) -> None:
        reactor.removeReader(self._reader)
        for _turn in range(_LAST_TURNS):
            if not self._read_some():
                break
            await self.link.flushed()
        await self.link.flushed()

    # --- From clients to workers ---

    def _read(self) -> None:
        self._read_some()
        if self._unflushed >= _AT_ONCE and not self.draining:
            # Not more at once than the layer takes.
            reactor.removeReader(self._reader)
            self.link.flushed().addBoth(self._flushed)

    def _flushed(self, _: Any) -> None:
        self._unflushed = 0
        if not self.draining:
            reactor.addReader(self._reader)

    def _read_some(self) -> bool:
        """Read what is there, up to a bound; returns whether there was anything."""
        for number in range(_AT_ONCE):
            try:
                # One byte more, to see that it is too much.
                data, address = self._socket.recvfrom(self._max_size + 1)
            except BlockingIOError:
                return number > 0
            except OSError as problem:
                # Linux tells of an answer that did not arrive, once.
                logger.debug("reading: %s", problem)
                continue
            self._received(data, address[0], address[1])
        return True

    def _received(self, data: bytes, host: str, port: int) -> None:
        if len(data) > self._max_size:
            self.drops.add("datagrams too large", f"from {host}, over {self._max_size} bytes")
            return
        self.counts["received"] += 1
        self._unflushed += 1
        channel = self.link.process_channel + packed(host, port)
        self._heed(channel)
        message = {"reply_channel": channel, "data": data, "client": [host, port], "server": self.address}

        def refused(refusal: Refusal) -> None:
            self._answered(channel)
            what = "datagrams to a full channel" if refusal is Refusal.FULL else "datagrams while the layer was away"
            self.drops.add(what, f"from {host}")

        self.link.send(CHANNEL, message, refused)

    def _heed(self, channel: str) -> None:
        count, _ = self._unanswered.pop(channel, (0, 0.0))
        self._unanswered[channel] = count + 1, monotonic()
        oldest, (_, at) = next(iter(self._unanswered.items()))
        if len(self._unanswered) > _HEEDED or at < monotonic() - self._drain_timeout:
            # Many want no reply at all.
            del self._unanswered[oldest]

    def _answered(self, channel: str) -> None:
        count, at = self._unanswered.get(channel, (0, 0.0))
        if count > 1:
            self._unanswered[channel] = count - 1, at
        else:
            self._unanswered.pop(channel, None)

    # --- From workers to clients: the receiver of the link ---

    def deliver(self, channel: str, message: dict[str, Any]) -> None:
        """Send a reply to the client that *channel* leads to."""
        self._answered(channel)
        address = unpacked(channel.rpartition("!")[2])
        data = message.get("data")
        if address is None or not isinstance(data, bytes):
            self.drops.add("replies that are none", f"{channel}: data must be bytes")
            return
        try:
            self._socket.sendto(data, address)
        except OSError as problem:
            # Too large, no way there, or no room in the kernel.
            self.drops.add("replies", f"to {address[0]}: {problem}")
        else:
            self.counts["replied"] += 1

    def deliver_group(self, channels: Collection[str], messages: Sequence[dict[str, Any]]) -> None:
        """Nothing: no channel of ours is in a group."""


class _Reader:
    """The socket, for the reactor: it calls *read* when there is something."""

    def __init__(self, listening: socket.socket, read: Any) -> None:
        self._socket = listening
        self._read = read

    def fileno(self) -> int:
        return self._socket.fileno()

    def doRead(self) -> None:
        self._read()

    def connectionLost(self, reason: Any) -> None:
        """The reactor has stopped."""

    def logPrefix(self) -> str:
        return "udp"


class _UdpHeartbeat(Heartbeat):
    """The server stands among the interface servers."""

    kind = "interfaces"

    def __init__(self, server: UdpServer) -> None:
        super().__init__(server.channel_layer, server.link.process_channel)
        self._server = server

    def describe(self) -> dict[str, Any]:
        server = self._server
        counts = {**server.counts, **server.drops.totals()}
        return {"channel": server.link.process_channel, "draining": server.draining, "counts": counts}


def _stop() -> None:
    with contextlib.suppress(error.ReactorNotRunning):
        reactor.stop()
