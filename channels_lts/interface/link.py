"""The interface server's side of the channel layer: the only part of it that talks to one."""

from __future__ import annotations

import functools
import logging
import secrets
import string
from collections.abc import Callable, Collection, Sequence
from enum import Enum
from typing import Any, Protocol

from twisted.internet import defer, reactor, task

from channels_lts.layer import items
from channels_lts.layer.batch import ITEMS_IN_A_CALL
from channels_lts.layer.process import Delivery
from channels_lts.layer.reactor import ReactorRedis
from channels_lts.layer.reactor_process import FAREWELL, ReactorProcess
from channels_lts.layer.redis import Layer

logger = logging.getLogger(__name__)

Message = dict[str, Any]

# 64 of them, four times: each byte leads to one, and all are as likely.
_NAME_CHARACTERS = (string.ascii_letters + string.digits + "-_").encode("ascii") * 4


class Refusal(Enum):
    """Why a message did not get onto its channel."""

    FULL = "the channel is full"
    UNAVAILABLE = "the channel layer cannot be reached"


OnRefused = Callable[[Refusal], None]


class Receiver(Protocol):
    """Who gets the messages for the connections of this process."""

    def deliver(self, channel: str, message: Message) -> None:
        """Hand *message* to the connection with reply channel *channel*, if it is still there."""

    def deliver_group(self, channels: Collection[str], messages: Sequence[Message]) -> None:
        """Hand *messages*, in this order, to each of *channels*: a live view, which the call may change."""


class Link:
    """What the interface server asks of any channel layer, in the reactor's thread and without blocking it.

    On our own layer, that is. Others are used as Daphne uses them (:mod:`channels_lts.interface.polling`).
    """

    def __init__(self, channel_layer: Any, receiver: Receiver, *, force_sync: bool = False) -> None:
        from channels_lts.interface.polling import PollingBackend

        self.process_channel = f"daphne.response.{_random_name(10)}!"
        self._layer = channel_layer
        self._consumed: dict[str, bool] = {}
        self._backend: RedisBackend | PollingBackend
        if isinstance(channel_layer, Layer):
            self._backend = RedisBackend(channel_layer, self.process_channel, receiver)
        else:
            self._backend = PollingBackend(channel_layer, self.process_channel, receiver, force_sync=force_sync)

    def start(self) -> defer.Deferred[None]:
        """Begin to read the replies. The result comes when the layer knows of this process; it is tried for ever."""
        return self._backend.start()

    def flushed(self) -> defer.Deferred[bool]:
        """Send what is queued. The result comes when all refusals were told, or, with False, in 2 s."""
        return self._backend.flushed()

    def stop(self) -> defer.Deferred[None]:
        """Send what is queued, retire the process and close the connections to the layer."""
        return self._backend.stop()

    @property
    def available(self) -> bool:
        """Whether the layer can be reached, as far as is known."""
        return self._backend.available

    def new_reply_channel(self) -> str:
        """Return the name of a new channel of this process, until :meth:`forget`."""
        channel = self.process_channel + _random_name(12)
        self._backend.channels.add(channel)
        return channel

    def forget(self, channel: str) -> None:
        """Take *channel*, whose connection is gone, out of all groups."""
        self._backend.channels.discard(channel)
        self._backend.forget(channel)

    def send(self, channel: str, message: Message, on_refused: OnRefused | None = None) -> None:
        """Queue *message* for *channel*; what one turn of the reactor queues leaves together, in order.

        *on_refused* is called later where the channel is full or Redis is away. That is counted in any case.
        """
        self._backend.send(channel, message, on_refused)

    def consumed(self, channel: str) -> bool:
        """Whether the project has a consumer for *channel*. Where its routing is not known: yes."""
        if channel not in self._consumed:
            self._consumed[channel] = _has_route(self._layer, channel)
        return self._consumed[channel]


def _random_name(length: int) -> str:
    # One call for all characters: this runs for every request.
    return secrets.token_bytes(length).translate(_NAME_CHARACTERS).decode("ascii")


def _has_route(channel_layer: Any, channel: str) -> bool:
    from channels import channel_layers

    for wrapper in channel_layers.backends.values():
        if wrapper is channel_layer or wrapper.channel_layer is channel_layer:
            return channel in wrapper.router.channels
    return True


class RedisBackend:
    """The link on our own channel layer: one connection that reads, one a shard that writes."""

    def __init__(self, layer: Layer, process_channel: str, receiver: Receiver) -> None:
        self._layer = layer
        self._receiver = receiver
        self.channels: set[str] = set()
        self._own = ReactorProcess(layer, process_channel, self._on_opened)
        self._process = self._own.process
        self._shards = [
            self._own.redis if index == self._process.shard else ReactorRedis(layer, index)
            for index in range(layer.ring_size)
        ]
        self._queued: dict[str, list[tuple[bytes, OnRefused | None]]] = {}
        self._gone: list[str] = []
        self._scheduled = False

    def start(self) -> defer.Deferred[None]:
        for shard in self._shards:
            if shard is not self._own.redis:
                shard.start()
        return self._own.start()

    def stop(self) -> defer.Deferred[None]:
        self._flush()
        # What is under way to the others is there when they have answered.
        answers: list[defer.Deferred[Any]] = [
            _answered(shard) for shard in self._shards if shard is not self._own.redis and shard.up
        ]

        def close(_: Any) -> None:
            for shard in self._shards:
                shard.stop()

        return defer.DeferredList([*answers, self._own.stop()]).addCallback(close)

    def flushed(self) -> defer.Deferred[bool]:
        self._flush()
        # A shard that is down refuses in the next turn.
        answers = [_answered(shard) for shard in self._shards if shard.up] or [task.deferLater(reactor, 0, bool, True)]
        return defer.gatherResults(answers, consumeErrors=True).addCallback(all)

    @property
    def available(self) -> bool:
        return self._own.redis.up

    # --- From the sockets to the workers ---

    def send(self, channel: str, message: Message, on_refused: OnRefused | None) -> None:
        name, item = self._layer.encode(channel, message)
        queued = self._queued.get(name)
        if queued is None:
            queued = self._queued[name] = []
        queued.append((item, on_refused))
        self._schedule()

    def forget(self, channel: str) -> None:
        self._gone.append(channel)
        self._schedule()

    def _schedule(self) -> None:
        if not self._scheduled:
            self._scheduled = True
            reactor.callLater(0, self._flush)

    def _flush(self) -> None:
        self._scheduled = False
        queued, self._queued = self._queued, {}
        gone, self._gone = self._gone, []
        if gone:
            self._own.tell(self._process.forget(gone))
        for index, queues in self._by_shard(queued).items():
            self._push(index, queues)

    def _by_shard(
        self, queued: dict[str, list[tuple[bytes, OnRefused | None]]]
    ) -> dict[int, dict[str, list[tuple[bytes, OnRefused | None]]]]:
        if len(self._shards) == 1:
            return {0: queued} if queued else {}
        # Ordinary channels are on every shard: any that is there will do.
        anywhere = next((index for index in self._layer.shards_in_turn() if self._shards[index].up), 0)
        shards: dict[int, dict[str, list[tuple[bytes, OnRefused | None]]]] = {}
        for name, pairs in queued.items():
            fixed = self._layer._fixed_shard(name)
            shards.setdefault(anywhere if fixed is None else fixed, {})[name] = pairs
        return shards

    def _push(self, index: int, queues: dict[str, list[tuple[bytes, OnRefused | None]]]) -> None:
        while queues:
            part = {name: pairs[:ITEMS_IN_A_CALL] for name, pairs in queues.items()}
            queues = {name: pairs[ITEMS_IN_A_CALL:] for name, pairs in queues.items() if pairs[ITEMS_IN_A_CALL:]}
            call = self._layer.send_call({name: [item for item, _ in pairs] for name, pairs in part.items()})
            self._shards[index].run(call, functools.partial(self._pushed, part))

    def _pushed(self, queues: dict[str, list[tuple[bytes, OnRefused | None]]], result: Any) -> None:
        if isinstance(result, Exception):
            for name, pairs in queues.items():
                self._layer.drops.add("messages while Redis was away", f"{name}: {result}", len(pairs))
                _refuse(pairs, Refusal.UNAVAILABLE)
            return
        for (name, pairs), accepted in zip(queues.items(), result, strict=True):
            if accepted < len(pairs):
                self._layer.drops.add("messages to full channels", name, len(pairs) - accepted)
                _refuse(pairs[accepted:], Refusal.FULL)

    # --- From the workers to the sockets ---

    def _on_opened(self, opened: list[Delivery | items.Item]) -> None:
        group = ""
        together: list[Message] = []
        for one in opened:
            if isinstance(one, Delivery) and one.group and one.group == group:
                together.append(one.message)
                continue
            # Something else comes between: who joins, leaves or is answered now does so after what came before.
            self._deliver_group(group, together)
            group, together = "", []
            if isinstance(one, items.Item):
                self._process.note(one)
                self._check_member(one)
            elif one.group:
                group, together = one.group, [one.message]
            else:
                self._deliver(one)
        self._deliver_group(group, together)

    def _check_member(self, item: items.Item) -> None:
        if item.kind == items.KEEP:
            if item.name not in self.channels:
                self._process.keepsakes.forget(item.name)
            return
        channel = item.body.decode("ascii", "replace")
        if item.kind == items.JOIN and channel not in self.channels:
            # The connection went while its consumer was adding it.
            self._own.tell(self._process.disown(item.name, channel))

    def _deliver(self, delivery: Delivery) -> None:
        try:
            self._receiver.deliver(delivery.channel, delivery.message)
        except Exception:
            logger.exception("error while %s was handed a message", delivery.channel)

    def _deliver_group(self, group: str, messages: list[Message]) -> None:
        channels = self._process.membership.members(group) if messages else ()
        if not channels:
            return
        try:
            self._receiver.deliver_group(channels, messages)
        except Exception:
            logger.exception("error while group %s was handed a message", group)


def _answered(shard: ReactorRedis) -> defer.Deferred[bool]:
    """Return what comes when *shard* has done all that it was told so far, or is lost, or, with False, in 2 s."""
    answered: defer.Deferred[bool] = defer.Deferred()

    def done(in_time: bool) -> None:
        if not answered.called:
            answered.callback(in_time)

    shard.execute((("PING",), lambda _: done(True)))
    reactor.callLater(FAREWELL, done, False)
    return answered


def _refuse(pairs: Sequence[tuple[bytes, OnRefused | None]], refusal: Refusal) -> None:
    for _, on_refused in pairs:
        if on_refused is not None:
            try:
                on_refused(refusal)
            except Exception:
                logger.exception("error while a refusal was handled")
