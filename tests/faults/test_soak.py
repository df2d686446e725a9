"""The soak: in a short form, with a seed that is new each time; that it sees what is broken, and ends as it should."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.faults import monitor, soak, soak_report
from tests.faults.fault import Harm
from tests.faults.kills import WorkerKilled
from tests.faults.restarts import InterfacesRestarted, WorkersRestarted
from tests.faults.site import Site
from tests.services import ROOT, TIMEOUT_SCALE, wait_for


@dataclass
class Liar:
    """Says that it costs nothing, and ends an interface server."""

    name: str = "liar"
    harm: Harm = Harm()  # noqa: RUF009  (frozen)

    def strike(self, site: Site) -> None:
        site.restart("daphne:daphne_00")


@pytest.fixture
def temporary() -> Iterator[Path]:
    """A directory for temporary files that PostgreSQL's user can reach."""
    with tempfile.TemporaryDirectory(prefix="soak-", dir="/tmp") as directory:
        Path(directory).chmod(0o755)
        yield Path(directory)


def short(seconds: float, seed: int, *faults: object) -> soak.Soak:
    return soak.Soak(list(faults), seconds, seed, frames=200, calm=1.0)


@pytest.mark.system
def test_faults_in_random_order_break_no_promise(site):
    seed = random.SystemRandom().randrange(10**6)
    print(f"seed {seed}")
    faults = [WorkersRestarted(restarts=2), InterfacesRestarted(), WorkerKilled("socket", Harm(frames=True))]
    results = short(15, seed, *faults).run_on(site)
    assert results["broken"] == []
    assert results["book"]["sent"] == results["book"]["acknowledged"] > 0
    assert results["book"]["faults"]
    assert results["series"]["memory"]["workers:socket_00"]
    page = soak_report.markdown(results)
    assert "No promise was broken" in page
    assert results["book"]["faults"][0]["name"] in page


@pytest.mark.system
def test_a_broken_promise_is_told_and_logs_are_kept(site, monkeypatch, tmp_path):
    monkeypatch.setattr(soak, "KEPT", tmp_path / "log")
    results = short(2, 1, Liar()).run_on(site)
    assert "liar broke more than it may" in results["broken"][0]
    assert "closed" in results["broken"][0]
    assert "Promises were broken" in soak_report.markdown(results)
    assert (tmp_path / "log" / "daphne_00.log").exists()


@pytest.mark.system
def test_an_interrupted_soak_writes_what_it_has_and_leaves_nothing_behind(tmp_path, temporary):
    command = [sys.executable, "-m", "tests.faults.soak", "--minutes", "5", "--faults", "none", "--frames", "50"]
    environment = {**os.environ, "DJANGO_SETTINGS_MODULE": "my_project.settings", "TMPDIR": str(temporary)}
    with subprocess.Popen(
        [*command, "--out", str(tmp_path / "out"), "--no-plot"], cwd=ROOT, env=environment, stdout=subprocess.PIPE,
        text=True,
    ) as running:  # fmt: skip
        assert running.stdout is not None
        try:
            for line in running.stdout:
                if "the load runs" in line:
                    break
            running.send_signal(signal.SIGINT)
            said = running.communicate(timeout=60 * TIMEOUT_SCALE)[0]
        finally:
            running.kill()
    assert running.returncode == 130, said
    assert json.loads((tmp_path / "out" / "soak.json").read_text())["interrupted"] is True
    assert list(temporary.iterdir()) == []
    wait_for(lambda: not _processes_with(str(temporary)), "no process is left", 10)


def test_the_same_seed_gives_the_same_order():
    faults = [WorkerKilled(pool, Harm()) for pool in ("socket", "web", "background")]

    def names(seed: int) -> list[str]:
        return [fault.name for fault, _ in zip(soak.order(faults, seed), range(12), strict=False)]

    assert names(7) == names(7)
    assert len({tuple(names(seed)) for seed in range(20)}) > 10
    assert sorted(names(7)[:3]) == sorted(fault.name for fault in faults)


def test_growth_is_told_of_processes_that_lived_all_the_time():
    samples = [
        {"memory": {"grows": [1, 1000 + second], "flat": [2, 500], "restarted": [3 + second // 50, 500]}}
        for second in range(100)
    ]
    found = monitor.growth(samples)
    assert set(found) == {"grows", "flat"}
    assert found["flat"]["growth"] == 0
    assert found["grows"]["growth"] == pytest.approx(0.07, abs=0.01)


def _processes_with(text: str) -> list[int]:
    found = []
    for entry in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            if text in entry.read_bytes().decode(errors="replace"):
                found.append(int(entry.parent.name))
        except OSError:
            continue
    return found
