"""The interface server's side of the channel layer: the only part of it that talks to one."""

from __future__ import annotations

import secrets
import string
from collections.abc import Callable, Collection, Sequence
from enum import Enum
from typing import Any, Protocol

from twisted.internet import defer

from channels_lts.layer.redis import Layer

Message = dict[str, Any]

# 64 of them, four times: each byte leads to one, and all are as likely.
_NAME_CHARACTERS = (string.ascii_letters + string.digits + "-_").encode("ascii") * 4


class Refusal(Enum):
    """Why a message did not get onto its channel."""

    FULL = "the channel is full"
    UNAVAILABLE = "the channel layer cannot be reached"


OnRefused = Callable[[Refusal], None]


class Receiver(Protocol):
    """Who gets the messages for the connections of this process."""

    def deliver(self, channel: str, message: Message) -> None:
        """Hand *message* to the connection with reply channel *channel*, if it is still there."""

    def deliver_group(self, channels: Collection[str], messages: Sequence[Message]) -> None:
        """Hand *messages*, in this order, to each of *channels*: a live view, which the call may change."""


class Link:
    """What the interface server asks of any channel layer, in the reactor's thread and without blocking it.

    On our own layer, that is. Others are used as Daphne uses them (:mod:`channels_lts.interface.polling`).

    Args:
        prefix: What the name of this process's channel, and of each reply channel, begins with.
    """

    def __init__(
        self, channel_layer: Any, receiver: Receiver, *, force_sync: bool = False, prefix: str = "daphne.response."
    ) -> None:
        from channels_lts.interface.batching import RedisBackend
        from channels_lts.interface.polling import PollingBackend

        self.process_channel = f"{prefix}{_random_name(10)}!"
        self._layer = channel_layer
        self._consumed: dict[str, bool] = {}
        self._backend: RedisBackend | PollingBackend
        if isinstance(channel_layer, Layer):
            self._backend = RedisBackend(channel_layer, self.process_channel, receiver)
        else:
            self._backend = PollingBackend(channel_layer, self.process_channel, receiver, force_sync=force_sync)

    def start(self) -> defer.Deferred[None]:
        """Begin to read the replies. The result comes when the layer knows of this process; it is tried for ever."""
        return self._backend.start()

    def flushed(self) -> defer.Deferred[bool]:
        """Send what is queued. The result comes when all refusals were told, or, with False, in 2 s."""
        return self._backend.flushed()

    def stop(self) -> defer.Deferred[None]:
        """Send what is queued, retire the process and close the connections to the layer."""
        return self._backend.stop()

    @property
    def available(self) -> bool:
        """Whether the layer can be reached, as far as is known."""
        return self._backend.available

    def new_reply_channel(self) -> str:
        """Return the name of a new channel of this process, until :meth:`forget`."""
        channel = self.process_channel + _random_name(12)
        self._backend.channels.add(channel)
        return channel

    def forget(self, channel: str) -> None:
        """Take *channel*, whose connection is gone, out of all groups."""
        self._backend.channels.discard(channel)
        self._backend.forget(channel)

    def send(self, channel: str, message: Message, on_refused: OnRefused | None = None) -> None:
        """Queue *message* for *channel*; what one turn of the reactor queues leaves together, in order.

        *on_refused* is called later where the channel is full or Redis is away. That is counted in any case.
        """
        self._backend.send(channel, message, on_refused)

    def consumed(self, channel: str) -> bool:
        """Whether the project has a consumer for *channel*. Where its routing is not known: yes."""
        if channel not in self._consumed:
            self._consumed[channel] = _has_route(self._layer, channel)
        return self._consumed[channel]


def _random_name(length: int) -> str:
    # One call for all characters: this runs for every request.
    return secrets.token_bytes(length).translate(_NAME_CHARACTERS).decode("ascii")


def _has_route(channel_layer: Any, channel: str) -> bool:
    from channels import channel_layers

    for wrapper in channel_layers.backends.values():
        if wrapper is channel_layer or wrapper.channel_layer is channel_layer:
            return channel in wrapper.router.channels
    return True
