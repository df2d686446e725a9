"""What one process knows of itself: its channels' groups and what is kept of them, and what it has to announce.

It makes calls of scripts, and opens what came out of the process's queue; others do the talking.
"""

from __future__ import annotations

import math
import secrets
import time
from collections.abc import Collection, Iterable, Iterator, Sequence
from itertools import islice
from typing import TYPE_CHECKING, Any, NamedTuple

from channels_lts import conf
from channels_lts.layer import beside, items, scripts
from channels_lts.layer.keepsakes import Keepsakes
from channels_lts.layer.membership import Membership
from channels_lts.layer.scripts import Call

if TYPE_CHECKING:
    from channels_lts.layer.redis import Layer

# What one call carries at most; Lua's stack holds 8,000 values.
_CHANNELS_IN_A_CALL = 1000
_GROUPS_IN_A_CALL = 500
# All groups are announced once in so many announcements (or so often that none expires meanwhile), and at once where
# Redis may have lost them.
_ANNOUNCEMENTS_FOR_ALL = 20
_KEEPSAKES_IN_A_CALL = 100


class Delivery(NamedTuple):
    """A message for one *channel*, or for the members of *group*: the other one is empty."""

    channel: str
    group: str
    message: dict[str, Any]


class Process:
    """The channels of one process, which share the queue *name*: ``daphne.response.abc!``.

    Args:
        layer: The channel layer, of which only the names of keys, the settings and ``deserialize`` are used.
        name: Ends with ``!``.
    """

    def __init__(self, layer: Layer, name: str) -> None:
        self.name = name
        self.shard: int = layer.consistent_hash(name)
        self.membership = Membership()
        self.keepsakes = Keepsakes()
        self._layer = layer
        self._sign = f"{layer.get_capacity(name)} {secrets.token_hex(8)}"
        self._unannounced: Iterator[str] = iter(())

    def announcement(self) -> Call:
        """Return the call that says that the process lives. Where it returns 0, :meth:`everything` must follow."""
        expiry = int(conf.get("PROCESS_EXPIRY") * 1000)
        return Call(scripts.ANNOUNCE, [self._layer.process_key(self.name)], [self._sign, expiry])

    def everything(self) -> list[Call]:
        """Return the calls that bring back all that this process has in Redis, for one that has lost its data."""
        # What is kept of a channel comes first: the next frame of its socket needs it.
        return [*self._restore(), *self._announce(self.membership.groups(), only_lost=False)]

    def _restore(self) -> list[Call]:
        layer = self._layer
        calls = []
        kept = self.keepsakes.items()
        while chunk := list(islice(kept, _KEEPSAKES_IN_A_CALL)):
            arguments: list[Any] = [conf.get("CHANNEL_SESSION_EXPIRY")]
            for _, fields in chunk:
                arguments.append(len(fields))
                for field in fields.items():
                    arguments += field
            keys = [beside.key(layer, "session", channel) for channel, _ in chunk]
            calls.append(Call(scripts.RESTORE, keys, arguments))
        return calls

    def some_groups(self) -> list[Call]:
        """Return the calls for the next part of the groups: each stays alive in Redis, and what was lost comes back."""
        in_time = int(self._layer.group_expiry / conf.get("ANNOUNCE_INTERVAL")) // 2
        size = math.ceil(len(self.membership) / max(min(in_time, _ANNOUNCEMENTS_FOR_ALL), 1))
        part = list(islice(self._unannounced, size))
        if len(part) < size:
            self._unannounced = iter(self.membership.groups())
            part += islice(self._unannounced, size - len(part))
        return self._announce(part, only_lost=True)

    def _announce(self, groups: Iterable[str], *, only_lost: bool) -> list[Call]:
        calls = []
        part: list[tuple[str, int, list[str]]] = []
        size = 0
        for group in groups:
            members = list(self.membership.members(group))
            for earlier in range(0, len(members), _CHANNELS_IN_A_CALL):
                chunk = members[earlier : earlier + _CHANNELS_IN_A_CALL]
                if (part and size + len(chunk) > _CHANNELS_IN_A_CALL) or len(part) == _GROUPS_IN_A_CALL:
                    calls.append(self._announce_call(part, only_lost))
                    part, size = [], 0
                part.append((group, earlier, chunk))
                size += len(chunk)
        if part:
            calls.append(self._announce_call(part, only_lost))
        return calls

    def _announce_call(self, chunks: list[tuple[str, int, list[str]]], only_lost: bool) -> Call:
        layer = self._layer
        keys: list[str] = []
        expires = time.time() + layer.group_expiry
        arguments: list[Any] = [self.name, expires, layer.group_lifetime, int(only_lost)]
        for group, earlier, channels in chunks:
            keys += [layer.group_key(group), layer.members_key(group, self.name)]
            arguments += [earlier, len(channels), *channels]
        return Call(scripts.ANNOUNCE_GROUPS, keys, arguments)

    def forget(self, channels: Sequence[str]) -> list[Call]:
        """Take *channels*, which are gone, out of all their groups; returns the calls that tell Redis."""
        for channel in channels:
            self.keepsakes.forget(channel)
        pairs = ((group, channel) for channel in channels for group in self.membership.forget(channel))
        return self._leave(pairs)

    def disown(self, group: str, channel: str) -> list[Call]:
        """Refuse a membership of a channel that this process does not have (any more)."""
        self.membership.leave(group, channel)
        return self._leave(iter([(group, channel)]))

    def _leave(self, pairs: Iterator[tuple[str, str]]) -> list[Call]:
        layer = self._layer
        calls = []
        while chunk := list(islice(pairs, _GROUPS_IN_A_CALL)):
            keys = [key for group, _ in chunk for key in (layer.group_key(group), layer.members_key(group, self.name))]
            calls.append(Call(scripts.LEAVE, keys, [self.name, *(channel for _, channel in chunk)]))
        return calls

    def expire(self) -> list[Call]:
        """Take out who joined more than ``group_expiry`` seconds ago, where nobody calls :meth:`forget`."""
        self.keepsakes.forget_before(time.time() - conf.get("CHANNEL_SESSION_EXPIRY"))
        old = list(self.membership.joined_before(time.time() - self._layer.group_expiry))
        for group, channel in old:
            self.membership.leave(group, channel)
        return self._leave(iter(old))

    def open(self, raw: bytes) -> Delivery | items.Item | None:
        """Open an item of the queue: a message; or who joined or left a group, which is to be noted in its turn.

        Returns None for what cannot be read or has expired; that is counted.
        """
        item = self._layer.readable(raw, self.name)
        if item is None:
            return None
        if item.kind == items.MESSAGE or item.kind == items.GROUP:
            message = self._layer.readable_body(item.body, self.name)
            if message is None:
                return None
            if item.kind == items.GROUP:
                return Delivery("", item.name, message)
            return Delivery(item.name, "", message)
        return item

    def note(self, item: items.Item) -> None:
        """Take note of who joins or leaves, when all that came before it has been handed on, and nothing after it.

        And of what is to be kept of a channel.
        """
        if item.kind == items.KEEP:
            self._keep(item)
            return
        channel = item.body.decode("ascii", "replace")
        if item.kind == items.JOIN:
            self.membership.join(item.name, channel, time.time())
        else:
            self.membership.leave(item.name, channel)

    def _keep(self, item: items.Item) -> None:
        body = self._layer.readable_body(item.body, self.name)
        if body is None:
            return
        if body["over"]:
            self.keepsakes.forget(item.name)
        else:
            self.keepsakes.keep(item.name, body["changed"], body["removed"], time.time())

    def receivers(self, delivery: Delivery) -> Collection[str]:
        """Return the channels that *delivery* is for: a live view, not to be kept."""
        return self.membership.members(delivery.group) if delivery.group else (delivery.channel,)
