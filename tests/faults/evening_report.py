"""What an evening tells: the ledger, room by room, and what was measured."""

from __future__ import annotations

import contextlib
import os
import threading
from collections import Counter, defaultdict
from pathlib import Path
from time import monotonic
from typing import Any

from bench.report import table
from tests.faults.evening_crowd import Crowd
from tests.faults.site import Site
from tests.services import ROOT

# Where the logs of an evening go that broke something.
KEPT = ROOT / "var" / "evening" / "log"
_TICKS = os.sysconf("SC_CLK_TCK")
_KINDS = {"daphne": "interface servers", "workers": "workers"}


def ledger(crowd: Crowd, stored: dict[str, dict[int, str]]) -> tuple[list[dict[str, Any]], list[str]]:
    """Return one row for each room, and what of the promises was not kept, in words.

    *stored* has the id of each stored message by room and number.
    """
    rows, unkept = [], []
    acknowledged: dict[str, dict[int, str]] = defaultdict(dict)
    for uid, (slug, seq) in crowd.book.acknowledged.items():
        acknowledged[slug][seq] = uid
    for room in crowd.rooms:
        has = stored[room.slug]
        numbers = sorted(has)
        if numbers != list(range(1, len(numbers) + 1)):
            unkept.append(f"{room.slug}: the numbers have gaps")
        if len(set(has.values())) != len(has):
            unkept.append(f"{room.slug}: a message is stored twice")
        lost = [uid for seq, uid in acknowledged[room.slug].items() if has.get(seq) != uid]
        if lost:
            unkept.append(f"{room.slug}: {len(lost)} acknowledged messages are not stored as such: {lost[:5]}")
        strange = [seq for seq, uid in room.uids.items() if has.get(seq) != uid]
        if strange:
            unkept.append(f"{room.slug}: numbers {strange[:5]} were seen, and are stored as something else")
        last = numbers[-1] if numbers else 0
        # Everybody sees in order, without gaps, and each number once: what they lack is at the end.
        behind = {guest.name: last - guest.last for guest in room.guests if guest.last < last}
        if behind:
            unkept.append(f"{room.slug}: the last messages are missing: {behind}")
        rows.append(
            {
                "room": room.slug,
                "people": len(room.guests),
                "acknowledged": len(acknowledged[room.slug]),
                "stored": len(has),
                "seen": sum(guest.last - guest.base for guest in room.guests),
                "missing": sum(behind.values()),
                "lost": len(lost),
            }
        )
    return rows, unkept


def figures(crowd: Crowd) -> dict[str, Any]:
    """Return what there is to report of the load, whether good or bad."""
    book = crowd.book
    took = sorted(seconds for _, seconds in book.took)
    return {
        "sent": len(book.sent),
        "acknowledged": len(book.acknowledged),
        "deliveries": book.deliveries,
        "counts": dict(sorted(book.counts.items())),
        "acknowledged_ms": {
            name: round(took[min(len(took) - 1, int(share * len(took)))] * 1000, 1) if took else None
            for name, share in (("p50", 0.5), ("p95", 0.95), ("p99", 0.99), ("most", 1.0))
        },
        "unanswered": sum(len(guest.unanswered) for guest in crowd.guests),
    }


class Usage:
    """How many cores each part uses, while in a ``with`` block. The last second before a process ends is not known."""

    def __init__(self, site: Site, crowd: Crowd) -> None:
        self._site, self._crowd = site, crowd
        self._known: dict[int, float] = {}
        self._used: Counter[str] = Counter()
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._run, name="usage", daemon=True)
        self._began = self._ended = 0.0
        self._crowd_began = 0.0

    def __enter__(self) -> Usage:
        self._began, self._crowd_began = monotonic(), self._crowd.cpu
        self._thread.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self._ending.set()
        self._thread.join(5)
        self._ended = monotonic()

    def cores(self) -> dict[str, float]:
        seconds = self._ended - self._began
        used = {**self._used, "people": self._crowd.cpu - self._crowd_began}
        return {part: round(each / seconds, 2) for part, each in sorted(used.items())}

    def _run(self) -> None:
        while True:
            # supervisord may be busy; a second without a sample is no harm.
            with contextlib.suppress(OSError, AssertionError):
                self._sample()
            if self._ending.wait(1):
                return

    def _sample(self) -> None:
        parts = {pid: _KINDS.get(name.partition(":")[0], "others") for name, pid in self._site.pids().items()}
        if self._site.redis.process is not None:
            parts[self._site.redis.process.pid] = "Redis"
        parts |= dict.fromkeys(_of_postgres(self._site), "PostgreSQL")
        known = {pid: _seconds(pid) for pid in parts}
        for pid, used in known.items():
            # What is new began after the last time.
            self._used[parts[pid]] += max(0.0, used - self._known.get(pid, 0.0 if self._known else used))
        self._known = known


def markdown(results: dict[str, Any]) -> str:
    """Return the page."""
    machine, asked, took = results["machine"], results["asked"], results["acknowledged_ms"]
    seconds = results.get("seconds") or asked["seconds"]
    rows = [["room", "people", "acknowledged", "stored", "seen", "missing", "lost"]]
    rows += [[f"{value:,}" if isinstance(value, int) else value for value in row.values()] for row in results["ledger"]]
    total = {name: sum(row[name] for row in results["ledger"]) for name in list(results["ledger"][0])[1:]}
    rows.append(["all", *(f"{value:,}" for value in total.values())])
    acts = [["second", "what", "took, s"]]
    acts += [[f"{act['at']:.0f}", act["name"], f"{act['seconds']:.1f}"] for act in results["acts"]]
    parts = [
        "# The evening",
        f"{results['date']}, commit {results['commit'] or 'unknown'}; {machine['cores']} cores ({machine['cpu']}), "
        f"{machine['memory']}, Linux {machine['kernel']}, Redis {machine['redis']}. {asked['people']} people, "
        f"{asked['rooms']} rooms, {seconds:.0f} seconds, seed {results['seed']}.",
        _verdict(results),
        "## Ledger",
        table(rows),
        "## Load",
        f"{results['sent']:,} messages sent: {results['sent'] / seconds:.0f} a second of {asked['rate']:g}; "
        f"{results['deliveries']:,} seen, {results['deliveries'] / seconds:,.0f} a second. Acknowledged after "
        f"{took['p50']} ms (median), {took['p95']} ms (95 %), {took['p99']} ms (99 %), {took['most']} ms (all). "
        f"Everybody had everything {results.get('settled_after', '?')} s after the end.",
        table([["what", "times"], *([name, f"{count:,}"] for name, count in results["counts"].items())]),
        "Cores used: " + ", ".join(f"{name} {cores}" for name, cores in results.get("cores", {}).items()),
        *(["## What happened", table(acts)] if len(acts) > 1 else []),
    ]
    return "\n\n".join(parts) + "\n"


def _verdict(results: dict[str, Any]) -> str:
    if results["broken"]:
        return "\n".join(["**Promises were broken:**", "", "```", *results["broken"], "```"])
    kept = (
        "Every acknowledged message was stored once, and seen once and in order by everybody in its room; every list "
        "of people was right; no process ended but those that were ended."
    )
    return "**Interrupted.**" if results.get("interrupted") else kept


def _seconds(pid: int) -> float:
    with contextlib.suppress(OSError, IndexError):
        words = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        return (int(words[11]) + int(words[12])) / _TICKS
    return 0.0


def _of_postgres(site: Site) -> list[int]:
    if site.postgres is None or site.postgres.process is None:
        return []
    pid = site.postgres.process.pid
    with contextlib.suppress(OSError):
        return [pid, *map(int, Path(f"/proc/{pid}/task/{pid}/children").read_text().split())]
    return [pid]
