"""Consumers that run for too long: said with their stack, and ended where that is wanted."""

from __future__ import annotations

import ctypes
import logging
import sys
import threading
import time
import traceback
from collections.abc import Callable

from channels_lts.activity import Activity, Run, name_of
from channels_lts.exceptions import ConsumerTimedOut

logger = logging.getLogger(__name__)

# Seconds between two looks at what is running, at most.
_LOOK_EVERY = 1.0
# Seconds in which a consumer must have ended after it was told to, at most: it may stand in C, or swallow the error.
_LONGEST_GRACE = 5.0


class TimeLimit(threading.Thread):
    """Watches what is running in *activity*.

    A run of more than *seconds* is logged once, and counted as ``consumers_slow``. With *abort*,
    :class:`ConsumerTimedOut` is raised in it then (``consumers_aborted``); *on_stuck* is called in this thread with
    each that has not ended after as long again, or five seconds.
    """

    def __init__(self, activity: Activity, *, seconds: float, abort: bool, on_stuck: Callable[[Run], None]) -> None:
        super().__init__(name="time-limit", daemon=True)
        self._activity = activity
        self._seconds = seconds
        self._abort = abort
        self._on_stuck = on_stuck
        self._over = threading.Event()
        # Runs that were logged, and when they are called stuck (monotonic).
        self._noted: dict[tuple[int, float], float] = {}
        # Held while it is decided whether a consumer still runs: the error must never hit what comes after it.
        self._lock = threading.Lock()
        self._aborted: set[int] = set()

    def stop(self) -> None:
        self._over.set()

    def run(self) -> None:
        while not self._over.wait(min(_LOOK_EVERY, self._seconds / 4)):
            self._look()

    def end(self) -> Run | None:
        """Note that this thread's consumer has ended, as :meth:`Activity.end` does; no error comes after this.

        Raises:
            ConsumerTimedOut: it came in the last moment; then call this again.
        """
        thread = threading.get_ident()
        with self._lock:
            run = self._activity.end()
            late = thread in self._aborted
            self._aborted.discard(thread)
        if late:
            # Takes back one that was not raised yet.
            _raise_in(thread, None)
        return run

    def _look(self) -> None:
        now = time.monotonic()
        running = {(run.thread, run.began): run for run in self._activity.running()}
        self._noted = {key: stuck_at for key, stuck_at in self._noted.items() if key in running}
        for key, run in running.items():
            if key not in self._noted:
                if now - run.began > self._seconds:
                    self._noted[key] = (
                        now + min(self._seconds, _LONGEST_GRACE) if self._note(run, now - run.began) else float("inf")
                    )
            elif now > self._noted[key]:
                self._noted[key] = float("inf")
                self._on_stuck(run)

    def _note(self, run: Run, took: float) -> bool:
        """Log *run*, and abort it where that is wanted; returns whether it was aborted."""
        frame = sys._current_frames().get(run.thread)
        # It may have ended by now, and the stack be of something else.
        if frame is None or not self._activity.is_running(run):
            return False
        stack = "".join(traceback.format_stack(frame))
        del frame
        self._activity.count("consumers_slow")
        logger.error(
            "consumer %s has been running for %.1f s, for a message on %s (reply channel %s):\n%s",
            name_of(run.consumer), took, run.channel, run.reply_channel or "none", stack,
        )  # fmt: skip
        if not self._abort:
            return False
        with self._lock:
            if not self._activity.is_running(run):
                return False
            self._aborted.add(run.thread)
            _raise_in(run.thread, ConsumerTimedOut)
        self._activity.count("consumers_aborted")
        return True


def _raise_in(thread: int, error: type[Exception] | None) -> None:
    raised = ctypes.py_object(error) if error else None
    ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread), raised)
