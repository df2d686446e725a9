"""The base of ASGI 1 channel layers: names, capacities, and the calls that a layer answers.

Written after the ASGI 1 specification ("Channel Semantics", "Channel Layers"), for asgiref 3, which has none.
"""

from __future__ import annotations

import fnmatch
import re
import warnings
from collections.abc import Iterable, Mapping
from typing import Any, ClassVar

Message = dict[str, Any]

# "strictly less than 100 bytes in length", ASCII letters, digits, hyphens, periods and underscores.
_MAX_NAME_LENGTH = 99
_CHANNEL_NAME = re.compile(r"[a-zA-Z0-9\-_.]+(?:[?!][a-zA-Z0-9\-_.]*)?")
_GROUP_NAME = re.compile(r"[a-zA-Z0-9\-_.]+")


class BaseChannelLayer:
    """What every channel layer shares. Subclasses implement the calls.

    *expiry* and *group_expiry* are seconds. *capacity* is how many messages a channel holds; *channel_capacity* maps
    glob patterns (or compiled ones) of channel names to capacities of their own, the first match counting.
    """

    extensions: ClassVar[list[str]] = []

    class ChannelFull(Exception):
        """Raised when a channel is at its capacity."""

    class MessageTooLarge(Exception):
        """Raised when a message is larger than the layer can carry."""

    def __init__(
        self,
        expiry: float = 60,
        group_expiry: float = 86_400,
        capacity: int = 100,
        channel_capacity: Mapping[str | re.Pattern[str], int] | None = None,
    ) -> None:
        self.expiry = expiry
        self.group_expiry = group_expiry
        self.capacity = capacity
        self.channel_capacity = self.compile_capacities(channel_capacity or {})

    # --- Sending and receiving ---

    def send(self, channel: str, message: Message) -> None:
        """Put *message* on *channel*, or raise ``ChannelFull``."""
        raise NotImplementedError

    def receive(self, channels: Iterable[str], block: bool = False) -> tuple[str | None, Message | None]:
        """Return a channel of *channels* and a message from it, or ``(None, None)``."""
        raise NotImplementedError

    def receive_many(self, channels: Iterable[str], block: bool = False) -> tuple[str | None, Message | None]:
        """The old name of :meth:`receive`, which Channels 1.1.8 still uses."""
        warnings.warn("receive_many is deprecated; please use receive", DeprecationWarning, stacklevel=2)
        return self.receive(channels, block)

    def new_channel(self, pattern: str) -> str:
        """Return an unused single-reader channel name that begins with *pattern*, which ends in ``?``."""
        raise NotImplementedError

    # --- Extension: groups ---

    def group_add(self, group: str, channel: str) -> None:
        raise NotImplementedError

    def group_discard(self, group: str, channel: str) -> None:
        raise NotImplementedError

    def group_channels(self, group: str) -> Iterable[str]:
        raise NotImplementedError

    def send_group(self, group: str, message: Message) -> None:
        """Put *message* on every channel of *group*; a full channel misses it, and nothing is raised."""
        raise NotImplementedError

    # --- Extension: flush ---

    def flush(self) -> None:
        """Forget every message and every group."""
        raise NotImplementedError

    # --- Capacities ---

    def compile_capacities(self, channel_capacity: Mapping[str | re.Pattern[str], int]) -> list[tuple[Any, int]]:
        """Return the pairs of compiled pattern and capacity that :meth:`get_capacity` goes through."""
        return [
            (re.compile(fnmatch.translate(pattern)) if isinstance(pattern, str) else pattern, capacity)
            for pattern, capacity in channel_capacity.items()
        ]

    def get_capacity(self, channel: str) -> int:
        """Return how many messages *channel* holds: by the first pattern that matches, or the layer's default."""
        for pattern, capacity in self.channel_capacity:
            if pattern.match(channel):
                return capacity
        return self.capacity

    # --- Names ---

    def match_type_and_length(self, name: Any) -> bool:
        return isinstance(name, str) and len(name) <= _MAX_NAME_LENGTH

    def valid_channel_name(self, name: Any, receive: bool = False) -> bool:
        """Return True.

        Raises:
            TypeError: *name* is no channel name; or it names more of a process-local channel than :meth:`receive` may.
        """
        if not (self.match_type_and_length(name) and _CHANNEL_NAME.fullmatch(name)):
            raise TypeError(
                f"Channel name {name!r} is not valid: it must be a string of at most {_MAX_NAME_LENGTH} ASCII letters, "
                "digits, hyphens, underscores and periods, with one ? or ! at the most."
            )
        if name.endswith("?"):
            raise TypeError(f"Channel name {name!r} is not valid: a single-reader channel must not end with ?.")
        if receive and "!" in name and not name.endswith("!"):
            raise TypeError(f"Channel name {name!r} is not valid in receive(): it must end at the !.")
        return True

    def valid_group_name(self, name: Any) -> bool:
        """Return True.

        Raises:
            TypeError: *name* is no group name.
        """
        if not (self.match_type_and_length(name) and _GROUP_NAME.fullmatch(name)):
            raise TypeError(
                f"Group name {name!r} is not valid: it must be a string of at most {_MAX_NAME_LENGTH} ASCII letters, "
                "digits, hyphens, underscores and periods."
            )
        return True

    def valid_channel_names(self, names: Any, receive: bool = False) -> bool:
        """Return True if *names* is a list, not empty, of channel names.

        Raises:
            TypeError: it is not.
        """
        if not isinstance(names, list) or not names:
            raise TypeError(f"Expected a list of channel names, not empty: {names!r}")
        return all(self.valid_channel_name(name, receive=receive) for name in names)

    def non_local_name(self, name: str) -> str:
        """Return the part of *name* that names a queue: of a process-local channel up to and with the ``!``."""
        queue, mark, _ = name.partition("!")
        return queue + mark
