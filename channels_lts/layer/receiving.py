"""Receiving: what pops, waits, opens, and puts back."""

from __future__ import annotations

import logging
import math
import threading
import time
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, cast

from channels_lts import conf
from channels_lts.compat.message_encoding import unpacker
from channels_lts.exceptions import LayerUnavailable
from channels_lts.layer import items, scripts, stock
from channels_lts.layer.core import Core, Message
from channels_lts.layer.process import Process
from channels_lts.layer.scripts import Call
from channels_lts.layer.waiting import Popped, Waiter

if TYPE_CHECKING:
    from channels_lts.layer.redis import Layer

logger = logging.getLogger(__name__)

Received = tuple[str, Message] | tuple[None, None]

_unpack = unpacker()


class Receiving(Core):
    """The receiving half of the layer."""

    def _set_up(self) -> None:
        super()._set_up()
        self._processes: dict[str, Process] = {}
        self._announced_at: dict[str, float] = {}
        self._receivers: dict[str, Any] = {}
        # Queues of which it was said that they have items of a newer version.
        self._newer: set[str] = set()
        self._waiting_here: deque[tuple[str, Message]] = deque()
        self._local = threading.local()
        self._lock = threading.RLock()

    def receive(self, channels: Iterable[str], block: bool = False) -> Received:
        """Take one message off any of *channels*: its channel and the message, or ``(None, None)``.

        With *block*, wait up to :attr:`blpop_timeout` seconds for one. While Redis is away this waits too and returns
        nothing, so that a loop around it goes on when Redis is back.

        Raises:
            LayerUnavailable: without *block*, Redis cannot be reached.
            TypeError: a name is not valid.
        """
        names = list(channels)
        if not names:
            return None, None
        for name in names:
            self.valid_channel_name(name, receive=True)
        while True:
            with self._lock:
                for position, (channel, message) in enumerate(self._waiting_here):
                    if self.non_local_name(channel) in names:
                        del self._waiting_here[position]
                        return channel, message
            self._announce_due(names, forgiving=block)
            popped = self.take(self._own_waiter(names), 1) if block else self.pop(names, 1)
            if not popped:
                return None, None
            for taken in popped:
                self._waiting_here.extend(self.open(taken))

    def take(self, waiter: Waiter, limit: int, timeout: float | None = None) -> list[Popped]:
        """Take up to *limit* items off the queues of *waiter*, which waits *timeout* seconds where there are none."""
        if self.ring_size == 1:
            return waiter.wait(limit, timeout)
        # A wait on several shards costs each of them something: not while there is a backlog.
        try:
            popped = self.pop(waiter.names, limit)
        except LayerUnavailable:
            # Said once by the layer. Waiting tries again, with pauses.
            popped = []
        return popped or waiter.wait(timeout=timeout)

    def receive_twisted(self, channels: Iterable[str]) -> Any:
        """Return a Deferred of (channel, message), or (None, None), without blocking Twisted's reactor.

        The channels of a process are read on one connection that stays; others in a thread.
        """
        from twisted.internet import defer, threads

        from channels_lts.layer.reactor_process import ReactorReceiver

        names = list(channels)
        if not names:
            return defer.succeed((None, None))
        if len(names) > 1 or not names[0].endswith("!"):
            return threads.deferToThread(self.receive, names, True)
        self.valid_channel_name(names[0], receive=True)
        if names[0] not in self._receivers:
            self._receivers[names[0]] = ReactorReceiver(cast("Layer", self), names[0])
        return self._receivers[names[0]].receive()

    def pop(self, names: Sequence[str], limit: int) -> list[Popped]:
        """Take up to *limit* items off the queues *names*, unopened, without waiting.

        Raises:
            LayerUnavailable: none of the Redis servers with these queues can be reached.
        """
        taken: list[Popped] = []
        failure: LayerUnavailable | None = None
        answered = False
        for index, queues in self.by_shard(names):
            shard = self.shards[index]
            if not shard.worth_trying() and self.ring_size > 1:
                failure = failure or LayerUnavailable(f"{shard.name} cannot be reached", not_done=True)
                continue
            call = Call(scripts.POP, [self.queue_key(name) for name in queues], [limit - len(taken)])
            try:
                flat = self._run(index, call)
            except LayerUnavailable as error:
                failure = error
                continue
            answered = True
            taken += [Popped(queues[number - 1], index, raw) for number, raw in zip(flat[::2], flat[1::2], strict=True)]
            if len(taken) == limit:
                break
        if failure and not answered:
            raise failure
        return taken

    def by_shard(self, names: Sequence[str]) -> Iterator[tuple[int, list[str]]]:
        """Yield the shards with queues among *names*, and these: each time in another order, so that none starves."""
        start = self._next_to_pop = (self._next_to_pop + 1) % (self.ring_size * len(names))
        rotated = [*names[start % len(names) :], *names[: start % len(names)]]
        for offset in range(self.ring_size):
            index = (start + offset) % self.ring_size
            queues = [name for name in rotated if self._fixed_shard(name) in (None, index)]
            if queues:
                yield index, queues

    def open(self, popped: Popped) -> list[tuple[str, Message]]:
        """Open what was popped: a message; one for each member here, if it is a group's; or nothing to hand on."""
        if popped.queue.endswith("!"):
            process = self._process(popped.queue)
            opened = process.open(popped.raw)
            if opened is None:
                return []
            if isinstance(opened, items.Item):
                process.note(opened)
                return []
            return [(channel, dict(opened.message)) for channel in process.receivers(opened)]
        item = self.readable(popped.raw, popped.queue, popped)
        message = self.readable_body(item.body, popped.queue) if item else None
        return [] if message is None else [(popped.queue, message)]

    def put_back(self, popped: Sequence[Popped], *, last: bool = False) -> None:
        """Put back what was popped and not begun: before all else on its queue, or after it with *last*.

        Raises:
            LayerUnavailable: a shard cannot be reached; what came from the others is back.
        """
        failure = None
        for index in {taken.shard for taken in popped}:
            ours = [taken for taken in popped if taken.shard == index]
            keys = [self.queue_key(taken.queue) for taken in ours]
            arguments = [self.queue_lifetime, "RPUSH" if last else "LPUSH", *(taken.raw for taken in ours)]
            try:
                self._run(index, Call(scripts.PUT_BACK, keys, arguments))
            except LayerUnavailable as error:
                failure = error
        if failure:
            raise failure

    def waiter(self, names: Sequence[str]) -> Waiter:
        """Return something that waits for messages on *names*, for one thread."""
        return Waiter(cast("Layer", self), names)

    def _own_waiter(self, names: Sequence[str]) -> Waiter:
        """Return this thread's waiter for *names*."""
        waiter = getattr(self._local, "waiter", None)
        if waiter is None or set(waiter.names) != set(names):
            if waiter is not None:
                waiter.close()
            waiter = self._local.waiter = self.waiter(names)
        return waiter

    # --- Items ---

    def readable(self, raw: bytes, queue: str, popped: Popped | None = None) -> items.Item | None:
        """Return the item in *raw*, or None where it has expired or cannot be read, which is counted.

        An item that only a newer version can read goes back to the end of its queue, for a newer reader (*popped*).
        """
        try:
            item = items.decode(raw)
        except items.NewerItem as error:
            if popped is not None and error.expires > time.time():
                self._leave_to_newer(popped, error)
            else:
                self.drops.add("items of a newer version", f"{queue}: {error}")
            return None
        except items.UnreadableItem as error:
            if popped is not None and stock.is_pointer(raw, self.prefix):
                return self._read_stock(popped)
            self.drops.add("unreadable items", f"{queue}: {error}")
            return None
        # Not so for joins and leaves: a process that was paused for long still has to know its members.
        if item.expires <= time.time() and item.kind in (items.MESSAGE, items.GROUP):
            self.drops.add("expired messages", queue)
            return None
        return item

    def _leave_to_newer(self, popped: Popped, reason: items.NewerItem) -> None:
        with self._lock:
            if popped.queue not in self._newer:
                self._newer.add(popped.queue)
                logger.warning("%s: left to a newer reader: %s", popped.queue, reason)
        self.drops.count("items left to a newer reader")
        try:
            self.put_back([popped], last=True)
        except LayerUnavailable as error:
            self.drops.add("items of a newer version", str(error))
        # Not at once again: the newer reader should get it first.
        time.sleep(0.05)

    def _read_stock(self, popped: Popped) -> items.Item | None:
        """Return the message that asgi_redis's own layer left; None where it has expired, or cannot be had."""
        try:
            [body] = self._execute(popped.shard, [("GETDEL", popped.raw)])
        except LayerUnavailable as error:
            self.drops.add("messages of asgi_redis", str(error))
            return None
        if body is None:
            self.drops.add("expired messages", popped.queue)
            return None
        return items.Item(items.MESSAGE, "", time.time() + self.expiry, body)

    def readable_body(self, body: bytes, queue: str) -> Message | None:
        """Return the message in *body*, or None where it cannot be read, which is counted."""
        try:
            message = self.deserialize(body)
        except Exception as error:  # whatever msgpack and cryptography raise for bytes of any kind
            self.drops.add("unreadable messages", f"{queue}: {type(error).__name__} {error}")
            return None
        if not isinstance(message, dict):
            self.drops.add("unreadable messages", f"{queue}: {type(message).__name__} instead of a dict")
            return None
        return message

    def deserialize(self, message: bytes) -> Any:
        """Return what :meth:`serialize` made into bytes; it may have been encrypted with any of the keys."""
        if self.crypter:
            message = self.crypter.decrypt(message, math.ceil(self.expiry) + 10)
        return _unpack(message)

    # --- Processes ---

    def _process(self, name: str) -> Process:
        with self._lock:
            if name not in self._processes:
                self._processes[name] = Process(cast("Layer", self), name)
            return self._processes[name]

    def _announce_due(self, names: Sequence[str], *, forgiving: bool) -> None:
        """Announce the processes among *names* whose time has come: for servers that know nothing of announcements."""
        for name in names:
            if not name.endswith("!") or time.monotonic() < self._announced_at.get(name, 0):
                continue
            process = self._process(name)
            try:
                known = self._run(process.shard, process.announcement())
                process_calls = [*process.expire(), *(process.some_groups() if known else process.everything())]
                for call in process_calls:
                    self._run(process.shard, call)
            except LayerUnavailable:
                if not forgiving:
                    raise
            else:
                self._announced_at[name] = time.monotonic() + conf.get("ANNOUNCE_INTERVAL")

    def _forget_all(self) -> None:
        with self._lock:
            self._processes.clear()
            self._announced_at.clear()
            self._waiting_here.clear()
