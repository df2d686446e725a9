"""What the workers of this process are doing, and have done: for the heartbeat, consumers' time limit, and the log."""

from __future__ import annotations

import threading
import time
from collections import Counter
from typing import Any, NamedTuple

from channels.utils import name_that_thing


class Run(NamedTuple):
    """A consumer that is running: in which thread, since when (``time.monotonic()``), for which message."""

    thread: int
    began: float
    channel: str
    consumer: Any
    reply_channel: str


def name_of(consumer: Any) -> str:
    """Return the name of *consumer* for people: of functions, classes, and methods of instances too."""
    try:
        return name_that_thing(consumer)
    except AttributeError:
        # Channels' own fails for methods of instances.
        return getattr(consumer, "__qualname__", None) or type(consumer).__name__


class Activity:
    """Shared by all worker threads of one process. Any thread may read it at any time.

    What is counted, from the start of the process, stands in ``docs/workers.md``.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._counts: Counter[str] = Counter()
        # By thread. One entry is set and taken by its own thread alone, so it needs no lock.
        self._running: dict[int, Run] = {}

    def begin(self, channel: str, consumer: Any, reply_channel: str) -> Run:
        """Note that this thread begins to run *consumer*, which came by routing, for a message on *channel*."""
        thread = threading.get_ident()
        run = self._running[thread] = Run(thread, time.monotonic(), channel, consumer, reply_channel)
        return run

    def end(self) -> Run | None:
        """Note that this thread's consumer has ended; returns what :meth:`begin` noted."""
        return self._running.pop(threading.get_ident(), None)

    def running(self) -> list[Run]:
        """Return what is running now, the longest first."""
        return sorted(self._running.copy().values(), key=lambda run: run.began)

    def is_running(self, run: Run) -> bool:
        """Tell whether *run*, which :meth:`running` returned, still is."""
        return self._running.get(run.thread) is run

    def count(self, name: str, number: int = 1) -> int:
        """Add *number* to the counter *name*; returns what it is then."""
        with self._lock:
            self._counts[name] += number
            return self._counts[name]

    def counts(self) -> dict[str, int]:
        """Return all counters that are not zero."""
        with self._lock:
            return dict(self._counts)
