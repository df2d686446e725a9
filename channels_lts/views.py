"""Django's views as the consumer of ``http.request``, with replies that leave together where they can."""

from __future__ import annotations

import functools
import logging
import time
from collections.abc import Callable
from inspect import iscoroutinefunction
from typing import Any

from channels import handler, staticfiles
from channels.exceptions import ResponseLater
from channels.message import Message, pending_message_store
from django.core.signals import got_request_exception

logger = logging.getLogger(__name__)

# Seconds for which a part of a response is tried again while the queue of the interface server is full.
_PATIENCE = 10.0
_RETRY_EVERY = 0.05


def _take_back(**kwargs: Any) -> None:
    """Drop what was sent and has not left, in this thread."""
    if pending_message_store.active:
        pending_message_store.prepare()


class _Handler:
    """Before a handler class: what a view has sent does not leave when it raises, as its transaction is rolled back.

    Django makes a response of the exception, so that the consumer ends well. ``ResponseLater`` is no error.
    """

    def make_view_atomic(self, view: Callable[..., Any]) -> Callable[..., Any]:
        atomic = super().make_view_atomic(view)  # type: ignore[misc]
        if iscoroutinefunction(atomic):
            return atomic

        @functools.wraps(atomic)
        def run(*args: Any, **kwargs: Any) -> Any:
            try:
                return atomic(*args, **kwargs)
            except ResponseLater:
                raise
            except Exception:
                # Also those that become a 404 or a 403.
                _take_back()
                raise

        return run

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # For what fails around the view: a middleware, or a template that is rendered after it.
        got_request_exception.connect(_take_back, dispatch_uid=__name__)


class Handler(_Handler, handler.AsgiHandler):
    pass


class StaticFilesHandler(_Handler, staticfiles.StaticFilesHandler):
    pass


class ViewConsumer(handler.ViewConsumer):
    """Answers requests by Django's views.

    A response in one message leaves when the consumer has ended, with what other consumers sent. Parts of a longer one
    leave at once, so that it is never in memory as a whole. Where the interface server takes no part for 10 s, as
    one that is gone does, the rest is not sent. What a view that fails has sent elsewhere does not leave.
    """

    handler_class = Handler

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

    handler_class = StaticFilesHandler
