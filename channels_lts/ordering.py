"""``enforce_ordering`` and ``strict_ordering``: the frames of one socket one after the other, whoever runs them.

A frame whose turn has not come waits in Redis, and its worker goes on with something else; whoever ends the turn before
sends it on its way again. Nobody asks again and again. The turn ends after what the consumer sent has left, so answers
keep the order of the frames. It ends after an exception too. Where a frame does not come, because a worker was killed
with it, those behind it go on after ``channels_lts.turns.PATIENCE`` seconds.
"""

from __future__ import annotations

import functools
import logging
import threading
import time
from collections.abc import Callable
from typing import Any

from channels.exceptions import ConsumeLater
from channels.message import pending_message_store

from channels_lts import beside, close_codes, turns
from channels_lts.turns import LATE, RUN, WAIT, Frame, Gap, Turns

logger = logging.getLogger(__name__)

Consumer = Callable[..., Any]

# Seconds between two looks at frames that wait and consumers that take long.
_TICK = 1.0
# How long, and how often, what must leave is tried again where a channel is full. Seconds; Channels 1.1.8's.
_RETRY_FOR = 2.0
_RETRY_EVERY = 0.2


def decorator(original: Callable[..., Any], channel_session: Callable[[Consumer], Consumer]) -> Callable[..., Any]:
    """Return Channels' ``enforce_ordering`` with our order.

    *original*, Channels' own, serves on layers of several processes without Redis.
    """

    @functools.wraps(original)
    def enforce_ordering(func: Consumer | None = None, slight: bool = False) -> Any:
        if func is None:
            return functools.partial(enforce_ordering, slight=slight)
        fallback, consumer = original(func, slight=slight), channel_session(func)

        @functools.wraps(func)
        def ordered(message: Any, *args: Any, **kwargs: Any) -> Any:
            if getattr(message, "has_turn", False):
                # Two of this decorator, as on a demultiplexer and one of its streams: one turn serves both.
                return consumer(message, *args, **kwargs)
            found = turns.turns(message.channel_layer)
            if found is None:
                return fallback(message, *args, **kwargs)
            return _in_turn(found, message, functools.partial(consumer, message, *args, **kwargs))

        return ordered

    return enforce_ordering


def _in_turn(found: Turns, message: Any, run: Callable[[], Any]) -> Any:
    order, socket, channel = _order(message), message.reply_channel.name, message.channel.name
    # A stream's message holds the payload alone; what comes again must be the frame.
    content = getattr(message, "frame_content", message.content)
    begins, ends = channel == "websocket.connect" and order == 0, channel == "websocket.disconnect"
    turn = found.enter(socket, order, (channel, content), begins=begins)
    if turn == WAIT:
        _watch.wait(message.channel_layer, found, socket)
        return None
    if turn == LATE and not ends:
        # It must not run now, and its sender must know.
        logger.error("frame %s of %s came after others had waited for it in vain", order, socket)
        message.reply_channel.send({"close": close_codes.TRY_AGAIN_LATER.code})
        return None
    message.has_turn = True
    if turn == RUN:
        _watch.begin(found, socket, order)
    try:
        result = run()
        _send_pending()
    except ConsumeLater:
        # It comes once more, and has the turn until then.
        _watch.end(socket)
        raise
    except BaseException:
        _leave(found, message, order, ends=ends)
        raise
    _leave(found, message, order, ends=ends)
    return result


def _order(message: Any) -> int:
    if "order" not in message.content:
        raise ValueError(f"a message on {message.channel} has no order: enforce_ordering is for those of a socket")
    if not message.reply_channel:
        raise ValueError(
            f"a message on {message.channel} has no reply channel: enforce_ordering is for those of a socket"
        )
    return int(message.content["order"])


def _leave(found: Turns, message: Any, order: int, *, ends: bool) -> None:
    socket = message.reply_channel.name
    _watch.end(socket)
    try:
        frames = found.leave(socket, order, ends=ends)
    except Exception:
        # The consumer has done its work. Those behind it go on when they have waited for long enough.
        logger.exception("could not end turn %s of %s", order, socket)
        return
    send_again(message.channel_layer, frames)


def _send_pending() -> None:
    """Send what the consumer has sent, before the worker comes to it: others may answer once the turn ends."""
    if not pending_message_store.active:
        return
    sent, pending_message_store.threadlocal.messages = pending_message_store.threadlocal.messages, []
    for sender, message in sent:
        _send(sender.channel_layer, functools.partial(sender.send, message, immediately=True))


def send_again(layer: Any, frames: list[Frame]) -> None:
    """Put frames that waited back on their channels: in front, where the layer is ours, since they waited already."""
    if not frames:
        return
    bare = beside.bare(layer)
    try:
        if hasattr(bare, "put_back"):
            _put_in_front(bare, frames)
            return
        for channel, content in frames:
            _send(layer, functools.partial(layer.send, channel, content))
    except Exception:
        logger.exception("lost %s frames of %s", len(frames), frames[0][1].get("reply_channel"))


def _put_in_front(layer: Any, frames: list[Frame]) -> None:
    from channels_lts.layer import items
    from channels_lts.layer.waiting import Popped

    shard = layer.shards_in_turn()[0]
    expires = time.time() + layer.expiry
    layer.put_back(
        [
            Popped(channel, shard, items.encode(items.MESSAGE, "", expires, layer.serialize(content)))
            for channel, content in frames
        ]
    )


def _send(layer: Any, send: Callable[[], Any]) -> None:
    deadline = time.monotonic() + _RETRY_FOR
    while True:
        try:
            send()
        except layer.ChannelFull:
            if time.monotonic() >= deadline:
                raise
            time.sleep(_RETRY_EVERY)
        else:
            return


class _Watch:
    """Looks after what this process waits for and works on: one thread, which does nothing while all is quick."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        # By socket: turns, order, and since when it runs.
        self._running: dict[str, tuple[Turns, int, float]] = {}
        # By socket: layer, and its turns.
        self._waiting: dict[str, tuple[Any, Turns]] = {}

    def begin(self, found: Turns, socket: str, order: int) -> None:
        self._running[socket] = found, order, time.monotonic()
        self._start()

    def end(self, socket: str) -> None:
        self._running.pop(socket, None)

    def wait(self, layer: Any, found: Turns, socket: str) -> None:
        self._waiting[socket] = layer, found
        self._start()

    def _start(self) -> None:
        if self._thread is None:
            with self._lock:
                if self._thread is None:
                    self._thread = threading.Thread(target=self._look, name="ordering", daemon=True)
                    self._thread.start()

    def _look(self) -> None:
        while True:
            time.sleep(_TICK)
            try:
                self._renew()
                self._check()
            except Exception as error:
                # Redis, most of all; it is the same a second later.
                logger.warning("could not look after the order of frames: %s", error)

    def _renew(self) -> None:
        for socket, (found, order, began) in self._running.copy().items():
            if time.monotonic() - began > _TICK:
                found.renew(socket, order)

    def _check(self) -> None:
        for socket in list(self._waiting):
            # First: what begins to wait while we look is looked at the next time.
            layer, found = self._waiting.pop(socket)
            try:
                result = found.check(socket)
            except Exception:
                self._waiting.setdefault(socket, (layer, found))
                raise
            if result:
                # Also behind a gap there may be another.
                self._waiting.setdefault(socket, (layer, found))
            if isinstance(result, Gap):
                logger.error("frames %s to %s of %s did not come: going on", result.first, result.then - 1, socket)
                send_again(layer, [result.frame])


_watch = _Watch()
