"""A channel layer within one process, for development and tests, after the ASGI 1 specification.

Channels tells such a layer by "inmemory" in the name of its module, and then refuses ``runworker``.
"""

from __future__ import annotations

import random
import re
import secrets
import threading
import time
from collections import deque
from collections.abc import Iterable, Mapping
from copy import deepcopy
from typing import Any, ClassVar, NamedTuple

from channels_lts.compat.base_layer import BaseChannelLayer, Message

# Seconds that a blocking receive waits; the caller then asks again, so that a worker can notice that it should stop.
_BLOCK_TIMEOUT = 1.0


class _Item(NamedTuple):
    deadline: float
    channel: str
    message: Message


class ChannelLayer(BaseChannelLayer):
    """Queues and groups in memory, safe to use from threads.

    Messages are copied on the way in, so a sender may change its own afterwards. Within one channel they leave in the
    order in which they came. A message that expires takes its channel out of all groups: nobody reads there any more.
    """

    extensions: ClassVar[list[str]] = ["groups", "flush"]

    def __init__(
        self,
        expiry: float = 60,
        group_expiry: float = 86_400,
        capacity: int = 10,
        channel_capacity: Mapping[str | re.Pattern[str], int] | None = None,
    ) -> None:
        super().__init__(expiry, group_expiry, capacity, channel_capacity)
        self._queues: dict[str, deque[_Item]] = {}
        # Group to members, and each member's time to leave.
        self._groups: dict[str, dict[str, float]] = {}
        self._changed = threading.Condition()
        self._next_sweep = 0.0

    # --- Sending and receiving ---

    def send(self, channel: str, message: Message) -> None:
        self.valid_channel_name(channel)
        _check_message(message)
        with self._changed:
            self._sweep()
            self._push(channel, message)

    def receive(self, channels: Iterable[str], block: bool = False) -> tuple[str | None, Message | None]:
        """Return a channel and its oldest message; a blocking call waits up to a second for one."""
        names = list(channels)
        for name in names:
            self.valid_channel_name(name, receive=True)
        # No channel may starve the others.
        random.shuffle(names)
        with self._changed:
            found = self._pop(names)
            if found is None and block and names:
                self._changed.wait_for(lambda: self._peek(names) is not None, _BLOCK_TIMEOUT)
                found = self._pop(names)
        return (found.channel, found.message) if found else (None, None)

    def new_channel(self, pattern: str) -> str:
        if not isinstance(pattern, str) or not pattern.endswith("?"):
            raise TypeError(f"New channel pattern {pattern!r} must be a string that ends with ?.")
        self.valid_channel_name(name := pattern + secrets.token_hex(6))
        return name

    # --- Groups ---

    def group_add(self, group: str, channel: str) -> None:
        self.valid_group_name(group)
        self.valid_channel_name(channel)
        with self._changed:
            self._groups.setdefault(group, {})[channel] = time.monotonic() + self.group_expiry

    def group_discard(self, group: str, channel: str) -> None:
        self.valid_group_name(group)
        self.valid_channel_name(channel)
        with self._changed:
            self._leave(group, channel)

    def group_channels(self, group: str) -> list[str]:
        self.valid_group_name(group)
        with self._changed:
            return self._members(group)

    def send_group(self, group: str, message: Message) -> None:
        self.valid_group_name(group)
        _check_message(message)
        with self._changed:
            self._sweep()
            for channel in self._members(group):
                try:
                    self._push(channel, message)
                except self.ChannelFull:
                    # The specification: a full channel misses the message, the sender is not told.
                    continue

    # --- Flush ---

    def flush(self) -> None:
        with self._changed:
            self._queues.clear()
            self._groups.clear()

    # --- Inside the lock ---

    def _push(self, channel: str, message: Message) -> None:
        name = self.non_local_name(channel)
        self._drop_expired(name)
        queue = self._queues.setdefault(name, deque())
        if len(queue) >= self.get_capacity(channel):
            raise self.ChannelFull(channel)
        queue.append(_Item(time.monotonic() + self.expiry, channel, deepcopy(message)))
        self._changed.notify_all()

    def _peek(self, names: list[str]) -> str | None:
        """Return the first of *names* that has a message."""
        for name in names:
            self._drop_expired(name)
            if name in self._queues:
                return name
        return None

    def _pop(self, names: list[str]) -> _Item | None:
        name = self._peek(names)
        if name is None:
            return None
        item = self._queues[name].popleft()
        if not self._queues[name]:
            del self._queues[name]
        return item

    def _drop_expired(self, name: str) -> None:
        queue = self._queues.get(name)
        if queue is None:
            return
        # All messages live equally long, so the oldest expires first.
        while queue and queue[0].deadline <= time.monotonic():
            channel = queue.popleft().channel
            for group in list(self._groups):
                self._leave(group, channel)
        if not queue:
            del self._queues[name]

    def _sweep(self) -> None:
        """Now and then drop what expired on channels that nobody reads, or they would fill the memory."""
        now = time.monotonic()
        if now < self._next_sweep:
            return
        self._next_sweep = now + self.expiry
        for name in list(self._queues):
            self._drop_expired(name)
        for group in list(self._groups):
            self._members(group)

    def _members(self, group: str) -> list[str]:
        now = time.monotonic()
        for channel, deadline in list(self._groups.get(group, {}).items()):
            if deadline <= now:
                self._leave(group, channel)
        return list(self._groups.get(group, {}))

    def _leave(self, group: str, channel: str) -> None:
        members = self._groups.get(group, {})
        members.pop(channel, None)
        if not members:
            self._groups.pop(group, None)


def _check_message(message: Any) -> None:
    if not isinstance(message, dict):
        raise TypeError(f"A message is a dict, not {type(message).__name__}.")


# asgiref 1 offered one ready to use as "asgiref.inmemory:channel_layer".
channel_layer = ChannelLayer()
