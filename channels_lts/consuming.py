"""Running one consumer for one message, and what becomes of it: replies, a closed socket, another try, or an error."""

from __future__ import annotations

import functools
import logging
import time
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from channels.exceptions import ChannelSocketException, ConsumeLater, DenyConnection, WebsocketCloseException
from channels.message import Message, pending_message_store
from channels.signals import consumer_finished, consumer_started

from channels_lts import close_codes
from channels_lts.activity import Activity, Run, name_of
from channels_lts.database import Connections
from channels_lts.layer.batch import Outgoing
from channels_lts.replies import Replies
from channels_lts.together import Together

logger = logging.getLogger(__name__)

T = TypeVar("T")


class Consuming:
    """Runs consumers in one thread. Nothing that a consumer does or raises comes out of here.

    What a consumer sent leaves after it ended well, with its transactions committed. After an error nothing leaves, but
    the error frame to the client of a multiplexed socket. Each outcome is counted, under the names in
    ``docs/workers.md``, and each error logged once.
    """

    def __init__(self, replies: Replies, activity: Activity, *, sender: type, retries: int) -> None:
        self._replies = replies
        self._activity = activity
        self._sender = sender
        self._retries = retries
        self._connections = Connections()
        # What says that the consumer has ended: the time limit's, where there is one.
        self.end = activity.end

    def run(self, consumer: Any, kwargs: dict[str, Any], message: Message, *, last: bool) -> float:
        """Run *consumer*; returns how long that took, in seconds.

        With *last*, what it and those before it have sent leaves at once.
        """
        run = self._begin(consumer, message)
        try:
            self._call(run, functools.partial(consumer, message, **kwargs))
        except BaseException as error:
            # All of them: sys.exit() in a consumer is an error of that consumer, and no reason to end.
            self.end()
            self._settle(consumer, message)
            self._raised(error, consumer, message)
        else:
            if self._settle(consumer, message):
                self._tell_client(consumer, message)
        self._finish(consumer, message, flush=last)
        return time.monotonic() - run.began

    def run_together(self, consumer: type[Together], messages: Sequence[Message]) -> Sequence[Message]:
        """Let *consumer* serve *messages* in one go; returns those that are to be served alone.

        What it sent leaves at once. After an error nothing leaves, and all of them are to be served alone.
        """
        first, left = messages[0], messages
        run = self._begin(consumer, first)
        try:
            left = self._call(run, functools.partial(consumer.serve_together, messages))
        except BaseException as error:
            self.end()
            self._settle(consumer, first)
            pending_message_store.prepare()
            self._activity.count("together_failed")
            # What is wrong with one of them, its own turn says.
            logger.warning("%d messages are served one by one: %r in %s", len(messages), error, _about(consumer, first))
        else:
            if self._settle(consumer, first):
                left = messages
        self._finish(consumer, first, flush=True)
        self._activity.count("messages_together", len(messages) - len(left))
        return left

    def _begin(self, consumer: Any, message: Message) -> Run:
        return self._activity.begin(message.channel.name, consumer, message.content.get("reply_channel") or "")

    def _call(self, run: Run, serve: Callable[[], T]) -> T:
        try:
            consumer_started.send(sender=self._sender, environ={})
            self._connections.make_healthy(run.began)
            return serve()
        finally:
            self.end()

    def _finish(self, consumer: Any, message: Message, *, flush: bool) -> None:
        self._replies.collect()
        if flush:
            # Whoever waits for the answer has it before connections are closed and the like.
            self._replies.flush()
        try:
            consumer_finished.send(sender=self._sender)
        except BaseException:
            self._activity.count("receiver_errors")
            logger.exception("error in a receiver of consumer_finished, after %s", _about(consumer, message))

    def _settle(self, consumer: Any, message: Message) -> bool:
        """Roll back what the consumer left open. Then nothing that it sent leaves, and it is an error."""
        databases = self._connections.settle()
        if databases:
            pending_message_store.prepare()
            self._activity.count("transactions_left_open")
            logger.error(
                "a transaction was left open on %s, and is rolled back, by %s",
                ", ".join(databases), _about(consumer, message),
            )  # fmt: skip
        return bool(databases)

    def _raised(self, error: BaseException, consumer: Any, message: Message) -> None:
        if isinstance(error, DenyConnection):
            self._activity.count("connections_denied")
            self._close(True, consumer, message)
        elif isinstance(error, WebsocketCloseException):
            # Its own `run` expects reply channels that are named websocket.*, as no interface server names them.
            self._activity.count("sockets_closed")
            self._close(error._code or True, consumer, message)
        elif isinstance(error, ChannelSocketException):
            try:
                error.run(message)
            except BaseException as inner:
                self._failed(inner, consumer, message)
        elif isinstance(error, ConsumeLater):
            pending_message_store.prepare()
            self._consume_later(consumer, message)
        else:
            self._failed(error, consumer, message)

    def _failed(self, error: BaseException, consumer: Any, message: Message) -> None:
        pending_message_store.prepare()
        self._activity.count("consumer_errors")
        logger.error("error in %s", _about(consumer, message), exc_info=error)
        self._tell_client(consumer, message)

    def _close(self, code: int | bool, consumer: Any, message: Message) -> None:
        """Refuse or close the socket that *message* came from; what its consumer wanted to send leaves first."""
        if message.reply_channel is None:
            logger.error(
                "there is no reply channel, so no socket to close, as is wanted by %s", _about(consumer, message)
            )
            return
        logger.info(
            "closing a socket (%s), as is wanted by %s", "no code" if code is True else code, _about(consumer, message)
        )
        message.reply_channel.send({"close": code})

    def _consume_later(self, consumer: Any, message: Message) -> None:
        content = message.content
        content["__retries__"] = content.get("__retries__", 0) + 1
        if content["__retries__"] > self._retries:
            self._activity.count("given_up")
            logger.warning("gave up after %s retries: %s", self._retries, _about(consumer, message))
            self._tell_client(consumer, message)
            return
        self._activity.count("postponed")
        self._replies.add(Outgoing(message.channel.name, "", content))

    def _tell_client(self, consumer: Any, message: Message) -> None:
        """Send the error frame, where *message* came from a multiplexed socket; refuse a handshake that failed."""
        if message.reply_channel is None:
            return
        if message.channel.name == "websocket.connect":
            # Without a word the browser would wait until the handshake's time limit.
            self._replies.add(Outgoing(message.reply_channel.name, "", {"close": close_codes.INTERNAL_ERROR.code}))
            return
        try:
            # Late: it needs Django's applications, and only a project with such sockets has them.
            from channels_lts.streams import failure_frame

            frame = failure_frame(consumer, message)
        except Exception:
            logger.exception("there is no error frame for the client of %s", _about(consumer, message))
            return
        if frame is not None:
            self._replies.add(Outgoing(message.reply_channel.name, "", frame))


def _about(consumer: Any, message: Message) -> str:
    reply_channel = message.reply_channel.name if message.reply_channel else "none"
    return f"consumer {name_of(consumer)}, for a message on {message.channel.name} (reply channel {reply_channel})"
