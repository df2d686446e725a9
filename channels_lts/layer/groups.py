"""Groups: who is in them. Their members are told by their own queue, so that it comes before whatever follows."""

from __future__ import annotations

import secrets
import string
import time

from channels_lts import conf
from channels_lts.layer import items, scripts
from channels_lts.layer.core import Core, text
from channels_lts.layer.scripts import Call

_NAME_CHARACTERS = string.ascii_letters + string.digits


class Groups(Core):
    """The groups extension of ASGI 1, and new channel names."""

    def group_add(self, group: str, channel: str) -> None:
        """Add *channel* to *group*.

        It gets what is sent after this returns. A channel of an interface server stays in the group until it is gone
        or discarded; any other for ``group_expiry`` seconds.

        Raises:
            LayerUnavailable: Redis cannot be reached.
            TypeError: a name is not valid.
        """
        self.valid_group_name(group)
        self.valid_channel_name(channel)
        now = time.time()
        process = self.non_local_name(channel)
        index = self.consistent_hash(process)
        key = self.group_key(group)
        if not process.endswith("!"):
            self._execute(
                index, [("ZADD", key, now + self.group_expiry, channel), ("EXPIRE", key, self.group_lifetime)]
            )
            return
        keys = [self.queue_key(process), key, self.members_key(group, process), self.process_key(process)]
        arguments = [
            items.encode(items.JOIN, group, now + self.expiry, channel.encode("ascii")),
            process,
            channel,
            now + self.group_expiry,
            self.group_lifetime,
            self.queue_lifetime,
            self.get_capacity(process),
            int(conf.get("PROCESS_EXPIRY") * 1000),
        ]
        self._run(index, Call(scripts.GROUP_ADD, keys, arguments))

    def group_discard(self, group: str, channel: str) -> None:
        """Take *channel* out of *group*, if it is there.

        Raises:
            LayerUnavailable: Redis cannot be reached.
            TypeError: a name is not valid.
        """
        self.valid_group_name(group)
        self.valid_channel_name(channel)
        process = self.non_local_name(channel)
        index = self.consistent_hash(process)
        key = self.group_key(group)
        if not process.endswith("!"):
            self._execute(index, [("ZREM", key, channel)])
            return
        item = items.encode(items.LEAVE, group, time.time() + self.expiry, channel.encode("ascii"))
        keys = [self.queue_key(process), key, self.members_key(group, process)]
        self._run(index, Call(scripts.GROUP_DISCARD, keys, [item, process, channel, self.queue_lifetime]))

    def group_channels(self, group: str) -> list[str]:
        """Return the members of *group*. Those of a process that ended are gone within ``PROCESS_EXPIRY`` seconds.

        Raises:
            LayerUnavailable: a shard cannot be reached.
            TypeError: the name is not valid.
        """
        self.valid_group_name(group)
        arguments = [time.time(), self.process_key(""), self.members_key(group, "")]
        call = Call(scripts.GROUP_CHANNELS, [self.group_key(group)], arguments)
        return [text(channel) for index in range(self.ring_size) for channel in self._run(index, call)]

    def group_count(self, group: str) -> int:
        """Return how many members *group* has, without fetching them. It knows what :meth:`group_channels` knows.

        Raises:
            LayerUnavailable: a shard cannot be reached.
            TypeError: the name is not valid.
        """
        self.valid_group_name(group)
        arguments = [time.time(), self.process_key(""), self.members_key(group, "")]
        call = Call(scripts.GROUP_COUNT, [self.group_key(group)], arguments)
        return sum(self._run(index, call) for index in range(self.ring_size))

    def new_channel(self, pattern: str) -> str:
        """Return a new channel name that begins with *pattern*, which ends with ``?``.

        Raises:
            TypeError: it does not.
        """
        if not isinstance(pattern, str) or not pattern.endswith("?"):
            raise TypeError(f"a new channel needs a pattern that ends with ?, not {pattern!r}")
        name = pattern + "".join(secrets.choice(_NAME_CHARACTERS) for _ in range(12))
        self.valid_channel_name(name)
        return name
