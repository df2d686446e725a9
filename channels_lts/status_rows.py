"""A status in words and tables, for terminals and pages."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from channels_lts.heartbeat import InterfaceRecord, WorkerRecord
from channels_lts.status import Queue, Status

# Queues of one reader each that are shown; the others are one line.
_SINGLE = 5
#: Kinds of problems that end by themselves, most of the time.
MILD = frozenset({"draining", "busy", "drops", "silent", "late"})

_INCOMPLETE = "There are more keys in Redis than were looked at: there may be more queues."


def notes(status: Status) -> list[str]:
    """Return what stands below the tables: a sentence each, and often none."""
    said = [] if status.complete else [_INCOMPLETE]
    if status.throttled:
        kinds = ", ".join(f"{count:,} {kind}" for kind, count in sorted(status.throttled.items()))
        said.append(f"Too fast in the last day: {kinds}.")
    return said


class Column(NamedTuple):
    """A column: what is above it, whether it holds numbers, and how soon it goes where there is no room (0: never)."""

    title: str
    number: bool = False
    goes: int = 0


class Table(NamedTuple):
    """What is shown: as many cells in each row as there are columns."""

    columns: Sequence[Column]
    rows: Sequence[Sequence[str]]


def tables(status: Status) -> list[Table]:
    """Return the tables of *status* that have something to show: interface servers, workers, queues."""
    shown = [_interfaces(status)] if status.interfaces or status.others else []
    if status.workers:
        shown.append(_workers(status))
    return [*shown, _queues(status)]


def duration(seconds: float) -> str:
    """Return a time as text of up to six characters: ``45 s``, ``12 min``, ``3 h``, ``5 d``."""
    for size, unit in ((86_400, "d"), (3600, "h"), (60, "min")):
        if seconds >= 2 * size:
            return f"{seconds / size:.0f} {unit}"
    return f"{max(seconds, 0):.0f} s"


def headline(status: Status) -> str:
    sockets = sum(interface.sockets for interface in status.interfaces or ())
    servers = len(status.interfaces or ()) + len(status.others)
    words = [
        f"Channel layer {status.layer} on {', '.join(redis.name for redis in status.redis)}:",
        f"{_count(servers, 'interface server')} with {_count(sockets, 'socket')},",
        f"{_count(len(status.workers or ()), 'worker')},",
        "messages/s unknown" if status.sent_per_second is None else f"{status.sent_per_second:,.0f} messages/s",
    ]
    return " ".join(words)


def _interfaces(status: Status) -> Table:
    columns = [
        Column("interface server"), Column("pid", True, 3), Column("host", goes=5), Column("up", True, 4),
        Column("sockets", True), Column("requests", True), Column("state"), Column("memory", True, 2),
        Column("dropped", True, 1),
    ]  # fmt: skip
    rows = [
        [
            interface.process or interface.channel, str(interface.pid), interface.host,
            duration(status.at - interface.started), f"{interface.sockets:,}", f"{interface.requests:,}",
            _interface_state(interface, status.at), _memory(interface.memory), f"{sum(interface.drops.values()):,}",
        ]
        for interface in sorted(status.interfaces or (), key=lambda one: (one.process, one.name))
    ]  # fmt: skip
    rows += [[name, "", "", "", "", "", "keeps no record", "", ""] for name in status.others]
    return Table(columns, rows)


def _interface_state(interface: InterfaceRecord, now: float) -> str:
    if (silent := now - interface.seen) > 5:
        return f"silent for {duration(silent)}"
    if interface.stalled > 5:
        return f"stands still for {duration(interface.stalled)}"
    return "draining" if interface.draining else "serves"


def _workers(status: Status) -> Table:
    columns = [
        Column("pool"), Column("worker"), Column("pid", True, 3), Column("host", goes=5), Column("up", True, 4),
        Column("state"), Column("messages", True, 3), Column("errors", True, 1), Column("memory", True, 2),
        Column("dropped", True, 1),
    ]  # fmt: skip
    ordered = sorted(status.workers or (), key=lambda one: (one.pool, one.process, one.name))
    rows = []
    for number, worker in enumerate(ordered):
        again = number and ordered[number - 1].pool == worker.pool
        rows.append([
            "" if again else worker.pool, worker.process or worker.name, str(worker.pid), worker.host,
            duration(status.at - worker.started), _worker_state(worker, status.at),
            f"{worker.counts.get('messages', 0):,}", f"{worker.counts.get('consumer_errors', 0):,}",
            _memory(worker.memory), f"{sum(worker.drops.values()):,}",
        ])  # fmt: skip
    return Table(columns, rows)


def _worker_state(worker: WorkerRecord, now: float) -> str:
    if (silent := now - worker.seen) > 5:
        return f"silent for {duration(silent)}"
    words = ["ending"] if worker.ending else []
    if worker.running is None:
        words.append("does not say")
    elif worker.running:
        words.append(f"busy for {worker.busy_for:.0f} s with {worker.consumer}")
        if worker.threads > 1:
            words.append(f"{worker.running} of {worker.threads} threads")
    elif not worker.ending:
        words.append("idle" if worker.threads == 1 else f"{worker.threads} threads idle")
    return ", ".join(words)


def _queues(status: Status) -> Table:
    columns = [
        Column("queue"), Column("waiting", True), Column("room for", True, 2), Column("oldest", True),
        Column("sent/s", True, 3), Column("refused/s", True, 4), Column("workers", True, 1),
    ]  # fmt: skip
    shown = [queue for queue in status.single if queue.length][:_SINGLE]
    rest = status.single[len(shown) :]
    rows = [_queue(queue) for queue in (*status.queues, *shown)]
    if rest:
        longest = max(queue.length for queue in rest)
        name = f"{len(rest)} {'more ' if shown else ''}with one reader"
        if longest:
            name += f", the longest {longest:,}"
        waiting = sum(queue.length for queue in rest)
        rows.append([name, f"{waiting:,}", "", "", "", "", ""])
    return Table(columns, rows)


def _queue(queue: Queue) -> list[str]:
    return [
        queue.channel, f"{queue.length:,}", f"{queue.capacity:,}",
        "" if queue.oldest is None else duration(queue.oldest), _rate(queue.sent_per_second),
        _rate(queue.refused_per_second), "" if queue.workers is None else str(queue.workers),
    ]  # fmt: skip


def _rate(per_second: float | None) -> str:
    return "" if per_second is None else f"{per_second:,.0f}" if per_second >= 10 else f"{per_second:g}"


def _memory(size: int) -> str:
    return f"{size / 1_048_576:,.0f} MiB" if size else ""


def _count(number: int, what: str) -> str:
    return f"{number:,} {what}{'' if number == 1 else 's'}"
