"""Frames that wait in the interface server while Redis is away: for a while, and not too many."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from time import monotonic
from typing import Any

# The one channel whose messages wait: a socket that has to be closed costs more than a late frame. A request is better
# answered at once, and a handshake is tried again by whoever wants it.
CHANNEL = "websocket.receive"
# Bytes of all that waits. What comes on top is refused.
MOST_BYTES = 64 * 1024 * 1024

Pair = tuple[bytes, Callable[[Any], None] | None]


class Held:
    """Encoded messages for :data:`CHANNEL`, in the order in which they came, each for *seconds* at most."""

    def __init__(self, *, seconds: float, most_bytes: int = MOST_BYTES) -> None:
        self._seconds = seconds
        self._room = most_bytes
        self._pairs: deque[tuple[float, Pair]] = deque()

    def add(self, pairs: Sequence[Pair]) -> list[Pair]:
        """Hold *pairs*, as far as there is room; returns the rest."""
        if self._seconds <= 0:
            return list(pairs)
        until = monotonic() + self._seconds
        for position, pair in enumerate(pairs):
            if len(pair[0]) > self._room:
                return list(pairs[position:])
            self._room -= len(pair[0])
            self._pairs.append((until, pair))
        return []

    def take(self) -> list[Pair]:
        """Return all that is held, and hold it no more."""
        return self._take(float("inf"))

    def overdue(self) -> list[Pair]:
        """Return what was held for long enough, and hold it no more."""
        return self._take(monotonic())

    def _take(self, until: float) -> list[Pair]:
        taken = []
        while self._pairs and self._pairs[0][0] <= until:
            _, pair = self._pairs.popleft()
            self._room += len(pair[0])
            taken.append(pair)
        return taken

    def __len__(self) -> int:
        return len(self._pairs)
