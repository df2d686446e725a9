"""Django's views as the consumer of ``http.request``, with replies that leave together where they can."""

from __future__ import annotations

import logging
import time
from typing import Any

from channels import handler, staticfiles
from channels.message import Message

logger = logging.getLogger(__name__)

# Seconds for which a part of a response is tried again while the queue of the interface server is full.
_PATIENCE = 10.0
_RETRY_EVERY = 0.05


class ViewConsumer(handler.ViewConsumer):
    """Answers requests by Django's views.

    A response in one message leaves when the consumer has ended, with what other consumers sent. Parts of a longer one
    leave at once, so that it is never in memory as a whole. Where the interface server takes no part for 10 s, as
    one that is gone does, the rest is not sent.
    """

    def __call__(self, message: Message) -> None:
        for part in self.handler(message):
            if "status" in part and not part.get("more_content"):
                message.reply_channel.send(part)
            elif not self._send(message, part):
                logger.error("gave up on the response to %s: the interface server takes no more", message["path"])
                return

    @staticmethod
    def _send(message: Message, part: dict[str, Any]) -> bool:
        deadline = time.monotonic() + _PATIENCE
        while True:
            try:
                message.reply_channel.send(part, immediately=True)
            except message.channel_layer.ChannelFull:
                if time.monotonic() >= deadline:
                    return False
                time.sleep(_RETRY_EVERY)
            else:
                return True


class StaticFilesConsumer(ViewConsumer):
    """The same with static files, for development."""

    handler_class = staticfiles.StaticFilesHandler
