"""Draw a soak: ``python -m tests.faults.plots soak.json DIRECTORY``, run where matplotlib is."""

from __future__ import annotations

import json
import sys
from collections import defaultdict
from pathlib import Path
from typing import Any

from matplotlib import rcParams
from matplotlib.figure import Figure
from matplotlib.ticker import NullFormatter, ScalarFormatter

# The same input gives the same file.
rcParams["svg.hashsalt"] = "soak"

_LOSSES = ("frame lost", "missed", "resent", "http", "refused", "error", "closed", "frame closed", "frame cut")
_DENSE = 4000


def draw(results: dict[str, Any], path: Path) -> None:
    """Write losses, latency and memory over time, faults in the background, as SVG and PNG."""
    series = results["series"]
    figure = Figure(figsize=(11, 9), layout="constrained")
    troubles, latency, memory = figure.subplots(3, 1, sharex=True)
    for axes in (troubles, latency, memory):
        for began, ended, _ in series["windows"]:
            axes.axvspan(began / 60, ended / 60, color="#f2b880", alpha=0.25, linewidth=0)
        axes.spines[["top", "right"]].set_visible(False)
    for began, _, name in series["windows"][:40]:
        troubles.text(began / 60, 1.01, name, rotation=60, fontsize=5, transform=troubles.get_xaxis_transform())

    bars: dict[str, dict[float, int]] = defaultdict(lambda: defaultdict(int))
    for at, kind, count in series["troubles"]:
        bars[kind][at // 5 * 5] += count
    for kind in (kind for kind in _LOSSES if kind in bars):
        troubles.plot([at / 60 for at in bars[kind]], list(bars[kind].values()), "o", markersize=3, label=kind)
    troubles.set_ylabel("troubles in 5 s")
    if bars:
        troubles.set_yscale("log")
        troubles.yaxis.set_major_formatter(ScalarFormatter())
        troubles.yaxis.set_minor_formatter(NullFormatter())

    for name, label in (("requests", "HTTP request"), ("acknowledgements", "message to its acknowledgement")):
        points = series[name][:: max(1, len(series[name]) // _DENSE)]
        latency.plot([at / 60 for at, _ in points], [ms for _, ms in points], ".", markersize=2, label=label)
    frames = [line for line in series["frames"] if line[1]]
    for column, label in ((2, "frame, median"), (3, "frame, p99")):
        latency.plot([line[0] / 60 for line in frames], [line[column] for line in frames], linewidth=0.8, label=label)
    latency.set_ylabel("ms")
    latency.set_yscale("log")

    for name, samples in series["memory"].items():
        # A line breaks where another process took the name.
        points = [
            [at, kib if not index or pid == samples[index - 1][1] else float("nan")]
            for index, (at, pid, kib) in enumerate(samples)
        ]
        memory.plot([at / 60 for at, _ in points], [kib / 1024 for _, kib in points], linewidth=0.9, label=name)
    memory.set_ylabel("MiB resident")
    memory.set_xlabel("minutes")
    memory.set_ylim(bottom=0)

    for axes in (troubles, latency, memory):
        if axes.get_legend_handles_labels()[0]:
            axes.legend(fontsize=6.5, frameon=False, loc="upper left", bbox_to_anchor=(1, 1))
    for kind, metadata in (("svg", {"Date": None}), ("png", {})):
        figure.savefig(path.with_suffix(f".{kind}"), dpi=130, metadata=metadata)


def main(arguments: list[str]) -> int:
    source, directory = map(Path, arguments)
    draw(json.loads(source.read_text(encoding="utf-8")), directory / source.stem)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
