"""Rolling restarts: what an operator does at noon, and what nobody is to notice."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from tests.faults.fault import Harm
from tests.faults.site import Site
from tests.services import TIMEOUT_SCALE

# Seconds within which a worker that has nothing to do ends; with supervisord's own round, which takes up to a second.
_STOP = 1.5


@dataclass
class WorkersRestarted:
    """SIGTERM to one worker after the other, *restarts* of them, each when the one before is back."""

    restarts: int | None = None
    name: str = "rolling restart of the workers"
    harm: Harm = Harm()  # noqa: RUF009  (frozen)

    def strike(self, site: Site) -> None:
        workers = sorted(site.pids("workers:"))
        for number in range(self.restarts or len(workers)):
            site.restart(workers[number % len(workers)])

    def judge(self, figures: dict[str, Any]) -> None:
        assert figures.get("stall", 0) <= 1 * TIMEOUT_SCALE, figures


@dataclass
class InterfacesRestarted:
    """SIGTERM to one interface server after the other. Sockets are sent away, with advice, and nothing else breaks."""

    name: str = "rolling restart of the interface servers"
    harm: Harm = Harm(sockets=True)  # noqa: RUF009  (frozen)

    def strike(self, site: Site) -> None:
        for name in sorted(site.pids("daphne:")):
            site.restart(name)

    def judge(self, figures: dict[str, Any]) -> None:
        closed = sum(figures["codes"].values())
        assert set(figures["codes"]) <= {1012}, figures
        assert figures["advised"] == closed, figures
        assert figures["never_back"] == 0, figures


FAULTS = (WorkersRestarted(), InterfacesRestarted())
