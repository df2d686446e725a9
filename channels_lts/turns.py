"""Whose turn it is on each socket, for :mod:`channels_lts.ordering`: in the channel layer's Redis, or in memory."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Protocol

from channels_lts import beside

RUN, WAIT, LATE = "run", "wait", "late"

#: Seconds that a frame waits for one before it that nobody is serving: longer than that one may be on its way.
PATIENCE = 10.0
#: Seconds for which whoever has the turn counts as alive without another word.
LEASE = 5.0
# What to send again: the channel that a frame came from, and its content.
Frame = tuple[str, dict[str, Any]]


class Gap(NamedTuple):
    """Frames that did not come: those from *first* on, before *then*, whose turn it is now."""

    first: int
    then: int
    frame: Frame


class Turns(Protocol):
    """The sockets of one channel layer, each by its reply channel. Every method may raise LayerUnavailable."""

    def enter(self, socket: str, order: int, frame: Frame, *, begins: bool) -> str:
        """Return RUN where it is the turn of *order*, LATE where it was, or WAIT: then *frame* is kept until it is."""

    def leave(self, socket: str, order: int, *, ends: bool) -> list[Frame]:
        """End the turn of *order*; returns the frames that waited and come next."""

    def check(self, socket: str) -> Gap | bool:
        """Give up frames that nobody serves and others wait for since ``PATIENCE`` seconds: then it returns the gap.

        Otherwise it returns whether any frame waits.
        """

    def renew(self, socket: str, order: int) -> None:
        """Note that whoever has the turn of *order* is at work."""


def turns(layer: Any) -> Turns | None:
    """Return the turns of *layer*; None for one of several processes without Redis."""
    return _turns.of(layer)


@dataclass
class _Socket:
    next: int = 0
    lease: float = 0.0
    moved: float = 0.0
    # By order: when it came, and the frame.
    waiting: dict[int, tuple[float, Frame]] = field(default_factory=dict)


@dataclass
class InMemory:
    """The same for the layers of one process."""

    _lock: threading.Lock = field(default_factory=threading.Lock)
    _sockets: dict[str, _Socket] = field(default_factory=dict)

    def enter(self, socket: str, order: int, frame: Frame, *, begins: bool) -> str:
        with self._lock:
            if begins:
                self._sockets.pop(socket, None)
            state = self._sockets.setdefault(socket, _Socket())
            if order < state.next:
                return LATE
            if order == state.next:
                state.lease = time.monotonic() + LEASE
                return RUN
            state.waiting[order] = time.monotonic(), frame
            return WAIT

    def leave(self, socket: str, order: int, *, ends: bool) -> list[Frame]:
        with self._lock:
            state = self._sockets.get(socket)
            if ends:
                self._sockets.pop(socket, None)
            if ends or state is None or order != state.next:
                return []
            state.next, state.moved, state.lease = order + 1, time.monotonic(), 0.0
            taken: list[Frame] = []
            while order + 1 + len(taken) in state.waiting:
                taken.append(state.waiting.pop(order + 1 + len(taken))[1])
            return taken

    def check(self, socket: str) -> Gap | bool:
        now = time.monotonic()
        with self._lock:
            state = self._sockets.get(socket)
            if state is None or not state.waiting:
                return False
            then = min(state.waiting)
            if state.lease > now or max(state.moved, state.waiting[then][0]) + PATIENCE > now:
                return True
            missing, state.next, state.moved = state.next, then, now
            return Gap(missing, then, state.waiting.pop(then)[1])

    def renew(self, socket: str, order: int) -> None:
        with self._lock:
            state = self._sockets.get(socket)
            if state is not None and state.next == order:
                state.lease = time.monotonic() + LEASE


def _in_redis(layer: Any) -> Turns:
    from channels_lts.layer.turns import InRedis

    return InRedis(layer)


_turns: beside.PerLayer[Turns] = beside.PerLayer(_in_redis, InMemory)
