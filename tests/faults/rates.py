"""How long a worker takes to end, and what is left of the throughput while workers restart."""

from __future__ import annotations

import itertools
import os
import secrets
import signal
import time
from time import monotonic

from tests.faults.frames import Frames
from tests.faults.ledger import Ledger
from tests.faults.restarts import WorkersRestarted
from tests.faults.site import Site
from tests.services import ROOT, wait_for

# Seconds that the consumer works.
_LONG = 2.0
_SEND = """
from channels import Channel
Channel("bad.takes-long").send({{"seconds": {seconds}, "token": {token!r}}})
"""


def idle_stop(site: Site, *, times: int) -> list[float]:
    """Return how many seconds a worker without work took from SIGTERM to its end, for each of *times* tries."""
    names = sorted(site.pids("workers:"))
    took = []
    for number in range(times):
        name = names[number % len(names)]
        pid = site.pids()[name]
        took.append(_end(pid))
        site.wait_ready(name, pid)
    return took


def busy_stop(site: Site) -> tuple[float, float]:
    """Return the seconds from SIGTERM to the end of a worker in the middle of a consumer, and how long that takes.

    Raises:
        AssertionError: the consumer did not come to its end.
    """
    # Only here: it needs Django.
    from tests.faults import bad

    token, before = secrets.token_hex(4), site.pids("workers:")
    site.stack.manage("shell", "-c", _SEND.format(seconds=_LONG, token=token))

    def runner() -> int:
        file = bad.begun_file(site.stack.directory)
        lines = file.read_text().splitlines() if file.exists() else []
        return next((int(line.split()[1]) for line in lines if line.startswith(token)), 0)

    pid = wait_for(runner, "a worker has begun")
    took = _end(pid)
    assert token in bad.done_file(site.stack.directory).read_text().split(), "the consumer was broken off"
    [name] = [name for name, each in before.items() if each == pid]
    site.wait_ready(name, pid)
    return took, _LONG


def throughput(site: Site, *, seconds: float) -> tuple[float, float]:
    """Return the echoes a second before and during a rolling restart of the workers, as many as are answered."""
    ledger = Ledger()
    frames = Frames(ledger, site.stack.port, ROOT / "var" / "bench", rate=0)
    frames.start()
    try:
        time.sleep(1)
        marks = [frames.mark()]
        time.sleep(seconds)
        marks.append(frames.mark())
        WorkersRestarted().strike(site)
        marks.append(frames.mark())
    finally:
        frames.stop()
    assert not ledger.troubles, ledger.troubles
    before, during = (
        frames.total("answered", began + 0.01, ended) / (ended - began) for began, ended in itertools.pairwise(marks)
    )
    return before, during


def _end(pid: int) -> float:
    """Send SIGTERM to *pid*; returns the seconds until it is gone, or only waits for its parent."""
    began = monotonic()
    os.kill(pid, signal.SIGTERM)
    while _runs(pid):
        assert monotonic() < began + 60, f"process {pid} does not end"
        time.sleep(0.005)
    return monotonic() - began


def _runs(pid: int) -> bool:
    try:
        with open(f"/proc/{pid}/stat") as stat:
            return stat.read().rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False
