"""Telling consumers that a socket has gone, even while the channel is full: presence depends on it."""

from __future__ import annotations

import logging
from functools import partial
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from channels_lts.interface.link import Refusal
    from channels_lts.interface.websocket import SocketServer

logger = logging.getLogger(__name__)

# Seconds before the first repetition; each further one waits twice as long, and none longer than the last.
FIRST_DELAY = 1.0
LAST_DELAY = 32.0


def announce_departure(server: SocketServer, message: dict[str, Any], *, delay: float = FIRST_DELAY) -> None:
    """Send *message* to ``websocket.disconnect``, and again after a while if the layer refuses it.

    After about a minute of refusals it is given up, which is counted as ``disconnects_lost`` and logged.
    """

    def refused(refusal: Refusal) -> None:
        server.count(f"disconnect_{refusal.name.lower()}")
        if delay > LAST_DELAY:
            server.count("disconnects_lost")
            logger.error("websocket.disconnect of %s could not be sent: %s", message["reply_channel"], refusal.name)
            return
        # Imported late: importing it chooses the reactor.
        from twisted.internet import reactor

        clock: Any = reactor
        clock.callLater(delay, partial(announce_departure, server, message, delay=delay * 2))

    server.link.send("websocket.disconnect", message, refused)
