"""Limits: consumers that take too long, and workers that have done or hold enough."""

from __future__ import annotations

import time

import pytest
from channels.routing import route

from channels_lts.activity import Activity
from channels_lts.worker_group import WorkerGroup
from channels_lts.worker_limits import Allowance, WorkerLimits
from tests.services import wait_for
from tests.worker.consumers import mixed
from tests.worker.loops import collect, echo

pytestmark = pytest.mark.system


def test_a_slow_consumer_is_logged_once_with_its_stack(layer, start, caplog):
    worker = start([route("in", mixed)], limits=WorkerLimits(consumer_timeout=0.2))
    layer.send("in", {"value": "sleep", "reply_channel": "daphne.response.x!1"})
    wait_for(lambda: "has been running for" in caplog.text, "it is logged")
    # Several looks later.
    wait_for(lambda: time.monotonic() - worker.activity.running()[0].began > 0.6, "it has run for longer")
    layer.send("release", {})
    assert collect(layer, 1) == ["sleep"]
    [record] = [record for record in caplog.records if "has been running for" in record.getMessage()]
    for part in ("consumer tests.worker.consumers.mixed", "on in", "daphne.response.x!1", "in _sleep"):
        assert part in record.getMessage()
    assert worker.activity.counts()["consumers_slow"] == 1
    assert "consumers_aborted" not in worker.activity.counts()


@pytest.mark.parametrize("threads", [1, 2])
def test_a_consumer_can_be_aborted_and_the_loop_goes_on(layer, start, caplog, threads):
    limits = WorkerLimits(consumer_timeout=0.2, abort_consumers=True)
    worker = start([route("in", mixed)], cls=WorkerGroup, n_threads=threads, limits=limits)
    for value in ("spin", "spin", "after"):
        layer.send("in", {"value": value})
    assert collect(layer, 1) == ["after"], "nothing of the aborted ones"
    wait_for(lambda: caplog.text.count("ConsumerTimedOut: the consumer took longer") == 2, "each is an error")
    assert worker.activity.counts()["consumers_aborted"] == 2
    assert worker.activity.counts()["consumer_errors"] == 2
    assert "thread_deaths" not in worker.activity.counts()


def test_an_abort_hits_nothing_but_its_consumer(layer, start, caplog):
    """Consumers that end about when their time is over: the error comes in the consumer, or not at all."""

    def close(message):
        deadline = time.monotonic() + 0.01 + message["value"] % 10 * 0.003
        while time.monotonic() < deadline:
            pass
        echo(message)

    worker = start([route("in", close)], limits=WorkerLimits(consumer_timeout=0.02, abort_consumers=True))
    total = 150
    for value in range(total):
        layer.send("in", {"value": value})
    wait_for(lambda: worker.activity.counts().get("messages") == total, "all are handled", 30)
    counts = worker.activity.counts()
    assert counts["consumers_aborted"] > 0, "it was close"
    assert not {"thread_deaths", "worker_errors", "receiver_errors"} & set(counts)
    assert len(collect(layer, total - counts.get("consumer_errors", 0))) <= total
    assert caplog.text.count("error in consumer") == counts.get("consumer_errors", 0)


def test_one_that_cannot_be_aborted_costs_its_process_and_nothing_else(make_process):
    worker = make_process("--threads=2", "--consumer-timeout=0.3", "--abort-consumers").start()
    worker.get_stuck("stubborn")
    worker.send("sleep", channel="slow")
    assert "sleep" in worker.results(2, "said")
    wait_for(lambda: "does not end" in worker.log(), "it is given up", 20)
    assert worker.ends() == 1
    assert "only stuck consumers are left" in worker.log()


def test_it_ends_after_its_messages(make_process):
    worker = make_process("--max-messages=50")
    worker.send(*range(120))
    answered = 0
    for _ in range(2):
        worker.start(ready=False)
        assert worker.ends(30) == 0
        before, answered = answered, worker.layer.connection(0).llen(worker.layer.queue_key("results"))
        assert 45 <= answered - before <= 50
    assert worker.waiting() == list(range(answered, 120))


def test_workers_of_a_pool_do_not_reach_their_limits_together():
    limits = WorkerLimits(max_messages=1000, max_rss=500)
    ends = {Allowance(limits, Activity()).at_most(2000) for _ in range(50)}
    assert 900 <= min(ends) < max(ends) <= 1000
    assert len(ends) > 20


def test_it_ends_when_it_holds_too_much(make_process):
    worker = make_process("--max-rss=150").start()
    worker.send("fine", "hoard")
    assert worker.results(2) == ["fine", "hoard"]
    assert worker.ends() == 0
    assert "MiB are in use (--max-rss)" in worker.log()
