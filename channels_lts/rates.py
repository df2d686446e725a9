"""Rates: who does something too often is told when it may be tried again. Token buckets beside the channel layer.

    retry_after_ms = rates.take([("send:u1", Rate(2, burst=100)), ("send:room-7", Rate(100, burst=1000))], kind="send")

All processes on one Redis share the buckets; on a layer in memory the process has its own. See docs/limits.md.
"""

from __future__ import annotations

import itertools
import logging
import math
import threading
import time
from collections import Counter
from collections.abc import Sequence
from typing import Any, NamedTuple, Protocol

from channels_lts import beside
from channels_lts.exceptions import LayerUnavailable

__all__ = ["Bucket", "Rate", "counted", "refusals", "take", "take_each"]

logger = logging.getLogger(__name__)

# Seconds for which a Redis that was away is not asked again: nobody is to wait for its time limit with each message.
_AWAY = 1.0
# Buckets in memory, after which those that are full are forgotten.
_MANY = 10_000


class Rate(NamedTuple):
    """*amount* in *per* seconds, evenly, and up to *burst* at once after a pause. All are above 0."""

    amount: float
    per: float = 1.0
    burst: float = 1.0

    @property
    def token_ms(self) -> float:
        """Milliseconds in which one token comes back."""
        return 1000 * self.per / self.amount


class Bucket(NamedTuple):
    """What is counted under *name* at *rate*, and how much of it is asked for now."""

    name: str
    rate: Rate
    amount: float = 1.0


Asked = Bucket | tuple[str, Rate] | tuple[str, Rate, float]


class Place(Protocol):
    """Keeps the buckets of one channel layer. Both methods may raise LayerUnavailable."""

    def take_each(self, kind: str, asked: Sequence[Sequence[Bucket]]) -> list[int]: ...

    def refusals(self) -> dict[str, int]: ...


def take(buckets: Sequence[Asked], *, kind: str = "", layer: Any = None) -> int:
    """Take from all of *buckets*, or from none; returns 0, or the milliseconds after which all of it could be had.

    Costs one round trip to Redis, whatever the number of buckets. A refusal is counted under *kind*, one of a few fixed
    words, or not at all under none. Buckets are those of *layer*, by default the default channel layer. Whoever asks
    again before the time has passed is refused again, but waits no longer for it.

    Where nothing can be decided, everything is granted, and that is logged once: Redis is away, or the layer is of
    several processes without Redis.

    Raises:
        ValueError: a bucket is asked for more than it ever holds.
    """
    return take_each([buckets], kind=kind, layer=layer)[0]


def take_each(asked: Sequence[Sequence[Asked]], *, kind: str = "", layer: Any = None) -> list[int]:
    """Do what :func:`take` does for each list of buckets in *asked*, in their order, in one round trip for all."""
    wanted = [[Bucket(*bucket) for bucket in buckets] for buckets in asked]
    for name, rate, amount in itertools.chain.from_iterable(wanted):
        if amount > rate.burst:
            raise ValueError(f"bucket {name!r} holds {rate.burst:g}, and is asked for {amount:g}")
    granted = [0] * len(wanted)
    place = _place(layer)
    if place is None or not any(wanted) or not _guard.open():
        return granted
    try:
        waits = place.take_each(kind, [buckets for buckets in wanted if buckets])
    except LayerUnavailable as error:
        _guard.lost(error)
        return granted
    _guard.back()
    found = iter(waits)
    return [next(found) if buckets else 0 for buckets in wanted]


def refusals(layer: Any = None) -> dict[str, int]:
    """Return how often was refused in the last day or so, by kind; nothing where nothing is counted.

    Raises:
        LayerUnavailable: Redis cannot be reached.
    """
    place = _place(layer)
    return place.refusals() if place is not None else {}


def counted(layer: Any) -> dict[str, int]:
    """Return what :func:`refusals` does; nothing where Redis is away."""
    try:
        return refusals(layer)
    except LayerUnavailable:
        return {}


class InMemory:
    """For the layers of one process: ``runserver`` and tests."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        # Name to the time (ms) at which the bucket is full again.
        self._full: dict[str, float] = {}
        self._refused: Counter[str] = Counter()

    def _take(self, kind: str, buckets: Sequence[Bucket]) -> int:
        now = time.monotonic() * 1000
        with self._lock:
            wait = 0.0
            full: dict[str, float] = {}
            for name, rate, amount in buckets:
                size = rate.burst * rate.token_ms
                before = min(max(full.get(name, self._full.get(name, 0.0)), now), now + size)
                full[name] = before + amount * rate.token_ms
                wait = max(wait, full[name] - size - now)
            # Less than that is rounding.
            if wait > 0.01:
                if kind:
                    self._refused[kind] += 1
                return math.ceil(wait)
            self._full.update(full)
            if len(self._full) > _MANY:
                self._full = {name: until for name, until in self._full.items() if until > now}
            return 0

    def take_each(self, kind: str, asked: Sequence[Sequence[Bucket]]) -> list[int]:
        return [self._take(kind, buckets) for buckets in asked]

    def refusals(self) -> dict[str, int]:
        with self._lock:
            return dict(self._refused)


class _Guard:
    """Whether to ask Redis at all, and the line in the log where that changes. Used from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._away_until = float("-inf")
        self._lost = False
        self._told: set[str] = set()

    def open(self) -> bool:
        return time.monotonic() >= self._away_until

    def lost(self, error: object) -> None:
        with self._lock:
            told, self._lost = self._lost, True
            self._away_until = time.monotonic() + _AWAY
        if not told:
            logger.warning("rates do not count, and nobody is refused: %s", error)

    def back(self) -> None:
        if not self._lost:
            return
        with self._lock:
            lost, self._lost = self._lost, False
        if lost:
            logger.info("rates count again")

    def without(self, layer: Any) -> None:
        """Note that *layer* has no place for buckets."""
        name = type(beside.bare(layer)).__name__
        with self._lock:
            if name in self._told:
                return
            self._told.add(name)
        logger.warning("rates do not count, and nobody is refused: %s has no Redis", name)


def _place(layer: Any) -> Place | None:
    if layer is None:
        from channels import DEFAULT_CHANNEL_LAYER, channel_layers

        layer = channel_layers[DEFAULT_CHANNEL_LAYER]
    found = _places.of(layer)
    if found is None:
        _guard.without(layer)
    return found


def _in_redis(layer: Any) -> Place:
    from channels_lts.layer.rates import InRedis

    return InRedis(layer)


_guard = _Guard()
_places: beside.PerLayer[Place] = beside.PerLayer(_in_redis, InMemory)
