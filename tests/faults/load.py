"""The load on a site: people who talk, readers who poll, HTTP requests, raw frames; all of it in one ledger."""

from __future__ import annotations

import json
from time import monotonic
from types import TracebackType
from typing import Any

from tests.faults.fault import Fault
from tests.faults.ledger import Ledger
from tests.faults.site import Site


class Load:
    """Runs from :meth:`start` until :meth:`stop`; also a context manager.

    *people* talk in the room, each *sends* messages a second; each of two probers sends *requests* HTTP requests a
    second; *frames* raw frames a second go to ``/ws/echo/`` and back (0: none).

        with Load(site, frames=300) as load:
            figures = load.strike(SomeFault())
            load.finish()
    """

    def __init__(
        self, site: Site, *, people: int = 6, sends: float = 1.5, requests: float = 10, frames: int = 0, seed: int = 1
    ) -> None:
        self.site = site
        self.ledger = Ledger()

    def start(self) -> Load:
        """Return when everybody has joined and everything is answered."""
        raise NotImplementedError

    def strike(self, fault: Fault, *, recovery: float = 10) -> dict[str, Any]:
        """Let *fault* happen, and wait until all is well again. Returns the figures of it.

        Raises:
            AssertionError: it cost more than its harm allows, or not all was well *recovery* seconds (times
                TIMEOUT_SCALE) after it was over.
        """
        raise NotImplementedError

    def finish(self) -> dict[str, Any]:
        """Stop talking, let everybody get what they lack, and check the whole ledger against the database.

        Raises:
            AssertionError: a promise was broken.
        """
        raise NotImplementedError
