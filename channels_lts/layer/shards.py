"""The Redis servers of a layer: what they are called in messages, and whether they are there."""

from __future__ import annotations

import logging
import threading
import time
from typing import Any

from redis.exceptions import (
    AuthenticationError,
    BusyLoadingError,
    ConnectionError,
    ReadOnlyError,
    ResponseError,
    TimeoutError,
)

from channels_lts.exceptions import UnsupportedRedis
from channels_lts.layer.wire import NotSent

logger = logging.getLogger(__name__)

# What says that a Redis is not there for us: gone, silent, still reading its data, or not the master any more.
UNAVAILABLE = (ConnectionError, TimeoutError, BusyLoadingError, ReadOnlyError, AuthenticationError, OSError)
# How such errors begin, as Redis words them: it is there, and cannot or may not serve us at this time. The last four
# are: full memory, a disk that takes no snapshot, and a password that is missing or wrong.
REFUSALS = (
    "LOADING",
    "READONLY",
    "MASTERDOWN",
    "CLUSTERDOWN",
    "BUSY",
    "NOREPLICAS",
    "UNBLOCKED",
    "OOM",
    "MISCONF",
    "NOAUTH",
    "WRONGPASS",
)
# LPOP takes a count since this version.
REQUIRED_VERSION = (6, 2)
# Seconds for which a Redis that failed is left out where another may serve: at first, and at most. A host that does
# not answer at all costs REDIS_TIMEOUT at each attempt.
_LEFT_OUT_FIRST = 1.0
_LEFT_OUT_MOST = 8.0


def is_unavailable(error: Exception) -> bool:
    """Whether *error*, of redis-py, says that a Redis is not there for us, rather than that we do something wrong."""
    if isinstance(error, UNAVAILABLE):
        return True
    text = str(error)
    # Before Redis 7 the word stands in the middle of what a script answers.
    return isinstance(error, ResponseError) and (text.startswith(REFUSALS) or "-READONLY" in text or "-OOM" in text)


def is_certain(error: Exception) -> bool:
    """Whether *error* says for certain that nothing was done."""
    return isinstance(error, (NotSent, BusyLoadingError, ResponseError))


class Shard:
    """The state of one Redis, as this process sees it. A change of state is logged once."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.reachable = True
        self._lock = threading.Lock()
        self._left_out_until = float("-inf")
        self._left_out = _LEFT_OUT_FIRST
        self._version_checked = False

    def lost(self, error: object) -> None:
        """Note that an operation failed because Redis could not be reached."""
        now = time.monotonic()
        with self._lock:
            if now >= self._left_out_until:
                self._left_out_until = now + self._left_out
                self._left_out = min(self._left_out * 2, _LEFT_OUT_MOST)
            was_reachable, self.reachable = self.reachable, False
        if was_reachable:
            logger.warning("lost %s: %s", self.name, error)

    def back(self) -> None:
        """Note that an operation succeeded."""
        if self.reachable:
            return
        with self._lock:
            was_reachable, self.reachable = self.reachable, True
            self._left_out_until, self._left_out = float("-inf"), _LEFT_OUT_FIRST
        if not was_reachable:
            logger.info("%s is back", self.name)

    def worth_trying(self) -> bool:
        """Whether to use this Redis where another would do as well."""
        return self.reachable or time.monotonic() >= self._left_out_until

    def check_version(self, version: str) -> None:
        """Refuse a Redis that is too old; *version* is its ``redis_version``.

        Raises:
            UnsupportedRedis: it is.
        """
        numbers = tuple(int(part) if part.isdigit() else 0 for part in version.split(".")[:2])
        if numbers < REQUIRED_VERSION:
            required = ".".join(map(str, REQUIRED_VERSION))
            raise UnsupportedRedis(f"{self.name} is version {version}; the channel layer needs {required} or later")


def describe(connection_kwargs: dict[str, Any]) -> str:
    """Return what a Redis is called in messages: its address, without the password."""
    if "path" in connection_kwargs:
        return f"Redis at {connection_kwargs['path']}"
    if "host" in connection_kwargs:
        return f"Redis at {connection_kwargs['host']}:{connection_kwargs.get('port', 6379)}"
    return "Redis"
