"""The Redis servers of a layer: what they are called in messages, and whether they are there."""

from __future__ import annotations

import logging
import threading
import time
from typing import Any

from redis.exceptions import BusyLoadingError, ConnectionError, ReadOnlyError, TimeoutError

from channels_lts.exceptions import UnsupportedRedis

logger = logging.getLogger(__name__)

# What says that a Redis is not there for us: gone, silent, still reading its data, or not the master any more.
UNAVAILABLE = (ConnectionError, TimeoutError, BusyLoadingError, ReadOnlyError, OSError)
# LPOP takes a count since this version.
REQUIRED_VERSION = (6, 2)
# Seconds for which a Redis that failed is left out where another may serve.
_LEFT_OUT = 1.0


class Shard:
    """The state of one Redis, as this process sees it. A change of state is logged once."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.reachable = True
        self._lock = threading.Lock()
        self._failed_at = float("-inf")
        self._version_checked = False

    def lost(self, error: object) -> None:
        """Note that an operation failed because Redis could not be reached."""
        with self._lock:
            self._failed_at = time.monotonic()
            was_reachable, self.reachable = self.reachable, False
        if was_reachable:
            logger.warning("lost %s: %s", self.name, error)

    def back(self) -> None:
        """Note that an operation succeeded."""
        if self.reachable:
            return
        with self._lock:
            was_reachable, self.reachable = self.reachable, True
        if not was_reachable:
            logger.info("%s is back", self.name)

    def worth_trying(self) -> bool:
        """Whether to use this Redis where another would do as well."""
        return self.reachable or time.monotonic() - self._failed_at > _LEFT_OUT

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
