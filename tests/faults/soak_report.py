"""What a soak tells: figures over time for the plot, and a page."""

from __future__ import annotations

from collections import Counter
from typing import Any

from bench.report import table
from tests.faults.load import Load


def series(load: Load, samples: list[dict[str, Any]], began: float) -> dict[str, Any]:
    """Return what changes over time, each point with its second since *began*."""
    lines = load.frames.lines if load.frames is not None else []
    ledger = load.ledger
    return {
        "frames": [
            [round(line["at"] - began, 1), line["answered"], line["p50_ms"], line["p99_ms"], line["stall_ms"]]
            for line in lines
        ],
        "acknowledgements": [[round(at - began, 1), round(took * 1000, 1)] for at, took in ledger.acknowledgements],
        "requests": [[round(at - began, 1), round(took * 1000, 1)] for at, took in ledger.requests],
        "troubles": [[round(each.at - began, 1), each.kind, each.count] for each in ledger.troubles],
        "windows": [
            [round(each.began - began, 1), round((each.ended or each.began) - began, 1), each.name]
            for each in ledger.windows
        ],
        "memory": {
            name: [
                [round(sample["at"] - began), *sample["memory"][name]]
                for sample in samples
                if name in sample["memory"]
            ]
            for name in sorted({name for sample in samples for name in sample["memory"]})
        },
    }  # fmt: skip


def markdown(results: dict[str, Any]) -> str:
    """Return the page."""
    machine, book = results["machine"], results["book"]
    parts = [
        "# Soak",
        f"{results['date']}, commit {results['commit'] or 'unknown'}; {machine['cores']} cores ({machine['cpu']}), "
        f"{machine['memory']}, Linux {machine['kernel']}, Redis {machine['redis']}. "
        f"{results['seconds']:.0f} seconds, seed {results['seed']}.",
        _verdict(results),
        "## Load",
        f"{book['sent']:,} messages sent, {book['acknowledged']:,} acknowledged, {book['stored']:,} stored, "
        f"{book['received']:,} times received by {book['readers']} readers; {book['requests']:,} HTTP requests; "
        f"{sum(each[1] for each in results['series']['frames']):,} raw frames.",
        "![Losses, latency and memory over time](soak.svg)",
    ]
    if book["faults"]:
        parts += ["## Faults", _faults(book["faults"])]
    if results.get("growth"):
        parts += ["## Memory after the warm-up", _growth(results["growth"])]
    return "\n\n".join(parts) + "\n"


def _verdict(results: dict[str, Any]) -> str:
    if results["broken"]:
        return "\n".join(["**Promises were broken:**", "", "```", *results["broken"], "```"])
    return "**Interrupted**, with no promise broken." if results.get("interrupted") else "No promise was broken."


def _faults(faults: list[dict[str, Any]]) -> str:
    rows = [["fault", "times", "well again after, s", "cost"]]
    for name in dict.fromkeys(fault["name"] for fault in faults):
        each = [fault for fault in faults if fault["name"] == name]
        cost: Counter[str] = Counter()
        for fault in each:
            cost.update(fault.get("troubles", {}))
        longest = max((fault.get("well_after", float("nan")) for fault in each), default=0)
        told = ", ".join(f"{count} × {kind}" for kind, count in sorted(cost.items())) or "nothing"
        rows.append([name, str(len(each)), f"{longest:.1f}", told])
    return table(rows)


def _growth(growth: dict[str, dict[str, float]]) -> str:
    rows = [["process", "before, KiB", "after, KiB", "growth"]]
    rows += [
        [name, f"{each['before']:,.0f}", f"{each['after']:,.0f}", f"{each['growth']:+.1%}"]
        for name, each in sorted(growth.items())
    ]
    return table(rows)
