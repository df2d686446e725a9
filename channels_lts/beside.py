"""What a channel layer is, for what is kept beside it."""

from __future__ import annotations

from typing import Any


def bare(layer: Any) -> Any:
    """Return the channel layer itself, where *layer* is Channels' wrapper around it."""
    return getattr(layer, "channel_layer", layer)


def has_redis(layer: Any) -> bool:
    """Whether *layer* keeps its messages in Redis."""
    return hasattr(layer, "connection") and hasattr(layer, "ring_size")


def in_memory(layer: Any) -> bool:
    """Whether *layer* is of this process alone."""
    return "inmemory" in type(layer).__module__
