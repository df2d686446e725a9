"""Telling others of what was stored once it is stored for good, from consumers, views, commands and signal handlers."""

from __future__ import annotations

import contextlib
import functools
import logging
import threading
from collections.abc import Iterator
from typing import Any

from channels.channel import Group
from django.db import transaction

logger = logging.getLogger(__name__)

_local = threading.local()


def send(target: Any, message: dict[str, Any], *, using: str | None = None) -> None:
    """Send *message* to *target*, a ``Channel`` or ``Group``, when the transaction commits, and never if it does not.

    Outside of a transaction of database *using*, or the default one, that is at once. In a consumer it does not wait
    for the consumer's end either: what is committed stays so whatever comes after. At most once: an error of the
    channel layer is logged and not raised, since the commit cannot be undone.
    """
    transaction.on_commit(functools.partial(send_now, target, message), using=using)


@contextlib.contextmanager
def together() -> Iterator[None]:
    """Send what is told by transactions that commit within this block at its end, in one call for each channel layer.

    Put it around the outermost ``transaction.atomic()`` of what tells several groups at once.
    """
    if getattr(_local, "collected", None) is not None:
        # The outermost one sends.
        yield
        return
    collected = _local.collected = []
    try:
        yield
    finally:
        # After an exception too: what is in here was committed.
        _local.collected = None
        for layer in dict.fromkeys(target.channel_layer for target, _ in collected):
            _send_all(layer, [(target, message) for target, message in collected if target.channel_layer is layer])


def send_now(target: Any, message: dict[str, Any]) -> None:
    """Send *message* to *target* at once, or with the others of :func:`together`, under the same promise."""
    collected = getattr(_local, "collected", None)
    if collected is not None:
        collected.append((target, message))
        return
    try:
        target.send(message, immediately=True)
    except Exception:  # whatever a layer raises: ChannelFull, or its client library's errors
        logger.exception("could not send to %s", target.name)


def _send_all(layer: Any, pairs: list[tuple[Any, dict[str, Any]]]) -> None:
    send_batch = getattr(layer, "send_batch", None)
    if send_batch is None or len(pairs) == 1:
        for target, message in pairs:
            send_now(target, message)
        return
    # Here, since a project without Redis lacks its packages.
    from channels_lts.layer.batch import Outgoing

    batch = [
        Outgoing("", target.name, message) if isinstance(target, Group) else Outgoing(target.name, "", message)
        for target, message in pairs
    ]
    try:
        refused = send_batch(batch)
    except Exception:  # as above
        logger.exception("could not send to %s, and others", pairs[0][0].name)
    else:
        for outgoing in refused:
            logger.error("could not send to %s: it is full", outgoing.channel)
