"""What consumers sent, on its way out of the worker."""

from __future__ import annotations

import logging
import time
from typing import Any

from channels.channel import Channel, Group
from channels.message import pending_message_store

from channels_lts.exceptions import LayerUnavailable
from channels_lts.layer.batch import Outgoing

logger = logging.getLogger(__name__)

# Full channels: how long, and how often, a reply is tried again. Seconds; Channels 1.1.8's.
_RETRY_FOR = 2.0
_RETRY_EVERY = 0.2


class Replies:
    """What consumers sent, until it leaves: together, after they ended well.

    ``immediately=True`` does not come by here.
    """

    def __init__(self, channel_layer: Any) -> None:
        self._channel_layer = channel_layer
        self._waiting: list[Outgoing] = []

    def add(self, outgoing: Outgoing) -> None:
        self._waiting.append(outgoing)

    def collect(self) -> None:
        """Take what the consumer that ran last, in this thread, has sent."""
        sent, pending_message_store.threadlocal.messages = pending_message_store.threadlocal.messages, []
        for sender, message in sent:
            if sender.channel_layer is not self._channel_layer:
                self._send_elsewhere(sender, message)
            elif isinstance(sender, Group):
                self._waiting.append(Outgoing("", sender.name, message))
            else:
                self._waiting.append(Outgoing(sender.name, "", message))

    def _send_elsewhere(self, sender: Channel | Group, message: dict[str, Any]) -> None:
        """Send by a channel layer that is not this worker's."""
        try:
            sender.send(message, immediately=True)
        except Exception:
            logger.exception("could not send to %s", sender.name)

    def flush(self) -> None:
        """Send everything. What cannot be sent is tried again for a while, then dropped and logged."""
        waiting, self._waiting = self._waiting, []
        deadline = time.monotonic() + _RETRY_FOR
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
            return self._channel_layer.send_batch(waiting)
        except LayerUnavailable:
            raise
        except Exception:
            # One that cannot be sent must not take the others with it: a bad name, or what msgpack cannot pack.
            return [outgoing for each in waiting for outgoing in self._send_one(each)]

    def _send_one(self, outgoing: Outgoing) -> list[Outgoing]:
        try:
            return self._channel_layer.send_batch([outgoing])
        except LayerUnavailable as error:
            return list(error.unsent)
        except Exception:
            logger.exception("could not send to %s", outgoing.channel or f"group {outgoing.group}")
            return []

    @staticmethod
    def _give_up(waiting: list[Outgoing], problem: str) -> None:
        names = sorted({outgoing.channel or f"group {outgoing.group}" for outgoing in waiting})
        logger.error("dropped %s replies, to %s and others: %s", len(waiting), names[0], problem)
