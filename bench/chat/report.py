"""``chat.json`` and ``chat.md`` from what was measured."""

from __future__ import annotations

import json
import statistics
from pathlib import Path
from typing import Any

from bench.load import BUSY

LEAST_RATIO = 0.5
MOST_MS = 10.0


def write(results: dict[str, Any], directory: Path) -> None:
    directory.mkdir(parents=True, exist_ok=True)
    (directory / "chat.json").write_text(json.dumps(results, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    (directory / "chat.md").write_text(page(results), encoding="utf-8")


def table(results: dict[str, Any]) -> str:
    """Return the figures to reach: the best round, as of the peers, and the median beside it."""
    lines = [
        "| | to reach | measured | by the median | reached |",
        "|---|---|---|---|---|",
    ]
    for name, found in results["databases"].items():
        ratios = [each["ratio"] for each in found.get("rounds", ())]
        if ratios:
            best, middle = max(ratios), statistics.median(ratios)
            lines.append(
                f"| stored messages a second, of {name}'s own commits | ≥ {LEAST_RATIO} × | {best:.2f} × "
                f"| {middle:.2f} × | {_yes(best >= LEAST_RATIO)} |"
            )
        if "join" in found:
            taken = found["join"]["p95_us"] / 1000
            lines.append(
                f"| joining with 50 messages, {name}, p95 | ≤ {MOST_MS:g} ms | {taken:.1f} ms | "
                f"| {_yes(taken <= MOST_MS)} |"
            )
    return "\n".join(lines)


def page(results: dict[str, Any]) -> str:
    machine = results["machine"]
    parts = [
        "# The chat, measured",
        "",
        f"{results['date']}, commit {results['commit'] or 'unknown'}; {machine['cores']} cores of {machine['cpu']}, "
        f"{machine['memory']}, Linux {machine['kernel']}; {results['messages']:,} messages stored before. "
        "[How it is measured](../README.md#the-chat).",
        "",
        table(results),
        "",
        "## Rounds",
        "",
        "| database | by itself, commits/s | stored/s | ratio | delivered/s | ack p50, ms | ack p95, ms "
        "| cores: workers, interfaces, client |",
        "|---|---|---|---|---|---|---|---|",
    ]
    parts += [_round(name, each) for name, found in results["databases"].items() for each in found.get("rounds", ())]
    parts += ["", *_remarks(results)]
    return "\n".join(parts).rstrip() + "\n"


def _round(name: str, each: dict[str, Any]) -> str:
    cpu = each["cpu"]
    return (
        f"| {name} | {each['commits']:,.0f} | {each['rate']:,.0f} | {each['ratio']:.2f} "
        f"| {each['delivered'] / each['seconds']:,.0f} | {each['p50_us'] / 1000:.1f} | {each['p95_us'] / 1000:.1f} "
        f"| {cpu.get('worker', 0):.2f}, {cpu.get('interface', 0):.2f}, {each['client_cpu']:.2f} |"
    )


def _remarks(results: dict[str, Any]) -> list[str]:
    lines = [f"{name} is left out: {why}." for name, why in results["absent"].items()]
    for name, found in results["databases"].items():
        if "error" in found:
            lines.append(f"**{name} failed**: {found['error'].splitlines()[-1][:300]}")
        for each in [*found.get("rounds", ()), *([found["join"]] if "join" in found else [])]:
            wrong = {
                key: each[key] for key in ("wrong", "errors", "dropped", "unanswered", "tracebacks") if each.get(key)
            }
            if wrong:
                lines.append(f"**{name}, {each['phase']}: {wrong}**")
            if each["client_cpu"] > BUSY:
                lines.append(f"{name}: the load client used {each['client_cpu']:.0%} of its core; it may be the limit.")
    return lines


def _yes(reached: bool) -> str:
    return "yes" if reached else "**no**"
