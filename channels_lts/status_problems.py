"""What is wrong with a channel layer, as far as its status says."""

from __future__ import annotations

from collections.abc import Iterator

from channels_lts import conf, heartbeat
from channels_lts.heartbeat import InterfaceRecord, WorkerRecord
from channels_lts.status import Problem, Queue, Status

#: Every kind of problem; docs/status.md tells what to do about each.
KINDS = (
    "redis", "no_workers", "unserved", "no_interfaces", "silent", "busy", "stalled", "draining", "full", "refused",
    "late", "drops",
)  # fmt: skip
# Seconds for which a reactor may stand still.
_STALLED = 5.0


def problems(status: Status) -> Iterator[Problem]:
    """Yield what is wrong, the worst first."""
    for redis in status.redis:
        if not redis.reachable:
            yield Problem("redis", redis.name, f"{redis.name} cannot be reached")
    yield from _missing(status)
    for process in (*(status.interfaces or ()), *(status.workers or ())):
        yield from _of_process(process, status.at)
    for queue in (*status.queues, *status.single):
        yield from _of_queue(queue)


def title(process: WorkerRecord | InterfaceRecord) -> str:
    """Return what a process is called: its name in supervisor, if it has one, and its host and id."""
    return f"{process.process} ({process.name})" if process.process else process.name


def _missing(status: Status) -> Iterator[Problem]:
    if status.workers is not None and all(worker.ending for worker in status.workers):
        yield Problem("no_workers", "", "no worker is running")
    else:
        for channel in heartbeat.unserved(status.workers, status.routed):
            yield Problem("unserved", channel, f"no worker listens on {channel}")
    # None are known where stock Daphne is on a stock layer, which tells nobody of itself.
    if status.interfaces == [] and not status.others and status.announces:
        yield Problem("no_interfaces", "", "no interface server is running")


def _of_process(process: WorkerRecord | InterfaceRecord, now: float) -> Iterator[Problem]:
    name = title(process)
    silent = now - process.seen
    if silent > 2 * conf.get("HEARTBEAT_INTERVAL") + 1:
        yield Problem("silent", process.name, f"{name} has been silent for {silent:.0f} s")
    if isinstance(process, WorkerRecord):
        if process.running and process.busy_for >= conf.get("STATUS_BUSY"):
            text = f"{name} is busy for {process.busy_for:.0f} s with {process.consumer} on {process.channel}"
            yield Problem("busy", process.name, text)
    else:
        if process.stalled > _STALLED:
            text = f"the reactor of {name} has stood still for {process.stalled:.0f} s"
            yield Problem("stalled", process.name, text)
        if process.draining:
            text = f"{name} is draining: {process.sockets} sockets and {process.requests} requests are left"
            yield Problem("draining", process.name, text)
    if process.dropped_lately:
        text = f"{name} dropped {process.dropped_lately} messages in the last minute; {_reasons(process.drops)}"
        yield Problem("drops", process.name, text)


def _of_queue(queue: Queue) -> Iterator[Problem]:
    if queue.capacity and queue.length * 100 >= queue.capacity * conf.get("STATUS_FULL"):
        text = f"{queue.channel} is full to {queue.length * 100 // queue.capacity} %: {queue.length} messages wait"
        yield Problem("full", queue.channel, text)
    if queue.refused_per_second:
        text = f"{queue.channel} refuses {queue.refused_per_second:g} messages a second"
        yield Problem("refused", queue.channel, text)
    if queue.oldest is not None and queue.oldest >= conf.get("STATUS_LATE"):
        text = f"the next message on {queue.channel} has waited for {queue.oldest:.0f} s"
        yield Problem("late", queue.channel, text)


def _reasons(drops: dict[str, int]) -> str:
    return "since it began: " + ", ".join(f"{number} {reason}" for reason, number in sorted(drops.items()))
