"""How many messages a second one WebSocket may send."""

from __future__ import annotations

# Seconds' worth of messages that may come at once.
BURST_SECONDS = 2


class Pace:
    """A token bucket: *rate* messages a second on average, two seconds' worth of them (at least one) at once."""

    __slots__ = ("_allowance", "_last", "rate")

    def __init__(self, rate: float) -> None:
        self.rate = rate
        self._allowance = self._burst
        self._last = 0.0

    @property
    def _burst(self) -> float:
        return max(1.0, self.rate * BURST_SECONDS)

    def take(self, now: float) -> bool:
        """Tell whether one more message is allowed at *now*, in seconds of any clock, and count it if so."""
        self._allowance = min(self._burst, self._allowance + (now - self._last) * self.rate)
        self._last = now
        if self._allowance < 1:
            return False
        self._allowance -= 1
        return True
