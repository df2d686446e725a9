"""What is kept of the channels of one process, for the case that Redis loses it. Pure, kept in the process itself."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence


class Keepsakes:
    """Fields and values of each channel, as they are in Redis."""

    def __init__(self) -> None:
        # Channel to when it was last written, and its fields.
        self._channels: dict[str, tuple[float, dict[str, bytes]]] = {}

    def keep(self, channel: str, changed: Mapping[str, bytes], removed: Sequence[str], now: float) -> None:
        """Set the fields *changed* of *channel*, and take those *removed* away; *now* in seconds of any clock."""
        _, fields = self._channels.get(channel, (now, {}))
        fields = {name: value for name, value in fields.items() if name not in removed}
        self._channels[channel] = now, {**fields, **changed}

    def forget(self, channel: str) -> None:
        """Drop *channel*, if anything is kept of it."""
        self._channels.pop(channel, None)

    def forget_before(self, moment: float) -> None:
        """Drop the channels that were last written before *moment*."""
        self._channels = {channel: kept for channel, kept in self._channels.items() if kept[0] >= moment}

    def items(self) -> Iterator[tuple[str, dict[str, bytes]]]:
        """Yield each channel with its fields."""
        return ((channel, fields) for channel, (_, fields) in self._channels.items())

    def __len__(self) -> int:
        return len(self._channels)
