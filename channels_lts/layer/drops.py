"""What the layer had to drop: counted always, logged once a second at most."""

from __future__ import annotations

import logging
import threading
import time
from collections import Counter

_SECONDS_BETWEEN_LINES = 1.0


class Drops:
    """Counts by reason, since the process began. Used from any thread."""

    def __init__(self, logger: logging.Logger) -> None:
        self._logger = logger
        self._lock = threading.Lock()
        self._totals: Counter[str] = Counter()
        self._unlogged: Counter[str] = Counter()
        self._logged_at = float("-inf")

    def add(self, reason: str, detail: str, count: int = 1) -> None:
        """Count *count* drops for *reason*, a short fixed text; *detail* is what the last of them was about."""
        now = time.monotonic()
        with self._lock:
            self._totals[reason] += count
            self._unlogged[reason] += count
            if now - self._logged_at < _SECONDS_BETWEEN_LINES:
                return
            dropped, self._unlogged, self._logged_at = self._unlogged, Counter(), now
        summary = ", ".join(f"{number} {name}" for name, number in sorted(dropped.items()))
        self._logger.warning("dropped: %s (last: %s)", summary, detail)

    def totals(self) -> dict[str, int]:
        """Return the counts by reason."""
        with self._lock:
            return dict(self._totals)
