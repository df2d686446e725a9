"""Which channels of one process belong to which group. Pure, kept in the process itself."""

from __future__ import annotations

from collections.abc import Collection, Iterator


class Membership:
    """The groups of one process's channels. Members keep the order in which they joined."""

    def __init__(self) -> None:
        # Group to its members and when each joined; channel to its groups.
        self._groups: dict[str, dict[str, float]] = {}
        self._channels: dict[str, set[str]] = {}

    def join(self, group: str, channel: str, now: float) -> None:
        """Add *channel* to *group*, or begin its time there anew (*now*, in seconds of any clock)."""
        self._groups.setdefault(group, {})[channel] = now
        self._channels.setdefault(channel, set()).add(group)

    def leave(self, group: str, channel: str) -> None:
        """Take *channel* out of *group*, if it is there."""
        members = self._groups.get(group)
        if members is None or members.pop(channel, None) is None:
            return
        if not members:
            del self._groups[group]
        groups = self._channels[channel]
        groups.remove(group)
        if not groups:
            del self._channels[channel]

    def forget(self, channel: str) -> set[str]:
        """Take *channel* out of all its groups, which are returned."""
        groups = set(self._channels.get(channel, ()))
        for group in groups:
            self.leave(group, channel)
        return groups

    def members(self, group: str) -> Collection[str]:
        """Return the members of *group*: a live view, not to be kept."""
        return self._groups.get(group, {}).keys()

    def groups(self) -> list[str]:
        """Return the groups that have members."""
        return list(self._groups)

    def joined_before(self, moment: float) -> Iterator[tuple[str, str]]:
        """Yield (group, channel) of members that joined, and joined again, before *moment*."""
        for group, members in self._groups.items():
            for channel, joined in members.items():
                if joined < moment:
                    yield group, channel

    def clear(self) -> None:
        """Forget everything."""
        self._groups.clear()
        self._channels.clear()

    def __len__(self) -> int:
        return len(self._groups)
