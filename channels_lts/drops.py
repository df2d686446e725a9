"""What had to be dropped or refused: counted always, logged once a second at most."""

from __future__ import annotations

import logging
import threading
import time
from collections import Counter

_SECONDS_BETWEEN_LINES = 1.0


class Drops:
    """Counts by reason, since the process began, and logs them as what was *done*. Used from any thread."""

    def __init__(self, logger: logging.Logger, done: str = "dropped") -> None:
        self._logger = logger
        self._done = done
        self._lock = threading.Lock()
        self._totals: Counter[str] = Counter()
        self._unlogged: Counter[str] = Counter()
        self._logged_at = float("-inf")
        self._detail = ""
        self._timer: threading.Timer | None = None

    def add(self, reason: str, detail: str, count: int = 1) -> None:
        """Count *count* drops for *reason*, a short fixed text; *detail* is what the last of them was about."""
        now = time.monotonic()
        with self._lock:
            self._totals[reason] += count
            self._unlogged[reason] += count
            if now - self._logged_at < _SECONDS_BETWEEN_LINES:
                self._detail = detail
                if self._timer is None:
                    # What is not said now is said a second after the last line, also if nothing follows.
                    self._timer = threading.Timer(self._logged_at + _SECONDS_BETWEEN_LINES - now, self._log)
                    self._timer.daemon = True
                    self._timer.start()
                return
            self._detail = detail
        self._log()

    def _log(self) -> None:
        with self._lock:
            dropped, self._unlogged, self._logged_at = self._unlogged, Counter(), time.monotonic()
            detail, self._timer = self._detail, None
        if dropped:
            summary = ", ".join(f"{number} {name}" for name, number in sorted(dropped.items()))
            self._logger.warning("%s: %s (last: %s)", self._done, summary, detail)

    def count(self, reason: str) -> None:
        """Count one for *reason* without a line in the log."""
        with self._lock:
            self._totals[reason] += 1

    def totals(self) -> dict[str, int]:
        """Return the counts by reason."""
        with self._lock:
            return dict(self._totals)
