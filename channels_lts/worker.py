"""The worker's loop on our own channel layer: small batches, and the end when it is told to, with nothing lost.

On other layers it is Channels' own loop.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Iterable
from typing import Any

from channels import worker as upstream
from channels.exceptions import ChannelSocketException, ConsumeLater, DenyConnection, WebsocketCloseException
from channels.message import Message, pending_message_store
from channels.signals import consumer_finished, consumer_started
from channels.utils import name_that_thing

from channels_lts import conf
from channels_lts.exceptions import LayerUnavailable
from channels_lts.layer.batch import Outgoing
from channels_lts.layer.redis import Layer
from channels_lts.layer.waiting import Popped, Waiter
from channels_lts.replies import Replies
from channels_lts.routing import match

logger = logging.getLogger(__name__)

# A consumer that takes longer than this does not share a batch, and nobody's reply waits for it. Seconds.
_SLOW = 0.002
# After so long the rest of a batch goes back, for other workers. Seconds.
_LONGEST_BATCH = 0.02
# What we expect of a consumer's next run follows the last one: down by this share of the difference, up by no more than
# this factor. One run that was held up, by the machine or a lock, so does not make a quick consumer a slow one.
_DOWN = 0.2
_UP = 1.5


class Worker(upstream.Worker):
    """Runs consumers, one message after the other.

    SIGTERM and SIGINT end it: a wait is over at once, and what was popped is finished first.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._layer: Layer | None = None
        self._waiter: Waiter | None = None
        self._limit = 1
        # Seconds that a run of each consumer is expected to take.
        self._expected: dict[Any, float] = {}
        self._replies = Replies(self.channel_layer)

    def sigterm_handler(self, signo: int, stack_frame: Any) -> None:
        if not isinstance(self._layer, Layer):
            super().sigterm_handler(signo, stack_frame)
            return
        logger.info("ending after what was begun")
        self.stop()

    def stop(self) -> None:
        """End after what was popped. From any thread, or a signal handler."""
        self.termed = True
        if self._waiter is not None:
            self._waiter.wake()

    def run(self) -> None:
        """Run consumers until :meth:`stop`."""
        layer = getattr(self.channel_layer, "channel_layer", self.channel_layer)
        if not isinstance(layer, Layer):
            super().run()
            return
        self._layer = layer
        if self.signal_handlers:
            self.install_signal_handler()
        channels = sorted(self.apply_channel_filters(self.channel_layer.router.channels))
        logger.info("listening on channels %s", ", ".join(channels))
        self._waiter = waiter = layer.waiter(channels)
        try:
            while not self.termed:
                self._run_batch(layer, layer.take(waiter, self._limit))
        finally:
            self._run_batch(layer, waiter.close())

    def _run_batch(self, layer: Layer, batch: Iterable[Popped]) -> None:
        pending = deque(batch)
        began = time.monotonic()
        self._limit = min(self._limit * 2, conf.get("WORKER_BATCH"))
        while pending:
            for channel, content in layer.open(pending.popleft()):
                self._dispatch(layer, channel, content, pending)
            if pending and time.monotonic() - began > _LONGEST_BATCH:
                self._return(layer, pending)
        self._replies.flush()

    def _return(self, layer: Layer, pending: deque[Popped]) -> None:
        """Give the rest of the batch back, for workers that are free sooner; and take less next time."""
        self._limit = 1
        try:
            layer.put_back(list(pending))
        except LayerUnavailable:
            # We still have it: it is ours to do.
            return
        pending.clear()

    def _dispatch(self, layer: Layer, channel: str, content: dict[str, Any], pending: deque[Popped]) -> None:
        message = Message(content=content, channel_name=channel, channel_layer=self.channel_layer)
        if content.get("__retries__", 0) == self.message_retries:
            message.__doomed__ = True
        try:
            found = match(self.channel_layer.router, message)
        except Exception:
            # A filter met a value that is no text.
            logger.exception("the routing cannot match a message on %s", channel)
            return
        if found is None:
            logger.error("no route for a message on %s; is the routing complete?", channel)
            return
        consumer, kwargs = found
        if self.callback:
            self.callback(channel, message)
        expected = self._expected.get(consumer)
        if expected is None or expected > _SLOW:
            # Nobody waits for a slow one, or one that we do not know yet: neither replies nor messages.
            self._replies.flush()
            if pending:
                self._return(layer, pending)
        began = time.monotonic()
        self._run_consumer(consumer, kwargs, message, last=not pending)
        took = time.monotonic() - began
        if expected is not None:
            took = min(took, expected * _UP) if took > expected else expected + (took - expected) * _DOWN
        self._expected[consumer] = took

    def _run_consumer(self, consumer: Any, kwargs: dict[str, Any], message: Message, *, last: bool) -> None:
        consumer_started.send(sender=self.__class__, environ={})
        try:
            consumer(message, **kwargs)
        except DenyConnection:
            self._close(message, True)
        except ChannelSocketException as error:
            self._run_exception(error, message)
        except ConsumeLater:
            pending_message_store.prepare()
            self._consume_later(message)
        except Exception:
            pending_message_store.prepare()
            logger.exception("error in consumer %s for a message on %s", name_that_thing(consumer), message.channel)
        finally:
            self._replies.collect()
            if last:
                # Whoever waits for the answer has it before connections are closed and the like.
                self._replies.flush()
            try:
                consumer_finished.send(sender=self.__class__)
            except Exception:
                logger.exception("error in a receiver of consumer_finished, after %s", name_that_thing(consumer))

    @staticmethod
    def _close(message: Message, code: int | bool) -> None:
        """Refuse or close the socket that *message* came from; what its consumer wanted to send leaves first."""
        if message.reply_channel is None:
            logger.error(
                "a consumer of %s wants to close a socket, but the message has no reply channel", message.channel
            )
            return
        message.reply_channel.send({"close": code})

    def _run_exception(self, error: ChannelSocketException, message: Message) -> None:
        if isinstance(error, WebsocketCloseException):
            # Its own `run` expects reply channels that are named websocket.*, as no interface server names them.
            self._close(message, error._code or True)
            return
        try:
            error.run(message)
        except Exception:
            logger.exception("error in %s, raised by a consumer of %s", type(error).__name__, message.channel)

    def _consume_later(self, message: Message) -> None:
        content = message.content
        content["__retries__"] = content.get("__retries__", 0) + 1
        if content["__retries__"] > self.message_retries:
            logger.warning("gave up on a message on %s after %s retries", message.channel, self.message_retries)
            return
        self._replies.add(Outgoing(message.channel.name, "", content))


class WorkerGroup(Worker):
    """Several workers in threads of one process, which end together and each after what it popped."""

    def __init__(self, *args: Any, n_threads: int, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        kwargs["signal_handlers"] = False
        self._others = [Worker(*args, **kwargs) for _ in range(n_threads - 1)]

    def ready(self) -> None:
        super().ready()
        for worker in self._others:
            worker.ready()

    def stop(self) -> None:
        super().stop()
        for worker in self._others:
            worker.stop()

    def run(self) -> None:
        """Run them all until :meth:`stop`."""
        threads = [threading.Thread(target=worker.run, name=f"worker-{n}") for n, worker in enumerate(self._others, 2)]
        for thread in threads:
            thread.start()
        try:
            super().run()
        finally:
            for worker in self._others:
                worker.stop()
            for thread in threads:
                thread.join()
