"""The rolling restart of processes under supervisord: one at a time, the next one when the new one is ready."""

from __future__ import annotations

import contextlib
import shlex
import signal
import time
import xmlrpc.client
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from supervisor.xmlrpc import Faults

from channels_lts.ready import pid_in

_POLL = 0.1
_ALIVE = ("RUNNING", "STARTING", "BACKOFF")
# Those that hold the socket of an fcgi-program: from their start, long before startsecs are over.
_HOLDING = ("RUNNING", "STARTING")
_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_LOG_BYTES = 2000
_LOG_LINES = 10


class RollFailed(Exception):
    """Raised when a process does not stop or come up; the message is for a person."""


class Process(NamedTuple):
    """What the configuration says of a process."""

    ready_file: Path | None
    # Seconds that it has to stop, before it is killed.
    stop_wait: float
    # Whether it takes its listening socket from supervisord.
    takes_socket: bool


def name_of(info: dict[str, Any]) -> str:
    """Return what a person types for a process: ``workers:web_00``, or ``delay``."""
    return info["name"] if info["group"] == info["name"] else f"{info['group']}:{info['name']}"


class Roll:
    """Restarts *names* one after the other. A process that is STOPPED stays so; one that failed is started.

    Args:
        supervisor: The ``supervisor`` namespace of supervisord's XML-RPC interface.
        timeout: Seconds in which each must be ready after its start, and stop beyond its ``stopwaitsecs``.
        say: Gets each line for the person who waits.
    """

    def __init__(self, supervisor: Any, names: Sequence[str], *, timeout: float, say: Callable[[str], None]) -> None:
        self.current = ""
        self._supervisor = supervisor
        self._names = list(names)
        self._timeout = timeout
        self._say = say
        self._processes = {name_of(config): _process(config) for config in supervisor.getAllConfigInfo()}
        self._rolled: list[str] = []
        self._interrupted = False
        self._told = False

    def run(self) -> bool:
        """Roll; returns False after SIGINT, SIGTERM or SIGHUP, which end it when the process at hand is ready.

        Raises:
            RollFailed: a process does not come up. The rest is left alone.
            KeyboardInterrupt: on a second signal.
            OSError, xmlrpc.client.Error: supervisord does not answer.
        """
        began = time.monotonic()
        with self._signals():
            for number, name in enumerate(self._names, 1):
                self._check_rolled()
                self.current = name
                self._say(f"{name}: {self._restart(name)} ({number} of {len(self._names)})")
                if self._interrupted and number < len(self._names):
                    self._say(f"interrupted; {self._summary()}")
                    return False
            self._wait_settled()
        self._say(f"rolled {len(self._rolled)} in {time.monotonic() - began:.1f} s")
        return True

    def _restart(self, name: str) -> str:
        """Restart one; returns what to say about it."""
        info = self._infos()[name]
        if info["statename"] in ("STOPPED", "STOPPING"):
            # Somebody did that on purpose.
            return f"{info['statename']}, left alone"
        process = self._processes.get(name, Process(None, 0, False))
        if process.takes_socket and self._alone(name):
            self._say(f"{name}: no other process holds its socket: connections are refused until it is ready")
        said = f"was {info['statename']}"
        if info["statename"] in _ALIVE:
            seconds = self._stop(name, process)
            said = f"stopped {seconds:.1f} s" + (" (killed, after stopwaitsecs)" if seconds > process.stop_wait else "")
        began = time.monotonic()
        self._start(name)
        self._wait_ready(name, process)
        self._rolled.append(name)
        return f"{said}, ready {time.monotonic() - began:.1f} s"

    def _stop(self, name: str, process: Process) -> float:
        """Stop one; returns the seconds that it took."""
        began = time.monotonic()
        for info in self._watch(name):
            if info["statename"] in _ALIVE:
                # Not running any more, by now: it ended by itself.
                self._call("stopProcess", name, ignore=Faults.NOT_RUNNING)
            elif info["statename"] != "STOPPING":
                break
            if time.monotonic() - began > process.stop_wait + self._timeout:
                raise self._failure(name, "it does not stop")
        return time.monotonic() - began

    def _start(self, name: str) -> None:
        # Already started: by supervisord, where it had ended by itself. It has the new code too.
        self._call("startProcess", name, ignore=Faults.ALREADY_STARTED)

    def _wait_ready(self, name: str, process: Process) -> None:
        began = time.monotonic()
        pid = 0
        for info in self._watch(name):
            state = info["statename"]
            if state not in ("STARTING", "RUNNING"):
                raise self._failure(name, f"{state}: {info['spawnerr'] or info['description']}")
            pid = pid or info["pid"]
            if info["pid"] != pid:
                raise self._failure(name, "it ended, and was started again")
            if process.ready_file is None:
                if state == "RUNNING":
                    return
            elif pid_in(process.ready_file) == pid:
                return
            if time.monotonic() - began > self._timeout:
                what = "RUNNING" if process.ready_file is None else f"ready, as {process.ready_file} would say,"
                raise self._failure(name, f"not {what} after {self._timeout:g} s")

    def _check_rolled(self) -> bool:
        """Return whether all that were rolled have run for their startsecs. What is ready may still fail soon.

        Raises:
            RollFailed: one does not stay up.
        """
        infos = self._infos()
        for name in self._rolled:
            if infos[name]["statename"] in ("BACKOFF", "FATAL"):
                raise self._failure(name, f"it was ready, and does not stay up: {infos[name]['spawnerr']}")
        return all(infos[name]["statename"] != "STARTING" for name in self._rolled)

    def _wait_settled(self) -> None:
        deadline = time.monotonic() + self._timeout
        while not self._check_rolled() and time.monotonic() < deadline:
            time.sleep(_POLL)

    def _watch(self, name: str) -> Iterator[dict[str, Any]]:
        """Yield what supervisord knows of *name*, again and again."""
        while True:
            yield self._infos()[name]
            if self._interrupted and not self._told:
                self._told = True
                self._say(f"ending once {name} is ready; again: at once")
            time.sleep(_POLL)

    def _infos(self) -> dict[str, dict[str, Any]]:
        return {name_of(info): info for info in self._supervisor.getAllProcessInfo()}

    def _alone(self, name: str) -> bool:
        infos = self._infos()
        return not any(
            info["group"] == infos[name]["group"] and info["statename"] in _HOLDING and other != name
            for other, info in infos.items()
        )

    def _call(self, method: str, name: str, *, ignore: int) -> None:
        try:
            # Without waiting: who waits cannot be interrupted.
            getattr(self._supervisor, method)(name, False)
        except xmlrpc.client.Fault as fault:
            if fault.faultCode != ignore:
                raise self._failure(name, fault.faultString) from fault

    def _summary(self) -> str:
        left = self._names[self._names.index(self.current) + 1 :]
        return f"rolled {len(self._rolled)} of {len(self._names)}; left alone: {', '.join(left) or 'none'}"

    def _failure(self, name: str, reason: str) -> RollFailed:
        """Return what to raise, with the end of the process's log."""
        try:
            log = self._supervisor.readProcessStdoutLog(name, -_LOG_BYTES, 0).splitlines()[-_LOG_LINES:]
        except xmlrpc.client.Fault:
            log = []
        return RollFailed("\n    ".join([f"{name}: ERROR ({reason})", *log]) + f"\n{self._summary()}")

    @contextlib.contextmanager
    def _signals(self) -> Iterator[None]:
        """Let a process that is stopped be started again, whatever ends us: Ctrl-C, or a terminal that goes away."""
        before = {number: signal.signal(number, self._interrupt) for number in _SIGNALS}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def _interrupt(self, number: int, frame: Any) -> None:
        if self._interrupted:
            raise KeyboardInterrupt
        self._interrupted = True


def _process(config: dict[str, Any]) -> Process:
    words = shlex.split(config["command"])
    ready_file = None
    for word, following in zip(words, [*words[1:], ""], strict=True):
        if word == "--ready-file":
            ready_file = following
        elif word.startswith("--ready-file="):
            ready_file = word.partition("=")[2]
    directory = config.get("directory", "none")
    path = Path("" if directory in ("none", "auto") else directory, ready_file) if ready_file else None
    takes_socket = any(word == "--fd" or word.startswith(("--fd=", "fd:fileno=")) for word in words)
    return Process(path, config["stopwaitsecs"], takes_socket)
