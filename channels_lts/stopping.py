"""How a worker process ends: what signals mean, how long consumers may take to finish, and what is put back then."""

from __future__ import annotations

import logging
import os
import select
import signal
import socket
import threading
import time
from typing import TYPE_CHECKING, Any

from channels_lts.activity import Run, name_of

if TYPE_CHECKING:
    from channels_lts.worker import Worker

logger = logging.getLogger(__name__)

_SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
# Seconds between two looks at whether all but stuck consumers have ended.
_LOOK_EVERY = 0.05
# Signals that come closer than this are one, for who tells a process and its group. Seconds.
_ONE_SIGNAL = 0.5
# The exit status where something was cut off.
CUT_OFF = 1

# The one of this process, for a child that a consumer forks.
_installed: Stopping | None = None


class Stopping:
    """Ends *worker* when it is told to.

    SIGTERM and SIGINT, and the end of *lifeline*, let it finish what was popped. A second SIGTERM or SIGINT, half a
    second later or more, or *timeout* seconds, put back what was not begun and end the process with status 1, whatever
    a consumer does.
    SIGHUP finishes too, and sets ``worker.start_over``.

    A thread does all this: the main thread may stand in a consumer, or in C, where no Python handler runs.
    """

    def __init__(self, worker: Worker, *, timeout: float, lifeline: socket.socket | None = None) -> None:
        self._worker = worker
        self._timeout = timeout
        self._lifeline = lifeline
        # Whether it is ending, and is over; and when SIGTERM or SIGINT said so first (monotonic).
        self._began = self._closed = False
        self._told = float("-inf")
        self._deadline: float | None = None
        self._stuck: list[Run] = []
        self._before: dict[int, Any] = {}
        self._thread = threading.Thread(target=self._watch, name="signals", daemon=True)
        self._read, self._write = os.pipe()
        os.set_blocking(self._read, False)
        os.set_blocking(self._write, False)

    def install(self) -> None:
        """Begin. In the main thread, as Python demands of who sets signal handlers."""
        global _installed
        self._before = {number: signal.signal(number, self._on_signal) for number in _SIGNALS}
        self._wakeup_before = signal.set_wakeup_fd(self._write, warn_on_full_buffer=False)
        _installed = self
        self._thread.start()

    def close(self) -> None:
        """End: signals mean what they did before."""
        self._give_up_signals()
        self._closed = True
        self._poke()
        self._thread.join()
        os.close(self._read)
        os.close(self._write)

    def _give_up_signals(self) -> None:
        global _installed
        _installed = None
        signal.set_wakeup_fd(self._wakeup_before)
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def begin(self, reason: str) -> None:
        """Finish what was popped. From any thread."""
        logger.info("ending after what was begun: %s", reason)
        self._began = True
        self._deadline = time.monotonic() + self._timeout
        self._worker.stop()
        self._poke()

    def stuck(self, run: Run) -> None:
        """End, with status 1, without *run*, which cannot be ended; but all others may finish. From any thread."""
        logger.error("consumer %s does not end", name_of(run.consumer))
        self._stuck.append(run)
        self.begin("a consumer is stuck")

    def _on_signal(self, number: int, frame: Any) -> None:
        # Python itself has written the number, unless something took our descriptor away, as asyncio does.
        if signal.set_wakeup_fd(self._write, warn_on_full_buffer=False) != self._write:
            os.write(self._write, bytes([number]))

    def _poke(self) -> None:
        os.write(self._write, b"\0")

    def _watch(self) -> None:
        poll = select.poll()
        poll.register(self._read, select.POLLIN)
        if self._lifeline is not None:
            poll.register(self._lifeline, select.POLLIN)
        while not self._closed:
            ready = [number for number, _ in poll.poll(self._patience())]
            if self._read in ready:
                for number in os.read(self._read, 4096):
                    self._signalled(number)
            if self._lifeline is not None and self._lifeline.fileno() in ready:
                poll.unregister(self._lifeline)
                if not self._began:
                    self.begin("the process that started this one has gone")
            if self._stuck and all(run in self._stuck for run in self._worker.activity.running()):
                self._cut_off("only stuck consumers are left")
            if self._deadline is not None and time.monotonic() >= self._deadline:
                self._cut_off(f"{self._timeout:g} s are over (--stop-timeout)")

    def _patience(self) -> float | None:
        """Return for how many milliseconds to wait for a signal."""
        if self._stuck:
            return _LOOK_EVERY * 1000
        return None if self._deadline is None else max(self._deadline - time.monotonic(), 0) * 1000

    def _signalled(self, number: int) -> None:
        if number == signal.SIGHUP:
            if not self._began:
                self._worker.start_over = True
                self.begin("SIGHUP; it starts over then")
        elif number in _SIGNALS:
            if time.monotonic() - self._told < _ONE_SIGNAL:
                return
            if self._told > 0:
                self._cut_off(f"a second signal ({signal.Signals(number).name})")
            self._told = time.monotonic()
            self._worker.start_over = False
            self.begin(signal.Signals(number).name)

    def _cut_off(self, reason: str) -> None:
        if self._closed:
            # It ended by itself in this moment.
            return
        now = time.monotonic()
        cut = [f"{name_of(run.consumer)} ({now - run.began:.1f} s)" for run in self._worker.activity.running()]
        logger.error("ending at once: %s; cut off: %s", reason, ", ".join(cut) or "nothing")
        self._worker.give_back()
        # Not sys.exit, which waits for the main thread and for all others.
        os._exit(CUT_OFF)


def _in_forked_child() -> None:
    """A process that a consumer forks must not write into our pipe when it gets a signal: signals are its own."""
    if _installed is not None:
        _installed._give_up_signals()


os.register_at_fork(after_in_child=_in_forked_child)
