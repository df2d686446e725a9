"""What channel layers of version 1 of ASGI have in common: ``asgiref.base_layer``, under asgiref 2.0 and later.

Names, limits and patterns follow the ASGI 1 specification; asgi_redis and asgi_ipc build on this class.
"""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any

Message = dict[str, Any]
Received = tuple[str, Message] | tuple[None, None]
Capacities = Mapping[str | re.Pattern[str], int]

# Names are shorter than this.
NAME_LIMIT = 100

_CHARACTERS = r"[a-zA-Z0-9\-_.]"
_CHANNEL = re.compile(rf"{_CHARACTERS}+(?:[?!]{_CHARACTERS}*)?")
_GROUP = re.compile(rf"{_CHARACTERS}+")
_EXPECTED = f"fewer than {NAME_LIMIT} ASCII letters, digits, hyphens, underscores and periods"


class BaseChannelLayer:
    """The settings of a channel layer, the rules for names, and the methods that a layer must have.

    Args:
        expiry: Seconds after which a message that nobody received is gone.
        group_expiry: Seconds after which a member that was not added again has left its group.
        capacity: How many messages may wait on one channel.
        channel_capacity: Other capacities, by glob pattern or compiled regular expression of the channel's name. The
            first pattern that matches counts.
    """

    extensions: list[str] = []

    class ChannelFull(Exception):
        """Raised when a channel has no room for a message; it was not sent, and sending it later may succeed."""

    class MessageTooLarge(Exception):
        """Raised when a message is larger than the layer can carry; sending it again will fail again."""

    def __init__(
        self,
        expiry: float = 60,
        group_expiry: float = 86400,
        capacity: int = 100,
        channel_capacity: Capacities | None = None,
    ) -> None:
        self.expiry = expiry
        self.group_expiry = group_expiry
        self.capacity = capacity
        self.channel_capacity = self.compile_capacities(channel_capacity or {})

    # --- What a layer does ---

    def send(self, channel: str, message: Message) -> None:
        """Put *message* on *channel*.

        Raises:
            ChannelFull: the channel has no room.
            MessageTooLarge: the message cannot be carried.
            TypeError: the name or the message is not valid.
        """
        raise NotImplementedError

    def receive(self, channels: Iterable[str], block: bool = False) -> Received:
        """Take one message off any of *channels*: its channel and the message, or ``(None, None)``.

        With *block*, the layer may wait for a message, and may give up waiting at any time.
        """
        raise NotImplementedError

    def receive_many(self, channels: Iterable[str], block: bool = False) -> Received:
        """Do as :meth:`receive` does. It is the older name, and the one that Channels 1.1.8 calls."""
        return self.receive(channels, block)

    def new_channel(self, pattern: str) -> str:
        """Return a new channel name that begins with *pattern*, which ends with ``?``."""
        raise NotImplementedError

    # --- Extension: groups ---

    def group_add(self, group: str, channel: str) -> None:
        """Add *channel* to *group*, or begin its time there anew."""
        raise NotImplementedError

    def group_discard(self, group: str, channel: str) -> None:
        """Take *channel* out of *group*, if it is there."""
        raise NotImplementedError

    def group_channels(self, group: str) -> Iterable[str]:
        """Return the members of *group*."""
        raise NotImplementedError

    def send_group(self, group: str, message: Message) -> None:
        """Send *message* to every member of *group*. Members without room miss it; that is never raised."""
        raise NotImplementedError

    # --- Extension: flush ---

    def flush(self) -> None:
        """Remove all messages and groups."""
        raise NotImplementedError

    # --- Capacity ---

    def compile_capacities(self, channel_capacity: Capacities) -> list[tuple[re.Pattern[str], int]]:
        """Return *channel_capacity* as pairs of regular expression and capacity, in the same order."""
        return [
            (re.compile(fnmatch.translate(pattern)) if isinstance(pattern, str) else pattern, capacity)
            for pattern, capacity in channel_capacity.items()
        ]

    def get_capacity(self, channel: str) -> int:
        """Return how many messages may wait on *channel*."""
        for pattern, capacity in self.channel_capacity:
            if pattern.match(channel):
                return capacity
        return self.capacity

    # --- Names ---

    channel_name_regex = _CHANNEL
    group_name_regex = _GROUP
    invalid_name_error = f"{{}} name must be {_EXPECTED}"

    def match_type_and_length(self, name: object) -> bool:
        """Whether *name* is text, and short enough."""
        return isinstance(name, str) and len(name) < NAME_LIMIT

    def valid_channel_name(self, name: str, receive: bool = False) -> bool:
        """Return True for a valid channel name.

        With *receive*, the name of a process's channels must end with its ``!``, as these are received together.

        Raises:
            TypeError: the name is not valid; the message says why.
        """
        _check_channel(name, receive)
        return True

    def valid_channel_names(self, names: list[str], receive: bool = False) -> bool:
        """Return True for a list of one or more valid channel names.

        Raises:
            TypeError: *names* is no list, is empty, or has an invalid name in it.
        """
        if not isinstance(names, list) or not names:
            raise TypeError(f"Channel names must be a list of one or more, not {names!r}")
        return all(self.valid_channel_name(name, receive) for name in names)

    def valid_group_name(self, name: str) -> bool:
        """Return True for a valid group name.

        Raises:
            TypeError: the name is not valid; the message says why.
        """
        _check_group(name)
        return True

    def non_local_name(self, name: str) -> str:
        """Return the name of the queue that carries channel *name*: up to the ``!``, if it has one."""
        head, mark, _ = name.partition("!")
        return head + mark


@lru_cache(maxsize=4096)
def _check_channel(name: str, receive: bool) -> None:
    if not isinstance(name, str) or len(name) >= NAME_LIMIT or not _CHANNEL.fullmatch(name):
        raise TypeError(f"Channel name must be {_EXPECTED}, with at most one ? or ! in it, not {name!r}")
    if name.endswith("?"):
        raise TypeError(f"Channel name for a single reader must not end with its ?: {name!r}")
    if receive and "!" in name and not name.endswith("!"):
        raise TypeError(f"Channel name of a process must end with its ! to be received: {name!r}")


@lru_cache(maxsize=4096)
def _check_group(name: str) -> None:
    if not isinstance(name, str) or len(name) >= NAME_LIMIT or not _GROUP.fullmatch(name):
        raise TypeError(f"Group name must be {_EXPECTED}, not {name!r}")
