"""What comes by the channel ``asgi.delay``: receiving it, and whether it can be kept."""

from __future__ import annotations

import json
import logging
import math
import os
import select
import time
from datetime import timedelta
from typing import Any

from channels_lts import conf
from channels_lts.exceptions import ChannelsLTSError
from channels_lts.layer.redis import Layer

logger = logging.getLogger("channels_lts.delay")

CHANNEL = "asgi.delay"
# Databases and time zones have an end of time, some not far from that of Python.
LONGEST = timedelta(days=36_500)
# Seconds between two looks at a channel layer that cannot be woken from a wait.
_POLL = 0.1


class BadMessage(ChannelsLTSError):
    """Raised for a message on ``asgi.delay`` that cannot be kept; it says why."""


def read(message: dict[str, Any], layer: Any) -> tuple[str, str, timedelta]:
    """Return the channel that *message* is for, its content as JSON, and the delay.

    Raises:
        BadMessage: *message* is not as Channels 1.x documents it.
    """
    missing = [key for key in ("channel", "content", "delay") if key not in message]
    if missing:
        raise BadMessage(f"it has no {' and no '.join(missing)}")
    channel, content, delay = message["channel"], message["content"], message["delay"]
    try:
        layer.valid_channel_name(channel)
    except TypeError as error:
        raise BadMessage(f"channel: {error}") from error
    if not isinstance(content, dict):
        raise BadMessage(f"content must be a dict, not {type(content).__name__}")
    try:
        text = json.dumps(content)
    except (TypeError, ValueError, RecursionError) as error:
        raise BadMessage(f"content cannot be kept as JSON: {error}") from error
    if isinstance(delay, bool) or not isinstance(delay, (int, float)):
        raise BadMessage(f"delay must be a number of milliseconds, not {type(delay).__name__}")
    if not 0 <= delay <= LONGEST / timedelta(milliseconds=1) or math.isnan(delay):
        raise BadMessage(f"delay must be from 0 milliseconds to {LONGEST.days} days, not {delay}")
    return channel, text, timedelta(milliseconds=delay)


class Pause:
    """A pause that ends at once when it is told to. For one thread, bar :meth:`wake`."""

    def __init__(self) -> None:
        self._woken, self._wake = os.pipe()

    def wait(self, seconds: float) -> bool:
        """Return after *seconds*; or at once, and True, when :meth:`wake` was called, be it before."""
        poll = select.poll()
        poll.register(self._woken, select.POLLIN)
        return bool(poll.poll(seconds * 1000))

    def wake(self) -> None:
        """End all pauses. From any thread, or a signal handler, which may not use locks."""
        os.write(self._wake, b"\0")


class Trouble:
    """Something that is logged once when it begins, and once when it ends."""

    def __init__(self, what: str) -> None:
        self._what = what
        self._there = False

    def began(self, error: object) -> None:
        if not self._there:
            logger.warning("%s: %s", self._what, str(error).strip())
        self._there = True

    def ended(self) -> None:
        if self._there:
            logger.info("no longer: %s", self._what)
        self._there = False


class Inbox:
    """Receives from any channel layer, which is asked again and again."""

    def __init__(self, layer: Any, pause: Pause) -> None:
        self._layer = layer
        self._pause = pause
        self._receiving = Trouble(f"cannot receive from {CHANNEL}, and will try again")

    def wait(self, timeout: float) -> list[dict[str, Any]]:
        """Return the next messages, or none after about *timeout* seconds, or after :meth:`wake`."""
        deadline = time.monotonic() + timeout
        while True:
            try:
                channel, content = self._layer.receive([CHANNEL], block=False)
            except Exception as error:
                # Redis away, in the words of this layer.
                self._receiving.began(error)
            else:
                self._receiving.ended()
                if channel is not None:
                    return [content]
            left = deadline - time.monotonic()
            if left <= 0 or self._pause.wait(min(left, _POLL)):
                return []

    def wake(self) -> None:
        """End a wait. Whoever has the pause wakes it."""

    def close(self) -> None:
        """End all waiting."""


class LayerInbox(Inbox):
    """Receives from our own channel layer, at once and in batches."""

    def __init__(self, layer: Layer) -> None:
        self._own_layer = layer
        self._waiter = layer.waiter([CHANNEL])

    def wait(self, timeout: float) -> list[dict[str, Any]]:
        batch = self._own_layer.take(self._waiter, conf.get("WORKER_BATCH"), timeout)
        return [content for popped in batch for _, content in self._own_layer.open(popped)]

    def wake(self) -> None:
        self._waiter.wake()

    def close(self) -> None:
        self._waiter.close()
