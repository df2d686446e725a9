"""Telling others, at once and only after what is told of has been committed."""

from __future__ import annotations

import functools
import logging
from collections.abc import Callable, Iterable
from typing import Any

from channels import DEFAULT_CHANNEL_LAYER, Channel, Group, channel_layers
from django.db import transaction

from channels_lts import streams

logger = logging.getLogger(__name__)


def to_group(group: str, message: dict[str, Any]) -> None:
    """Send *message* to *group* when the transaction commits, and never if it does not.

    At most once. An error of the channel layer is logged and not raised: what was committed stays so, and readers who
    miss it see the gap in the numbers and ask.
    """
    transaction.on_commit(functools.partial(_send, Group(group), message))


def to_groups(groups: Callable[[], Iterable[str]], message: dict[str, Any]) -> None:
    """Send *message* to the groups that *groups* returns once the transaction has committed."""

    def send() -> None:
        for group in groups():
            _send(Group(group), message)

    transaction.on_commit(send)


def to_stream(group: str, stream: str, kind: str, **fields: Any) -> None:
    """Send a payload of type *kind* on *stream* to the sockets of *group* when the transaction commits."""
    to_group(group, streams.encode(stream, {"type": kind, **fields}))


def to_channel(channel: str, message: dict[str, Any]) -> None:
    """Send *message* to one channel when the transaction commits, under the same promise as :func:`to_group`."""
    transaction.on_commit(functools.partial(_send, Channel(channel), message))


def heard_elsewhere() -> bool:
    """Whether other processes hear what this one sends: on a channel layer in memory they do not."""
    return not channel_layers[DEFAULT_CHANNEL_LAYER].local_only()


def _send(target: Any, message: dict[str, Any]) -> None:
    try:
        # At once: at the end of the consumer, a worker that was quicker with the thumbnail would overtake its message.
        target.send(message, immediately=True)
    except Exception:  # whatever a layer raises: ChannelFull, or its client library's errors
        logger.exception("could not send to %s", target.name)
