"""How long a worker may take, and how much it may use: what its flags say, and whether it is reached."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from channels_lts import conf, memory
from channels_lts.activity import Activity

_MIB = 1024 * 1024
# Seconds between two looks at the memory.
_LOOK_EVERY = 1.0
# Up to which share each process stays below its limits, by chance: those of a pool would reach them all at once.
_SPREAD = 0.1


def _default(name: str) -> Callable[[], Any]:
    return lambda: conf.get(name)


@dataclass(frozen=True, kw_only=True)
class WorkerLimits:
    """Of one process, with all its threads. What is not given is as in ``CHANNELS_LTS``; 0 is no limit.

    Attributes:
        stop_timeout: Seconds from the first signal in which consumers may finish.
        consumer_timeout: Seconds after which a consumer that still runs is logged.
        abort_consumers: Whether it gets :class:`channels_lts.exceptions.ConsumerTimedOut` then.
        max_messages: Messages after which the worker ends, or up to a tenth fewer.
        max_rss: MiB of resident memory after which it does, or up to a tenth less.
    """

    stop_timeout: float = field(default_factory=_default("STOP_TIMEOUT"))
    consumer_timeout: float = field(default_factory=_default("CONSUMER_TIMEOUT"))
    abort_consumers: bool = False
    max_messages: int = field(default_factory=_default("MAX_MESSAGES"))
    max_rss: float = field(default_factory=_default("MAX_RSS"))


class Allowance:
    """What is left of ``max_messages`` and ``max_rss``. Shared by all threads of a process."""

    def __init__(self, limits: WorkerLimits, activity: Activity) -> None:
        share = random.uniform(0, _SPREAD)  # noqa: S311  (no secret)
        self._max_messages = limits.max_messages - int(limits.max_messages * share)
        self._max_rss = limits.max_rss * (1 - share)
        self._activity = activity
        self._handled = 0
        self._looked = float("-inf")

    def at_most(self, number: int) -> int:
        """Return how many of *number* messages may still be taken; 1 at least."""
        return max(min(number, self._max_messages - self._handled), 1) if self._max_messages else number

    def used(self, messages: int) -> str:
        """Count *messages* that were handled. Returns why the worker has to end, or an empty text."""
        if messages:
            self._handled = self._activity.count("messages", messages)
        if self._max_messages and self._handled >= self._max_messages:
            return f"{self._handled} messages are handled (--max-messages)"
        if self._max_rss and time.monotonic() - self._looked > _LOOK_EVERY:
            self._looked = time.monotonic()
            resident = memory.resident() / _MIB
            if resident >= self._max_rss:
                return f"{resident:.0f} MiB are in use (--max-rss)"
        return ""
