"""Waiting for messages, for one thread, on all shards at once."""

from __future__ import annotations

import contextlib
import os
import select
import threading
import time
import weakref
from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from channels_lts.exceptions import LayerUnavailable
from channels_lts.layer.waiting_shard import WaitingShard

if TYPE_CHECKING:
    from channels_lts.layer.redis import Layer


class Popped(NamedTuple):
    """An item that was popped and not opened yet: off which queue, on which shard."""

    queue: str
    shard: int
    raw: bytes


class Waiter:
    """Waits until there is something on one of *names*. For one thread, bar :meth:`wake`.

    Nothing is popped but within :meth:`wait`: no message waits here for a thread that is busy while another is idle.
    """

    def __init__(self, layer: Layer, names: Sequence[str]) -> None:
        self._closed = True
        # A signal handler may interrupt who holds it in the same thread.
        self._lock = threading.RLock()
        self.names = list(names)
        self._layer = layer
        self._woken, self._wake = os.pipe()
        os.set_blocking(self._woken, False)
        os.set_blocking(self._wake, False)
        # Weak, so that a waiter that nobody has any more is closed at once.
        myself = weakref.ref(self)

        def on_connected() -> None:
            waiter = myself()
            if waiter is not None:
                waiter.wake()

        self._shards = [
            WaitingShard(layer, index, queues, on_connected=on_connected)
            for index, queues in sorted(layer.by_shard(self.names))
        ]
        self._closed = False

    @property
    def wake_descriptor(self) -> int:
        """The file descriptor that ends a wait when a byte is written to it: for ``signal.set_wakeup_fd``."""
        return self._wake

    def wake(self) -> None:
        """End the wait that is under way, or the next one. From any thread, or a signal handler."""
        # Not after close(): the number may be another file's by then.
        with self._lock, contextlib.suppress(BlockingIOError):  # The pipe is full: it wakes all the same.
            if not self._closed:
                os.write(self._wake, b"\0")

    def wait(self, limit: int = 1, timeout: float | None = None) -> list[Popped]:
        """Return what was popped: up to *limit* items of each shard; nothing after *timeout* seconds.

        Without a *timeout* that is ``blpop_timeout``.

        It waits for the first one only; the others are what is there by then.

        Where Redis is away this waits as long, so that a loop around it does not spin.
        """
        popped: list[Popped] = []
        try:
            self._wait(popped, limit, self._layer.blpop_timeout if timeout is None else timeout)
            self._release(popped)
        except BaseException:
            # Such as SystemExit from a signal handler: nobody is going to handle what we have.
            self._release(popped)
            with contextlib.suppress(LayerUnavailable):
                self._layer.put_back(popped)
            raise
        return popped

    def _wait(self, popped: list[Popped], limit: int, timeout: float) -> None:
        deadline = time.monotonic() + timeout
        while not popped:
            waiting = {shard.fileno(): shard for shard in self._shards if shard.arm(limit)}
            # Not select, which knows no descriptor above 1023: an interface server may be in this process.
            poll = select.poll()
            for number in (*waiting, self._woken):
                poll.register(number, select.POLLIN)
            soonest = min((shard.retry_at for shard in self._shards if shard.retry_at), default=deadline)
            seconds = max(min(deadline, soonest) - time.monotonic(), 0.001)
            ready = [number for number, _ in poll.poll(seconds * 1000)]
            for number in ready:
                if number in waiting:
                    popped += [Popped(queue, waiting[number].index, raw) for queue, raw in waiting[number].read()]
            woken = self._woken in ready and bool(os.read(self._woken, 4096))
            if woken or time.monotonic() >= deadline:
                return

    def _release(self, popped: list[Popped]) -> None:
        for shard in self._shards:
            popped += [Popped(queue, shard.index, raw) for queue, raw in shard.release()]

    def close(self) -> None:
        """Close the connections. No pop is open between two waits, so nothing is lost."""
        if not self._closed:
            for shard in self._shards:
                shard.close()
            with self._lock:
                self._closed = True
                os.close(self._woken)
                os.close(self._wake)

    def __del__(self) -> None:
        # A thread that ended leaves its waiter behind.
        with contextlib.suppress(Exception):
            self.close()
