"""The figures of docs/reliability.md, measured: ``python -m tests.faults.reliability --restarts 50 --rate 1500``.

Writes reliability.json and reliability.md, into bench/results unless told otherwise. ``--soak var/soak/soak.json`` adds
the memory of a soak without faults. Status 1: a promise was broken.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import django

from bench import environment
from bench.report import table
from tests.faults import rates
from tests.faults.fault import Fault, Harm
from tests.faults.kills import InterfaceKilled, WorkerKilled
from tests.faults.load import Load
from tests.faults.restarts import InterfacesRestarted, WorkersRestarted
from tests.faults.site import Site
from tests.services import ROOT

_RECOVERY = 30.0


@dataclass(frozen=True)
class Figure:
    """One line of the page: *met* by what was measured or not; None where nothing is required."""

    name: str
    required: str
    measured: str
    met: bool | None


def measure(site: Site, *, restarts: int, rate: float, kills: int) -> tuple[list[Figure], dict[str, Any]]:
    """Return the figures, and what they come from.

    Raises:
        AssertionError: a promise was broken.
    """
    raw: dict[str, Any] = {}

    def struck(name: str, fault: Fault, frames: float, times: int = 1) -> list[dict[str, Any]]:
        print(f"{name} …", file=sys.stderr, flush=True)
        with Load(site, frames=frames) as load:
            each = [dict(load.strike(fault, recovery=_RECOVERY)) for _ in range(times)]
            book = load.finish()
        raw[name] = {"each": each, "book": {key: value for key, value in book.items() if key != "faults"}}
        return each

    (workers,) = struck("workers restarted", WorkersRestarted(restarts), rate)
    interfaces = struck("interfaces restarted", InterfacesRestarted(), 200, 3)
    killed = struck("workers killed", WorkerKilled("socket", Harm(frames=True)), rate, kills)
    gone = struck("interfaces killed", InterfaceKilled(), 200, 3)
    print("stopping, throughput …", file=sys.stderr, flush=True)
    idle, (busy, consumer) = rates.idle_stop(site, times=10), rates.busy_stop(site)
    before, during = rates.throughput(site, seconds=5)
    raw |= {"idle": idle, "busy": [busy, consumer], "throughput": [before, during]}
    lost = [each["troubles"].get("frame lost", 0) for each in killed]
    failed = sum(_count(each, "http", "refused") for each in interfaces)
    figures = [
        Figure(
            f"frames lost over {restarts} restarts of workers at {rate:,.0f}/s",
            "0 of ≥ 100,000",
            f"{_count(workers, 'frame lost', 'frame cut')} of {workers['frames']:,}",
            not workers["troubles"] and workers["frames"] >= 100_000,
        ),
        Figure("longest time without any answer meanwhile, s", "–", f"{workers['stall']:.2f}", None),
        Figure("sockets closed, HTTP errors", "0, 0", f"{sum(workers['codes'].values())}, "
               f"{_count(workers, 'http', 'refused')}", not workers["troubles"]),
        Figure("an idle worker stops, s (median of 10)", "< 0.5", f"{sorted(idle)[5]:.2f}", sorted(idle)[5] < 0.5),
        Figure(f"a worker busy for {consumer:g} s stops, s", f"< {consumer + 0.5:g}", f"{busy:.2f}",
               busy < consumer + 0.5),
        Figure("throughput during a rolling restart", "≥ 60 %", f"{during / before:.0%} of {before:,.0f}/s",
               during >= 0.6 * before),
        Figure("rolling restarts of the interface servers: HTTP errors", "0", str(failed), failed == 0),
        Figure("the same: sockets sent away, back after at most, s", "≤ 5 as advised, and the handshake",
               f"{sum(each['advised'] for each in interfaces)}, "
               f"{max(each['longest_away'] for each in interfaces):.1f}", None),
        Figure(f"frames lost by each of {kills} SIGKILLs of a socket worker at {rate:,.0f}/s", "≤ 16",
               f"{min(lost)} to {max(lost)}", max(lost) <= 16),
        Figure("longest time without any answer after one, s", "≤ 1", f"{max(each['stall'] for each in killed):.2f}",
               max(each["stall"] for each in killed) <= 1),
        Figure("a killed interface server's people have left after, s", "≤ 10",
               f"{max(each['left_after'] for each in gone):.1f}", max(each["left_after"] for each in gone) <= 10),
    ]  # fmt: skip
    return figures, raw


def memory(soak: dict[str, Any]) -> list[Figure]:
    """Return the figures of a soak without faults: how much each worker and interface server grew."""
    grown = {n: each["growth"] for n, each in soak["growth"].items() if n.startswith(("workers:", "daphne:"))}
    if not grown:
        return []
    most = max(grown, key=lambda name: abs(grown[name]))
    title = f"memory over {soak['seconds'] / 60:.0f} minutes under load, after the warm-up"
    return [Figure(title, "± 5 %", f"{grown[most]:+.1%} at most ({most})", abs(grown[most]) <= 0.05)]


def markdown(results: dict[str, Any]) -> str:
    """Return the page."""
    machine = results["machine"]
    rows = [["figure", "required", "measured", "met"]]
    words = {True: "yes", False: "**no**", None: "–"}
    rows += [[each["name"], each["required"], each["measured"], words[each["met"]]] for each in results["figures"]]
    return "\n\n".join([
        "# Reliability, measured",
        f"{results['date']}, commit {results['commit'] or 'unknown'}; {machine['cores']} cores ({machine['cpu']}), "
        f"{machine['memory']}, Linux {machine['kernel']}, Redis {machine['redis']}. Two interface servers, two workers "
        "for pages, two for sockets, one for the background, PostgreSQL; load and servers share the cores.",
        table(rows),
        "Beside the raw frames, people talk, and pages are asked for, all of it checked: what was acknowledged is "
        "stored once, and every reader has every message once and in order. [The promises](../../docs/reliability.md)",
    ]) + "\n"  # fmt: skip


def _count(figures: dict[str, Any], *kinds: str) -> int:
    return sum(figures["troubles"].get(kind, 0) for kind in kinds)


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m tests.faults.reliability", description=__doc__.partition("\n\n")[0]
    )
    parser.add_argument("--restarts", type=int, default=50)
    parser.add_argument("--rate", type=float, default=1500, help="raw frames a second")
    parser.add_argument("--kills", type=int, default=10)
    parser.add_argument("--soak", type=Path, help="soak.json of a run with --faults none")
    parser.add_argument("--out", type=Path, default=ROOT / "bench" / "results")
    options = parser.parse_args(arguments)
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "my_project.settings")
    django.setup()
    results: dict[str, Any] = {
        "date": datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        "commit": environment.commit(),
        "machine": environment.machine(),
    }
    with tempfile.TemporaryDirectory(prefix="channels-reliability-") as directory:
        Path(directory).chmod(0o755)
        try:
            with Site(Path(directory), postgres=True, proxied=False) as site:
                figures, results["raw"] = measure(
                    site, restarts=options.restarts, rate=options.rate, kills=options.kills
                )
        except AssertionError as error:
            print(f"a promise was broken: {error}", file=sys.stderr)
            return 1
    if options.soak:
        figures += memory(json.loads(options.soak.read_text(encoding="utf-8")))
    results["figures"] = [vars(each) for each in figures]
    options.out.mkdir(parents=True, exist_ok=True)
    text = json.dumps(results, indent=1, ensure_ascii=False)
    (options.out / "reliability.json").write_text(text + "\n", encoding="utf-8")
    (options.out / "reliability.md").write_text(markdown(results), encoding="utf-8")
    print(markdown(results))
    return 0 if all(each.met is not False for each in figures) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
