"""The link on our own channel layer: what goes out together leaves together, and frames outlast a short outage."""

from __future__ import annotations

import functools
import logging
from collections.abc import Sequence
from typing import Any

from twisted.internet import defer, reactor, task

from channels_lts import conf
from channels_lts.exceptions import LayerUnavailable
from channels_lts.interface import held
from channels_lts.interface.held import Held, Pair
from channels_lts.interface.link import Message, OnRefused, Receiver, Refusal
from channels_lts.layer import items
from channels_lts.layer.batch import ITEMS_IN_A_CALL
from channels_lts.layer.process import Delivery
from channels_lts.layer.reactor import ReactorRedis
from channels_lts.layer.reactor_process import FAREWELL, ReactorProcess
from channels_lts.layer.redis import Layer

logger = logging.getLogger(__name__)

# Seconds between two looks whether what is held may leave.
_HELD_TICK = 0.2


class RedisBackend:
    """One connection that reads, one a shard that writes."""

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
        self._queued: dict[str, list[Pair]] = {}
        self._gone: list[str] = []
        self._held = Held(seconds=conf.get("HOLD_FRAMES"))
        self._looking = False
        self._scheduled = False

    def start(self) -> defer.Deferred[None]:
        for shard in self._shards:
            if shard is not self._own.redis:
                shard.start()
        return self._own.start()

    def stop(self) -> defer.Deferred[None]:
        self._flush()
        self._drop(held.CHANNEL, self._held.take(), "the server ends")
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
        if self._held and any(shard.up for shard in self._shards):
            # Before what came later.
            queued[held.CHANNEL] = self._held.take() + queued.get(held.CHANNEL, [])
        if gone:
            self._own.tell(self._process.forget(gone))
        for index, queues in self._by_shard(queued).items():
            self._push(index, queues)

    def _by_shard(self, queued: dict[str, list[Pair]]) -> dict[int, dict[str, list[Pair]]]:
        if len(self._shards) == 1:
            return {0: queued} if queued else {}
        # Ordinary channels are on every shard: any that is there will do.
        anywhere = next((index for index in self._layer.shards_in_turn() if self._shards[index].up), 0)
        shards: dict[int, dict[str, list[Pair]]] = {}
        for name, pairs in queued.items():
            fixed = self._layer._fixed_shard(name)
            shards.setdefault(anywhere if fixed is None else fixed, {})[name] = pairs
        return shards

    def _push(self, index: int, queues: dict[str, list[Pair]]) -> None:
        while queues:
            part = {name: pairs[:ITEMS_IN_A_CALL] for name, pairs in queues.items()}
            queues = {name: pairs[ITEMS_IN_A_CALL:] for name, pairs in queues.items() if pairs[ITEMS_IN_A_CALL:]}
            call = self._layer.send_call({name: [item for item, _ in pairs] for name, pairs in part.items()})
            self._shards[index].run(call, functools.partial(self._pushed, part))

    def _pushed(self, queues: dict[str, list[Pair]], result: Any) -> None:
        if isinstance(result, Exception):
            for name, pairs in queues.items():
                if name == held.CHANNEL and isinstance(result, LayerUnavailable) and result.not_done:
                    pairs = self._hold(pairs)
                self._drop(name, pairs, result)
            return
        for (name, pairs), accepted in zip(queues.items(), result, strict=True):
            if accepted < len(pairs):
                self._layer.drops.add("messages to full channels", name, len(pairs) - accepted)
                _refuse(pairs[accepted:], Refusal.FULL)

    def _hold(self, pairs: list[Pair]) -> list[Pair]:
        rest = self._held.add(pairs)
        if self._held and not self._looking:
            self._looking = True
            reactor.callLater(_HELD_TICK, self._look_after_held)
        return rest

    def _look_after_held(self) -> None:
        self._drop(held.CHANNEL, self._held.overdue(), "it did not come back in time")
        self._looking = bool(self._held)
        if self._looking:
            # It may be back.
            self._schedule()
            reactor.callLater(_HELD_TICK, self._look_after_held)

    def _drop(self, name: str, pairs: Sequence[Pair], why: object) -> None:
        if pairs:
            self._layer.drops.add("messages while Redis was away", f"{name}: {why}", len(pairs))
            _refuse(pairs, Refusal.UNAVAILABLE)

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


def _refuse(pairs: Sequence[Pair], refusal: Refusal) -> None:
    for _, on_refused in pairs:
        if on_refused is not None:
            try:
                on_refused(refusal)
            except Exception:
                logger.exception("error while a refusal was handled")
