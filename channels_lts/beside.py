"""What a channel layer is, for what is kept beside it."""

from __future__ import annotations

import threading
import weakref
from collections.abc import Callable
from typing import Any, Generic, TypeVar

T = TypeVar("T")


def bare(layer: Any) -> Any:
    """Return the channel layer itself, where *layer* is Channels' wrapper around it."""
    return getattr(layer, "channel_layer", layer)


def has_redis(layer: Any) -> bool:
    """Whether *layer* keeps its messages in Redis."""
    return hasattr(layer, "connection") and hasattr(layer, "ring_size")


def in_memory(layer: Any) -> bool:
    """Whether *layer* is of this process alone."""
    return "inmemory" in type(layer).__module__


class PerLayer(Generic[T]):
    """What is kept beside each channel layer: by *in_redis* where the layer is, else in this process's memory.

    *in_redis* gets the layer, and imports what it needs: a project without Redis lacks its packages.
    """

    def __init__(self, in_redis: Callable[[Any], T], in_memory: Callable[[], T]) -> None:
        self._in_redis = in_redis
        self._in_memory = in_memory
        self._memories: weakref.WeakKeyDictionary[Any, T] = weakref.WeakKeyDictionary()
        self._lock = threading.Lock()

    def of(self, layer: Any) -> T | None:
        """Return that of *layer*; None for a layer of several processes without Redis."""
        found = bare(layer)
        if has_redis(found):
            return self._in_redis(found)
        if not in_memory(found):
            return None
        with self._lock:
            if found not in self._memories:
                self._memories[found] = self._in_memory()
            return self._memories[found]
