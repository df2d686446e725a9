"""What was sent, acknowledged, stored and received, what broke meanwhile, and whether that keeps the promises."""

from __future__ import annotations

import threading
from collections import Counter
from dataclasses import dataclass, field
from time import monotonic
from typing import Any

from tests.faults.fault import Harm
from tests.services import TIMEOUT_SCALE

# Seconds on top of the advised ones in which whoever was sent away has connected, been let in and joined again.
_BACK = 4.0
# The kinds of trouble, and which attribute of Harm allows each. Those without one are never allowed.
ALLOWED_BY = {
    "closed": "sockets",
    "refused": "http",
    "http": "http",
    "error": "errors",
    "resent": "frames",
    "missed": "frames",
    "frame lost": "frames",
    "frame cut": "sockets",
    "frame closed": "sockets",
    "late back": "",
    "twice": "",
    "wrong frame": "",
}


@dataclass(frozen=True)
class Trouble:
    """Something that went wrong for somebody: *kind* is a key of ``ALLOWED_BY``, *at* in seconds of ``monotonic()``."""

    at: float
    kind: str
    who: str
    what: str
    count: int = 1


@dataclass
class Away:
    """A socket that closed: the visitor's port, the advice when to come back (from, to; seconds), when that was."""

    at: float
    who: str
    port: int
    code: int
    advice: tuple[float, float] | None
    back: float | None = None


@dataclass
class Window:
    """The time that a fault takes, from its first blow until all is well again."""

    name: str
    harm: Harm
    began: float
    ended: float | None = None
    figures: dict[str, Any] = field(default_factory=dict)

    def holds(self, at: float) -> bool:
        return self.began <= at and (self.ended is None or at <= self.ended)


class Ledger:
    """The book. Any thread may write into it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.sent: dict[str, float] = {}
        self.acknowledged: dict[str, int] = {}
        # Of each reader: the number up to which it knew the room when it came, and what it has had since, in order.
        self.received: dict[str, tuple[int, list[int]]] = {}
        self.troubles: list[Trouble] = []
        self.away: list[Away] = []
        self.windows: list[Window] = []
        # (when, seconds) of each acknowledgement and of each HTTP request.
        self.acknowledgements: list[tuple[float, float]] = []
        self.requests: list[tuple[float, float]] = []

    def send(self, uid: str, who: str, *, again: bool) -> None:
        """Note that *who* sends the message *uid*; *again*: for want of an answer on a socket that stayed open."""
        self.sent.setdefault(uid, monotonic())
        if again:
            self.trouble("resent", who, uid)

    def acknowledge(self, uid: str, seq: int, who: str) -> None:
        """Note that the server has stored message *uid* as number *seq*."""
        now = monotonic()
        with self._lock:
            known = self.acknowledged.setdefault(uid, seq)
            self.acknowledgements.append((now, now - self.sent[uid]))
        if known != seq:
            self.trouble("twice", who, f"{uid} was acknowledged as number {known} and as number {seq}")

    def trouble(self, kind: str, who: str, what: str, *, count: int = 1, at: float | None = None) -> None:
        assert kind in ALLOWED_BY, kind
        self.troubles.append(Trouble(monotonic() if at is None else at, kind, who, what, count))

    def close(self, who: str, port: int, code: int, advice: tuple[float, float] | None) -> Away:
        """Note that a socket closed; whoever comes back calls :meth:`come_back` with what this returns."""
        away = Away(monotonic(), who, port, code, advice)
        self.away.append(away)
        self.trouble("closed", who, f"code {code}", at=away.at)
        return away

    def come_back(self, away: Away) -> None:
        away.back = monotonic()
        latest = away.advice[1] + _BACK * TIMEOUT_SCALE if away.advice else None
        if latest is not None and away.back - away.at > latest:
            self.trouble("late back", away.who, f"after {away.back - away.at:.1f} s, advised {away.advice}")

    def begin(self, name: str, harm: Harm) -> Window:
        """From now on *harm* is allowed, until :meth:`end`."""
        window = Window(name, harm, monotonic())
        self.windows.append(window)
        return window

    def end(self, window: Window) -> None:
        """The fault is over and all is well.

        Raises:
            AssertionError: it cost more than it may.
        """
        window.ended = monotonic()
        inside = [trouble for trouble in list(self.troubles) if window.holds(trouble.at)]
        window.figures.update(_figures(inside, [away for away in list(self.away) if window.holds(away.at)]))
        broken = [trouble for trouble in inside if not _allowed(trouble, window.harm)]
        assert not broken, f"{window.name} broke more than it may:\n{_listed(broken, window.began)}"

    def forgive(self) -> None:
        """Take what happened since the last fault began for its doing, though it broke too much: that was told."""
        for window in self.windows:
            if window.ended is None:
                window.ended = monotonic()

    def outside(self) -> list[Trouble]:
        """Return the troubles that no fault had a part in."""
        return [each for each in list(self.troubles) if not any(window.holds(each.at) for window in self.windows)]

    def check(self, stored: list[tuple[int, str]]) -> dict[str, Any]:
        """Compare the book with the database: *stored* has number and client's id of each message of the room.

        To be called when all is over, and everybody had the time to get what they lack. Returns the figures.

        Raises:
            AssertionError: a promise was broken; the message says which, and names examples.
        """
        problems = []
        outside = self.outside()
        if outside:
            problems.append(f"outside of any fault:\n{_listed(outside, 0)}")
        numbers = [seq for seq, _ in stored]
        if numbers != list(range(1, len(numbers) + 1)):
            problems.append("the stored messages are not numbered from 1 on without gaps")
        counts = Counter(uid for _, uid in stored)
        by_uid = {uid: seq for seq, uid in stored}
        wrong = {
            uid: (seq, counts[uid], by_uid.get(uid))
            for uid, seq in self.acknowledged.items()
            if counts[uid] != 1 or by_uid[uid] != seq
        }
        if wrong:
            problems.append(f"acknowledged, but not stored once under that number: {_some(wrong)}")
        open_ends = sorted(set(self.sent) - set(self.acknowledged))
        if open_ends:
            problems.append(f"sent and never acknowledged: {_some(open_ends)}")
        last = numbers[-1] if numbers else 0
        for reader, (since, got) in self.received.items():
            expected = list(range(since + 1, last + 1))
            if got != expected:
                lacking, more = sorted(set(expected) - set(got)), [n for n, count in Counter(got).items() if count > 1]
                problems.append(
                    f"{reader} lacks {_some(lacking)}, has twice {_some(more)}, {len(got)} of {len(expected)}"
                )
        assert not problems, "\n".join(problems)
        return self.figures(len(stored))

    def figures(self, stored: int) -> dict[str, Any]:
        """Return what there is to report, whether good or bad."""
        return {
            "sent": len(self.sent),
            "acknowledged": len(self.acknowledged),
            "stored": stored,
            "readers": len(self.received),
            "received": sum(len(got) for _, got in self.received.values()),
            "requests": len(self.requests),
            **_figures(self.troubles, self.away),
            "faults": [
                {"name": each.name, "began": each.began, "ended": each.ended, **each.figures} for each in self.windows
            ],
        }


def _figures(troubles: list[Trouble], away: list[Away]) -> dict[str, Any]:
    counted: Counter[str] = Counter()
    for trouble in troubles:
        counted[trouble.kind] += trouble.count
    returned = [each.back - each.at for each in away if each.back is not None]
    return {
        "troubles": dict(sorted(counted.items())),
        "codes": dict(sorted(Counter(each.code for each in away).items())),
        "advised": sum(1 for each in away if each.advice),
        "ports": sorted(each.port for each in away),
        "longest_away": round(max(returned, default=0), 3),
        "never_back": len(away) - len(returned),
    }


def _allowed(trouble: Trouble, harm: Harm) -> bool:
    name = ALLOWED_BY[trouble.kind]
    return bool(name) and bool(getattr(harm, name))


def _listed(troubles: list[Trouble], since: float) -> str:
    lines = [
        f"  {each.at - since:8.2f} s  {each.kind} ×{each.count}, {each.who}: {each.what}" for each in troubles[:20]
    ]
    return "\n".join([*lines, f"  and {len(troubles) - 20} more"] if len(troubles) > 20 else lines)


def _some(items: Any) -> str:
    items = list(items.items()) if isinstance(items, dict) else list(items)
    return f"{len(items)}: {items[:8]}" if items else "nothing"
