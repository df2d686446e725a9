"""A channel layer within one process, for ``runserver`` and tests: ``asgiref.inmemory``, under asgiref 2 and later."""

from __future__ import annotations

import copy
import itertools
import random
import string
import threading
import time
from collections import OrderedDict, deque
from collections.abc import Iterable
from typing import Any, NamedTuple

from channels_lts.compat.base_layer import BaseChannelLayer, Capacities, Message, Received

_RANDOM_LENGTH = 12
_RESERVED = "__asgi_channel__"
_LETTERS = string.ascii_letters
_PLAIN = frozenset({str, bytes, int, float, bool, type(None)})


class ChannelLayer(BaseChannelLayer):
    """Keeps messages and groups in the memory of this process; any thread may use it.

    Messages of one channel arrive in the order in which they were sent, and :meth:`receive` takes the oldest of all
    channels asked for. Each receiver gets a copy of its own. Sending and receiving take constant time, whatever waits
    elsewhere; what expires is removed in passing. Nothing outlives the process or leaves it.
    """

    extensions = ["groups", "flush"]

    # Seconds that a blocking receive waits: workers look at their own flags in between.
    block_timeout = 1.0

    def __init__(
        self,
        expiry: float = 60,
        group_expiry: float = 86400,
        # What asgiref 1 had here, and tests of projects rely on, where other layers have 100.
        capacity: int = 10,
        channel_capacity: Capacities | None = None,
    ) -> None:
        super().__init__(expiry, group_expiry, capacity, channel_capacity)
        self._lock = threading.Lock()
        self._order = itertools.count()
        # Ordered by their last message, so that what has expired stands in front. No queue is empty.
        self._queues: OrderedDict[str, deque[_Item]] = OrderedDict()
        # When each member was added; in that order.
        self._groups: dict[str, dict[str, float]] = {}
        self._groups_of: dict[str, set[str]] = {}
        self._waiting: list[_Waiter] = []

    # --- Messages ---

    def send(self, channel: str, message: Message) -> None:
        """Put a copy of *message* on *channel*.

        Raises:
            ChannelFull: as many messages as the channel may hold are waiting.
            TypeError: the name or the message is not valid.
        """
        self.valid_channel_name(channel)
        content = _copy_message(message)
        with self._lock:
            self._forget_expired()
            self._push(channel, content)

    def receive(self, channels: Iterable[str], block: bool = False) -> Received:
        """Take the oldest message off *channels*: its channel and the message, or ``(None, None)``.

        With *block*, wait for one, at most ``block_timeout`` seconds.

        Raises:
            TypeError: a name is not valid.
        """
        names = list(channels)
        for name in names:
            self.valid_channel_name(name, receive=True)
        deadline = time.monotonic() + (self.block_timeout if block and names else 0)
        waiter = _Waiter(names)
        while True:
            with self._lock:
                self._stop_waiting(waiter)
                item = self._pop(names)
                remaining = deadline - time.monotonic()
                if item is None and remaining > 0:
                    waiter.woken.clear()
                    self._waiting.append(waiter)
            if item is not None:
                return item.channel, item.message
            if remaining <= 0:
                return None, None
            waiter.woken.wait(remaining)

    def new_channel(self, pattern: str) -> str:
        """Return a channel name that nobody else has: *pattern*, which ends with ``?``, and random letters.

        Raises:
            TypeError: *pattern* is not of that kind.
        """
        if not isinstance(pattern, str) or not pattern.endswith("?"):
            raise TypeError(f"Pattern of a new channel must end with ?, not {pattern!r}")
        while True:
            name = pattern + "".join(random.choices(_LETTERS, k=_RANDOM_LENGTH))  # noqa: S311 (a name, no secret)
            self.valid_channel_name(name)
            if name not in self._queues:
                return name

    # --- Groups ---

    def group_add(self, group: str, channel: str) -> None:
        """Add *channel* to *group*; it stays ``group_expiry`` seconds, from its latest addition.

        It leaves earlier when a message on it expires, for then nobody receives there any more.
        """
        self.valid_group_name(group)
        self.valid_channel_name(channel)
        with self._lock:
            members = self._groups.setdefault(group, {})
            members.pop(channel, None)
            members[channel] = time.monotonic()
            self._groups_of.setdefault(channel, set()).add(group)

    def group_discard(self, group: str, channel: str) -> None:
        """Take *channel* out of *group*, if it is there."""
        self.valid_group_name(group)
        self.valid_channel_name(channel)
        with self._lock:
            self._leave(group, channel)

    def group_channels(self, group: str) -> list[str]:
        """Return the members of *group*, in the order in which they were last added."""
        self.valid_group_name(group)
        with self._lock:
            self._forget_expired()
            return self._members(group)

    def send_group(self, group: str, message: Message) -> None:
        """Put a copy of *message* on the channel of each member of *group*; channels without room are left out."""
        self.valid_group_name(group)
        content = _copy_message(message)
        with self._lock:
            self._forget_expired()
            for channel in self._members(group):
                try:
                    self._push(channel, _copy(content))
                except self.ChannelFull:
                    # The specification wants it so: one slow member must not keep the others from hearing.
                    continue

    # --- Flush ---

    def flush(self) -> None:
        """Remove all messages and groups."""
        with self._lock:
            self._queues.clear()
            self._groups.clear()
            self._groups_of.clear()

    # --- Below here the lock is held ---

    def _push(self, channel: str, message: Message) -> None:
        name = self.non_local_name(channel)
        queue = self._queues.get(name)
        if len(queue or ()) >= self.get_capacity(name):
            raise self.ChannelFull(channel)
        if queue is None:
            queue = self._queues[name] = deque()
        queue.append(_Item(next(self._order), time.monotonic() + self.expiry, channel, message))
        self._queues.move_to_end(name)
        # One message for one receiver, so only one is woken.
        for waiter in self._waiting:
            if name in waiter.channels:
                self._waiting.remove(waiter)
                waiter.woken.set()
                break

    def _pop(self, channels: Iterable[str]) -> _Item | None:
        oldest: deque[_Item] | None = None
        name = ""
        for channel in channels:
            queue = self._live_queue(channel)
            if queue is not None and (oldest is None or queue[0].order < oldest[0].order):
                oldest, name = queue, channel
        if oldest is None:
            return None
        item = oldest.popleft()
        if not oldest:
            del self._queues[name]
        return item

    def _live_queue(self, name: str) -> deque[_Item] | None:
        queue = self._queues.get(name)
        now = time.monotonic()
        while queue and queue[0].expires <= now:
            self._leave_all(queue.popleft().channel)
        if queue is not None and not queue:
            del self._queues[name]
            return None
        return queue

    def _forget_expired(self) -> None:
        now = time.monotonic()
        while self._queues:
            name, queue = next(iter(self._queues.items()))
            if queue[-1].expires > now:
                return
            for item in queue:
                self._leave_all(item.channel)
            del self._queues[name]

    def _stop_waiting(self, waiter: _Waiter) -> None:
        if waiter in self._waiting:
            self._waiting.remove(waiter)

    def _members(self, group: str) -> list[str]:
        members = self._groups.get(group, {})
        limit = time.monotonic() - self.group_expiry
        for channel in list(itertools.takewhile(lambda channel: members[channel] <= limit, members)):
            self._leave(group, channel)
        return list(members)

    def _leave_all(self, channel: str) -> None:
        for group in list(self._groups_of.get(channel, ())):
            self._leave(group, channel)

    def _leave(self, group: str, channel: str) -> None:
        members = self._groups.get(group)
        if members is None or channel not in members:
            return
        del members[channel]
        if not members:
            del self._groups[group]
        groups = self._groups_of[channel]
        groups.remove(group)
        if not groups:
            del self._groups_of[channel]


class _Item(NamedTuple):
    """A message on its way. *channel* is the full name, also where many channels share a queue."""

    order: int
    expires: float
    channel: str
    message: Message


class _Waiter:
    """A thread that waits for a message on any of some channels."""

    def __init__(self, channels: Iterable[str]) -> None:
        self.channels = frozenset(channels)
        self.woken = threading.Event()


def _copy_message(message: Any) -> Message:
    if not isinstance(message, dict):
        raise TypeError(f"Message must be a dict, not {type(message).__name__}")
    if _RESERVED in message:
        raise TypeError(f"Message must not have the key {_RESERVED!r}: channel layers keep it for themselves")
    copied: Message = _copy(message)
    return copied


def _copy(value: Any) -> Any:
    """Copy *value* all the way down; what other layers could carry quickly, anything else as ``copy`` does it."""
    kind = type(value)
    if kind in _PLAIN:
        return value
    if kind is dict:
        return {key: _copy(item) for key, item in value.items()}
    if kind is list:
        return [_copy(item) for item in value]
    if kind is tuple:
        return tuple(_copy(item) for item in value)
    return copy.deepcopy(value)


# For whoever names it in a command line or imports it: one layer for the whole process.
channel_layer = ChannelLayer()
