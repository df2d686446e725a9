"""What the loop of a worker has taken and not begun, in its order. Whoever takes one off begins it, or puts it back."""

from __future__ import annotations

import contextlib
import logging
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from channels.message import Message

from channels_lts.activity import Activity
from channels_lts.exceptions import LayerUnavailable
from channels_lts.intake import Intake, Taken

logger = logging.getLogger(__name__)


@dataclass
class Held:
    """One that was taken, and what is in it once somebody has looked."""

    taken: Taken
    opened: list[Message] | None = None


class Pending:
    """Of one loop, whose thread alone may call :meth:`take`, :meth:`pop` and :meth:`pick`."""

    def __init__(self, activity: Activity) -> None:
        self._activity = activity
        self._waiting: deque[Held] = deque()
        # Whether it is about to become more.
        self._taking = False
        # Held by who puts back, and by who looks through all of it.
        self._lock = threading.Lock()

    def __bool__(self) -> bool:
        return bool(self._waiting)

    def take(self, messages: Intake, limit: int) -> None:
        self._taking = True
        try:
            self._waiting.extend(map(Held, messages.take(limit)))
        finally:
            self._taking = False

    def pop(self) -> Held | None:
        """Return the first one; None where all were put back in this moment."""
        with contextlib.suppress(IndexError):
            return self._waiting.popleft()
        return None

    def pick(self, wanted: Callable[[Held], bool]) -> None:
        """Take off those that are *wanted*, which is asked in their order."""
        with self._lock:
            left = [held for held in self._waiting if not wanted(held)]
            self._waiting.clear()
            self._waiting.extend(left)

    def wait_for_take(self, seconds: float) -> None:
        """Wait until what a pop brings in this moment is here. From any thread."""
        deadline = time.monotonic() + seconds
        while self._taking and time.monotonic() < deadline:
            time.sleep(0.01)

    def put_back(self, messages: Intake, *, halted: bool = False) -> None:
        """Give all of it back; what cannot be is still ours, and lost where we are *halted*. From any thread."""
        with self._lock:
            # One by one, as the loop takes them: what is here is nobody else's.
            back = []
            while (held := self.pop()) is not None:
                back.append(held)
            if not back:
                return
            try:
                messages.put_back([held.taken for held in back])
            except Exception as error:
                self._waiting.extendleft(reversed(back))
                if not isinstance(error, LayerUnavailable):
                    raise
                if halted:
                    logger.error("%s messages could not be put back, and are lost: %s", len(back), error)
                return
        self._activity.count("messages_put_back", len(back))
