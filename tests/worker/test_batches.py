"""Batches: what is taken together, answered together, and given back."""

from __future__ import annotations

import threading

import pytest
from channels.routing import route

from tests.services import TIMEOUT_SCALE, wait_for
from tests.worker.loops import OUT, collect, echo

pytestmark = pytest.mark.system


def test_messages_are_handled_in_order_and_answered(layer, start):
    for value in range(100):
        layer.send("in", {"value": value})
    start([route("in", echo)])
    assert collect(layer, 100) == list(range(100))


def test_a_backlog_is_taken_and_answered_in_batches(layer, start, redis_server):
    for value in range(320):
        layer.send("in", {"value": value})
    connection = layer.connection(0)
    connection.config_resetstat()
    start([route("in", echo)])
    wait_for(lambda: layer.connection(0).llen(layer.queue_key(OUT)) == 320, "everything is answered")
    calls = connection.info("commandstats")
    # One by one it would be 320 pops and 320 sends.
    assert sum(calls.get(f"cmdstat_{name}", {"calls": 0})["calls"] for name in ("evalsha", "eval")) < 160


def test_replies_do_not_wait_for_a_slow_consumer_behind_them(layer, start, monkeypatch):
    """Two quick ones and one not known are popped together; the answers of the quick ones are there while it runs."""
    for limit in ("_SLOW", "_LONGEST_BATCH"):
        monkeypatch.setattr(f"channels_lts.worker.{limit}", 60)
    gate, entered, release = threading.Event(), threading.Event(), threading.Event()

    def slow(message):
        entered.set()
        release.wait(60 * TIMEOUT_SCALE)

    def wait(message):
        gate.wait(10 * TIMEOUT_SCALE)

    start([route("in", wait, kind="gate"), route("in", slow, kind="slow"), route("in", echo)])
    for value in range(10):
        layer.send("in", {"value": value})
    collect(layer, 10)
    layer.send("in", {"kind": "gate"})
    wait_for(lambda: layer.connection(0).llen(layer.queue_key("in")) == 0, "the worker waits at the gate")
    for message in ({"value": "a"}, {"value": "b"}, {"kind": "slow"}):
        layer.send("in", message)
    gate.set()
    try:
        wait_for(entered.is_set, "the slow one runs")
        assert collect(layer, 2) == ["a", "b"]
    finally:
        release.set()


def test_what_waits_behind_a_slow_consumer_goes_back_to_other_workers(layer, start):
    """Every message of the backlog but the slow one is answered while that one runs."""
    release = threading.Event()
    entered = threading.Event()

    def mixed(message):
        if message["value"] == 50:
            entered.set()
            release.wait(10 * TIMEOUT_SCALE)
        echo(message)

    for value in range(100):
        layer.send("in", {"value": value})
    start([route("in", mixed)])
    wait_for(entered.is_set, "the slow one runs")
    start([route("in", mixed)])
    try:
        # What the first worker has taken and cannot give back while it runs: at most the batch that it is in.
        answered = collect(layer, 99 - 15)
        assert 50 not in answered
    finally:
        release.set()
    assert sorted(answered + collect(layer, 100 - len(answered))) == list(range(100))


def test_a_consumer_that_was_slow_gives_the_rest_of_its_batch_back(layer, start, monkeypatch):
    """Known to be slow, it runs alone: what it was popped with is there for others while it runs."""
    monkeypatch.setattr("channels_lts.worker._SLOW", 0)
    entered, release = threading.Semaphore(0), threading.Semaphore(0)

    def slow(message):
        entered.release()
        release.acquire(timeout=10 * TIMEOUT_SCALE)
        echo(message)

    worker = start([route("in", slow), route("quick", echo)])
    layer.send("in", {"value": 0})
    assert entered.acquire(timeout=10 * TIMEOUT_SCALE)
    for value in range(1, 30):
        layer.send("in", {"value": value})
    release.release()
    try:
        assert entered.acquire(timeout=10 * TIMEOUT_SCALE)
        wait_for(lambda: layer.connection(0).llen(layer.queue_key("in")) == 28, "the others are back in the queue")
    finally:
        worker.stop()
        for _ in range(30):
            release.release()


def test_a_quick_consumer_that_hangs_holds_nobody_elses_message(layer, start, monkeypatch):
    """Three are taken together, and the second hangs: the first is answered, and the third served elsewhere."""
    # However slow this machine is just now, it counts as quick, and they stay one batch.
    for limit in ("_SLOW", "_LONGEST_BATCH"):
        monkeypatch.setattr(f"channels_lts.worker.{limit}", 60)
    entered, release, gate, at_gate = threading.Event(), threading.Event(), threading.Event(), threading.Event()

    def quick(message):
        if message["value"] == "gate":
            at_gate.set()
            gate.wait(30 * TIMEOUT_SCALE)
        elif message["value"] == "hang" and not entered.is_set():
            entered.set()
            release.wait(60 * TIMEOUT_SCALE)
        echo(message)

    worker = start([route("in", quick)])
    # Many, so that it counts as quick, and takes several at once.
    for value in range(50):
        layer.send("in", {"value": value})
    assert collect(layer, 50) == list(range(50))
    layer.send("in", {"value": "gate"})
    wait_for(at_gate.is_set, "it waits, with the next ones behind it")
    for value in ("first", "hang", "third"):
        layer.send("in", {"value": value})
    worker._expected = {quick: 0.0001}
    worker._limit = 16
    gate.set()
    try:
        wait_for(entered.is_set, "the second one hangs")
        assert sorted(collect(layer, 2)) == ["first", "gate"]
        start([route("in", quick)])
        assert collect(layer, 1) == ["third"]
        assert worker.activity.counts()["messages_put_back"] == 1
    finally:
        release.set()
    assert collect(layer, 1) == ["hang"]
