"""A consumer that was quick so far and now hangs keeps nobody but itself: what was taken with it goes back."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterable

logger = logging.getLogger(__name__)

# Seconds between two looks, and how long a consumer may run until what waits behind it is taken from it.
LOOK_EVERY = 0.5
PATIENCE = 1.0


class Relief(threading.Thread):
    """Calls each of *relieve*, with the seconds that a consumer may run, again and again."""

    def __init__(self, relieve: Iterable[Callable[[float], None]]) -> None:
        super().__init__(name="relief", daemon=True)
        self._relieve = list(relieve)
        self._over = threading.Event()

    def stop(self) -> None:
        self._over.set()

    def run(self) -> None:
        while not self._over.wait(LOOK_EVERY):
            for relieve in self._relieve:
                try:
                    relieve(PATIENCE)
                except Exception:
                    # What could not be put back stays where it was.
                    logger.exception("could not put back what waits for a consumer that takes long")
