"""What consumers sent, on its way out of the worker."""

from __future__ import annotations

import logging
import threading
import time
from typing import Any

from channels.channel import Channel, Group
from channels.message import pending_message_store
from redis.exceptions import ResponseError

from channels_lts.activity import Activity
from channels_lts.exceptions import LayerUnavailable
from channels_lts.layer.batch import Outgoing

logger = logging.getLogger(__name__)

# Full channels: how long, and how often, a reply is tried again. Seconds; Channels 1.1.8's.
_RETRY_FOR = 2.0
_RETRY_EVERY = 0.2


class Replies:
    """What consumers sent, until it leaves: together, after they ended well.

    ``immediately=True`` does not come by here. Any channel layer will do; ours takes a batch at once.
    What does not leave is logged, and counted as ``replies_dropped``.
    """

    def __init__(self, channel_layer: Any, activity: Activity | None = None) -> None:
        self._channel_layer = channel_layer
        self._activity = activity or Activity()
        self._waiting: list[Outgoing] = []
        self._lock = threading.Lock()
        self._send_many = getattr(channel_layer, "send_batch", self._send_each)

    def add(self, outgoing: Outgoing) -> None:
        with self._lock:
            self._waiting.append(outgoing)

    def collect(self) -> None:
        """Take what the consumer that ran last, in this thread, has sent."""
        local = pending_message_store.threadlocal
        sent, local.messages = getattr(local, "messages", ()), []
        collected = []
        for sender, message in sent:
            if sender.channel_layer is not self._channel_layer:
                self._send_elsewhere(sender, message)
            elif isinstance(sender, Group):
                collected.append(Outgoing("", sender.name, message))
            else:
                collected.append(Outgoing(sender.name, "", message))
        if collected:
            with self._lock:
                self._waiting += collected

    def _send_elsewhere(self, sender: Channel | Group, message: dict[str, Any]) -> None:
        """Send by a channel layer that is not this worker's."""
        try:
            sender.send(message, immediately=True)
        except Exception:
            self._activity.count("replies_dropped")
            logger.exception("could not send to %s", sender.name)

    def flush(self, *, retry_for: float | None = None) -> None:
        """Send everything. What cannot be sent is tried again for *retry_for* seconds (2), then dropped and logged.

        From any thread.
        """
        if not self._waiting:
            return
        with self._lock:
            waiting, self._waiting = self._waiting, []
        deadline = time.monotonic() + (_RETRY_FOR if retry_for is None else retry_for)
        while waiting:
            try:
                waiting = self._layer_send(waiting)
                problem = "it is full"
            except LayerUnavailable as error:
                # The others were sent, or may have been, which the layer has counted: they must not be there twice.
                waiting, problem = list(error.unsent), str(error)
            if waiting:
                if time.monotonic() >= deadline:
                    self._give_up(waiting, problem)
                    return
                time.sleep(_RETRY_EVERY)

    def _layer_send(self, waiting: list[Outgoing]) -> list[Outgoing]:
        try:
            return self._send_many(waiting)
        except LayerUnavailable:
            raise
        except ResponseError as error:
            # Redis refused some, such as for a key of another type, and has the rest: nothing may be sent again.
            self._give_up(waiting, f"{error} (some of them may have been sent)")
            return []
        except Exception:
            # Refused before any was sent: a bad name, or what msgpack cannot pack. It must not take the others with it.
            return [outgoing for each in waiting for outgoing in self._send_one(each)]

    def _send_one(self, outgoing: Outgoing) -> list[Outgoing]:
        try:
            return self._send_many([outgoing])
        except LayerUnavailable as error:
            return list(error.unsent)
        except Exception:
            self._activity.count("replies_dropped")
            logger.exception("could not send to %s", _name(outgoing))
            return []

    def _send_each(self, waiting: list[Outgoing]) -> list[Outgoing]:
        """Send by a layer that takes no batches; returns what its channel has no room for, as ours does."""
        layer, full, full_channels = self._channel_layer, [], set()
        for outgoing in waiting:
            if outgoing.channel in full_channels:
                # Or it would overtake what went there before.
                full.append(outgoing)
                continue
            try:
                if outgoing.group:
                    layer.send_group(outgoing.group, outgoing.message)
                else:
                    layer.send(outgoing.channel, outgoing.message)
            except layer.ChannelFull:
                full.append(outgoing)
                full_channels.add(outgoing.channel)
            except Exception:
                self._activity.count("replies_dropped")
                logger.exception("could not send to %s", _name(outgoing))
        return full

    def _give_up(self, waiting: list[Outgoing], problem: str) -> None:
        self._activity.count("replies_dropped", len(waiting))
        names = sorted(set(map(_name, waiting)))
        logger.error("dropped %s replies, to %s and others: %s", len(waiting), names[0], problem)


def _name(outgoing: Outgoing) -> str:
    return outgoing.channel or f"group {outgoing.group}"
