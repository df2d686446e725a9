"""SIGKILL, as the kernel sends it when memory runs out."""

from __future__ import annotations

import os
import signal
from contextlib import ExitStack
from dataclasses import dataclass, field
from time import monotonic
from typing import Any

import websocket

from channels_lts import conf
from tests.faults.fault import Harm
from tests.faults.site import Site
from tests.services import TIMEOUT_SCALE
from tests.visitor import Socket

# Seconds until a room knows that the people of a killed interface server are gone.
PRESENCE = 10
# Seconds within which the other workers go on.
STALL = 1
_TRIES = 30


@dataclass
class WorkerKilled:
    """A worker of *pool* dies at once. What it had popped is lost: up to ``WORKER_BATCH`` messages. Sockets stay."""

    pool: str
    harm: Harm
    name: str = ""

    def __post_init__(self) -> None:
        self.name = self.name or f"SIGKILL of a worker of the pool {self.pool}"

    def strike(self, site: Site) -> None:
        before = site.pids()
        victim = site.random.choice(sorted(site.pids(f"workers:{self.pool}")))
        site.kill(victim)
        site.wait_ready(victim, before[victim])
        site.unchanged(before, but=(victim,))

    def judge(self, figures: dict[str, Any]) -> None:
        troubles = figures["troubles"]
        # One frame of a person, or a request, is one message; each is tried again, so that none counts twice.
        assert sum(troubles.values()) <= conf.get("WORKER_BATCH"), figures
        assert figures.get("stall", 0) <= STALL * TIMEOUT_SCALE, figures


@dataclass
class InterfaceKilled:
    """An interface server dies at once: its sockets break, its people leave; those of the other notice nothing."""

    name: str = "SIGKILL of an interface server"
    harm: Harm = Harm(sockets=True, http=True)  # noqa: RUF009  (frozen)
    left_after: list[float] = field(default_factory=list)
    _ports: set[int] = field(default_factory=set)

    def strike(self, site: Site) -> None:
        before = site.pids()
        victim, other = site.random.sample(sorted(site.pids("daphne:")), 2)
        with ExitStack() as sockets:
            watcher, gone = _visitors(site, sockets, before[victim], before[other])
            self._ports = site.visitors_of(before[victim])
            killed = monotonic()
            os.kill(before[victim], signal.SIGKILL)
            self.left_after.append(_leaves(watcher, gone, killed) - killed)
        site.wait_ready(victim, before[victim])
        site.unchanged(before, but=(victim,))

    def judge(self, figures: dict[str, Any]) -> None:
        assert set(figures["ports"]) <= self._ports, "a socket of the other interface server closed"
        # Each reader over HTTP has one request under way at most.
        assert figures["troubles"].get("http", 0) <= 3, figures
        figures["left_after"] = round(self.left_after[-1], 2)


def _visitors(site: Site, sockets: ExitStack, victim: int, other: int) -> tuple[Socket, set[str]]:
    """Have people come in until one is on *other*, who is returned, and some, whose names are, on *victim*."""
    run = site.random.randrange(10**6)
    watcher: Socket | None = None
    doomed: set[str] = set()
    for number in range(_TRIES):
        name = f"visitor-{run}-{number}"
        socket = sockets.enter_context(site.stack.visitor().be_guest(name).connect("/ws/"))
        socket.receive_stream("system", "welcome")
        port = _local_port(socket)
        if port in site.visitors_of(victim) and len(doomed) < 3:
            doomed.add(name)
        elif watcher is None and port in site.visitors_of(other):
            watcher = socket
        else:
            continue
        socket.send_stream("chat", type="join", room="lobby")
        socket.receive_stream("chat", "joined")
        if watcher is not None and len(doomed) == 3:
            return watcher, doomed
    raise AssertionError(f"{_TRIES} connections, and not some on each interface server")


def _local_port(socket: Socket) -> int:
    assert socket.raw.sock is not None
    return socket.raw.sock.getsockname()[1]


def _leaves(watcher: Socket, gone: set[str], since: float) -> float:
    """Return when *watcher* had heard that each of *gone* left.

    Raises:
        AssertionError: not within ``PRESENCE`` seconds.
    """
    here = set(gone)
    until = since + PRESENCE * TIMEOUT_SCALE
    while here:
        assert monotonic() < until, f"after {PRESENCE * TIMEOUT_SCALE:g} s these are still there: {sorted(here)}"
        watcher.raw.settimeout(max(0.1, until - monotonic()))
        try:
            frame = watcher.receive()
        except websocket.WebSocketTimeoutException:
            continue
        if frame["stream"] == "presence" and frame["payload"]["type"] == "leave":
            here.discard(frame["payload"]["who"]["name"])
    return monotonic()


FAULTS = (
    WorkerKilled("socket", Harm(frames=True)),
    WorkerKilled("web", Harm(http=True)),
    WorkerKilled("background", Harm()),
    InterfaceKilled(),
)
