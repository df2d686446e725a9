"""Telling consumers that a socket has gone, even while the channel is full: presence depends on it."""

from __future__ import annotations

import logging
from functools import partial
from itertools import islice
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from channels_lts.interface.link import Refusal
    from channels_lts.interface.websocket import SocketServer

logger = logging.getLogger(__name__)

# Seconds before the first repetition; each further one waits twice as long, and none longer than the last.
FIRST_DELAY = 1.0
LAST_DELAY = 32.0


class Departures:
    """Sends ``websocket.disconnect`` messages, and again after a while those that the layer refuses.

    After about a minute of refusals one is given up, which is counted as ``disconnects_lost`` and logged.
    """

    def __init__(self, server: SocketServer) -> None:
        self._server = server
        # By reply channel: the timer, the message, and how long the repetition after that will wait.
        self._waiting: dict[str, tuple[Any, dict[str, Any], float]] = {}

    def __len__(self) -> int:
        """Return how many were refused and wait to be sent again."""
        return len(self._waiting)

    def announce(self, message: dict[str, Any], *, delay: float = FIRST_DELAY) -> None:
        """Send *message*; where the layer refuses it, again in *delay* seconds."""
        self._server.link.send("websocket.disconnect", message, partial(self._refused, message, delay))

    def retry(self, most: int) -> None:
        """Send the first *most* of those that wait now. None of them is given up, whatever comes of it."""
        for channel in list(islice(self._waiting, most)):
            timer, message, _ = self._waiting.pop(channel)
            timer.cancel()
            self.announce(message)

    def give_up(self) -> None:
        """The process ends: count those that wait as lost."""
        for timer, _, _ in self._waiting.values():
            timer.cancel()
            self._server.count("disconnects_lost")
        if self._waiting:
            logger.error("%d websocket.disconnect messages could not be sent", len(self._waiting))
        self._waiting.clear()

    def _refused(self, message: dict[str, Any], delay: float, refusal: Refusal) -> None:
        self._server.count(f"disconnect_{refusal.name.lower()}")
        channel = message["reply_channel"]
        if delay > LAST_DELAY:
            self._server.count("disconnects_lost")
            logger.error("websocket.disconnect of %s could not be sent: %s", channel, refusal.name)
            return
        # Imported late: importing it chooses the reactor.
        from twisted.internet import reactor

        clock: Any = reactor
        self._waiting[channel] = (clock.callLater(delay, self._again, channel), message, delay * 2)

    def _again(self, channel: str) -> None:
        _, message, delay = self._waiting.pop(channel)
        self.announce(message, delay=delay)
