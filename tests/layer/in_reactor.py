"""Twisted's reactor in a thread of the test run, and the interface server's link in it."""

from __future__ import annotations

import functools
import threading
from collections.abc import Callable, Collection, Sequence
from typing import Any

from tests.services import TIMEOUT_SCALE, wait_for

_started = threading.Lock()


def call(function: Callable[..., Any], *arguments: Any, **options: Any) -> Any:
    """Run *function* in the reactor's thread; returns its result, also where that is a Deferred's."""
    from twisted.internet import reactor, threads

    if _started.acquire(blocking=False):
        threading.Thread(target=functools.partial(reactor.run, installSignalHandlers=False), daemon=True).start()
        wait_for(lambda: reactor.running, "the reactor runs")
    return threads.blockingCallFromThread(reactor, function, *arguments, **options)


def within(deferred: Any, seconds: float = 10) -> Any:
    """Return *deferred*, which fails when it has not come after *seconds*."""
    from twisted.internet import reactor

    return deferred.addTimeout(seconds * TIMEOUT_SCALE, reactor)


class Sockets:
    """Stands for the connections of an interface server: a link, and what came by it."""

    def __init__(self, layer: Any, *, started: bool = True) -> None:
        from channels_lts.interface.link import Link

        self.received: list[tuple[str, dict[str, Any]]] = []
        self.batches: list[int] = []
        self.link: Link = call(Link, layer, self)
        if started:
            call(lambda: within(self.link.start()))

    def deliver(self, channel: str, message: dict[str, Any]) -> None:
        self.received.append((channel, message))

    def deliver_group(self, channels: Collection[str], messages: Sequence[dict[str, Any]]) -> None:
        self.batches.append(len(messages))
        self.received += [(channel, message) for message in messages for channel in channels]

    def of(self, channel: str) -> list[Any]:
        """Return what *channel* was sent, by the key ``n``."""
        return [message["n"] for receiver, message in list(self.received) if receiver == channel]

    def open(self) -> str:
        return call(self.link.new_reply_channel)

    def close(self, channel: str) -> None:
        call(self.link.forget, channel)

    def stop(self) -> None:
        call(lambda: within(self.link.stop()))
