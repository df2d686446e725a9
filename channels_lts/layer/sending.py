"""Sending to channels and groups."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, cast

from channels_lts.exceptions import LayerUnavailable
from channels_lts.layer import batch, items, scripts
from channels_lts.layer.core import Core, Message, text
from channels_lts.layer.scripts import Call

if TYPE_CHECKING:
    from channels_lts.layer.redis import Layer


class Sending(Core):
    """The sending half of the layer."""

    def send(self, channel: str, message: Message) -> None:
        """Put *message* on *channel*.

        At most once; messages of one sender to one queue keep their order.

        Raises:
            ChannelFull: the channel has no room. That is counted.
            LayerUnavailable: Redis cannot be reached.
            TypeError: *channel* is not a valid name, or *message* is no dict.
        """
        name, item = self.encode(channel, message)
        call = self.send_call({name: [item]})
        if self._run_somewhere(name, call) == [0]:
            raise self.ChannelFull(f"{name} is full: {self.get_capacity(name)} messages wait")

    def send_group(self, group: str, message: Message) -> None:
        """Send *message* to every channel in *group*.

        Costs one script call per shard, whatever the size of the group: processes know their own members.
        At most once. Members that joined before the call get it, in the order of the calls of one sender. A process
        whose queue is full misses it; that is counted and logged once a second, never raised.

        Raises:
            TypeError: *group* is not a valid group name (ASGI 1 spec, "Groups"), or *message* is no dict.
            LayerUnavailable: a shard cannot be reached; the members on the other shards got the message.
        """
        call = self.group_call([(group, message)])
        failures = []
        for index in range(self.ring_size):
            try:
                [result] = self._run(index, call)
                self.after_group_send(group, message, result)
            except LayerUnavailable as error:
                failures.append(str(error))
        if failures:
            raise LayerUnavailable("; ".join(failures))

    def send_batch(self, messages: Sequence[batch.Outgoing]) -> list[batch.Outgoing]:
        """Send *messages*, each to a channel or a group, in as few calls as their order allows.

        Returns those to channels that were full. They are counted, and what follows them was sent.

        Raises:
            LayerUnavailable: a shard cannot be reached; what went to the others was sent. Its ``unsent`` are those
                that certainly were not; of the rest some may be lost, which is counted.
            TypeError: a name is not valid, or a message is no dict; nothing was sent.
        """
        return batch.send(cast("Layer", self), messages)

    def encode(self, channel: str, message: Message) -> tuple[str, bytes]:
        """Return the queue of *channel* and *message* as an item of it."""
        self._check_message(message)
        self.valid_channel_name(channel)
        body = self.serialize(message)
        expires = time.time() + self.expiry
        if "!" in channel:
            return channel[: channel.index("!") + 1], items.encode(items.MESSAGE, channel, expires, body)
        return channel, items.encode(items.MESSAGE, "", expires, body)

    def send_call(self, queues: dict[str, list[bytes]]) -> Call:
        """Return the call that pushes items onto queues of one shard; it answers how many each took."""
        keys = [self.statistics_key(self.global_stats_key)]
        arguments: list[Any] = [
            self.queue_lifetime,
            self.channel_statistics_expiry,
            self.global_statistics_expiry,
        ]
        for name, queued in queues.items():
            keys += (self.queue_key(name), self.statistics_key(name))
            arguments += (self.get_capacity(name), len(queued), *queued)
        return Call(scripts.SEND, keys, arguments)

    def group_call(self, messages: Sequence[tuple[str, Message]]) -> Call:
        """Return the call that sends *messages*, each to its group, to the processes of one shard that have members."""
        expires = time.time() + self.expiry
        keys = [self.statistics_key(self.global_stats_key)]
        arguments: list[Any] = [
            time.time(),
            self.queue_lifetime,
            self.prefix,
            self.process_key(""),
            self.stats_prefix,
            self.channel_statistics_expiry,
            self.global_statistics_expiry,
        ]
        for group, message in messages:
            self._check_message(message)
            self.valid_group_name(group)
            keys.append(self.group_key(group))
            item = items.encode(items.GROUP, group, expires, self.serialize(message))
            arguments += (item, self.members_key(group, ""))
        return Call(scripts.SEND_GROUP, keys, arguments)

    def after_group_send(self, group: str, message: Message, result: Any) -> None:
        """Do what :meth:`group_call` left of one message: count what was full, serve members outside of processes."""
        _, full, others = result
        if full:
            self.drops.add("group messages to full processes", f"{group} to {text(full[0])}", len(full))
        failure = None
        for channel in others:
            try:
                self.send(text(channel), message)
            except self.ChannelFull:
                self.drops.add("group messages to full channels", f"{group} to {text(channel)}")
            except LayerUnavailable as error:
                failure = error
        if failure:
            raise failure

    @staticmethod
    def _check_message(message: Message) -> None:
        if not isinstance(message, dict):
            raise TypeError(f"a message is a dict, not {type(message).__name__}")
