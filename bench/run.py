"""``python -m bench.run``: build the peers, measure them in turns, write the results. ``make bench`` runs it."""

from __future__ import annotations

import argparse
import datetime
import signal
import sys
import time
from pathlib import Path
from typing import Any

from bench import environment, load, peers, processes, report, scenarios
from bench.deployment import Cores

COMPLETE = environment.ROOT / "bench" / "results"
PARTIAL = environment.DIRECTORY / "results"


def parser() -> argparse.ArgumentParser:
    names = [peer.name for peer in peers.load()]
    titles = [scenario.name for scenario in scenarios.SCENARIOS]
    result = argparse.ArgumentParser(prog="make bench BENCH_ARGS=…", description=__doc__)
    result.add_argument("--quick", action="store_true", help="one short round of the scenarios that matter most")
    result.add_argument(
        "--rounds", type=int, default=None, help="rounds of what a figure to reach hangs on (3; quick: 1)"
    )
    result.add_argument(
        "--peer", action="append", metavar="PEER", choices=names, help="only this one: " + ", ".join(names)
    )
    result.add_argument(
        "--scenario", action="append", metavar="SCENARIO", choices=titles, help="only this one: " + ", ".join(titles)
    )
    result.add_argument(
        "--pin",
        choices=("interface", "none"),
        default="interface",
        help="which processes are held to a core (README.md)",
    )
    result.add_argument(
        "--environment", action="append", default=[], metavar="NAME=DIRECTORY", help="take what is installed there"
    )
    result.add_argument(
        "--output", type=Path, help="where results go (bench/results; of a run that is not complete: var/bench/results)"
    )
    result.add_argument("--no-plots", action="store_true", help="JSON and Markdown only")
    return result


def main(arguments: list[str]) -> int:
    wanted = parser().parse_args(arguments)
    if wanted.rounds is not None and wanted.rounds < 1:
        parser().error(f"--rounds must be at least 1, not {wanted.rounds}")
    # Whoever gives up on us wants what was measured, as with Ctrl-C.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    processes.raise_open_files()
    environment.DIRECTORY.mkdir(parents=True, exist_ok=True)
    whole = not (wanted.quick or wanted.peer or wanted.scenario)
    output = wanted.output or (COMPLETE if whole else PARTIAL)
    try:
        client = load.build(environment.DIRECTORY / "client")
    except load.ClientError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    results: dict[str, Any] = {
        "date": datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%d %H:%M UTC"),
        "commit": environment.commit(),
        "arguments": arguments,
        "quick": wanted.quick,
        "complete": False,
        "machine": environment.machine(),
        "pinning": wanted.pin,
        "peers": {},
        "absent": {},
        "runs": [],
    }
    status = 0
    started = time.monotonic()
    try:
        measure(wanted, client, results, lambda: report.write_json(results, output))
        results["complete"] = whole
    except KeyboardInterrupt:
        status = 130
        print("\ninterrupted: what was measured is kept", file=sys.stderr)
    results["minutes"] = round((time.monotonic() - started) / 60, 1)
    report.write(results, output, plots=not wanted.no_plots and status == 0)
    print(report.to_reach(results))
    print(f"{len(results['runs'])} runs in {results['minutes']} minutes; see {output / 'latest.md'}")
    failed = [run for run in results["runs"] if run.get("error")]
    return status or (1 if failed else 0)


def measure(wanted: argparse.Namespace, client: Path, results: dict[str, Any], keep: Any) -> None:
    """Build the peers and run everything that is *wanted* into *results*; *keep* is called after each run."""
    given = {name: Path(where).resolve() for name, _, where in (each.partition("=") for each in wanted.environment)}
    places: dict[str, Path] = {}
    present = []
    for peer in peers.load():
        if wanted.peer and peer.name not in wanted.peer:
            continue
        try:
            places[peer.name] = environment.prepare(peer, given)
        except environment.Absent as absent:
            results["absent"][peer.name] = str(absent)
            print(f"{peer.title} is left out: {absent}", file=sys.stderr, flush=True)
            continue
        versions = environment.versions(peer, places[peer.name])
        results["peers"][peer.name] = {"title": peer.title, "yardstick": peer.yardstick, "versions": versions}
        present.append(peer)
    cores = Cores.chosen(wanted.pin)
    plan = plan_of(wanted, present)
    for number, (turn, peer, scenario) in enumerate(plan, 1):
        # Peers take turns, so that whatever else the machine does in a minute hits all of them.
        print(
            f"[{number:>3}/{len(plan)}] round {turn}  {scenario.name:<14}{peer.name:<26}",
            end="",
            file=sys.stderr,
            flush=True,
        )
        done = scenarios.run(
            peer, scenario, client, places[peer.name], quick=wanted.quick, cores=cores,
            say=lambda text: print(f" {text}", end="", file=sys.stderr, flush=True),
        )  # fmt: skip
        done["round"] = turn
        results["runs"].append(done)
        print(f"  FAILED: {done['error']}" if done.get("error") else "", file=sys.stderr, flush=True)
        keep()


def plan_of(wanted: argparse.Namespace, present: list[peers.Peer]) -> list[tuple[int, peers.Peer, scenarios.Scenario]]:
    """Return (round, peer, scenario) in the order in which they run."""
    rounds = wanted.rounds or (1 if wanted.quick else 3)
    chosen = [
        scenario
        for scenario in scenarios.SCENARIOS
        if (scenario.name in wanted.scenario if wanted.scenario else not wanted.quick or scenario.quick is not None)
    ]
    plan = []
    for turn in range(1, rounds + 1):
        for scenario in chosen:
            for peer in present:
                rounds = "all" if wanted.scenario else scenario.rounds
                about_others = rounds == "ours" and peer.name != "ours"
                once = peer.yardstick or rounds == "none" or about_others
                skipped = (turn > 1 and once) or (wanted.quick and about_others)
                # The yardstick's processes know nothing of each other.
                alone = peer.yardstick and scenario.interfaces > 1
                if scenario.mode in peer.scenarios and not skipped and not alone:
                    plan.append((turn, peer, scenario))
    return plan


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except BrokenPipeError:
        sys.exit(1)
