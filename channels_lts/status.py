"""The state of a channel layer: who serves it, what waits on it, how much goes through it, and what is wrong.

Data only: ``manage.py channelstatus`` shows it. Nothing here takes a message or looks at more than a bounded number of
keys.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from typing import Any

from redis.exceptions import ResponseError

from channels_lts import heartbeat, rates
from channels_lts.exceptions import ChannelsLTSError
from channels_lts.heartbeat import InterfaceRecord, WorkerRecord
from channels_lts.layer.redis import Layer, escaped
from channels_lts.layer.shards import UNAVAILABLE, describe, is_unavailable

# Channels that every project has, whatever its routing says: runworker gives them consumers.
_ALWAYS_ROUTED = ("http.request", "websocket.connect", "websocket.receive")
# Keys that one look at one Redis passes at most, in steps of so many.
_KEYS = 50_000
_KEYS_AT_ONCE = 1000
# Of the queues with one reader: how many are looked at closely, the longest first.
_CLOSELY = 20


class StatusUnknown(ChannelsLTSError):
    """Raised when nothing can be known: the layer keeps no records, or no Redis of it can be reached."""


@dataclass(frozen=True)
class Redis:
    """One Redis of the layer."""

    name: str
    reachable: bool


@dataclass(frozen=True)
class Queue:
    """What waits for one reader, or for any of several workers."""

    channel: str
    #: Messages that wait, and how many may: on all Redis servers together.
    length: int
    capacity: int
    #: Seconds that the message waits that is next. None: none waits, or it is not known.
    oldest: float | None = None
    #: Messages sent and refused, since the counters began; None: not looked at.
    sent: int | None = None
    refused: int | None = None
    #: The same a second, since the status before. None: there is none.
    sent_per_second: float | None = None
    refused_per_second: float | None = None
    #: Workers that listen on it. None: it belongs to one process, or no workers are known.
    workers: int | None = None


@dataclass(frozen=True)
class Problem:
    """Something that is wrong: its *kind*, what it is about, and both in a sentence."""

    kind: str
    subject: str
    text: str


@dataclass(frozen=True)
class Status:
    """The state of a channel layer at one time."""

    layer: str
    #: When it was read: seconds since 1970 by the clock of Redis.
    at: float
    redis: list[Redis]
    #: None: they cannot be had, since the Redis that keeps the records is away.
    interfaces: list[InterfaceRecord] | None
    workers: list[WorkerRecord] | None
    #: Processes that announce themselves and keep no record, such as stock Daphne.
    others: list[str]
    #: The queues of channels that workers read, and of one process or reader each.
    queues: list[Queue]
    single: list[Queue]
    #: Whether all keys were looked at; else there may be more queues.
    complete: bool
    #: Messages of all channels together: see :class:`Queue`.
    sent: int
    refused: int
    sent_per_second: float | None = None
    refused_per_second: float | None = None
    #: How often somebody was told that they are too fast, by kind: of the last day or so.
    throttled: dict[str, int] = field(default_factory=dict)
    #: Channels that have a consumer.
    routed: list[str] = field(default_factory=list)
    #: Whether every interface server on this layer is known: on ours each announces itself.
    announces: bool = True
    problems: list[Problem] = field(default_factory=list)

    def as_json(self) -> dict[str, Any]:
        """Return the same as what JSON can hold, with the keys that docs/status.md lists."""
        document = asdict(self)
        # How we know, not what.
        del document["announces"]
        return document


def read(channel_layer: Any, earlier: Status | None = None) -> Status:
    """Return the status of *channel_layer* (of ``channels.channel_layers``), with rates since *earlier*.

    Raises:
        StatusUnknown: it keeps no records, or none of its Redis servers can be reached.
    """
    from channels_lts.status_problems import problems

    if not heartbeat.supported(channel_layer):
        raise StatusUnknown(f"channel layer {channel_layer.alias} keeps no records: it is not on Redis")
    try:
        status = _Reader(channel_layer, earlier).read()
    except Exception as error:
        if is_unavailable(error):
            raise StatusUnknown(f"Redis was lost: {error}") from error
        raise
    status.problems.extend(problems(status))
    return status


class _Reader:
    def __init__(self, channel_layer: Any, earlier: Status | None) -> None:
        self._layer = channel_layer
        self._earlier = earlier
        self._seconds = 0.0
        self._reachable: set[int] = set()
        self._workers: list[WorkerRecord] | None = None

    def read(self) -> Status:
        layer, earlier = self._layer, self._earlier
        redis, at = self._ask_each()
        self._seconds = at - earlier.at if earlier else 0.0
        interfaces = None
        if heartbeat.SHARD in self._reachable:
            interfaces, self._workers = heartbeat.interfaces(layer), heartbeat.workers(layer)
        routed = sorted({*layer.router.channels, *_ALWAYS_ROUTED})
        found, announced, complete = self._look()
        processes = {interface.channel for interface in interfaces or ()}
        single = {name for name in found if _is_single(name)} | processes | announced
        sent, refused = self._counts()
        return Status(
            layer=layer.alias,
            at=at,
            redis=redis,
            interfaces=interfaces,
            workers=self._workers,
            others=sorted(announced - processes) if interfaces is not None else [],
            queues=[self._queue(name) for name in sorted({*routed, *(found - single)})],
            single=self._single(single),
            complete=complete,
            sent=sent,
            refused=refused,
            sent_per_second=self._rate(sent, earlier.sent if earlier else None),
            refused_per_second=self._rate(refused, earlier.refused if earlier else None),
            throttled=rates.counted(layer),
            routed=routed,
            announces=isinstance(self._own_layer, Layer),
        )

    def _ask_each(self) -> tuple[list[Redis], float]:
        """Return which Redis servers answer, and the time of the first of them."""
        answers, at, failure = [], None, ""
        for index in range(self._layer.ring_size):
            connection = self._layer.connection(index)
            shards = getattr(self._layer, "shards", None)
            name = shards[index].name if shards else describe(connection.connection_pool.connection_kwargs)
            try:
                seconds, microseconds = connection.time()
            except (*UNAVAILABLE, ResponseError) as error:
                failure = failure or f"{name} cannot be reached: {error}"
                answers.append(Redis(name, False))
            else:
                at = at or seconds + microseconds / 1_000_000
                self._reachable.add(index)
                answers.append(Redis(name, True))
        if at is None:
            raise StatusUnknown(failure)
        return answers, at

    # --- Queues ---

    def _look(self) -> tuple[set[str], set[str], bool]:
        """Return the names of the queues that are not empty, of announced processes, and whether that is all."""
        queues: set[str] = set()
        processes: set[str] = set()
        complete = True
        for index in self._reachable:
            found, all_of_them = self._scan(index, self._layer.prefix, "list")
            queues |= found
            complete = complete and all_of_them
            if isinstance(self._own_layer, Layer):
                found, all_of_them = self._scan(index, self._own_layer.process_key(""), "string")
                processes |= found
                complete = complete and all_of_them
        return queues, processes, complete

    @property
    def _own_layer(self) -> Any:
        """Return the layer itself, without Channels' wrapper."""
        return getattr(self._layer, "channel_layer", self._layer)

    def _scan(self, index: int, prefix: str, kind: str) -> tuple[set[str], bool]:
        """Return what stands behind *prefix* in the names of keys of one type, and whether all keys were seen."""
        connection = self._layer.connection(index)
        names: set[str] = set()
        cursor = 0
        for _ in range(_KEYS // _KEYS_AT_ONCE):
            try:
                cursor, keys = connection.execute_command(
                    "SCAN", cursor, "MATCH", escaped(prefix) + "*", "COUNT", _KEYS_AT_ONCE, "TYPE", kind
                )
            except ResponseError:
                # Redis before 6 knows no TYPE; stock layers run on it.
                return names, False
            tails = (key.decode("ascii", "replace")[len(prefix) :] for key in keys)
            # Another layer's prefix may begin with ours. No name of a channel holds a colon.
            names.update(tail for tail in tails if ":" not in tail)
            if int(cursor) == 0:
                return names, True
        return names, False

    def _queue(self, name: str) -> Queue:
        layer = self._layer
        statistics = self._statistics(name)
        length = int(statistics[layer.STAT_MESSAGES_PENDING])
        sent, refused = int(statistics[layer.STAT_MESSAGES_COUNT]), int(statistics[layer.STAT_CHANNEL_FULL])
        before = next((queue for queue in self._before if queue.channel == name), None)
        listening = None
        if self._workers is not None and not _is_single(name):
            listening = sum(name in worker.channels for worker in self._workers if not worker.ending)
        return Queue(
            channel=name,
            length=length,
            capacity=layer.get_capacity(name) * (1 if _is_single(name) else len(self._reachable)),
            oldest=round(float(statistics[layer.STAT_MESSAGES_MAX_AGE]), 1) if length else None,
            sent=sent,
            refused=refused,
            sent_per_second=self._rate(sent, before.sent if before else None),
            refused_per_second=self._rate(refused, before.refused if before else None),
            workers=listening,
        )

    @property
    def _before(self) -> Iterable[Queue]:
        return (*self._earlier.queues, *self._earlier.single) if self._earlier else ()

    def _single(self, names: Iterable[str]) -> list[Queue]:
        """Return the queues *names* of one reader each, the longest first; only these are looked at closely."""
        by_shard: dict[int, list[str]] = {}
        for name in names:
            by_shard.setdefault(self._layer.consistent_hash(name), []).append(name)
        lengths: dict[str, int] = {}
        for index in by_shard.keys() & self._reachable:
            pipeline = self._layer.connection(index).pipeline(transaction=False)
            for name in by_shard[index]:
                pipeline.llen(self._layer.prefix + name)
            lengths.update(zip(by_shard[index], pipeline.execute(), strict=True))
        ordered = sorted(lengths, key=lambda name: (-lengths[name], name))
        closely = [self._queue(name) for name in ordered[:_CLOSELY]]
        return closely + [Queue(name, lengths[name], self._layer.get_capacity(name)) for name in ordered[_CLOSELY:]]

    # --- Counters ---

    def _statistics(self, name: str) -> dict[str, float]:
        layer = self._own_layer
        if isinstance(layer, Layer):
            return layer.channel_statistics(name, only=self._reachable)
        # asgi_redis's public method asks all servers, also those that are away.
        fixed = layer.consistent_hash(name) if _is_single(name) else None
        shards = [index for index in sorted(self._reachable) if fixed in (None, index)]
        return layer._count_channel_stats(name, [layer.connection(index) for index in shards])

    def _counts(self) -> tuple[int, int]:
        layer = self._own_layer
        if isinstance(layer, Layer):
            counts = layer.global_statistics(only=self._reachable)
        else:
            counts = layer._count_global_stats([layer.connection(index) for index in sorted(self._reachable)])
        return counts[layer.STAT_MESSAGES_COUNT], counts[layer.STAT_CHANNEL_FULL]

    def _rate(self, now: int, before: int | None) -> float | None:
        if before is None or self._seconds <= 0:
            return None
        # Counters that expired meanwhile began again.
        return round((now - before if now >= before else now) / self._seconds, 1)


def _is_single(name: str) -> bool:
    return "!" in name or "?" in name
