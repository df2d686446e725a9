"""Several workers in threads of one process."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

from channels_lts.worker import Worker


class WorkerGroup(Worker):
    """They end together and each after what it popped; what they do, and their limits, count together.

    The first of them runs in the thread that calls :meth:`run`.
    """

    def __init__(self, *args: Any, n_threads: int, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.n_threads = n_threads
        kwargs |= {"signal_handlers": False, "limits": self.limits, "activity": self.activity}
        self._others = [_Member(self, *args, **kwargs) for _ in range(n_threads - 1)]

    def ready(self) -> None:
        super().ready()
        for worker in self._others:
            worker.ready()

    def stop(self) -> None:
        super().stop()
        for worker in self._others:
            worker.stop()

    def give_back(self) -> None:
        # All at once, so that none begins what another one has put back.
        for worker in self._members():
            worker._halted = True
        super().give_back()
        for worker in self._others:
            worker.give_back()

    def _members(self) -> Iterator[Worker]:
        yield self
        yield from self._others

    def _run_all(self) -> None:
        threads = [
            threading.Thread(target=worker._keep_running, name=f"worker-{number}")
            for number, worker in enumerate(self._others, 2)
        ]
        for thread in threads:
            thread.start()
        try:
            super()._run_all()
        finally:
            for worker in self._others:
                worker.stop()
            for thread in threads:
                thread.join()


class _Member(Worker):
    """One of the others, whose limits are the group's."""

    def __init__(self, group: WorkerGroup, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._group = group
        self._allowance = group._allowance

    def finish(self, reason: str) -> None:
        self._group.finish(reason)
