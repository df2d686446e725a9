"""Draw the plots of a result: ``python -m bench.plots latest.json DIRECTORY``, run where matplotlib is."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from matplotlib import rcParams
from matplotlib.figure import Figure

from bench import figures

# The same input gives the same file.
rcParams["svg.hashsalt"] = "bench"

# Distinct also for those who see few colours; ours stands out.
_COLOURS = {
    "ours": "#0b6e4f",
    "stock": "#9e9e9e",
    "channels4-daphne": "#8fb8de",
    "channels4-daphne-pubsub": "#5b8fc7",
    "channels4-uvicorn": "#f2b880",
    "channels4-uvicorn-pubsub": "#d98c3f",
    "socketio": "#7b5ea7",
    "gunicorn": "#444444",
}
Results = dict[str, Any]
Take = Callable[[str], list[float]]


def draw(results: Results, directory: Path) -> list[str]:
    """Write every plot that there are results for, as SVG and PNG; returns their names."""

    def fanout(members: int) -> Take:
        return lambda peer: figures.values(results, peer, f"fanout-{members}", "fanout", "rate")

    def echo(size: int) -> Take:
        return lambda peer: figures.values(results, peer, "echo", "echo", "rate", size)

    def latency(scenario: str, phase: str, field: str) -> Take:
        def take(peer: str) -> list[float]:
            best = figures.best_phase(results, peer, scenario, phase)
            return [best[field] / 1000] if best else []

        return take

    def plain(scenario: str, field: str = "rate") -> Take:
        return lambda peer: figures.values(results, peer, scenario, scenario, field)

    fields = (("p50_us", "p50"), ("p99_us", "p99"))
    steady = (("fanout-500", "fanout-steady", "fan-out to 500"), ("echo", "echo-steady", "echo, 50 connections"))
    plots = {
        "fan-out": (
            "deliveries a second",
            True,
            {f"{size:,} members": fanout(size) for size in (10, 100, 500, 1000, 5000)},
        ),
        "echo": (
            "echoes a second",
            True,
            {f"{size:,} connection" + ("s" if size > 1 else ""): echo(size) for size in (1, 50, 200, 1000)},
        ),
        "latency": (
            "ms, at half of the own peak",
            True,
            {f"{title}, {label}": latency(*what, field) for *what, title in steady for field, label in fields},
        ),
        "http": ("requests a second", False, {"trivial Django view": plain("http")}),
        "connects": ("connects a second", False, {"connect, accept, close": plain("storm")}),
        "memory": ("KiB for each idle socket", False, {"interface process": plain("memory", "per_socket_kib")}),
    }
    drawn = []
    for name, (unit, logarithmic, groups) in plots.items():
        if bars(results, directory / name, unit, logarithmic, groups):
            drawn.append(name)
    return drawn


def bars(results: Results, path: Path, unit: str, logarithmic: bool, groups: dict[str, Take]) -> bool:
    """Draw one group of bars for each of *groups*, one bar for each peer: the best of its rounds."""
    found: dict[str, dict[str, float]] = {}
    for title, take in groups.items():
        measured = {peer: max(values) for peer in results["peers"] if peer != "echo" and (values := take(peer))}
        if measured:
            found[title] = measured
    if not found:
        return False
    peers = [peer for peer in results["peers"] if any(peer in measured for measured in found.values())]
    figure = Figure(figsize=(9, 4.2), layout="constrained")
    axes = figure.subplots()
    width = 0.84 / len(peers)
    for index, peer in enumerate(peers):
        heights = [measured.get(peer, 0) for measured in found.values()]
        places = [group + (index - (len(peers) - 1) / 2) * width for group in range(len(found))]
        title = results["peers"][peer]["title"]
        drawn = axes.bar(places, heights, width * 0.95, label=title, color=_COLOURS.get(peer, "#bbbbbb"))
        texts = [short(height) if height else "" for height in heights]
        axes.bar_label(drawn, texts, fontsize=6.5, rotation=90, padding=2)
    axes.set_xticks(range(len(found)), list(found))
    axes.set_ylabel(unit + (", logarithmic" if logarithmic else ""))
    if logarithmic:
        axes.set_yscale("log")
    axes.margins(y=0.14)
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(fontsize=7.5, frameon=False, loc="upper left", bbox_to_anchor=(1, 1))
    machine = results["machine"]
    axes.set_title(f"{results['date'].split()[0]}, {machine['cores']} cores, {machine['cpu']}", fontsize=8, loc="right")
    for kind, metadata in (("svg", {"Date": None}), ("png", {})):
        figure.savefig(path.with_suffix(f".{kind}"), dpi=130, metadata=metadata)
    return True


def short(value: float) -> str:
    """Return a number as a label: 950, 4.9k, 183k."""
    if value >= 10_000:
        return f"{value / 1000:.0f}k"
    if value >= 1000:
        return f"{value / 1000:.1f}k"
    return f"{value:.0f}" if value >= 100 else f"{value:.3g}"


if __name__ == "__main__":
    print(*draw(json.loads(Path(sys.argv[1]).read_text(encoding="utf-8")), Path(sys.argv[2])), sep="\n")
