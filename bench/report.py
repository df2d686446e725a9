"""Write results: JSON as measured, a Markdown page, and plots. ``python -m bench.report FILE`` makes both anew."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from bench import environment, figures, processes

Results = dict[str, Any]
_PLOT_REQUIREMENTS = Path(__file__).resolve().with_name("plots.txt")
# Cores that other processes may use before the page warns of it.
_ELSEWHERE = 0.1
_PINNING = {
    "interface": "the load client on the last core, the interface server on the first (a second one on the next), "
    "Redis and workers wherever the kernel puts them",
    "none": "no process is held to a core",
}


def write_json(results: Results, directory: Path) -> Path:
    """Write ``latest.json``, whole or not at all."""
    directory.mkdir(parents=True, exist_ok=True)
    path, fresh = directory / "latest.json", directory / "latest.json.new"
    fresh.write_text(json.dumps(results, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    fresh.replace(path)
    return path


def write(results: Results, directory: Path, *, plots: bool = True) -> None:
    """Write ``latest.json``, ``latest.md`` and, where matplotlib can be had, the plots into *directory*."""
    path = write_json(results, directory)
    (directory / "latest.md").write_text(markdown(results), encoding="utf-8")
    if plots:
        plot(path, directory)


def plot(path: Path, directory: Path, module: str = "bench.plots") -> None:
    """Draw the plots of the results in *path* by *module*; say so where that cannot be done."""
    where = environment.DIRECTORY / "plots"
    python = where / "bin" / "python"
    if not (where / "built").exists():
        processes.run([sys.executable, "-m", "venv", where])
        pip: list[str | Path] = [
            python,
            "-m",
            "pip",
            "install",
            "--disable-pip-version-check",
            "-r",
            _PLOT_REQUIREMENTS,
        ]
        if processes.run(pip).returncode:
            print("no plots: matplotlib cannot be installed", file=sys.stderr)
            return
        (where / "built").touch()
    done = processes.run([python, "-m", module, path.resolve(), directory.resolve()], directory=environment.ROOT)
    if done.returncode:
        print(f"no plots: {done.stdout.strip()}", file=sys.stderr)


def to_reach(results: Results) -> str:
    """Return the table of the figures to reach."""
    rows = [["figure", "required", "measured (best)", "by the median", "met"]]
    for figure in figures.to_reach(results):
        met = "–" if figure.met is None else "yes" if figure.met else "**no**"
        rows.append([figure.name, figure.required, figure.measured, figure.by_median, met])
    return table(rows)


def table(rows: list[list[str]]) -> str:
    """Return *rows*, the first of them the heading, as a Markdown table that reads well as text too."""
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = [
        "| " + " | ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) + " |" for row in rows
    ]
    lines.insert(1, "|" + "|".join("-" * (width + 2) for width in widths) + "|")
    return "\n".join(lines)


def markdown(results: Results) -> str:
    """Return the whole page."""
    machine = results["machine"]
    parts = [
        "# Results of the bench",
        f"{results['date']}, commit {results['commit'] or 'unknown'}; {machine['cores']} cores ({machine['cpu']}), "
        f"{machine['memory']}, Linux {machine['kernel']}, Redis {machine['redis']}. "
        f"Processes: {_PINNING[results['pinning']]}.",
    ]
    if results["quick"]:
        parts.append("**A quick run**: short phases, one round. Good for a look, not for a claim.")
    elif not results["complete"]:
        parts.append("**Not complete**: some of the peers, scenarios or rounds are missing.")
    parts += ["## Figures to reach", to_reach(results)]
    sections = [
        ("Fan-out: deliveries a second", _fanout(results)),
        ("Fan-out to 500: latency from publishing to receipt", _windows(results)),
        ("Burst: group messages sent at once to a large group", _burst(results)),
        ("Redis commands for each group message", _commands(results)),
        ("Echo", _echo(results)),
        ("Steady load at half of the peer's own peak", _steady(results)),
        ("HTTP: a trivial Django view, 50 connections", _rates(results, "http", "requests/s")),
        ("Connect storm: connect, accept, close, 100 at once", _rates(results, "storm", "connects/s")),
        ("Memory for each idle socket, a member of a group", _memory(results)),
        ("Versions", _versions(results)),
    ]
    for title, text in sections:
        if text:
            parts += [f"## {title}", text]
    notes = _notes(results)
    if notes:
        parts += ["## Notes", notes]
    return "\n\n".join(parts) + "\n"


def _titles(results: Results) -> dict[str, str]:
    return {name: peer["title"] for name, peer in results["peers"].items()}


def _scenarios(results: Results, mode: str) -> list[str]:
    return list(dict.fromkeys(run["scenario"] for run in results["runs"] if run["scenario"].startswith(mode)))


def _best_and_median(found: list[float]) -> str:
    if not found:
        return "–"
    return f"{max(found):,.0f}" if len(found) == 1 else f"{max(found):,.0f} ({figures.median(found):,.0f})"


def _rows(heading: list[str], results: Results, row: Any) -> str:
    rows = [heading]
    for name, title in _titles(results).items():
        cells = row(name)
        if any(cell not in ("–", "") for cell in cells):
            rows.append([title, *cells])
    return table(rows) if len(rows) > 1 else ""


def _fanout(results: Results) -> str:
    names = _scenarios(results, "fanout")
    titles = [
        name.removeprefix("fanout-").removesuffix("-2") + (", 2 interfaces" if name.endswith("-2") else "")
        for name in names
    ]
    text = _rows(
        ["members", *titles],
        results,
        lambda peer: [_best_and_median(figures.values(results, peer, name, "fanout", "rate")) for name in names],
    )
    return text and text + "\n\nThe best window counts; the best of the rounds, their median in brackets."


def _latency(phase: figures.Phase | None) -> str:
    return (
        "–" if phase is None else " / ".join(f"{phase[field] / 1000:.1f}" for field in ("p50_us", "p95_us", "p99_us"))
    )


def _windows(results: Results) -> str:
    phases = [phase for run in results["runs"] if run["scenario"] == "fanout-500" for phase in run["phases"]]
    sizes = sorted({phase["window"] for phase in phases if phase["phase"] == "fanout"})

    def row(peer: str) -> list[str]:
        found = [figures.windows(results, peer, "fanout-500", size) for size in sizes]
        rates = ["–" if phase is None else f"{phase['rate']:,.0f}" for phase in found]
        lost = [phase for phase in found if phase]
        cells = [cell for pair in zip(rates, map(_latency, found), strict=True) for cell in pair]
        return [*cells, f"{sum(phase['lost'] for phase in lost):,}" if lost else "–"]

    heading = [cell for size in sizes for cell in (f"window {size}: /s", "p50 / p95 / p99 ms")]
    text = _rows(["", *heading, "lost"], results, row)
    return text and text + "\n\nA window is how many group messages may be under way that some member still lacks."


def _burst(results: Results) -> str:
    def row(peer: str) -> list[str]:
        phase = figures.best_phase(results, peer, "burst", "burst")
        if phase is None:
            return ["–"]
        lost = figures.values(results, peer, "burst", "burst", "lost")
        return [
            f"{phase['size']:,} × {phase['window']:,}",
            f"{max(lost):,.0f}",
            f"{phase['rate']:,.0f}",
            f"{phase['seconds']:.1f}",
        ]

    text = _rows(["", "members × messages", "lost, or not in within 15 s", "deliveries/s", "seconds"], results, row)
    return text


def _commands(results: Results) -> str:
    names = [name for name in _scenarios(results, "fanout") if name in ("fanout-10", "fanout-5000")]

    def row(peer: str) -> list[str]:
        cells = []
        for name in names:
            found = figures.values(results, peer, name, "fanout-counted", "commands_per_message")
            cells.append(f"{figures.median(found):,.1f}" if found else "–")
        return cells

    return _rows(["members", *(name.removeprefix("fanout-") for name in names)], results, row) if names else ""


def _echo(results: Results) -> str:
    phases = [phase for run in results["runs"] if run["scenario"] == "echo" for phase in run["phases"]]
    sizes = sorted({phase["size"] for phase in phases if phase["phase"] == "echo"})

    def row(peer: str) -> list[str]:
        cells = []
        for size in sizes:
            cells.append(_best_and_median(figures.values(results, peer, "echo", "echo", "rate", size)))
            cells.append(_latency(figures.best_phase(results, peer, "echo", "echo", size)))
        return cells

    return _rows(
        ["connections", *(cell for size in sizes for cell in (f"{size}: /s", "p50 / p95 / p99 ms"))], results, row
    )


def _steady(results: Results) -> str:
    def row(peer: str) -> list[str]:
        cells = []
        for scenario, name in (("fanout-500", "fanout-steady"), ("echo", "echo-steady")):
            phase = figures.best_phase(results, peer, scenario, name)
            cells += ["–", "–"] if phase is None else [f"{phase['rate']:,.0f}", _latency(phase)]
        return cells

    latency = "p50 / p95 / p99 ms"
    return _rows(["", "fan-out to 500: deliveries/s", latency, "echo, 50 connections: /s", latency], results, row)


def _rates(results: Results, scenario: str, unit: str) -> str:
    return _rows(
        ["", unit, "p50 / p95 / p99 ms"],
        results,
        lambda peer: [
            _best_and_median(figures.values(results, peer, scenario, scenario, "rate")),
            _latency(figures.best_phase(results, peer, scenario, scenario)),
        ],
    )


def _memory(results: Results) -> str:
    def row(peer: str) -> list[str]:
        found = figures.values(results, peer, "memory", "memory", "per_socket_kib")
        return [f"{min(found):.1f}" if found else "–"]

    return _rows(["", "KiB in the interface process"], results, row)


def _versions(results: Results) -> str:
    lines = []
    for peer in results["peers"].values():
        versions = ", ".join(f"{name} {version}" for name, version in peer["versions"].items())
        lines.append(f"* {peer['title']}: {versions or 'none'}")
    return "\n".join(lines)


def _notes(results: Results) -> str:
    titles = _titles(results)
    lines = [f"* {name} is left out: {why}" for name, why in results["absent"].items()]
    for run in results["runs"]:
        title = f"{titles[run['peer']]}, {run['scenario']}, round {run['round']}"
        if run.get("error"):
            lines.append(f"* {title}: failed: {run['error'].splitlines()[0]}")
        if run.get("tracebacks"):
            lines.append(f"* {title}: {run['tracebacks']:,} exceptions in the peer's log")
    elsewhere = [
        phase["cpu_elsewhere"] for run in results["runs"] for phase in run["phases"] if "cpu_elsewhere" in phase
    ]
    if elsewhere and figures.median(elsewhere) > _ELSEWHERE:
        lines.append(
            f"* **the machine was busy with other things**: {figures.median(elsewhere):.2f} of a core in the median of "
            f"the phases, {max(elsewhere):.2f} at most; the figures are too low, and the ratios uncertain"
        )
    busy: dict[str, list[str]] = {}
    for run in results["runs"]:
        for phase in run["phases"]:
            if phase.get("client_busy") and not results["peers"][run["peer"]]["yardstick"]:
                what = f"{run['scenario']} {phase.get('window', phase['size'])}"
                busy.setdefault(f"{titles[run['peer']]}: {what}", []).append(f"{phase['client_cpu']:.0%}")
    lines += [
        f"* the load client used {', '.join(shares)} of its core, so that it may have been the limit: {what}"
        for what, shares in busy.items()
    ]
    return "\n".join(lines)


def main(arguments: list[str]) -> int:
    if len(arguments) != 1:
        print("usage: python -m bench.report bench/results/latest.json", file=sys.stderr)
        return 2
    path = Path(arguments[0])
    write(json.loads(path.read_text(encoding="utf-8")), path.parent)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
