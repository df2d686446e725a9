"""``runworker`` as a process."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any
from uuid import uuid4

from channels_lts.layer import RedisChannelLayer
from channels_lts.layer.batch import Outgoing
from channels_lts.ready import pid_in
from tests.services import ROOT, TIMEOUT_SCALE, Redis, wait_for

START = ("-m", "django", "runworker")


class WorkerProcess:
    """A worker of :mod:`tests.worker.project`, with *options* for runworker, from :meth:`start` until the test ends."""

    def __init__(self, directory: Path, redis: Redis, *options: str, backend: str | None = None, **given: Any) -> None:
        self.directory = directory
        self.layer = RedisChannelLayer(hosts=[redis.url], prefix=f"{uuid4().hex}:", capacity=10_000)
        self.ready_file = directory / "ready"
        self.output = directory / "output.log"
        self._options = options
        self._given = {"redis": redis.url, "prefix": self.layer.prefix, **given}
        if backend:
            self._given["backend"] = backend
        self.process: subprocess.Popen[bytes] | None = None

    def start(self, *begin: str, ready: bool = True, cwd: Path = ROOT, **environment: str) -> WorkerProcess:
        command = [sys.executable, "-W", "ignore", *(begin or START), *self._options, f"--ready-file={self.ready_file}"]
        path = f"{self.directory}:{ROOT}:{os.environ.get('PYTHONPATH', '')}"
        env = {**os.environ, "DJANGO_SETTINGS_MODULE": "tests.worker.project", "PYTHONPATH": path, **environment}
        with self.output.open("ab") as output:
            self.process = subprocess.Popen(
                command, cwd=cwd, env={**env, "WORKER_TEST": json.dumps(self._given)},
                stdout=output, stderr=subprocess.STDOUT,
            )  # fmt: skip
        if ready:
            wait_for(self.is_ready, f"it is ready; it said:\n{self.log()}", 30)
        return self

    @property
    def pid(self) -> int:
        assert self.process is not None
        return self.process.pid

    def is_ready(self) -> bool:
        return pid_in(self.ready_file) == self.pid

    def log(self) -> str:
        return self.output.read_text(errors="replace")

    def send(self, *values: Any, channel: str = "in") -> None:
        self.layer.send_batch([Outgoing(channel, "", {"value": value}) for value in values])

    def results(self, count: int, channel: str = "results") -> list[Any]:
        """Return *count* values from *channel*."""
        got: list[Any] = []

        def enough() -> bool:
            while len(got) < count:
                _, message = self.layer.receive([channel])
                if message is None:
                    return False
                got.append(message["value"])
            return True

        try:
            wait_for(enough, f"{count} on {channel}", 20)
        except AssertionError as error:
            raise AssertionError(f"{error}; there are {got}; it said:\n{self.log()}") from error
        return got

    def waiting(self, channel: str = "in") -> list[Any]:
        """Return what waits on *channel*, and take it."""
        got = []
        while (message := self.layer.receive([channel])[1]) is not None:
            got.append(message["value"])
        return got

    def get_stuck(self, value: str, *behind: Any, channel: str = "in") -> None:
        """Let it pop *value* together with what is *behind*, and stand in its consumer."""
        # Known to be quick, and after a backlog, it takes a batch at once.
        self.send(*range(100), channel=channel)
        self.results(100)
        self.send(value, *behind, channel=channel)
        assert self.results(1, "said") == [value]
        assert self.layer.connection(0).llen(self.layer.queue_key(channel)) == 0, "all of it was popped"

    def signal(self, number: int) -> None:
        assert self.process is not None
        self.process.send_signal(number)

    def signal_again(self, number: int) -> None:
        """Send a signal that is the second one: not at the same time."""
        after = time.monotonic() + 0.6
        wait_for(lambda: time.monotonic() > after, "time has passed")
        self.signal(number)

    def ends(self, timeout: float = 10) -> int:
        """Wait for its end; returns its status."""
        assert self.process is not None
        try:
            return self.process.wait(timeout * TIMEOUT_SCALE)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"it does not end; it said:\n{self.log()}") from None

    def kill(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.wait()
