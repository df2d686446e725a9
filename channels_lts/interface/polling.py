"""The link on layers that are not ours: used as Daphne uses them, by polling, or by their own ``twisted`` extension."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from twisted.internet import defer, reactor, task

if TYPE_CHECKING:
    from channels_lts.interface.link import Message, OnRefused, Receiver

logger = logging.getLogger(__name__)

# Seconds between two looks when there was nothing, and after an error: Daphne 1.4.2's.
_IDLE = 0.05
_AFTER_ERROR = 5.0


class PollingBackend:
    """The link on any layer of ASGI 1. Each send and each look for replies blocks the reactor for its time."""

    def __init__(self, layer: Any, process_channel: str, receiver: Receiver, *, force_sync: bool) -> None:
        self._layer = layer
        self._process_channel = process_channel
        self._receiver = receiver
        self._twisted = "twisted" in layer.extensions and not force_sync
        self.channels: set[str] = set()
        self.available = True
        self._running = False

    def start(self) -> defer.Deferred[None]:
        self._running = True
        reactor.callLater(0, self._receive if self._twisted else self._poll)
        return defer.succeed(None)

    def flushed(self) -> defer.Deferred[bool]:
        # What is refused is told in the next turn.
        return task.deferLater(reactor, 0, bool, True)

    def stop(self) -> defer.Deferred[None]:
        self._running = False
        return defer.succeed(None)

    def forget(self, channel: str) -> None:
        # Such a layer keeps the groups to itself; members leave when their consumer says so, or expire.
        pass

    def send(self, channel: str, message: Message, on_refused: OnRefused | None) -> None:
        from channels_lts.interface.link import Refusal

        try:
            self._layer.send(channel, message)
        except self._layer.ChannelFull:
            logger.warning("%s is full", channel)
            refusal = Refusal.FULL
        except Exception as error:  # whatever a layer raises when it cannot reach its server
            self._failed(error)
            refusal = Refusal.UNAVAILABLE
        else:
            return
        if on_refused is not None:
            reactor.callLater(0, on_refused, refusal)

    def _failed(self, error: Exception) -> None:
        if self.available:
            logger.error("the channel layer cannot be used: %s", error)
        self.available = False

    def _poll(self) -> None:
        if not self._running:
            return
        try:
            channel, message = self._layer.receive([self._process_channel], block=False)
        except Exception as error:  # see send
            self._failed(error)
            delay = _AFTER_ERROR
        else:
            delay = self._received(channel, message)
        reactor.callLater(delay, self._poll)

    @defer.inlineCallbacks
    def _receive(self) -> Any:
        while self._running:
            try:
                channel, message = yield self._layer.receive_twisted([self._process_channel])
            except Exception as error:  # see send
                self._failed(error)
                pause: defer.Deferred[None] = defer.Deferred()
                reactor.callLater(_AFTER_ERROR, pause.callback, None)
                yield pause
            else:
                self._received(channel, message)

    def _received(self, channel: str | None, message: Message | None) -> float:
        """Hand on what was received; returns the seconds until the next look."""
        if not self.available:
            logger.info("the channel layer can be used again")
        self.available = True
        if channel is None or message is None:
            return _IDLE
        try:
            self._receiver.deliver(channel, message)
        except Exception:
            logger.exception("error while %s was handed a message", channel)
        return 0
