"""A process's queue, read in Twisted's reactor, and its announcements: what an interface server needs of the layer."""

from __future__ import annotations

import functools
import logging
from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import hiredis
from twisted.internet import defer, reactor, task

from channels_lts import conf
from channels_lts.exceptions import LayerUnavailable
from channels_lts.layer import items, scripts
from channels_lts.layer.process import Delivery, Process
from channels_lts.layer.reactor import ReactorRedis
from channels_lts.layer.scripts import Call

if TYPE_CHECKING:
    from channels_lts.layer.redis import Layer

logger = logging.getLogger(__name__)

# Seconds that a process which ends gives Redis to hear of it.
FAREWELL = 2.0
# Items that are handled in less time than it takes to ask for the next ones.
_SMALL = 4


class QueueReader:
    """Hands every item of one queue to *on_items*, in batches and in order, from :meth:`start` until :meth:`stop`.

    One batch at a time: what comes meanwhile waits in Redis. While Redis is away it waits for its return.
    """

    # Items that follow the first one of a batch at most.
    _MORE = 255

    def __init__(self, layer: Layer, index: int, key: str, on_items: Callable[[list[bytes]], None]) -> None:
        self._key = key
        self._wait = layer.blpop_timeout
        self._on_items = on_items
        self._redis = ReactorRedis(layer, index, on_up=self._read, silence=self._wait)
        self._first: list[bytes] = []

    def start(self) -> None:
        self._redis.start()

    def stop(self) -> None:
        self._redis.stop()

    def _read(self) -> None:
        # Redis keeps the second command until the first one is done: one round trip for the whole batch.
        self._redis.execute(
            (("BLPOP", self._key, self._wait), self._popped_first),
            (("LPOP", self._key, self._MORE), self._popped_more),
        )

    def _popped_first(self, reply: Any) -> None:
        self._first = [] if reply is None or isinstance(reply, Exception) else [reply[1]]
        if isinstance(reply, hiredis.ReplyError):
            # We would never read again.
            self._redis.give_up(reply)

    def _popped_more(self, reply: Any) -> None:
        batch, self._first = self._first, []
        if isinstance(reply, hiredis.ReplyError):
            self._redis.give_up(reply)
        elif not isinstance(reply, Exception):
            batch += reply or []
            if len(batch) > _SMALL:
                # The next batch travels while this one is handled.
                self._read()
            else:
                # Whoever waits for an answer has it before we ask for more.
                try:
                    if batch:
                        self._on_items(batch)
                finally:
                    self._read()
                return
        if batch:
            self._on_items(batch)


class ReactorProcess:
    """The process *name*: announced, its queue read, its memberships kept, from :meth:`start` until :meth:`stop`.

    Args:
        name: Ends with ``!``.
        on_opened: Gets each batch that came, opened: messages, and who joined or left which group, which it has to
            give to :meth:`Process.note` in its turn.
    """

    def __init__(self, layer: Layer, name: str, on_opened: Callable[[list[Delivery | items.Item]], None]) -> None:
        self.process = Process(layer, name)
        self._layer = layer
        self._on_opened = on_opened
        self._owed: deque[Call] = deque()
        self.redis = ReactorRedis(layer, self.process.shard, on_up=self._announce_all)
        self._reader = QueueReader(layer, self.process.shard, layer.queue_key(name), self._open)
        self._announcing = task.LoopingCall(self._announce)
        self._announced: defer.Deferred[None] | None = None

    def start(self) -> defer.Deferred[None]:
        """Begin. The result comes when Redis knows of the process; until it can be reached, that is tried for ever."""
        self._announced = defer.Deferred()
        started = self._announced
        self.redis.start()
        self._reader.start()
        self._announcing.start(conf.get("ANNOUNCE_INTERVAL"), now=False)
        return started

    def stop(self) -> defer.Deferred[None]:
        """End, and let everybody know at once that the process is gone."""
        if self._announcing.running:
            self._announcing.stop()
        done: defer.Deferred[None] = defer.Deferred()

        def close(_: Any = None) -> None:
            if not done.called:
                self._reader.stop()
                self.redis.stop()
                done.callback(None)

        self.redis.execute((("UNLINK", self._layer.process_key(self.process.name)), close))
        reactor.callLater(FAREWELL, close)
        return done

    def tell(self, calls: list[Call]) -> None:
        """Run *calls*: now, or when Redis is back."""
        if not self.redis.up:
            self._owed.extend(calls)
            return
        for call in calls:
            self.redis.run(call, functools.partial(self._told, call))

    def _told(self, call: Call, result: Any) -> None:
        if isinstance(result, LayerUnavailable) and call.script is scripts.LEAVE:
            # Who has gone does not come back, so it may be said twice; unsaid, they would be members for long.
            self._owed.append(call)
        self._log_refusal(result)

    def _announce_all(self) -> None:
        # A connection that was lost may have been lost to a Redis that has forgotten everything.
        self.redis.run(self.process.announcement(), self._on_announced)
        self.tell(self.process.everything())
        owed, self._owed = list(self._owed), deque()
        self.tell(owed)

    def _announce(self) -> None:
        try:
            self._announce_part()
        except Exception:
            # It would be the last announcement: Twisted ends a loop that raises, and all groups would follow.
            logger.exception("error while %s was announced", self.process.name)

    def _announce_part(self) -> None:
        if not self.redis.up:
            return

        def on_known(known: Any) -> None:
            self._log_refusal(known)
            if not isinstance(known, Exception):
                self.tell(self.process.some_groups() if known else self.process.everything())

        self.redis.run(self.process.announcement(), on_known)

    def _on_announced(self, result: Any) -> None:
        self._log_refusal(result)
        if self._announced is not None and not isinstance(result, Exception):
            announced, self._announced = self._announced, None
            announced.callback(None)

    @staticmethod
    def _log_refusal(result: Any) -> None:
        if isinstance(result, Exception) and not isinstance(result, LayerUnavailable):
            logger.error("Redis refused an announcement: %s", result)

    def _open(self, raws: list[bytes]) -> None:
        opened = [one for one in map(self.process.open, raws) if one is not None]
        if opened:
            self._on_opened(opened)


class ReactorReceiver:
    """``receive_twisted`` of ASGI 1 for one process: hands out its messages one by one."""

    def __init__(self, layer: Layer, name: str) -> None:
        self._ready: deque[tuple[str, dict[str, Any]]] = deque()
        self._waiting: deque[defer.Deferred[Any]] = deque()
        self._running = ReactorProcess(layer, name, self._on_opened)
        self._running.start()
        # Nobody tells us which channels are gone.
        expiring = task.LoopingCall(lambda: self._running.tell(self._running.process.expire()))
        expiring.start(60, now=False)

    def receive(self) -> defer.Deferred[Any]:
        """Return (channel, message), when there is one."""
        if self._ready:
            return defer.succeed(self._ready.popleft())
        waiting: defer.Deferred[Any] = defer.Deferred()
        self._waiting.append(waiting)
        return waiting

    def _on_opened(self, opened: list[Delivery | items.Item]) -> None:
        for one in opened:
            if isinstance(one, Delivery):
                self._ready.extend((channel, dict(one.message)) for channel in self._running.process.receivers(one))
            else:
                self._running.process.note(one)
        while self._ready and self._waiting:
            self._waiting.popleft().callback(self._ready.popleft())
