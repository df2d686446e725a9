"""``runworker --processes``: a process that keeps several running, each a fresh interpreter of the same command."""

from __future__ import annotations

import logging
import os
import selectors
import signal
import socket
import subprocess
import time
from collections.abc import Callable

from channels_lts import fresh

logger = logging.getLogger(__name__)

# How a child finds its end of the line to its parent.
_VARIABLE = "CHANNELS_LTS_LIFELINE"
_READY = b"ready\n"
_SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGCHLD)
# One that ends sooner than this after its start, and not by its own will, has failed to start. Seconds.
_SOON = 10.0
# Seconds before one that failed is started again: at first, and at most.
_FIRST_PAUSE = 1.0
_LONGEST_PAUSE = 30.0
# Seconds, above their own stop timeout, after which children that still run are killed.
_MERCY = 5.0


class Lifeline:
    """A child's end. It can be read when the parent has gone."""

    def __init__(self, line: socket.socket) -> None:
        self.socket = line

    @classmethod
    def of_this_process(cls) -> Lifeline | None:
        """Return it, or None in a process that no :class:`Processes` started."""
        number = os.environ.pop(_VARIABLE, "")
        if not number.isdecimal():
            return None
        try:
            line = socket.socket(fileno=int(number))
        except OSError:
            # An environment that was handed on to where the line is not.
            return None
        # Not for what consumers start: the line is cut when the last one lets go of it.
        line.set_inheritable(False)
        return cls(line)

    def say_ready(self) -> None:
        """Tell the parent that this process takes messages."""
        try:
            self.socket.sendall(_READY)
        except OSError:
            # Who is not there need not know.
            logger.info("the process that started this one has gone")

    @property
    def environment(self) -> dict[str, str]:
        """What a process that takes this one's place needs to find it."""
        return {_VARIABLE: str(self.socket.fileno())}


class _Child:
    """One place, and the process that has it at the time."""

    def __init__(self, number: int) -> None:
        self.number = number
        self.process: subprocess.Popen[bytes] | None = None
        self.line: socket.socket | None = None
        self.ready = False
        self.started = 0.0
        self.start_at: float | None = 0.0
        self.failures = 0


class Processes:
    """Keeps *count* children running; what ends is started again, with pauses where it ends at once.

    SIGTERM and SIGINT go on to the children, and are waited for; SIGHUP restarts one child after the other, the next
    when the one before is ready. Children notice when this process is gone, however it went, and finish.

    Args:
        stop_timeout: Seconds that a child may take to end, by its own account.
        on_ready: Called when each child has been ready.
        on_stop: Called when they are told to end.
        longest_pause: Seconds between two starts of one that fails, at most.
    """

    def __init__(
        self,
        count: int,
        *,
        stop_timeout: float,
        on_ready: Callable[[], None],
        on_stop: Callable[[], None],
        longest_pause: float = _LONGEST_PAUSE,
    ) -> None:
        self._children = [_Child(number) for number in range(1, count + 1)]
        self._stop_timeout = stop_timeout
        self._on_ready = on_ready
        self._on_stop = on_stop
        self._longest_pause = longest_pause
        self._directory = os.getcwd()
        self._selector = selectors.DefaultSelector()
        self._ending = self._told = False
        self._kill_at: float | None = None
        self._status = 0
        # Those that are still to be restarted, and the one that is restarting.
        self._to_restart: list[_Child] = []
        self._restarting: _Child | None = None

    def run(self) -> int:
        """Run until told to end; returns the exit status: 1 where a child was cut off."""
        read, write = os.pipe()
        os.set_blocking(write, False)
        before = {number: signal.signal(number, lambda *_: None) for number in _SIGNALS}
        wakeup = signal.set_wakeup_fd(write, warn_on_full_buffer=False)
        self._selector.register(read, selectors.EVENT_READ)
        try:
            while not self._ending or any(child.process for child in self._children):
                self._start_due()
                for key, _ in self._selector.select(self._patience()):
                    if key.fd == read:
                        self._signalled(os.read(read, 4096))
                    else:
                        self._said(key.data)
                self._reap()
                self._go_on_restarting()
                self._kill_late()
        finally:
            signal.set_wakeup_fd(wakeup)
            for number, handler in before.items():
                signal.signal(number, handler)
            self._selector.close()
            os.close(read)
            os.close(write)
        return self._status

    # --- Starting ---

    def _start_due(self) -> None:
        for child in self._children:
            if not self._ending and child.start_at is not None and time.monotonic() >= child.start_at:
                self._start(child)

    def _start(self, child: _Child) -> None:
        line, theirs = socket.socketpair()
        child.started, child.start_at, child.ready = time.monotonic(), None, False
        try:
            # A group of its own, so that Ctrl-C in a terminal comes by us and is no second signal.
            child.process = subprocess.Popen(  # noqa: S603
                fresh.command_line(),
                cwd=self._directory,
                env={**os.environ, _VARIABLE: str(theirs.fileno())},
                pass_fds=[theirs.fileno()],
                process_group=0,
            )
        except OSError as error:
            line.close()
            self._failed(child, f"cannot start: {error}")
            return
        finally:
            theirs.close()
        child.line = line
        self._selector.register(line, selectors.EVENT_READ, child)
        logger.info("process %s of %s is pid %s", child.number, len(self._children), child.process.pid)

    def _said(self, child: _Child) -> None:
        said = child.line.recv(4096) if child.line else b""
        if not said:
            # It lets go when it ends, and is then reaped.
            self._let_go(child)
            return
        child.ready, child.failures = True, 0
        if all(each.ready for each in self._children):
            self._on_ready()

    def _let_go(self, child: _Child) -> None:
        if child.line is not None:
            self._selector.unregister(child.line)
            child.line.close()
            child.line = None

    # --- Ending ---

    def _signalled(self, numbers: bytes) -> None:
        for number in numbers:
            if number in (signal.SIGTERM, signal.SIGINT):
                self._end(signal.Signals(number).name)
            elif number == signal.SIGHUP and not self._ending:
                logger.info("SIGHUP: restarting the processes one by one")
                self._to_restart = list(self._children)
                self._restarting = None

    def _end(self, name: str) -> None:
        if not self._ending:
            logger.info("%s: ending the processes", name)
            self._on_stop()
            self._kill_at = time.monotonic() + self._stop_timeout + _MERCY
        self._ending = True
        for child in self._children:
            if child.process is not None:
                child.process.send_signal(signal.SIGTERM)

    def _reap(self) -> None:
        for child in self._children:
            if child.process is None or child.process.poll() is None:
                continue
            status, child.process = child.process.returncode, None
            self._let_go(child)
            how = f"ended with status {status}" if status >= 0 else f"was killed by signal {-status}"
            if self._ending:
                # One that was still starting knows no better than to be ended by the signal.
                self._status = self._status or int(status not in (0, -signal.SIGTERM))
                continue
            if (status == 0 and child.ready) or time.monotonic() - child.started > _SOON:
                logger.info("process %s %s; it is started again", child.number, how)
                child.start_at = 0.0
            else:
                self._failed(child, how)
            child.ready = False

    def _failed(self, child: _Child, how: str) -> None:
        child.failures += 1
        pause = min(_FIRST_PAUSE * 2 ** (child.failures - 1), self._longest_pause)
        child.start_at = time.monotonic() + pause
        logger.error(
            "process %s %s soon after its start, %s times in a row; the next start is in %g s",
            child.number, how, child.failures, pause,
        )  # fmt: skip

    def _kill_late(self) -> None:
        if self._kill_at is not None and time.monotonic() >= self._kill_at:
            self._kill_at, self._status = None, 1
            for child in self._children:
                if child.process is not None:
                    logger.error("process %s does not end, and is killed", child.number)
                    child.process.kill()

    # --- Restarting one by one ---

    def _go_on_restarting(self) -> None:
        if self._restarting is not None and self._restarting.ready:
            logger.info("process %s is ready again", self._restarting.number)
            self._restarting = None
        # One that is not ready has no handler yet, and would be killed: it comes up first.
        if self._restarting is None and self._to_restart and self._to_restart[0].ready and not self._ending:
            child = self._restarting = self._to_restart.pop(0)
            child.ready = False
            if child.process is not None:
                # As long as its consumer takes, it counts as started now: what comes after is the new code's.
                child.started = time.monotonic()
                child.process.send_signal(signal.SIGHUP)

    def _patience(self) -> float | None:
        """Return how many seconds may pass before something is due."""
        due = [child.start_at for child in self._children if child.start_at is not None and not self._ending]
        if self._kill_at is not None:
            due.append(self._kill_at)
        return max(min(due) - time.monotonic(), 0) if due else None
