"""Where a worker's messages come from: our channel layer, in batches, or any other, one by one."""

from __future__ import annotations

import logging
import threading
from collections.abc import Sequence
from typing import Any, Protocol

from channels_lts.exceptions import LayerUnavailable
from channels_lts.layer.redis import Layer

logger = logging.getLogger(__name__)

# Seconds between two attempts on a layer that fails: at first, and at most.
_FIRST_PAUSE = 0.1
_LONGEST_PAUSE = 2.0
# Seconds before a layer that does not wait by itself, such as asgi_ipc's, is asked again: Channels 1.1.8's.
_ASK_AGAIN = 0.01
# Seconds that asgi_redis may wait in Redis, where nobody can wake it: a worker that is to end does so by then.
_LONGEST_WAIT = 1

Taken = Any
Opened = Sequence[tuple[str, dict[str, Any]]]


class Intake(Protocol):
    """For one thread, bar :meth:`wake` and :meth:`put_back`."""

    def take(self, limit: int) -> Sequence[Taken]:
        """Return up to *limit* messages, unopened; after a while none."""

    def open(self, taken: Taken) -> Opened:
        """Return the channel and the content of what was taken; nothing where it expired or cannot be read."""

    def put_back(self, taken: Sequence[Taken]) -> None:
        """Give back what was taken and not begun: before all else on its channel, in its order, where the layer can.

        Raises:
            LayerUnavailable: it cannot.
        """

    def wake(self) -> None:
        """End the wait that is under way, or the next one."""

    def close(self) -> None: ...


def intake(channel_layer: Any, channels: Sequence[str]) -> Intake:
    """Return the intake for *channels* of *channel_layer*, with Channels' wrapper around it or without."""
    layer = getattr(channel_layer, "channel_layer", channel_layer)
    return Batches(layer, channels) if isinstance(layer, Layer) else OneByOne(layer, channels)


class Batches:
    """Of our own layer."""

    def __init__(self, layer: Layer, channels: Sequence[str]) -> None:
        self._layer = layer
        self._waiter = layer.waiter(channels)
        # As they are, since each message passes here.
        self.open = layer.open
        self.put_back = layer.put_back
        self.wake = self._waiter.wake
        self.close = self._waiter.close

    def take(self, limit: int) -> Sequence[Taken]:
        return self._layer.take(self._waiter, limit)


class OneByOne:
    """Of any other layer, by its ``receive``. Its errors are waited out; loss and return are logged once."""

    def __init__(self, layer: Any, channels: Sequence[str]) -> None:
        self._layer = layer
        self._channels = list(channels)
        self._woken = threading.Event()
        self._pause = 0.0
        if getattr(layer, "blpop_timeout", 0) > _LONGEST_WAIT:
            layer.blpop_timeout = _LONGEST_WAIT

    def take(self, limit: int) -> Sequence[Taken]:
        try:
            channel, content = self._layer.receive(self._channels, block=True)
        except Exception as error:
            if not self._pause:
                logger.warning("cannot receive from %s: %s", type(self._layer).__name__, error)
            self._pause = min(self._pause * 2, _LONGEST_PAUSE) or _FIRST_PAUSE
            self._woken.wait(self._pause)
            return []
        if self._pause:
            logger.info("receiving from %s again", type(self._layer).__name__)
            self._pause = 0.0
        if channel is None:
            self._woken.wait(_ASK_AGAIN)
            return []
        return [(channel, content)]

    def open(self, taken: Taken) -> Opened:
        return [taken]

    def put_back(self, taken: Sequence[Taken]) -> None:
        try:
            for channel, content in taken:
                self._layer.send(channel, content)
        except Exception as error:
            raise LayerUnavailable(str(error)) from error

    def wake(self) -> None:
        self._woken.set()

    def close(self) -> None:
        pass
