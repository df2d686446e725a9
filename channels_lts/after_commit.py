"""Telling others of what was stored once it is stored for good, from consumers, views, commands and signal handlers."""

from __future__ import annotations

import functools
import logging
from typing import Any

from django.db import transaction

logger = logging.getLogger(__name__)


def send(target: Any, message: dict[str, Any], *, using: str | None = None) -> None:
    """Send *message* to *target*, a ``Channel`` or ``Group``, when the transaction commits, and never if it does not.

    Outside of a transaction of database *using*, or the default one, that is at once. In a consumer it does not wait
    for the consumer's end either: what is committed stays so whatever comes after. At most once: an error of the
    channel layer is logged and not raised, since the commit cannot be undone.
    """
    transaction.on_commit(functools.partial(send_now, target, message), using=using)


def send_now(target: Any, message: dict[str, Any]) -> None:
    """Send *message* to *target* at once, under the same promise."""
    try:
        target.send(message, immediately=True)
    except Exception:  # whatever a layer raises: ChannelFull, or its client library's errors
        logger.exception("could not send to %s", target.name)
