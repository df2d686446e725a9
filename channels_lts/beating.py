"""The heartbeat of a process: a thread that writes its record, see :mod:`channels_lts.heartbeat`.

A consumer that is busy, or a reactor that stands still, does not stop it: the record then says so.
"""

from __future__ import annotations

import atexit
import json
import logging
import os
import socket
import threading
import time
from collections import deque
from typing import Any

from channels_lts import __version__, conf, heartbeat, memory
from channels_lts.activity import name_of

try:
    from redis import RedisError
except ImportError:  # A project on another layer: `supported` says no before anything here could raise one.

    class RedisError(Exception):  # type: ignore[no-redef]
        """Stands in where redis-py is not installed."""


logger = logging.getLogger(__name__)

#: The channel on which a project hears of interface servers that were killed, if its routing has a consumer for it.
GONE = "interface.gone"
# A paused machine may come back: the records stay for a day after the last beat of anybody. Seconds.
_LIFETIME = 86_400
# How often a thread looks whether something has to be said at once, and how long it waits after an error. Seconds.
_LOOK = 0.5
_AGAIN = 1.0
# Seconds that the end of a process waits for its heartbeat.
_FAREWELL = 0.5
# Seconds for which it is tried to tell the project that an interface server is gone.
_TELL = 60.0


class Heartbeat(threading.Thread):
    """Writes the record of this process until :meth:`retire` or the end of the process.

    Redis being away is logged once, as is its return; the beat goes on in between.
    """

    #: Of the record: ``workers`` or ``interfaces``.
    kind: str

    def __init__(self, channel_layer: Any, name: str) -> None:
        super().__init__(name="heartbeat", daemon=True)
        self._layer = channel_layer
        self._field = name
        self._began = time.monotonic()
        self._lately = _Lately()
        self._reachable = True
        self._retiring = False
        self._stopped = threading.Event()

    def describe(self) -> dict[str, Any]:
        """Return what this kind of process says of itself: fields of its record."""
        raise NotImplementedError

    def urgent(self) -> bool:
        """Whether the record has changed so that others should know at once."""
        return False

    def silence(self) -> float:
        """Return the seconds of silence after which this process declares an interface server gone; 0: it does not."""
        return 0

    def heard(self, gone: list[tuple[str, bytes]]) -> None:
        """Called after each beat with the interface servers whose records it took away: channel and record."""

    def run(self) -> None:
        while not self._stopped.is_set():
            interval = conf.get("HEARTBEAT_INTERVAL") if self._try_beat() else _AGAIN
            until = time.monotonic() + interval
            while (left := until - time.monotonic()) > 0 and not self.urgent():
                if self._stopped.wait(min(left, _LOOK)):
                    break
        if self._retiring:
            self._take_away()

    def stop(self) -> None:
        """Beat no more. The record stays until its time is over."""
        self._stopped.set()
        if self.is_alive():
            # No longer: a Redis that is silent must not hold up the end of the process.
            self.join(timeout=_FAREWELL)

    def retire(self) -> None:
        """Stop, and take the record away, so that nobody counts on this process any more."""
        self._retiring = True
        self.stop()

    def _take_away(self) -> None:
        try:
            self._layer.connection(heartbeat.SHARD).hdel(heartbeat.key(self._layer, self.kind), self._field)
        except (RedisError, OSError) as error:
            # The record expires by itself; a process that is ending has nothing better to do about it.
            logger.info("could not retire the record of this process: %s", error)

    def _try_beat(self) -> bool:
        try:
            self._beat()
        except (RedisError, OSError) as error:
            if self._reachable:
                logger.warning("no heartbeat, Redis is away: %s", error)
            self._reachable = False
            return False
        except Exception:
            # The last beat would be the end of all that hangs on it.
            logger.exception("error in the heartbeat")
            return False
        if not self._reachable:
            logger.info("heartbeat again, Redis is back")
        self._reachable = True
        return True

    def _beat(self) -> None:
        # Here: a project on another layer has no redis-py to import.
        from channels_lts.layer import scripts

        layer, silence = self._layer, self.silence()
        interval, expiry = conf.get("HEARTBEAT_INTERVAL"), conf.get("PROCESS_EXPIRY")
        keys = [heartbeat.key(layer, kind) for kind in (self.kind, "interfaces", "beats")]
        arguments = [self._field, self._record(), _LIFETIME, max(1.5 * interval, expiry / 2), silence]
        flat = scripts.run(layer.connection(heartbeat.SHARD), scripts.Call(scripts.BEAT, keys, arguments))
        self.heard([(name.decode(), value) for name, value in zip(flat[::2], flat[1::2], strict=True)])

    def _record(self) -> str:
        drops = self._layer.drops.totals() if hasattr(self._layer, "drops") else {}
        record = {
            "host": socket.gethostname(),
            "pid": os.getpid(),
            "process": os.environ.get("SUPERVISOR_PROCESS_NAME", ""),
            "up": round(time.monotonic() - self._began, 3),
            "memory": memory.resident(),
            "drops": drops,
            "dropped_lately": self._lately.since_a_minute(sum(drops.values())),
            "version": __version__,
        }
        return json.dumps({**record, **self.describe()})


class WorkerHeartbeat(Heartbeat):
    """The heartbeat of a worker. It also finds interface servers that were killed, and tells the project.

    *worker* may be a stock one, of which less is known.
    """

    kind = "workers"

    def __init__(self, worker: Any) -> None:
        super().__init__(worker.channel_layer, f"{socket.gethostname()}:{os.getpid()}")
        self._worker = worker
        self._channels = sorted(worker.apply_channel_filters(worker.channel_layer.router.channels))
        self._said_ending = False
        # Interface servers that the project has not been told of yet, and until when that is tried.
        self._untold: deque[tuple[str, float]] = deque()

    def run(self) -> None:
        atexit.register(self.retire)
        super().run()

    def retire(self) -> None:
        atexit.unregister(self.retire)
        super().retire()

    def urgent(self) -> bool:
        return bool(getattr(self._worker, "termed", False)) != self._said_ending

    def silence(self) -> float:
        return conf.get("PROCESS_EXPIRY")

    def describe(self) -> dict[str, Any]:
        worker = self._worker
        self._said_ending = bool(getattr(worker, "termed", False))
        said: dict[str, Any] = {
            "channels": self._channels,
            "pool": pool(worker.only_channels, worker.exclude_channels),
            "threads": getattr(worker, "n_threads", 1),
            "ending": self._said_ending,
        }
        activity = getattr(worker, "activity", None)
        if activity is not None:
            running = activity.running()
            said |= {"running": len(running), "counts": activity.counts()}
            if running:
                longest = running[0]
                said["busy_for"] = round(time.monotonic() - longest.began, 3)
                said["consumer"], said["channel"] = name_of(longest.consumer), longest.channel
        return said

    def heard(self, gone: list[tuple[str, bytes]]) -> None:
        for channel, value in gone:
            logger.warning("interface server %s is gone without a word", _described(channel, value))
            if GONE in self._layer.router.channels:
                self._untold.append((channel, time.monotonic() + _TELL))
        while self._untold:
            channel, until = self._untold[0]
            try:
                self._layer.send(GONE, {"process": channel})
            except Exception as error:  # whatever a layer raises: ChannelFull, or its client library's errors
                if time.monotonic() < until:
                    return
                logger.error("could not tell on %s that %s is gone: %s", GONE, channel, error)
            self._untold.popleft()


def pool(only: list[str] | None, exclude: list[str] | None) -> str:
    """Return the channel filters of a worker as text: ``http.*``, ``not http.*, websocket.*``, or ``all``."""
    without = f"not {', '.join(exclude)}" if exclude else ""
    return " ".join(part for part in (", ".join(only or ()), without) if part) or "all"


def on_worker_process_ready(sender: Any, **kwargs: Any) -> None:
    """Begin the heartbeat of a worker: a receiver of Channels' ``worker_process_ready`` signal."""
    if heartbeat.supported(sender.channel_layer):
        WorkerHeartbeat(sender).start()


class _Lately:
    """How far a count went up within the last minute."""

    def __init__(self) -> None:
        self._earlier: deque[tuple[float, int]] = deque()

    def since_a_minute(self, total: int) -> int:
        now = time.monotonic()
        self._earlier.append((now, total))
        # The last one that is older stays: what was added since it is of the last minute.
        while len(self._earlier) > 1 and self._earlier[1][0] <= now - 60:
            self._earlier.popleft()
        # A process begins with nothing dropped.
        before = self._earlier[0][1] if self._earlier[0][0] <= now - 60 else 0
        return total - before


def _described(channel: str, value: bytes) -> str:
    try:
        record = heartbeat.load(heartbeat.InterfaceRecord, value)
    except ValueError:
        return channel
    return f"{channel} (process {record.pid} on {record.host}, {record.sockets} sockets)"
