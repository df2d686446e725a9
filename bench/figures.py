"""What the results say: the best and the median of the rounds, and the figures to reach. Pure: from the JSON alone."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from statistics import median
from typing import Any

Results = dict[str, Any]
Phase = dict[str, Any]


def runs(results: Results, peer: str, scenario: str) -> list[list[Phase]]:
    """Return the phases of each run of *scenario* by *peer*, as far as it came."""
    return [run["phases"] for run in results["runs"] if run["peer"] == peer and run["scenario"] == scenario]


def values(results: Results, peer: str, scenario: str, phase: str, field: str, size: int | None = None) -> list[float]:
    """Return one value of *field* for each run: the largest of the phases of that name and size (their windows)."""
    found = []
    for phases in runs(results, peer, scenario):
        fitting = [
            each[field] for each in phases if each["phase"] == phase and size in (None, each["size"]) and field in each
        ]
        if fitting:
            found.append(max(fitting))
    return found


def best_phase(results: Results, peer: str, scenario: str, phase: str, size: int | None = None) -> Phase | None:
    """Return the phase with the highest rate over all rounds and windows."""
    fitting = [
        each
        for phases in runs(results, peer, scenario)
        for each in phases
        if each["phase"] == phase and size in (None, each["size"])
    ]
    return max(fitting, key=lambda each: each["rate"], default=None)


def windows(results: Results, peer: str, scenario: str, window: int) -> Phase | None:
    """Return the phase with the highest rate among those with this *window*."""
    fitting = [each for phases in runs(results, peer, scenario) for each in phases if each["phase"] == "fanout"]
    return max((each for each in fitting if each["window"] == window), key=lambda each: each["rate"], default=None)


@dataclass(frozen=True)
class Figure:
    """A figure to reach: *measured* against what is required. None: a side was not measured."""

    name: str
    required: str
    measured: str
    by_median: str
    met: bool | None


def _against(results: Results, others: list[str], take: Callable[[str], list[float]]) -> tuple[float, float] | None:
    """Return how many times the best of *others* ours is: by the best of the rounds, and by their median."""
    ours = take("ours")
    theirs = [found for name in others if (found := take(name))]
    if not ours or not theirs:
        return None
    best, middle = max(max(each) for each in theirs), max(median(each) for each in theirs)
    return (max(ours) / best, median(ours) / middle) if best and middle else None


def _ratio(results: Results, name: str, least: float, others: list[str], take: Callable[[str], list[float]]) -> Figure:
    ratio = _against(results, others, take)
    required = f"≥ {least:g} ×"
    if ratio is None:
        return Figure(name, required, "not measured", "", None)
    return Figure(name, required, f"{ratio[0]:.2f} ×", f"{ratio[1]:.2f} ×", ratio[0] >= least)


def _at_most(name: str, required: str, most: float, ours: list[float], theirs: list[float], unit: str) -> Figure:
    """Return a figure that is better when it is smaller: ours at most *most* times theirs."""
    if not ours or not theirs:
        return Figure(name, required, "not measured", "", None)
    best, middle = min(ours) / max(min(theirs), 1e-9), median(ours) / max(median(theirs), 1e-9)
    measured = f"{best:.2f} × ({min(ours):,.1f} against {min(theirs):,.1f} {unit})"
    return Figure(name, required, measured, f"{middle:.2f} ×", best <= most)


def to_reach(results: Results) -> list[Figure]:
    """Return the figures that this project set itself, each with whether it is met."""
    channels4 = [name for name in results["peers"] if name.startswith("channels4")]

    def fanout(peer: str) -> list[float]:
        return values(results, peer, "fanout-500", "fanout", "rate")

    def echo(size: int, field: str = "rate") -> Callable[[str], list[float]]:
        return lambda peer: values(results, peer, "echo", "echo", field, size)

    def plain(scenario: str) -> Callable[[str], list[float]]:
        return lambda peer: values(results, peer, scenario, scenario, "rate")

    def memory(peer: str) -> list[float]:
        return values(results, peer, "memory", "memory", "per_socket_kib")

    return [
        _ratio(results, "fan-out to 500, against Socket.IO + Redis adapter", 1.0, ["socketio"], fanout),
        _ratio(results, "fan-out to 500, against the best Channels 4", 12, channels4, fanout),
        _ratio(results, "fan-out to 500, against Channels 1.1.8", 25, ["stock"], fanout),
        _commands(results),
        _ratio(results, "echo, 200 connections, against Channels 4 + uvicorn", 1.3, ["channels4-uvicorn"], echo(200)),
        _ratio(results, "echo, 200 connections, against Channels 1.1.8", 9, ["stock"], echo(200)),
        _ratio(results, "echo, 50 connections, against Channels 4 + uvicorn", 1.0, ["channels4-uvicorn"], echo(50)),
        _at_most(
            "echo, 1 connection, p50, against Channels 4 + Daphne", "≤ 2 ×", 2,
            echo(1, "p50_us")("ours"), echo(1, "p50_us")("channels4-daphne"), "µs",
        ),
        _ratio(results, "HTTP, trivial view, against gunicorn, 1 sync worker", 0.8, ["gunicorn"], plain("http")),
        _ratio(results, "HTTP, trivial view, against Channels 4 + uvicorn", 2.5, ["channels4-uvicorn"], plain("http")),
        _ratio(results, "connects a second, against Channels 1.1.8", 3, ["stock"], plain("storm")),
        _at_most(
            "memory for an idle socket, against Channels 1.1.8", "≤ 1 ×", 1, memory("ours"), memory("stock"), "KiB",
        ),
        _lost(results),
    ]  # fmt: skip


def _commands(results: Results) -> Figure:
    name = "Redis commands for a group message, 10 and 5,000 members"
    few = values(results, "ours", "fanout-10", "fanout-counted", "commands_per_message")
    many = values(results, "ours", "fanout-5000", "fanout-counted", "commands_per_message")
    if not few or not many:
        return Figure(name, "the same", "not measured", "", None)
    # The announcements of a process fall into a count or do not: less than a whole command.
    same = abs(median(few) - median(many)) < 0.5
    return Figure(name, "the same", f"{median(few):.1f} and {median(many):.1f}", "", same)


def _lost(results: Results) -> Figure:
    name = "lost, burst of group messages to a large group"
    lost = values(results, "ours", "burst", "burst", "lost")
    expected = values(results, "ours", "burst", "burst", "expected")
    if not lost:
        return Figure(name, "0", "not measured", "", None)
    return Figure(name, "0", f"{max(lost):,.0f} of {expected[0]:,.0f} in the worst round", "", max(lost) == 0)
