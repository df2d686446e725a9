"""``python -m bench.chat``: messages stored a second against the database's own commits, and joining with a million
messages stored. ``make bench`` runs it after the peers."""

from __future__ import annotations

import argparse
import datetime
import shutil
import signal
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from bench import environment, load, peers, processes
from bench.chat import report
from bench.chat.site import DATABASES, Failed, Site, site
from bench.deployment import DeploymentError

COMPLETE = environment.ROOT / "bench" / "results"
PARTIAL = environment.DIRECTORY / "results"
MESSAGES = 1_000_000
JOINS = 400


def parser() -> argparse.ArgumentParser:
    result = argparse.ArgumentParser(prog="python -m bench.chat", description=__doc__)
    result.add_argument("--quick", action="store_true", help="a look: one short round, 20,000 messages")
    result.add_argument("--rounds", type=int, help="rounds of storing (3; quick: 1)")
    result.add_argument("--messages", type=int, help=f"how many are stored before ({MESSAGES:,})")
    result.add_argument("--database", action="append", choices=list(DATABASES), help="only this one")
    result.add_argument(
        "--environment", action="append", default=[], metavar="ours=DIRECTORY", help="take what is installed there"
    )
    result.add_argument("--output", type=Path, help="where chat.json and chat.md go")
    return result


def main(arguments: list[str]) -> int:
    wanted = parser().parse_args(arguments)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    processes.raise_open_files()
    environment.DIRECTORY.mkdir(parents=True, exist_ok=True)
    whole = not (wanted.quick or wanted.database or wanted.messages or wanted.rounds)
    output = wanted.output or (COMPLETE if whole else PARTIAL)
    given = {name: Path(where).resolve() for name, _, where in (each.partition("=") for each in wanted.environment)}
    results: dict[str, Any] = {
        "date": datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%d %H:%M UTC"),
        "commit": environment.commit(),
        # Not where an environment is: results are kept in the repository.
        "arguments": [each.partition("=")[0] for each in arguments],
        "complete": whole,
        "machine": environment.machine(),
        "messages": wanted.messages or (20_000 if wanted.quick else MESSAGES),
        "databases": {},
        "absent": {},
    }
    started = time.monotonic()
    try:
        client = load.build(environment.DIRECTORY / "client")
        ours = next(peer for peer in peers.load() if peer.name == "ours")
        python = environment.prepare(ours, given) / "bin" / "python"
        for name in wanted.database or DATABASES:
            measure(name, python, client, wanted, results)
    except (environment.Absent, load.ClientError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        results["complete"] = False
        print("\ninterrupted: what was measured is kept", file=sys.stderr)
    results["minutes"] = round((time.monotonic() - started) / 60, 1)
    report.write(results, output)
    print(report.table(results))
    print(f"{results['minutes']} minutes; see {output / 'chat.md'}")
    failed = [each for each in results["databases"].values() if each.get("error")]
    return 1 if failed or not results["databases"] else 0


def measure(name: str, python: Path, client: Path, wanted: argparse.Namespace, results: dict[str, Any]) -> None:
    """Measure on one kind of database into *results*."""
    directory = Path(tempfile.mkdtemp(prefix="chat-", dir=environment.DIRECTORY))
    try:
        say(f"{name}: storing {results['messages']:,} messages")
        began = time.monotonic()
        with site(name, python, directory, results["messages"]) as made:
            found = results["databases"][name] = {"seeding_s": round(time.monotonic() - began, 1)}
            found |= phases(made, client, wanted)
    except environment.Absent as absent:
        results["absent"][name] = str(absent)
        say(f"{name} is left out: {absent}")
    except (DeploymentError, Failed, load.ClientError) as error:
        results["databases"].setdefault(name, {})["error"] = str(error)
        say(f"{name} FAILED: {error}")
    finally:
        shutil.rmtree(directory, ignore_errors=True)


def phases(made: Site, client: Path, wanted: argparse.Namespace) -> dict[str, Any]:
    """Return what joining takes, and rounds of the database by itself and the deployment, in turns."""
    seconds, warmup = (1, 0.5) if wanted.quick else (4, 1)
    rounds = []
    with made.deployment() as running:
        join = made.measure(running, client, "visitors", joins=JOINS // (4 if wanted.quick else 1))
        say(f"  join: p95 {join['p95_us'] / 1000:.1f} ms")
        own = [made.commits(seconds)]
        for turn in range(wanted.rounds or (1 if wanted.quick else 3)):
            stored = made.measure(running, client, "talkers", tag=f"{turn}-", seconds=seconds, warmup=warmup)
            own.append(made.commits(seconds))
            commits = statistics.mean(own[-2:])
            rounds.append({"commits": round(commits, 1), **stored, "ratio": round(stored["rate"] / commits, 3)})
            say(f"  {stored['rate']:,.0f} stored/s, the database by itself {commits:,.0f}: {rounds[-1]['ratio']:.2f}")
    return {"join": join, "rounds": rounds}


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
