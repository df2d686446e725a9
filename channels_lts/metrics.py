"""The status of a channel layer as Prometheus metrics.

Every figure is read from Redis when it is asked for, so any process may be scraped, and one is enough: all of them
would say the same. ``render(channel_layers["default"])`` is what ``GET /metrics`` answers with.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, TypeVar

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric

from channels_lts import status_problems
from channels_lts.heartbeat import InterfaceRecord, WorkerRecord
from channels_lts.status import Status, StatusUnknown, read

#: What :func:`render` returns, for the header Content-Type.
CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"

#: Name -> (kind, what it is, labels). Counters end in ``_total`` on the wire.
METRICS: dict[str, tuple[type[GaugeMetricFamily | CounterMetricFamily], str, tuple[str, ...]]] = {
    "channels_up": (GaugeMetricFamily, "Whether anything is known: 0 where no Redis can be reached", ()),
    "channels_redis_up": (GaugeMetricFamily, "Whether a Redis of the layer answers", ("redis",)),
    "channels_problems": (GaugeMetricFamily, "Problems, as channelstatus names them", ("kind",)),
    "channels_messages_sent": (
        CounterMetricFamily,
        "Messages sent on all channels",
        (),
    ),
    "channels_messages_refused": (CounterMetricFamily, "Messages refused, since their queue was full", ()),
    "channels_queue_length": (GaugeMetricFamily, "Messages that wait", ("channel",)),
    "channels_queue_capacity": (GaugeMetricFamily, "Messages that may wait", ("channel",)),
    "channels_queue_oldest_seconds": (GaugeMetricFamily, "How long the next message has waited", ("channel",)),
    "channels_queue_workers": (GaugeMetricFamily, "Workers that listen", ("channel",)),
    "channels_queue_sent": (CounterMetricFamily, "Messages sent", ("channel",)),
    "channels_queue_refused": (CounterMetricFamily, "Messages refused", ("channel",)),
    "channels_reply_queues": (GaugeMetricFamily, "Queues with one reader, as interface servers have", ()),
    "channels_reply_queues_length": (GaugeMetricFamily, "Messages that wait in them, together", ()),
    "channels_reply_queues_longest": (GaugeMetricFamily, "Messages that wait in the longest of them", ()),
    "channels_interface_sockets": (GaugeMetricFamily, "Open WebSockets", ("process",)),
    "channels_interface_requests": (GaugeMetricFamily, "HTTP requests without a whole answer", ("process",)),
    "channels_interface_draining": (GaugeMetricFamily, "Whether it is ending", ("process",)),
    "channels_interface_stalled_seconds": (GaugeMetricFamily, "Seconds since its reactor last turned", ("process",)),
    "channels_interface_events": (CounterMetricFamily, "The interface server's counters", ("process", "event")),
    "channels_worker_running": (GaugeMetricFamily, "Consumers that run now", ("process", "pool")),
    "channels_worker_busy_seconds": (GaugeMetricFamily, "How long the longest of them has run", ("process", "pool")),
    "channels_worker_ending": (GaugeMetricFamily, "Whether it was told to end", ("process", "pool")),
    "channels_worker_events": (CounterMetricFamily, "The worker's counters", ("process", "pool", "event")),
    "channels_process_memory_bytes": (GaugeMetricFamily, "Resident memory", ("process",)),
    "channels_process_start_time_seconds": (GaugeMetricFamily, "When it began, since 1970", ("process",)),
    "channels_process_dropped": (CounterMetricFamily, "Messages that it dropped", ("process", "reason")),
}

Record = TypeVar("Record", InterfaceRecord, WorkerRecord)
Sample = tuple[str, tuple[str, ...], float | None]


def render(channel_layer: Any) -> bytes:
    """Return the metrics of *channel_layer* in Prometheus' text format.

    Where nothing can be known, which is so on layers that are not on Redis too, that is ``channels_up 0`` and no more.
    """
    registry = CollectorRegistry()
    registry.register(_Collector(channel_layer))
    return generate_latest(registry)


class _Collector:
    def __init__(self, channel_layer: Any) -> None:
        self._layer = channel_layer

    def describe(self) -> list[Metric]:
        # Empty, or registering it would collect once for nothing.
        return []

    def collect(self) -> Iterator[Metric]:
        try:
            status = read(self._layer)
        except StatusUnknown:
            yield _family("channels_up", [("channels_up", (), 0)])
            return
        found: dict[str, list[Sample]] = {}
        for sample in _samples(status):
            if sample[2] is not None:
                found.setdefault(sample[0], []).append(sample)
        for name, samples in found.items():
            yield _family(name, samples)


def _family(name: str, samples: list[Sample]) -> Metric:
    kind, text, labels = METRICS[name]
    family = kind(name, text, labels=labels)
    for _, values, number in samples:
        family.add_metric(values, number or 0)
    return family


def _samples(status: Status) -> Iterator[Sample]:
    yield "channels_up", (), 1
    for redis in status.redis:
        yield "channels_redis_up", (redis.name,), redis.reachable
    kinds = [problem.kind for problem in status.problems]
    for kind in status_problems.KINDS:
        yield "channels_problems", (kind,), kinds.count(kind)
    yield "channels_messages_sent", (), status.sent
    yield "channels_messages_refused", (), status.refused
    yield from _of_queues(status)
    for interface in _newest(status.interfaces):
        yield from _of_interface(interface)
    for worker in _newest(status.workers):
        yield from _of_worker(worker)


def _of_queues(status: Status) -> Iterator[Sample]:
    for queue in status.queues:
        channel = (queue.channel,)
        yield "channels_queue_length", channel, queue.length
        yield "channels_queue_capacity", channel, queue.capacity
        yield "channels_queue_oldest_seconds", channel, queue.oldest or 0
        yield "channels_queue_workers", channel, queue.workers
        yield "channels_queue_sent", channel, queue.sent
        yield "channels_queue_refused", channel, queue.refused
    # One by one they would be a new series for each process that ever lived.
    lengths = [queue.length for queue in status.single]
    yield "channels_reply_queues", (), len(lengths)
    yield "channels_reply_queues_length", (), sum(lengths)
    yield "channels_reply_queues_longest", (), max(lengths, default=0)


def _of_interface(interface: InterfaceRecord) -> Iterator[Sample]:
    name = (_name(interface),)
    yield "channels_interface_sockets", name, interface.sockets
    yield "channels_interface_requests", name, interface.requests
    yield "channels_interface_draining", name, interface.draining
    yield "channels_interface_stalled_seconds", name, interface.stalled
    for event, count in sorted(interface.counts.items()):
        yield "channels_interface_events", (*name, event), count
    yield from _of_process(interface)


def _of_worker(worker: WorkerRecord) -> Iterator[Sample]:
    labels = (_name(worker), worker.pool)
    yield "channels_worker_running", labels, worker.running
    yield "channels_worker_busy_seconds", labels, worker.busy_for
    yield "channels_worker_ending", labels, worker.ending
    for event, count in sorted(worker.counts.items()):
        yield "channels_worker_events", (*labels, event), count
    yield from _of_process(worker)


def _of_process(process: InterfaceRecord | WorkerRecord) -> Iterator[Sample]:
    name = (_name(process),)
    yield "channels_process_memory_bytes", name, process.memory or None
    yield "channels_process_start_time_seconds", name, process.started
    for reason, count in sorted(process.drops.items()):
        yield "channels_process_dropped", (*name, reason), count


def _newest(processes: list[Record] | None) -> Iterable[Record]:
    """Return one process of each name: whoever was killed is on record for a while beside its successor.

    Prometheus refuses all of an answer that has a series twice.
    """
    return {_name(process): process for process in sorted(processes or (), key=lambda one: one.started)}.values()


def _name(process: InterfaceRecord | WorkerRecord) -> str:
    """Return a name that stays over restarts where supervisor gives one, so that its series goes on."""
    return f"{process.host}/{process.process}" if process.process else process.name
