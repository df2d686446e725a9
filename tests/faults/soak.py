"""Faults in random order under constant load: ``python -m tests.faults.soak --minutes 20``; ``make soak`` calls it.

The seed is printed; ``--seed`` repeats an order. ``--faults none`` is for memory alone, ``--faults worker,Redis`` for
those whose names hold one of these. Results go to var/soak: soak.json, soak.md, a plot. Status 1: a promise was broken.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from time import monotonic
from typing import Any

import django

from bench import environment, report
from tests.faults import monitor, soak_report
from tests.faults.fault import Fault
from tests.faults.load import Load
from tests.faults.site import Site
from tests.services import ROOT, TIMEOUT_SCALE, wait_for

# Where the logs of a run go that broke something.
KEPT = ROOT / "var" / "soak" / "log"
# Seconds between two faults, in which nothing may break; in which all has to be well again after each.
_CALM = 3.0
_RECOVERY = 30.0
# Minutes from which on a run without faults says something about memory, and how much it may grow.
_LONG_ENOUGH = 10.0
_GROWTH = 0.05


@dataclass
class Soak:
    """One run: *seconds* under load, with *faults* in an order that *seed* gives, each round another."""

    faults: list[Fault]
    seconds: float
    seed: int
    frames: float = 300
    calm: float = _CALM
    broken: list[str] = field(default_factory=list)

    def run(self) -> dict[str, Any]:
        """Run it on a site of its own; returns the results, also where promises were broken: they are in ``broken``."""
        directory = Path(tempfile.mkdtemp(prefix="channels-soak-"))
        try:
            # The proxy is for faults: without it, workers batch as they do elsewhere.
            site = Site(directory, postgres=True, proxied=bool(self.faults)).start()
            try:
                results = self.run_on(site)
            finally:
                site.stop()
        except AssertionError as error:
            # It does not start, or leaves something behind.
            self._break(f"the deployment: {error}")
            raise SystemExit(1) from error
        finally:
            shutil.rmtree(directory, ignore_errors=True)
        return results

    def run_on(self, site: Site) -> dict[str, Any]:
        """Run it on *site*, which is left as it is then; returns the results."""
        results: dict[str, Any] = {
            "date": datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
            "commit": environment.commit(),
            "machine": environment.machine(),
            "seed": self.seed,
            "asked_seconds": self.seconds,
            "faults_asked": [fault.name for fault in self.faults],
        }
        site.random.seed(self.seed)
        self._suffer(site, results)
        if self.broken:
            _keep(site.stack.directory / "log")
        results["broken"] = self.broken
        return results

    def _suffer(self, site: Site, results: dict[str, Any]) -> None:
        memory = monitor.Monitor(site)
        load = Load(site, frames=self.frames, seed=self.seed)
        began = monotonic()
        try:
            with load:
                memory.start()
                began = monotonic()
                _say("the load runs")
                self._strike_all(load, began + self.seconds)
                results["book"] = load.finish()
        except AssertionError as error:
            self._break(str(error))
        except KeyboardInterrupt:
            results["interrupted"] = True
        finally:
            memory.stop()
            results["seconds"] = round(monotonic() - began, 1)
            results.setdefault("book", load.ledger.figures(0))
            results["series"] = soak_report.series(load, memory.samples, began)
            results["growth"] = monitor.growth(memory.samples)
            self._judge_memory(results)

    def _strike_all(self, load: Load, until: float) -> None:
        for fault in order(self.faults, self.seed):
            # Not bare waiting: the load runs, and nothing may break in this time.
            time.sleep(max(0.0, min(self.calm, until - monotonic())))
            if monotonic() >= until:
                return
            _say(f"{fault.name} …")
            try:
                figures = load.strike(fault, recovery=_RECOVERY)
            except AssertionError as error:
                self._break(f"{fault.name}: {error}")
                # Go on where that is possible: the next fault may have something to tell too.
                wait_for(lambda: load.well(monotonic() - 1), "all is well again", 60)
                load.ledger.forgive()
            else:
                _say(f"{fault.name}: {figures['seconds']:.0f} s, well after {figures['well_after']:.1f} s, "
                     f"{figures['troubles'] or 'no trouble'}")  # fmt: skip
        time.sleep(max(0.0, until - monotonic()))

    def _judge_memory(self, results: dict[str, Any]) -> None:
        if self.faults or results["seconds"] < _LONG_ENOUGH * 60:
            return
        for name, each in results["growth"].items():
            if name.startswith(("workers:", "daphne:")) and abs(each["growth"]) > _GROWTH:
                self._break(f"the memory of {name} went from {each['before']:.0f} to {each['after']:.0f} KiB")

    def _break(self, what: str) -> None:
        self.broken.append(what)
        _say(f"BROKEN: {what}")


def order(faults: list[Fault], seed: int) -> Iterator[Fault]:
    """Yield *faults* for ever, each round in another order."""
    choice = random.Random(seed)
    while faults:
        yield from choice.sample(faults, len(faults))


def _say(text: str) -> None:
    print(f"{datetime.now(UTC):%H:%M:%S} {text}", flush=True)


def _keep(logs: Path) -> None:
    """Keep the logs of a run that broke something."""
    if logs.is_dir():
        shutil.rmtree(KEPT, ignore_errors=True)
        shutil.copytree(logs, KEPT)


def chosen(names: str) -> list[Fault]:
    """Return the faults whose names hold one of *names*, with commas between them: all for "all", none for "none".

    Raises:
        SystemExit: a name is of no fault.
    """
    # Consumers that misbehave are part of some; they need Django, and this is no pytest.
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "my_project.settings")
    django.setup()
    from tests.faults.registry import all_faults

    faults = all_faults()
    if names in ("all", "none"):
        return faults if names == "all" else []
    wanted = [name.strip().lower() for name in names.split(",")]
    for name in wanted:
        if not any(name in fault.name.lower() for fault in faults):
            raise SystemExit(f"no fault is called {name!r}; there are: {', '.join(fault.name for fault in faults)}")
    return [fault for fault in faults if any(name in fault.name.lower() for name in wanted)]


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.faults.soak", description=__doc__.partition("\n\n")[0])
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--seed", type=int, default=None, help="of the order; a random one by default")
    parser.add_argument("--faults", default="all", help="all, none, or parts of names with commas between them")
    parser.add_argument("--frames", type=float, default=300, help="raw frames a second")
    parser.add_argument("--out", type=Path, default=ROOT / "var" / "soak", help="directory of the results")
    parser.add_argument("--no-plot", dest="plot", action="store_false", help="for want of matplotlib or of a network")
    options = parser.parse_args(arguments)
    seed = options.seed if options.seed is not None else random.SystemRandom().randrange(10**6)
    # A runner that gives up sends SIGTERM: end as on Ctrl-C.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    faults = chosen(options.faults)
    _say(f"{options.minutes:g} minutes, seed {seed}, {len(faults)} faults, TIMEOUT_SCALE {TIMEOUT_SCALE:g}")
    soak = Soak(faults, options.minutes * 60, seed, options.frames)
    try:
        results = soak.run()
    except KeyboardInterrupt:
        _say("interrupted")
        return 130
    options.out.mkdir(parents=True, exist_ok=True)
    path = options.out / "soak.json"
    path.write_text(json.dumps(results, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    (options.out / "soak.md").write_text(soak_report.markdown(results), encoding="utf-8")
    if options.plot:
        report.plot(path, options.out, "tests.faults.plots")
    _say(f"{len(soak.broken)} promises broken; results in {options.out}")
    return 1 if soak.broken else 130 if results.get("interrupted") else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
