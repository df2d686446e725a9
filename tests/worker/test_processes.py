"""``--processes``: children that are started, kept running, restarted one by one, and never left behind."""

from __future__ import annotations

import os
import re
import signal
from pathlib import Path

import pytest

from tests.services import wait_for
from tests.worker.process import WorkerProcess
from tests.worker.test_signals import write_version

pytestmark = pytest.mark.system


def children(worker: WorkerProcess) -> list[int]:
    """Return the processes that it has started and that still run."""
    started = [int(pid) for pid in re.findall(r"is pid (\d+)", worker.log())]
    return [pid for pid in started if alive(pid)]


def alive(pid: int) -> bool:
    try:
        # One that ended and was not waited for yet is as good as gone.
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def test_they_serve_restart_one_by_one_come_back_and_end_together(make_process):
    worker = make_process("--processes=2")
    write_version(worker.directory, 1)
    worker.start(CODE_OF_TODAY="1")
    first = children(worker)
    assert len(first) == 2
    assert worker.pid not in first

    # One that is killed comes back.
    os.kill(first[0], signal.SIGKILL)
    wait_for(lambda: len(children(worker)) == 2 and children(worker) != first, "another takes its place", 20)
    wait_for(lambda: worker.log().count("listening") == 3, "it listens", 20)
    second = children(worker)

    # New code that is broken gets no further than the first of them; mended, it gets everywhere.
    (worker.directory / "code_of_today.py").write_text("raise RuntimeError('broken today')\n")
    worker.signal(signal.SIGHUP)
    wait_for(lambda: "soon after its start, 2 times in a row" in worker.log(), "it fails", 30)
    worker.send(0, channel="who")
    [answer] = worker.results(1)
    assert answer["version"] == 1
    assert answer["pid"] in second
    write_version(worker.directory, "two")
    wait_for(lambda: worker.log().count("is ready again") == 2, "both are restarted", 30)
    worker.send(*range(20), channel="who")
    assert {answer["version"] for answer in worker.results(20)} == {"two"}

    # They finish what they have begun.
    worker.send("sleep")
    worker.results(1, "said")
    last = children(worker)
    worker.signal(signal.SIGTERM)
    wait_for(lambda: not worker.ready_file.exists(), "it takes nothing more")
    worker.send("go", channel="release")
    assert worker.ends() == 0
    assert worker.results(1) == ["sleep"]
    assert not any(map(alive, last))


def test_no_child_outlives_a_parent_that_is_killed(make_process):
    worker = make_process("--processes=2", "--stop-timeout=1").start()
    worker.get_stuck("block")
    left = children(worker)
    worker.signal(signal.SIGKILL)
    worker.ends()
    wait_for(lambda: not any(map(alive, left)), "they end, the busy one after its stop timeout")
    assert "the process that started this one has gone" in worker.log()


def test_children_that_are_cut_off_give_its_status(make_process):
    worker = make_process("--processes=2").start()
    worker.get_stuck("block", "behind")
    worker.signal(signal.SIGINT)
    wait_for(lambda: "ending after what was begun" in worker.log(), "they are told")
    worker.signal_again(signal.SIGINT)
    assert worker.ends() == 1
    # The other one may have had it.
    assert worker.waiting("results") + worker.waiting() == ["behind"]


def test_children_that_have_done_enough_are_started_again(make_process):
    worker = make_process("--processes=2", "--max-messages=10").start()
    worker.send(*range(30))
    assert sorted(worker.results(30)) == list(range(30))
    assert "soon after its start" not in worker.log()
