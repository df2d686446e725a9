"""Memory of every process of a site, second by second, and what it says of growth."""

from __future__ import annotations

import contextlib
import threading
from pathlib import Path
from statistics import median
from time import monotonic
from typing import Any

from tests.faults.site import Site

_KIB_OF_PAGE = 4
# The share of a run that is warm-up, and the share at each end of the rest that is compared.
_WARM_UP, _END = 0.2, 0.1


class Monitor:
    """Samples resident memory each second from :meth:`start` until :meth:`stop`. :attr:`samples` has all."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._run, name="memory", daemon=True)
        # {"at": seconds of monotonic(), "memory": {name: [pid, KiB]}}
        self.samples: list[dict[str, Any]] = []

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._ending.set()
        self._thread.join(5)

    def _run(self) -> None:
        while not self._ending.wait(1):
            # supervisord may be busy or ending; a second without a sample is no harm.
            with contextlib.suppress(OSError, AssertionError):
                memory = {name: [pid, _resident(pid)] for name, pid in self._site.pids().items()}
                self.samples.append({"at": monotonic(), "memory": {n: each for n, each in memory.items() if each[1]}})


def growth(samples: list[dict[str, Any]]) -> dict[str, dict[str, float]]:
    """Return for each process that lived all the time: ``before`` and ``after`` (KiB) and ``growth``, a share.

    Compared are the medians of the first and of the last tenth of what comes after the warm-up, a fifth of the run.
    """
    kept = samples[int(len(samples) * _WARM_UP) :]
    part = max(1, int(len(kept) * _END))
    found = {}
    for name in kept[0]["memory"] if kept else ():
        each = [sample["memory"].get(name) for sample in kept]
        if None in each or len({pid for pid, _ in each}) > 1:
            continue
        before, after = median(kib for _, kib in each[:part]), median(kib for _, kib in each[-part:])
        found[name] = {"before": before, "after": after, "growth": round(after / before - 1, 4)}
    return found


def _resident(pid: int) -> int:
    try:
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * _KIB_OF_PAGE
    except OSError:
        return 0
