"""``runworker --reload``: Django's autoreloader, which ends no consumer that runs."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

from django.utils import autoreload

logger = logging.getLogger(__name__)


class Reloader(threading.Thread):
    """Calls *on_change* once, in this thread, when a file changed that the process has loaded."""

    def __init__(self, on_change: Callable[[], None]) -> None:
        super().__init__(name="reloader", daemon=True)
        self._on_change = on_change

    def run(self) -> None:
        try:
            reloader = autoreload.get_reloader()
            logger.info("watching the code by %s", type(reloader).__name__)
            reloader.run(threading.main_thread())
        except SystemExit:
            # So Django ends a process whose code changed.
            self._on_change()
        except Exception:
            logger.exception("changes of the code are not noticed any more")
