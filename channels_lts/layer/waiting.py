"""Waiting for messages, for one thread, on all shards at once."""

from __future__ import annotations

import contextlib
import os
import select
import threading
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from redis.exceptions import ResponseError

from channels_lts import conf
from channels_lts.layer.shards import UNAVAILABLE

if TYPE_CHECKING:
    from channels_lts.layer.redis import Layer

# Seconds between two attempts to reach a Redis that is away: at first, and at most.
_FIRST_DELAY = 0.1
_LONGEST_DELAY = 2.0


class Popped(NamedTuple):
    """An item that was popped and not opened yet: off which queue, on which shard."""

    queue: str
    shard: int
    raw: bytes


class Waiter:
    """Waits until there is something on one of *names*. For one thread, bar :meth:`wake`.

    Between two calls of :meth:`wait` a pop may stay open on a shard other than the one that had something. What it
    popped meanwhile comes out of the next call, or out of :meth:`close`: nothing is lost but by ending the process
    without either.
    """

    def __init__(self, layer: Layer, names: Sequence[str]) -> None:
        self.names = list(names)
        self._layer = layer
        self._shards = [_WaitingShard(layer, index, queues) for index, queues in sorted(layer.by_shard(self.names))]
        self._woken, self._wake = os.pipe()
        self._closed = False
        # A signal handler may interrupt who holds it in the same thread.
        self._lock = threading.RLock()
        os.set_blocking(self._woken, False)
        os.set_blocking(self._wake, False)

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

    def wait(self) -> list[Popped]:
        """Return what was popped: an item, or one of each of several shards; nothing after ``blpop_timeout`` seconds.

        Where Redis is away this waits as long, so that a loop around it does not spin.
        """
        deadline = time.monotonic() + self._layer.blpop_timeout
        while True:
            waiting = {shard.fileno(): shard for shard in self._shards if shard.arm()}
            soonest = min((shard.retry_at for shard in self._shards if shard.retry_at), default=deadline)
            timeout = max(min(deadline, soonest) - time.monotonic(), 0.001)
            ready, _, _ = select.select([*waiting, self._woken], [], [], timeout)
            popped = [taken for number in ready if number in waiting for taken in waiting[number].read()]
            woken = self._woken in ready and bool(os.read(self._woken, 4096))
            for shard in self._shards:
                shard.give_up_if_silent()
            if popped or woken or time.monotonic() >= deadline:
                return popped

    def close(self) -> list[Popped]:
        """End all waiting. Returns what was popped meanwhile and must be handled, or put back."""
        popped = [taken for shard in self._shards for taken in shard.disarm()]
        with self._lock:
            self._closed = True
            os.close(self._woken)
            os.close(self._wake)
        return popped


class _WaitingShard:
    """One connection that waits in a blocking pop."""

    def __init__(self, layer: Layer, index: int, queues: list[str]) -> None:
        self._layer = layer
        self._index = index
        self._queues = {layer.queue_key(name).encode(): name for name in queues}
        self._connection: Any = None
        self._id: int | None = None
        self._armed_at: float | None = None
        self._delay = _FIRST_DELAY
        self.retry_at: float | None = None

    def fileno(self) -> int:
        return self._connection._sock.fileno()

    def arm(self) -> bool:
        """Begin to wait, if we do not yet. Returns whether we do; where Redis is away only after some time again."""
        if self._armed_at is not None:
            return True
        if self.retry_at is not None and time.monotonic() < self.retry_at:
            return False
        try:
            if self._connection is None:
                self._connect()
            self._connection.send_command("BLPOP", *self._queues, self._layer.blpop_timeout)
        except UNAVAILABLE as error:
            self._failed(error)
            return False
        self._armed_at = time.monotonic()
        return True

    def _connect(self) -> None:
        pool = self._layer.connection(self._index).connection_pool
        connection = pool.make_connection()
        connection.connect()
        connection.send_command("CLIENT", "ID")
        self._id = connection.read_response()
        self._connection = connection

    def _failed(self, error: Exception) -> None:
        self._layer.shards[self._index].lost(error)
        self._drop()
        self.retry_at = time.monotonic() + self._delay
        self._delay = min(self._delay * 2, _LONGEST_DELAY)

    def _drop(self) -> None:
        connection, self._connection, self._armed_at = self._connection, None, None
        if connection is not None:
            connection.disconnect()

    def read(self) -> list[Popped]:
        """Return what the pop answered: an item or nothing."""
        self._armed_at = None
        try:
            answer = self._connection.read_response()
        except ResponseError as error:
            # Redis is there and refuses, such as while it loads its data or as a replica.
            self._failed(error)
            return []
        except UNAVAILABLE as error:
            self._failed(error)
            return []
        self._layer.shards[self._index].back()
        self._delay, self.retry_at = _FIRST_DELAY, None
        return [] if answer is None else [Popped(self._queues[answer[0]], self._index, answer[1])]

    def give_up_if_silent(self) -> None:
        """Drop a connection whose other end does not answer when it must have: it is half open."""
        limit = self._layer.blpop_timeout + conf.get("REDIS_TIMEOUT")
        if self._armed_at is not None and time.monotonic() - self._armed_at > limit:
            self._failed(TimeoutError(f"no answer for {limit} s"))

    def disarm(self) -> list[Popped]:
        """Stop waiting, and close the connection. Returns what was popped in the last moment."""
        popped: list[Popped] = []
        if self._armed_at is not None:
            try:
                self._layer.connection(self._index).execute_command("CLIENT", "UNBLOCK", self._id)
                popped = self.read()
            except UNAVAILABLE as error:
                self._layer.shards[self._index].lost(error)
        self._drop()
        return popped
