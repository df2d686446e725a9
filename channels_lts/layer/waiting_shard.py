"""One connection that waits in a blocking pop, for a :class:`channels_lts.layer.waiting.Waiter`."""

from __future__ import annotations

import itertools
import select
import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import redis
from redis.exceptions import NoScriptError, ResponseError

from channels_lts import conf
from channels_lts.layer import scripts
from channels_lts.layer.scripts import Call
from channels_lts.layer.shards import UNAVAILABLE
from channels_lts.layer.wire import doubt, exchange, send

if TYPE_CHECKING:
    from channels_lts.layer.redis import Layer

# Seconds between two attempts to reach a Redis that is away: at first, and at most.
_FIRST_DELAY = 0.1
_LONGEST_DELAY = 2.0
# Seconds after which a pop that was not there yet is told again to end.
_TELL_AGAIN = 0.02


class WaitingShard:
    """The pop on one shard. Between :meth:`arm` and what :meth:`read` or :meth:`release` returns, it is open.

    Args:
        on_connected: Called in another thread when an attempt to connect ended, so that :meth:`arm` may go on.
    """

    def __init__(self, layer: Layer, index: int, queues: list[str], *, on_connected: Callable[[], None]) -> None:
        self.index = index
        # When to try again to connect (monotonic clock), if that failed.
        self.retry_at: float | None = None
        self._layer = layer
        self._queues = {layer.queue_key(name).encode(): name for name in queues}
        self._keys = tuple(self._queues)
        self._turns = itertools.cycle(range(len(self._keys)))
        # What was asked for: in which order of the queues, and how many replies are to come.
        self._asked = self._keys
        self._expected = 1
        self._on_connected = on_connected
        self._attempt: _Attempt | None = None
        self._connection: Any = None
        self._id: int | None = None
        self._armed = False
        self._delay = _FIRST_DELAY

    def fileno(self) -> int:
        return self._connection._sock.fileno()

    def arm(self, limit: int) -> bool:
        """Begin to wait, if we do not yet, for up to *limit* items that are there at once.

        Returns whether we wait; where Redis is away only after some time again.
        """
        if self._armed:
            return True
        try:
            if self._connection is None and not self._connect():
                return False
            send(self._connection, self._commands(limit))
        except UNAVAILABLE as error:
            self._failed(error)
            return False
        self._armed = True
        return True

    def _commands(self, limit: int) -> list[tuple[Any, ...]]:
        # Another queue comes first each time, so that none starves.
        first = next(self._turns)
        keys = (*self._keys[first:], *self._keys[:first])
        commands: list[tuple[Any, ...]] = [("BLPOP", *keys, self._layer.blpop_timeout)]
        if limit > 1:
            # Redis keeps it until the pop before it is done: one round trip for the whole batch.
            commands.append(Call(scripts.POP, keys, [limit - 1]).command())
        self._expected = len(commands)
        self._asked = keys
        return commands

    def _connect(self) -> bool:
        if self._attempt is None:
            if self.retry_at is not None and time.monotonic() < self.retry_at:
                return False
            again = self.retry_at is not None
            self.retry_at = None
            self._attempt = _Attempt(self._layer.connection(self.index).connection_pool)
            if again and self._layer.ring_size > 1:
                # A host that does not answer must not keep us from the other shards.
                self._attempt.start(self._on_connected)
                return False
            self._attempt.run()
        if not self._attempt.done:
            return False
        attempt, self._attempt = self._attempt, None
        self._connection, self._id = attempt.result()
        return True

    def _failed(self, error: Exception) -> None:
        self._layer.shards[self.index].lost(error)
        if isinstance(error, (TimeoutError, redis.exceptions.TimeoutError)):
            doubt(self._layer.connection(self.index).connection_pool)
        self._drop()
        self.retry_at = time.monotonic() + self._delay
        self._delay = min(self._delay * 2, _LONGEST_DELAY)

    def _drop(self) -> None:
        connection, self._connection, self._armed = self._connection, None, False
        if connection is not None:
            connection.disconnect()

    def read(self) -> list[tuple[str, bytes]]:
        """Return what the pop answered: items and their queues, or nothing."""
        self._armed = False
        taken: list[tuple[str, bytes]] = []
        try:
            first = self._connection.read_response()
            if first is not None:
                taken.append((self._queues[first[0]], first[1]))
            if self._expected > 1:
                taken += self._read_more()
        except (*UNAVAILABLE, ResponseError) as error:
            # Also where Redis is there and refuses, such as while it loads its data or as a replica.
            self._failed(error)
            return taken
        self._layer.shards[self.index].back()
        self._delay = _FIRST_DELAY
        return taken

    def _read_more(self) -> list[tuple[str, bytes]]:
        try:
            flat = self._connection.read_response()
        except NoScriptError:
            # The next batch is larger again.
            exchange(self._layer.connection(self.index), scripts.loading())
            return []
        return [(self._queues[self._asked[number - 1]], raw) for number, raw in zip(flat[::2], flat[1::2], strict=True)]

    def release(self) -> list[tuple[str, bytes]]:
        """Stop waiting. Returns what was popped in the last moment.

        A connection whose other end does not answer, though it must, is half open: it is dropped after REDIS_TIMEOUT.
        """
        if not self._armed:
            return []
        deadline = time.monotonic() + conf.get("REDIS_TIMEOUT")
        answers = select.poll()
        answers.register(self.fileno(), select.POLLIN)
        try:
            while not answers.poll(0):
                # The pop may not have come to Redis yet: then there is nothing to unblock, and it is told again.
                [told] = exchange(self._layer.connection(self.index), [("CLIENT", "UNBLOCK", self._id)])
                if isinstance(told, Exception):
                    raise told
                if not answers.poll(_TELL_AGAIN * 1000) and time.monotonic() > deadline:
                    raise TimeoutError(f"no answer for {conf.get('REDIS_TIMEOUT')} s")
        except (*UNAVAILABLE, ResponseError) as error:
            self._failed(error)
            return []
        return self.read()

    def close(self) -> None:
        """Close the connection; what it popped is lost, so :meth:`release` it before."""
        if self._attempt is not None:
            self._attempt.abandon()
        self._drop()


class _Attempt:
    """An attempt to connect, here or in a thread."""

    def __init__(self, pool: Any) -> None:
        # Not from the pool, which counts the connections that it makes and may have a limit.
        self._connection = pool.connection_class(**pool.connection_kwargs)
        self._id: int | None = None
        self._error: Exception | None = None
        self._lock = threading.Lock()
        self._abandoned = False
        self.done = False

    def start(self, on_done: Callable[[], None]) -> None:
        threading.Thread(target=self._run_in_thread, args=[on_done], daemon=True).start()

    def _run_in_thread(self, on_done: Callable[[], None]) -> None:
        self.run()
        with self._lock:
            if self._abandoned:
                self._connection.disconnect()
            else:
                on_done()

    def run(self) -> None:
        try:
            self._connection.connect()
            self._connection.send_command("CLIENT", "ID")
            self._id = self._connection.read_response()
        except Exception as error:  # raised again in the thread that waits
            self._connection.disconnect()
            self._error = error
        self.done = True

    def abandon(self) -> None:
        with self._lock:
            self._abandoned = True

    def result(self) -> tuple[Any, int | None]:
        if isinstance(self._error, ResponseError):
            raise ConnectionError(str(self._error)) from self._error
        if self._error is not None:
            raise self._error
        return self._connection, self._id
