"""Signals to a worker process: what is finished, what is put back, and the status that it ends with."""

from __future__ import annotations

import signal
import time
from pathlib import Path

import pytest

from tests.services import TIMEOUT_SCALE, wait_for

pytestmark = pytest.mark.system


@pytest.mark.parametrize(("number", "threads"), [(signal.SIGTERM, 3), (signal.SIGINT, 1)], ids=["TERM", "INT"])
def test_an_idle_process_ends_at_once(make_process, number, threads):
    worker = make_process(f"--threads={threads}", backend="tests.worker.project.PatientLayer").start()
    wait_for(lambda: worker.layer.connection(0).info("clients")["blocked_clients"], "it waits")
    began = time.monotonic()
    worker.signal(number)
    assert worker.ends() == 0
    # A pop that nobody wakes takes a minute here.
    assert time.monotonic() - began < 5 * TIMEOUT_SCALE
    assert not worker.ready_file.exists()


def test_d6_the_consumer_that_runs_is_finished(make_process):
    worker = make_process().start()
    worker.get_stuck("sleep", *"abcdefg")
    worker.signal(signal.SIGTERM)
    wait_for(lambda: "ending after what was begun" in worker.log(), "it is told")
    assert not worker.ready_file.exists(), "it takes nothing more"
    worker.send("later")
    worker.send("go", channel="release")
    assert worker.ends() == 0
    # What stood behind a slow one goes to workers that are free, signal or not; here there is none.
    assert worker.waiting("results") == ["sleep"]
    assert worker.waiting() == [*"abcdefg", "later"]


def test_a_second_signal_puts_back_what_was_not_begun(make_process):
    """Also when the consumer stands in C, where no Python handler runs."""
    worker = make_process().start()
    worker.get_stuck("block", *"abcdefg")
    worker.send("later")
    worker.signal(signal.SIGTERM)
    worker.signal(signal.SIGTERM)
    # At the same time they are one; a little later they are two.
    wait_for(lambda: "ending after what was begun" in worker.log(), "it is told")
    assert worker.process.poll() is None
    worker.signal_again(signal.SIGTERM)
    assert worker.ends() == 1
    assert worker.waiting() == [*"abcdefg", "later"], "in front, and in order"
    assert "cut off: tests.worker.consumers.mixed" in worker.log()


def test_the_stop_timeout_does_so_too_and_what_ended_consumers_sent_leaves(make_process):
    worker = make_process("--stop-timeout=0.5").start()
    worker.send(*range(100))
    worker.results(100)
    # Their replies wait for the batch.
    worker.send(1, 2, "sleep", 3)
    worker.results(1, "said")
    worker.signal(signal.SIGTERM)
    assert worker.ends() == 1
    assert worker.results(2) == [1, 2]
    assert worker.waiting() == [3]


def test_threads_put_back_what_each_of_them_had(make_process):
    worker = make_process("--threads=2", "--stop-timeout=0.5").start()
    # Both threads pop, so the other one may have some of the letters.
    worker.send(*range(100))
    worker.results(100)
    worker.send("block", *"abc")
    worker.results(1, "said")
    worker.send(*range(100), channel="slow")
    wait_for(lambda: worker.layer.connection(0).llen(worker.layer.queue_key("slow")) == 0, "the other one takes them")
    worker.send("block", *"xyz", channel="slow")
    worker.results(1, "said")
    worker.signal(signal.SIGTERM)
    assert worker.ends() == 1
    assert worker.waiting("slow") == [*"xyz"]
    answered, back = worker.waiting("results"), worker.waiting()
    assert back == sorted(back)
    assert sorted(map(str, [*answered, *back])) == sorted([*map(str, range(100)), *"abc"])


def write_version(directory: Path, version: int) -> None:
    (directory / "code_of_today.py").write_text(f"VERSION = {version!r}\n")


@pytest.mark.parametrize(
    "begin",
    [("-m", "django", "runworker"), ("manage.py", "runworker")],
    ids=["module", "script"],
)
def test_hangup_starts_over_with_new_code_as_the_same_process(make_process, begin):
    worker = make_process()
    write_version(worker.directory, 1)
    worker.start(*begin, CODE_OF_TODAY="1")
    worker.send(0, channel="who")
    assert worker.results(1) == [{"pid": worker.pid, "version": 1}]
    worker.get_stuck("sleep", "behind")
    write_version(worker.directory, "two")
    worker.signal(signal.SIGHUP)
    worker.signal(signal.SIGHUP)
    wait_for(lambda: not worker.ready_file.exists(), "it takes nothing more")
    worker.send("go", channel="release")
    assert worker.results(2) == ["sleep", "behind"]
    wait_for(worker.is_ready, "it is there again", 20)
    worker.send(0, channel="who")
    assert worker.results(1) == [{"pid": worker.pid, "version": "two"}]
    worker.signal(signal.SIGTERM)
    assert worker.ends() == 0


def test_after_hangup_it_can_still_be_ended(make_process):
    worker = make_process().start()
    worker.get_stuck("sleep")
    worker.signal(signal.SIGHUP)
    wait_for(lambda: "SIGHUP" in worker.log(), "it is told")
    worker.signal(signal.SIGTERM)
    wait_for(lambda: "begun: SIGTERM" in worker.log(), "it is told again")
    worker.send("go", channel="release")
    assert worker.ends() == 0
    assert worker.results(1) == ["sleep"]


def test_signals_reach_whom_they_are_for_whatever_consumers_do(make_process):
    """A process that a consumer forks has its own; and one that takes the wake-up descriptor makes nobody deaf."""
    worker = make_process().start()
    worker.send("fork")
    assert worker.results(2, "said") == ["fork", f"child {-signal.SIGTERM}"]
    worker.send("wakeup")
    assert worker.results(2) == ["fork", "wakeup"]
    worker.signal(signal.SIGTERM)
    assert worker.ends() == 0


def test_a_consumer_that_exits_ends_no_worker(make_process):
    worker = make_process("--threads=2").start()
    worker.send("exit", "interrupt", "exit", "interrupt", "after")
    assert worker.results(1) == ["after"]
    wait_for(lambda: worker.log().count("error in consumer tests.worker.consumers.mixed") == 4, "each is logged once")
    assert worker.process.poll() is None
