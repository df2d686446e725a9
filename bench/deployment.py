"""One peer, running: its own empty Redis, its interface processes and its worker, on 127.0.0.1."""

from __future__ import annotations

import contextlib
import os
import random
import socket
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from types import TracebackType

from bench import environment, processes
from bench.peers import Peer

# Below the ephemeral ports, which outgoing connections take at any time.
_PORTS = range(20_000, 32_000)
START_SECONDS = 30
# Commands of Redis that only come from looking at it.
_LOOKING = {"info", "ping", "client", "hello"}


class DeploymentError(Exception):
    """Raised when a peer's processes do not start; the message has the end of what they said."""


def free_port() -> int:
    """Return a TCP port that nobody listens on."""
    for port in random.sample(_PORTS, 500):
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port
    raise DeploymentError("no free port")


@dataclass(frozen=True)
class Cores:
    """Where processes run; None: wherever the kernel puts them. The same for all peers."""

    client: set[int] | None = None
    interfaces: tuple[set[int] | None, ...] = (None,)
    others: set[int] | None = None

    @classmethod
    def chosen(cls, pinning: str) -> Cores:
        """Return the cores for a *pinning*: ``interface`` or ``none``; with a single core, always ``none``."""
        cores = sorted(os.sched_getaffinity(0))
        if pinning == "none" or len(cores) < 2:
            return cls()
        # The interface never shares its core with the client, nor a second one with the first.
        return cls(client={cores[-1]}, interfaces=({cores[0]}, {cores[1]}))


@dataclass
class Snapshot:
    """Processor seconds by kind of process, and Redis' counted commands, at one moment."""

    at: float
    machine: float
    cpu: dict[str, float] = field(default_factory=dict)
    commands: dict[str, int] = field(default_factory=dict)


class Deployment:
    """A running peer; use it as a context manager. Everything it started ends with it."""

    def __init__(
        self, peer: Peer, where: Path, *, interfaces: int = 1, workers: int = 1, cores: Cores | None = None
    ) -> None:
        self.peer = peer
        self.ports: list[int] = []
        self._where = where
        self._interfaces = interfaces
        self._workers = workers
        self._cores = cores or Cores()
        self._redis_port = 0
        self._processes: dict[str, list[subprocess.Popen[bytes]]] = {"redis": [], "interface": [], "worker": []}
        self._logs: list[Path] = []

    def __enter__(self) -> Deployment:
        try:
            self._start()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def stop(self) -> None:
        for started in reversed(self._processes.values()):
            while started:
                processes.stop(started.pop())

    def _start(self) -> None:
        if self.peer.needs_redis:
            self._redis_port = free_port()
            redis = environment.find("redis-server") or "redis-server"
            options = ["--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--dir", str(environment.DIRECTORY)]
            self._launch("redis", [redis, "--port", str(self._redis_port), *options], cores=self._cores.others)
            self._wait(lambda: self._listening(self._redis_port), "Redis answers")
        for _ in range(self._workers if self.peer.worker else 0):
            self._launch("worker", self._filled(self.peer.worker), cores=self._cores.others)
        for index in range(self._interfaces):
            self.ports.append(free_port())
            cores = self._cores.interfaces[index % len(self._cores.interfaces)]
            self._launch("interface", self._filled(self.peer.interface), cores=cores)
        for port in self.ports:
            # A worker has to be there for an answer, where the peer has workers.
            self._wait(partial(self._answers, port), f"port {port} answers HTTP")

    def _filled(self, texts: tuple[str, ...]) -> list[str | Path]:
        return [self._fill(text) for text in texts]

    def _fill(self, text: str) -> str:
        return text.format(
            bin=self._where / "bin",
            environment=self._where,
            port=self.ports[-1] if self.ports else 0,
            redis=self._redis_port,
            root=environment.ROOT,
        )

    def _launch(self, kind: str, command: list[str | Path], *, cores: set[int] | None) -> None:
        number = len(self._processes[kind])
        log = environment.DIRECTORY / "log" / f"{self.peer.name}-{kind}{number or ''}.log"
        log.parent.mkdir(parents=True, exist_ok=True)
        self._logs.append(log)
        variables = {name: self._fill(value) for name, value in self.peer.variables.items()}
        with log.open("wb") as output:
            process = processes.start(
                command, cores=cores, output=output, environment=variables, cwd=self.peer.directory
            )
        self._processes[kind].append(process)

    def _wait(self, ready: Callable[[], bool], what: str) -> None:
        deadline = time.monotonic() + START_SECONDS
        while not ready():
            dead = [kind for kind, started in self._processes.items() for each in started if each.poll() is not None]
            if dead or time.monotonic() > deadline:
                said = "\n".join(log.read_text(errors="replace")[-1500:] for log in self._logs).strip()
                why = f"{dead[0]} ended" if dead else f"waited {START_SECONDS} s in vain until {what}"
                raise DeploymentError(f"{why}; it said:\n{said}")
            time.sleep(0.05)

    @staticmethod
    def _listening(port: int) -> bool:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
            return True
        return False

    def _answers(self, port: int) -> bool:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1) as connection:
            head = f"GET {self.peer.ready} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n"
            connection.sendall(head.encode())
            return connection.recv(100).startswith(b"HTTP/1.1 200")
        return False

    def alive(self) -> bool:
        """Whether every process still runs."""
        return all(each.poll() is None for started in self._processes.values() for each in started)

    def tracebacks(self) -> int:
        """How many exceptions the processes have written out."""
        return sum(log.read_text(errors="replace").count("Traceback (most recent") for log in self._logs)

    def snapshot(self) -> Snapshot:
        """Return what the processes have used up to now."""
        snapshot = Snapshot(time.monotonic(), processes.machine_cpu_seconds())
        for kind, started in self._processes.items():
            if started:
                snapshot.cpu[kind] = sum(processes.cpu_seconds(each.pid) for each in started if each.poll() is None)
        if self._processes["redis"]:
            snapshot.commands = self._commands()
        return snapshot

    def since(self, before: Snapshot) -> tuple[float, dict[str, float], dict[str, int]]:
        """Return seconds, cores used by kind of process and by the machine, and Redis commands, since *before*."""
        now = self.snapshot()
        seconds = now.at - before.at
        shares = {kind: round((now.cpu[kind] - before.cpu[kind]) / seconds, 3) for kind in now.cpu}
        shares["machine"] = round((now.machine - before.machine) / seconds, 3)
        commands = {name: calls - before.commands.get(name, 0) for name, calls in now.commands.items()}
        return seconds, shares, {name: calls for name, calls in commands.items() if calls and name not in _LOOKING}

    def resident_kib(self) -> int:
        """Resident memory of the interface processes, KiB."""
        return sum(processes.resident_kib(each.pid) for each in self._processes["interface"])

    def _commands(self) -> dict[str, int]:
        """Return how often each command ran, those inside of scripts too."""
        with socket.create_connection(("127.0.0.1", self._redis_port), timeout=10) as connection:
            connection.sendall(b"INFO commandstats\r\n")
            stream = connection.makefile("rb")
            text = stream.read(int(stream.readline()[1:])).decode()
        lines = (line.removeprefix("cmdstat_").split(":calls=") for line in text.splitlines() if ":calls=" in line)
        return {name: int(rest.partition(",")[0]) for name, rest in lines}
