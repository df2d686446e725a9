"""The scripted evening: ``python -m tests.faults.evening --minutes 30``; ``make evening`` calls it.

200 people talk in 20 rooms while workers and interface servers restart one after the other, one of them is killed each
minute, and Redis restarts empty, twice. Afterwards every acknowledged message has to be stored, once, and everybody who
was in the room has to have seen it, once and in order; everybody's list of people has to be right; and no process may
have ended but those that were ended. The ledger is printed, and goes to var/evening with all that was measured.
Status 1: a promise was broken. The seed is printed; ``--seed`` repeats an order.
"""

from __future__ import annotations

import argparse
import json
import random
import shutil
import signal
import sys
import tempfile
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from time import monotonic, sleep
from typing import Any

from bench import environment
from tests.faults import evening_report
from tests.faults.evening_crowd import Crowd
from tests.faults.site import Site
from tests.services import ROOT, TIMEOUT_SCALE

# Seconds after the last fault in which everybody has to have everything; those of a killed interface server whose word
# was lost with Redis count as there for 75 seconds.
_SETTLE = 100.0
# An evening of fewer seconds has one of each.
_SHORT = 300.0
# What a process of the site is for, by the beginning of its name.
_KINDS = {"workers:": "worker", "daphne:": "interface server"}
# Whose turn it is to be killed: those workers that talk with sockets have most to lose.
_VICTIMS = ("workers:socket", "daphne:", "workers:", "daphne:")


@dataclass(frozen=True)
class Act:
    """Something that happens *at* a second of the evening: ``kill``, ``roll`` or ``redis``; *what*: of which kind."""

    at: float
    kind: str
    what: str = ""


def programme(seconds: float) -> list[Act]:
    """Return what happens in an evening of so many *seconds*, in order.

    Each minute one process is killed, a worker and an interface server in turn; in between these and those restart one
    after the other, in turn too; Redis restarts after a third and after two thirds. An evening of less than five
    minutes has one of each, two kills and one restart of Redis.
    """
    kinds = list(_KINDS)
    if seconds < _SHORT:
        shares = [("kill", _VICTIMS[0]), ("roll", kinds[0]), ("redis", ""), ("kill", kinds[1]), ("roll", kinds[1])]
        return [Act(seconds * (0.06 + 0.17 * number), *share) for number, share in enumerate(shares)]
    acts = []
    for minute in range(int(seconds / 60)):
        acts.append(Act(60 * minute + 5, "kill", _VICTIMS[minute % len(_VICTIMS)]))
        acts.append(Act(60 * minute + 20, "roll", kinds[minute % 2]))
    acts += [Act(60 * round(seconds / 180 * third) + 50, "redis") for third in (1, 2)]
    return sorted(acts, key=lambda act: act.at)


@dataclass
class Evening:
    """One run: *seconds* on a site of its own. :meth:`run` returns the results; what was broken is in ``broken``."""

    seconds: float
    people: int = 200
    rooms: int = 20
    rate: float = 200
    seed: int = 0
    settle: float = _SETTLE
    #: False: nothing is harmed, to see which rate holds.
    harm: bool = True
    broken: list[str] = field(default_factory=list)
    acts: list[dict[str, Any]] = field(default_factory=list)

    def run(self) -> dict[str, Any]:
        directory = Path(tempfile.mkdtemp(prefix="channels-evening-"))
        try:
            with Site(directory, postgres=True, proxied=False, seed=self.seed) as site:
                results = self.run_on(site)
        finally:
            shutil.rmtree(directory, ignore_errors=True)
        return results

    def run_on(self, site: Site) -> dict[str, Any]:
        results: dict[str, Any] = {
            "date": datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
            "commit": environment.commit(),
            "machine": environment.machine(),
            "seed": self.seed,
            "asked": {"seconds": self.seconds, "people": self.people, "rooms": self.rooms, "rate": self.rate},
        }
        crowd = Crowd(site, self.people, self.rooms, self.rate, self.seed)
        self._pids = site.pids()
        try:
            try:
                crowd.start()
                _say(f"{self.people} people are in {self.rooms} rooms")
                self._perform(site, crowd, results)
                over = monotonic()
                crowd.settle(self.settle)
                results["settled_after"] = round(monotonic() - over, 1)
            except AssertionError as error:
                self._break(str(error))
            except KeyboardInterrupt:
                results["interrupted"] = True
            if "interrupted" not in results:
                self._judge(site, crowd)
        finally:
            crowd.stop()
        stored = crowd.stored()
        results["acts"] = self.acts
        results["ledger"], unkept = evening_report.ledger(crowd, stored)
        # Who was interrupted had no time to get what they lack.
        for what in [] if "interrupted" in results else unkept:
            self._break(what)
        results.update(evening_report.figures(crowd))
        results["broken"] = self.broken
        return results

    def _perform(self, site: Site, crowd: Crowd, results: dict[str, Any]) -> None:
        began = monotonic()
        crowd.talk(True)
        with evening_report.Usage(site, crowd) as usage:
            for act in programme(self.seconds) if self.harm else []:
                sleep(max(0.0, began + act.at - monotonic()))
                self._nobody_else_ended(site)
                self._act(act, site, crowd, began)
            sleep(max(0.0, began + self.seconds - monotonic()))
            self._nobody_else_ended(site)
        results["seconds"] = round(monotonic() - began, 1)
        results["cores"] = usage.cores()

    def _act(self, act: Act, site: Site, crowd: Crowd, began: float) -> None:
        at = monotonic()
        if act.kind == "redis":
            name = "Redis restarted, empty"
            site.redis.restart()
        elif act.kind == "kill":
            victim = site.random.choice(sorted(site.pids(act.what)))
            name = f"SIGKILL of {victim}"
            before = site.kill(victim)
            self._pids[victim] = site.wait_ready(victim, before)
        else:
            name = f"rolling restart of each {_KINDS[act.what]}"
            for each in sorted(site.pids(act.what)):
                site.restart(each)
                self._pids[each] = site.pids()[each]
        took = monotonic() - at
        _say(f"{name}: {took:.1f} s; {len(crowd.lacking())} people wait for something")
        self.acts.append({"at": round(at - began, 1), "name": name, "seconds": round(took, 1)})

    def _nobody_else_ended(self, site: Site) -> None:
        now = site.pids()
        ended = sorted(name for name, pid in self._pids.items() if now.get(name) != pid)
        if ended:
            self._break(f"these ended, and nobody had ended them: {', '.join(ended)}")
            self._pids = now

    def _judge(self, site: Site, crowd: Crowd) -> None:
        self._nobody_else_ended(site)
        if self.broken:
            # They are gone with the site.
            shutil.rmtree(evening_report.KEPT, ignore_errors=True)
            shutil.copytree(site.stack.directory / "log", evening_report.KEPT)
        for wrong in crowd.wrong_lists()[:10]:
            self._break(f"wrong list of people: {wrong}")
        for what in crowd.book.broken[:10]:
            self._break(what)

    def _break(self, what: str) -> None:
        self.broken.append(what)
        _say(f"BROKEN: {what}")


def _say(text: str) -> None:
    print(f"{datetime.now(UTC):%H:%M:%S} {text}", flush=True)


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.faults.evening", description=__doc__.partition("\n\n")[0])
    parser.add_argument("--minutes", type=float, default=30)
    parser.add_argument("--people", type=int, default=200)
    parser.add_argument("--rooms", type=int, default=20)
    parser.add_argument("--rate", type=float, default=200, help="messages a second, of all people together")
    parser.add_argument("--seed", type=int, default=None, help="of who is killed; a random one by default")
    parser.add_argument("--calm", action="store_true", help="harm nothing: to see which rate holds")
    parser.add_argument("--out", type=Path, default=ROOT / "var" / "evening", help="directory of the results")
    options = parser.parse_args(arguments)
    seed = options.seed if options.seed is not None else random.SystemRandom().randrange(10**6)
    # A runner that gives up sends SIGTERM: end as on Ctrl-C.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    _say(
        f"{options.minutes:g} minutes, {options.rate:g} messages a second, seed {seed}, TIMEOUT_SCALE {TIMEOUT_SCALE:g}"
    )
    evening = Evening(
        options.minutes * 60, options.people, options.rooms, options.rate, seed, harm=not options.calm
    )  # fmt: skip
    try:
        results = evening.run()
    except KeyboardInterrupt:
        _say("interrupted")
        return 130
    options.out.mkdir(parents=True, exist_ok=True)
    text = json.dumps(results, indent=1, ensure_ascii=False) + "\n"
    (options.out / "evening.json").write_text(text, encoding="utf-8")
    page = evening_report.markdown(results)
    (options.out / "evening.md").write_text(page, encoding="utf-8")
    print(page)
    _say(f"{len(evening.broken)} promises broken; results in {options.out}")
    return 1 if evening.broken else 130 if results.get("interrupted") else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
