"""What is in what a worker took, the consumer for it, and what else that one may serve along with it."""

from __future__ import annotations

import logging
from typing import Any

from channels.message import Message

from channels_lts.activity import Activity
from channels_lts.intake import Intake
from channels_lts.pending import Held, Pending
from channels_lts.routing import Match, match
from channels_lts.together import is_together

logger = logging.getLogger(__name__)


class Finding:
    """By the routing of *channel_layer*. What cannot be opened or routed is logged and counted once."""

    def __init__(self, channel_layer: Any, activity: Activity, *, retries: int) -> None:
        self._channel_layer = channel_layer
        self._activity = activity
        self._retries = retries

    def open(self, messages: Intake, held: Held) -> list[Message]:
        if held.opened is None:
            held.opened = [self._message(channel, content) for channel, content in messages.open(held.taken)]
            if not held.opened:
                # The layer has said which: expired, of a newer version, or nothing that can be read.
                self._activity.count("messages_unopened")
        return held.opened

    def find(self, message: Message) -> Match | None:
        """Return the consumer for *message*, and its keyword arguments; None where there is none."""
        channel, reply_channel = message.channel.name, message.content.get("reply_channel")
        try:
            found = match(self._channel_layer.router, message)
        except Exception:
            # A filter met a value that is no text.
            self._activity.count("messages_unmatched")
            logger.exception("the routing cannot match a message on %s (reply channel %s)", channel, reply_channel)
            return None
        if found is None:
            self._activity.count("messages_unrouted")
            logger.error(
                "no route for a message on %s (reply channel %s); is the routing complete?", channel, reply_channel
            )
        return found

    def company(
        self, pending: Pending, messages: Intake, consumer: Any, first: Message
    ) -> list[tuple[Message, dict[str, Any]]]:
        """Take off what *consumer* may serve along with *first* among what is *pending*, with its keyword arguments.

        Of each socket, nothing behind what has to be served alone.
        """
        company: list[tuple[Message, dict[str, Any]]] = []
        passed: set[str] = set()

        def wanted(held: Held) -> bool:
            opened = self.open(messages, held)
            sockets = {message.content.get("reply_channel") for message in opened} - {None}
            if len(opened) == 1 and passed.isdisjoint(sockets):
                kwargs = self._joining(consumer, opened[0])
                if kwargs is not None:
                    company.append((opened[0], kwargs))
                    return True
            passed.update(sockets)
            return False

        if pending and is_together(consumer) and consumer.joins(first):
            pending.pick(wanted)
        return company

    def _joining(self, consumer: Any, message: Message) -> dict[str, Any] | None:
        """Return the keyword arguments of *message*, if it is one for *consumer* that joins others."""
        try:
            found = match(self._channel_layer.router, message)
        except Exception:
            # Its own turn says what is wrong.
            return None
        return found[1] if found is not None and found[0] is consumer and consumer.joins(message) else None

    def _message(self, channel: str, content: dict[str, Any]) -> Message:
        message = Message(content=content, channel_name=channel, channel_layer=self._channel_layer)
        if content.get("__retries__", 0) == self._retries:
            message.__doomed__ = True
        return message
