"""Telling others, at once and only after what is told of has been committed."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from channels import DEFAULT_CHANNEL_LAYER, Channel, Group, channel_layers
from django.db import transaction

from channels_lts import after_commit, streams


def to_group(group: str, message: dict[str, Any]) -> None:
    """Send *message* to *group* when the transaction commits, and never if it does not.

    At most once. An error of the channel layer is logged and not raised: what was committed stays so, and readers who
    miss it see the gap in the numbers and ask.
    """
    after_commit.send(Group(group), message)


def to_groups(groups: Callable[[], Iterable[str]], message: dict[str, Any]) -> None:
    """Send *message* to the groups that *groups* returns once the transaction has committed."""

    def send() -> None:
        for group in groups():
            after_commit.send_now(Group(group), message)

    transaction.on_commit(send)


def to_stream(group: str, stream: str, kind: str, **fields: Any) -> None:
    """Send a payload of type *kind* on *stream* to the sockets of *group* when the transaction commits."""
    to_group(group, streams.encode(stream, {"type": kind, **fields}))


def to_channel(channel: str, message: dict[str, Any]) -> None:
    """Send *message* to one channel when the transaction commits, under the same promise as :func:`to_group`."""
    after_commit.send(Channel(channel), message)


def heard_elsewhere() -> bool:
    """Whether other processes hear what this one sends: on a channel layer in memory they do not."""
    return not channel_layers[DEFAULT_CHANNEL_LAYER].local_only()
