"""Signs of life of the workers, kept in the Redis of the channel layer.

Each ``runworker`` process writes a record every ``HEARTBEAT_INTERVAL`` seconds, and who has been silent for
``HEARTBEAT_EXPIRY`` seconds is gone. Times are Redis's own, so the clocks of the hosts need not agree.
The in-memory and IPC layers have no place for such records: for them every answer here is "not known".
"""

from __future__ import annotations

import atexit
import json
import logging
import os
import socket
import threading
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any

from channels_lts import conf

try:
    from redis import RedisError
except ImportError:  # A project on another layer: `supported` says no before anything here could raise one.

    class RedisError(Exception):  # type: ignore[no-redef]
        """Stands in where redis-py is not installed."""


logger = logging.getLogger(__name__)

_SHARD = 0


@dataclass(frozen=True)
class WorkerRecord:
    """A live worker process: where it runs, the channels it listens on, when it began (seconds, Redis's clock)."""

    host: str
    pid: int
    channels: tuple[str, ...]
    started: float

    @property
    def name(self) -> str:
        return f"{self.host}:{self.pid}"


def supported(channel_layer: Any) -> bool:
    """Whether *channel_layer* keeps records of workers: those on Redis do."""
    return hasattr(channel_layer, "connection") and hasattr(channel_layer, "stats_prefix")


def workers(channel_layer: Any) -> list[WorkerRecord] | None:
    """Return the live workers by name, or None where the layer keeps no records.

    Raises:
        redis.RedisError: Redis cannot be reached.
    """
    if not supported(channel_layer):
        return None
    connection = channel_layer.connection(_SHARD)
    now = _now(connection)
    live, dead = [], []
    for name, value in connection.hgetall(_key(channel_layer)).items():
        fields = json.loads(value)
        if now - fields.pop("seen") > conf.get("HEARTBEAT_EXPIRY"):
            dead.append(name)
        else:
            live.append(WorkerRecord(**{**fields, "channels": tuple(fields["channels"])}))
    if dead:
        connection.hdel(_key(channel_layer), *dead)
    return sorted(live, key=lambda worker: worker.name)


def unserved(live: list[WorkerRecord] | None, channels: Iterable[str]) -> list[str]:
    """Return those of *channels* that none of the *live* workers listens on; none where nothing is known (None).

    *live* is what :func:`workers` returned.
    """
    if live is None:
        return []
    served = {channel for worker in live for channel in worker.channels}
    return sorted(set(channels) - served)


def on_worker_process_ready(sender: Any, **kwargs: Any) -> None:
    """Begin the heartbeat of a worker: a receiver of Channels' ``worker_process_ready`` signal."""
    if supported(sender.channel_layer):
        Heartbeat(sender.channel_layer, sender.apply_channel_filters(sender.channel_layer.router.channels)).start()


class Heartbeat(threading.Thread):
    """Writes the record of this process until :meth:`retire` or the end of the process.

    Redis being away is logged once, as is its return; the beat goes on in between.
    """

    def __init__(self, channel_layer: Any, channels: Iterable[str]) -> None:
        super().__init__(name="heartbeat", daemon=True)
        self._layer = channel_layer
        self._channels = tuple(sorted(channels))
        self._started_at: float | None = None
        self._reachable = True
        self._stopped = threading.Event()
        self._name = f"{socket.gethostname()}:{os.getpid()}"

    def run(self) -> None:
        atexit.register(self.retire)
        while True:
            self._try_beat()
            if self._stopped.wait(conf.get("HEARTBEAT_INTERVAL")):
                return

    def retire(self) -> None:
        """Stop, and take the record away, so that nobody counts on this worker any more."""
        atexit.unregister(self.retire)
        self._stopped.set()
        # A beat under way would write the record again after we took it away.
        self.join(timeout=1)
        try:
            self._layer.connection(_SHARD).hdel(_key(self._layer), self._name)
        except RedisError as error:
            # The record expires by itself; a process that is ending has nothing better to do about it.
            logger.info("could not retire the record of this worker: %s", error)

    def _try_beat(self) -> None:
        try:
            self._beat()
        except RedisError as error:
            if self._reachable:
                logger.warning("no heartbeat, Redis is away: %s", error)
            self._reachable = False
        else:
            if not self._reachable:
                logger.info("heartbeat again, Redis is back")
            self._reachable = True

    def _beat(self) -> None:
        connection = self._layer.connection(_SHARD)
        now = _now(connection)
        self._started_at = self._started_at or now
        host, _, pid = self._name.rpartition(":")
        record = WorkerRecord(host, int(pid), self._channels, self._started_at)
        connection.hset(_key(self._layer), self._name, json.dumps({**asdict(record), "seen": now}))
        # The hash goes with the last worker, after a time in which a paused machine may come back.
        connection.expire(_key(self._layer), 86_400)


def _key(channel_layer: Any) -> str:
    return f"{channel_layer.stats_prefix}{channel_layer.prefix}workers"


def _now(connection: Any) -> float:
    seconds, microseconds = connection.time()
    return seconds + microseconds / 1_000_000
