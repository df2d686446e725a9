"""Signs of life of workers and interface servers, kept in the Redis of the channel layer: what they say, and who lives.

Each process writes a record every ``HEARTBEAT_INTERVAL`` seconds (:mod:`channels_lts.beating`). A worker that has been
silent for ``HEARTBEAT_EXPIRY`` seconds is gone, an interface server after ``PROCESS_EXPIRY``. Times are seconds since
1970 by Redis's own clock, so the clocks of the hosts need not agree.
The in-memory and IPC layers have no place for such records: for them every answer here is "not known".
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, field, fields
from typing import Any, TypeVar

from channels_lts import conf

#: All records are on this shard, however many there are.
SHARD = 0


@dataclass(frozen=True)
class WorkerRecord:
    """A live worker process: where it runs, the channels it listens on, when it began, and what it does."""

    host: str
    pid: int
    channels: tuple[str, ...]
    started: float
    #: What it was told to listen on: "http.*", "not http.*, websocket.*", or "all".
    pool: str = ""
    #: The name that supervisor has for it, if it is run by one.
    process: str = ""
    threads: int = 1
    #: How many consumers run now. None: it does not say, as a stock worker.
    running: int | None = None
    #: Of those the longest: since when it runs, what it is, and the channel of its message. None: nothing runs.
    busy_since: float | None = None
    consumer: str = ""
    channel: str = ""
    #: It was told to end, finishes what it has begun, and listens on nothing any more.
    ending: bool = False
    #: What happened since it began, by name.
    counts: dict[str, int] = field(default_factory=dict)
    #: Bytes of resident memory.
    memory: int = 0
    #: What its channel layer dropped since it began, by reason, and how many that were in the last minute.
    drops: dict[str, int] = field(default_factory=dict)
    dropped_lately: int = 0
    version: str = ""
    #: When it beat last.
    seen: float = 0.0

    @property
    def name(self) -> str:
        return f"{self.host}:{self.pid}"

    @property
    def busy_for(self) -> float:
        """Seconds that the longest consumer ran when the worker beat last; what happened since then nobody knows."""
        return 0.0 if self.busy_since is None else self.seen - self.busy_since


@dataclass(frozen=True)
class InterfaceRecord:
    """A live interface server: where it runs, the channel that leads to it, when it began, and what it holds."""

    host: str
    pid: int
    #: ``daphne.response.abc!``: what the reply channels of its connections begin with.
    channel: str
    started: float
    process: str = ""
    #: Open WebSockets, and HTTP requests without a whole answer.
    sockets: int = 0
    requests: int = 0
    draining: bool = False
    #: Seconds since its reactor last turned: about one, unless something blocks it.
    stalled: float = 0.0
    counts: dict[str, int] = field(default_factory=dict)
    memory: int = 0
    drops: dict[str, int] = field(default_factory=dict)
    dropped_lately: int = 0
    version: str = ""
    seen: float = 0.0

    @property
    def name(self) -> str:
        return f"{self.host}:{self.pid}"


Record = TypeVar("Record", WorkerRecord, InterfaceRecord)


def supported(channel_layer: Any) -> bool:
    """Whether *channel_layer* keeps records: those on Redis do."""
    return hasattr(channel_layer, "connection") and hasattr(channel_layer, "stats_prefix")


def workers(channel_layer: Any) -> list[WorkerRecord] | None:
    """Return the live workers by name, or None where the layer keeps no records.

    Raises:
        redis.RedisError: Redis cannot be reached.
    """
    if not supported(channel_layer):
        return None
    live, dead = _read(channel_layer, WorkerRecord, "workers", conf.get("HEARTBEAT_EXPIRY"))
    if dead:
        channel_layer.connection(SHARD).hdel(key(channel_layer, "workers"), *dead)
    return sorted(live, key=lambda worker: worker.name)


def interfaces(channel_layer: Any) -> list[InterfaceRecord] | None:
    """Return the live interface servers by name, or None where the layer keeps no records. Stock Daphne makes none.

    Raises:
        redis.RedisError: Redis cannot be reached.
    """
    if not supported(channel_layer):
        return None
    # The records of those that are gone are for the workers to take: one of them tells the project.
    live, _ = _read(channel_layer, InterfaceRecord, "interfaces", conf.get("PROCESS_EXPIRY"))
    return sorted(live, key=lambda interface: interface.name)


def unserved(live: list[WorkerRecord] | None, channels: Iterable[str]) -> list[str]:
    """Return those of *channels* that none of the *live* workers listens on; none where nothing is known (None).

    *live* is what :func:`workers` returned.
    """
    if live is None:
        return []
    served = {channel for worker in live if not worker.ending for channel in worker.channels}
    return sorted(set(channels) - served)


def key(channel_layer: Any, kind: str) -> str:
    """Return the key of the hash of all records of a *kind*: ``workers`` or ``interfaces``."""
    return f"{channel_layer.stats_prefix}{channel_layer.prefix}{kind}"


def load(kind: type[Record], value: bytes) -> Record:
    """Return the record in *value*; what a newer version added is left out, what an older one lacks is as by default.

    A process knows by its own clock how long something has lasted; since when that is follows from Redis's time of the
    record.

    Raises:
        ValueError: it is no record.
    """
    said = json.loads(value)
    try:
        for ago, since in (("up", "started"), ("busy_for", "busy_since")):
            if said.get(ago) is not None:
                said[since] = round(said["seen"] - said[ago], 3)
        if "channels" in said:
            said["channels"] = tuple(said["channels"])
        known = {one.name for one in fields(kind)}
        return kind(**{name: value for name, value in said.items() if name in known})
    except (AttributeError, KeyError, TypeError) as error:
        raise ValueError(f"no record: {value[:80]!r}") from error


def _read(channel_layer: Any, kind: type[Record], name: str, expiry: float) -> tuple[list[Record], list[bytes]]:
    """Return the records of those that live, and the names of those that do not."""
    connection = channel_layer.connection(SHARD)
    seconds, microseconds = connection.time()
    now = seconds + microseconds / 1_000_000
    live, dead = [], []
    for field_name, value in connection.hgetall(key(channel_layer, name)).items():
        try:
            record = load(kind, value)
        except ValueError:
            dead.append(field_name)
            continue
        if now - record.seen > expiry:
            dead.append(field_name)
        else:
            live.append(record)
    return live, dead
