"""Consumers that serve several messages in one go: which those are, and what becomes of those that are not."""

from __future__ import annotations

import logging
import threading
from collections.abc import Sequence
from typing import Any

import pytest
from channels.channel import Channel
from channels.message import Message
from channels.routing import route

from channels_lts.together import Together
from tests.services import TIMEOUT_SCALE, wait_for
from tests.worker.loops import OUT, collect, echo

pytestmark = pytest.mark.system


def reply(message: Any, value: Any) -> None:
    Channel(OUT, channel_layer=message.channel_layer).send({"value": value})


def held_up(consumer: Any) -> tuple[threading.Event, threading.Event]:
    """Have *consumer* wait when it serves several: returns what tells that it does, and what lets it go on."""
    entered, release = threading.Event(), threading.Event()

    def wait(values: Any) -> None:
        entered.set()
        release.wait(60 * TIMEOUT_SCALE)

    consumer.begin = staticmethod(wait)
    return entered, release


@pytest.fixture
def consumer() -> type:
    """A consumer of its own for each test: it says how a message was served, with how many others."""

    class Says(Together):
        calls: list[list[Any]] = []
        begin: Any = staticmethod(lambda values: None)

        def __init__(self, message: Any) -> None:
            reply(message, ["alone", message["value"]])

        @classmethod
        def joins(cls, message: Any) -> bool:
            return not str(message["value"]).startswith("alone")

        @classmethod
        def serve_together(cls, messages: Sequence[Any]) -> Sequence[Any]:
            values = [message["value"] for message in messages]
            cls.calls.append(values)
            cls.begin(values)
            left = [message for message in messages if str(message["value"]).startswith("refused")]
            for message in messages:
                if message not in left:
                    reply(message, ["together", message["value"]])
            return left

    return Says


@pytest.fixture
def taken_at_once(start, layer):
    """A function that has a worker take messages in one go: ``taken_at_once(routing, contents)``."""
    gate, at_gate = threading.Event(), threading.Event()

    def wait(message):
        at_gate.set()
        gate.wait(30 * TIMEOUT_SCALE)

    def take(routing, contents, **options):
        worker = start([*routing, route("gate", wait)], **options)
        layer.send("gate", {})
        wait_for(at_gate.is_set, "it waits at the gate")
        for content in contents:
            if isinstance(content, bytes):
                layer.connection(0).rpush(layer.queue_key("in"), content)
            else:
                layer.send("in", content)
        worker._limit = 16
        gate.set()
        return worker

    yield take
    gate.set()


def test_those_that_join_are_served_in_one_go_and_in_their_order(layer, consumer, taken_at_once):
    worker = taken_at_once([route("in", consumer)], [{"value": value} for value in range(10)])
    assert collect(layer, 10) == [["together", value] for value in range(10)]
    assert consumer.calls == [list(range(10))]
    wait_for(lambda: worker.activity.counts().get("messages") == 11, "each of them counts")
    assert worker.activity.counts()["messages_together"] == 10


def test_a_single_one_is_served_alone(layer, consumer, taken_at_once):
    taken_at_once([route("in", consumer)], [{"value": 1}])
    assert collect(layer, 1) == [["alone", 1]]
    assert consumer.calls == []


def test_others_keep_their_place_and_those_behind_are_served_too(layer, consumer, taken_at_once):
    contents = [{"value": 1}, {"value": "alone"}, {"value": 2}, {"value": "x", "kind": "other"}, {"value": 3}]
    taken_at_once([route("in", echo, kind="other"), route("in", consumer)], contents)
    got = collect(layer, 5)
    assert got[:3] == [["together", 1], ["together", 2], ["together", 3]]
    assert sorted(map(str, got[3:])) == sorted(map(str, [["alone", "alone"], "x"]))
    assert consumer.calls == [[1, 2, 3]]


def test_nothing_overtakes_what_came_before_from_the_same_socket(layer, consumer, taken_at_once):
    one, other = {"reply_channel": "test!1"}, {"reply_channel": "test!2"}
    contents = [{"value": 1, **other}, {"value": "alone", **one}, {"value": 2, **one}, {"value": 3, **other}]
    taken_at_once([route("in", consumer)], contents)
    assert collect(layer, 4) == [["together", 1], ["together", 3], ["alone", "alone"], ["alone", 2]]


def test_what_it_returns_is_served_alone(layer, consumer, taken_at_once):
    taken_at_once([route("in", consumer)], [{"value": value} for value in (1, "refused 2", 3, "refused 4")])
    got = [["together", 1], ["together", 3], ["alone", "refused 2"], ["alone", "refused 4"]]
    assert collect(layer, 4) == got


def test_after_an_error_nothing_has_left_and_each_is_served_alone(layer, consumer, taken_at_once, caplog):
    def fail(values):
        Channel(OUT, channel_layer=layer).send({"value": "too early"})
        raise RuntimeError("no good")

    consumer.begin = staticmethod(fail)
    worker = taken_at_once([route("in", consumer)], [{"value": value} for value in range(4)])
    assert collect(layer, 4) == [["alone", value] for value in range(4)]
    assert worker.activity.counts()["together_failed"] == 1
    lines = [record for record in caplog.records if record.levelno >= logging.WARNING]
    assert len(lines) == 1
    assert "4 messages are served one by one: RuntimeError('no good') in consumer" in lines[0].getMessage()


def test_what_does_not_join_is_looked_at_twice_and_counted_once(layer, consumer, taken_at_once):
    routing = [route("in", echo, kind="other"), route("in", consumer, kind="says")]
    contents = [{"value": number, "kind": kind} for number, kind in enumerate(["says", "other", "nobody's", 5, "says"])]
    worker = taken_at_once(routing, contents)
    assert collect(layer, 3) == [["together", 0], ["together", 4], 1]
    wait_for(lambda: worker.activity.counts().get("messages") == 6, "all have had their turn")
    counts = worker.activity.counts()
    assert (counts["messages_unrouted"], counts["messages_unmatched"]) == (1, 1)


def test_what_cannot_be_read_is_counted_once(layer, consumer, taken_at_once):
    worker = taken_at_once([route("in", consumer)], [{"value": 1}, b"nothing that can be read", {"value": 2}])
    assert collect(layer, 2) == [["together", 1], ["together", 2]]
    wait_for(lambda: worker.activity.counts().get("messages") == 4, "all have had their turn")
    assert worker.activity.counts()["messages_unopened"] == 1


def test_what_was_looked_at_goes_back_as_it_came(layer, consumer, taken_at_once):
    """While they are served, another one that was looked at goes back, and to somebody else, whole."""
    entered, release = held_up(consumer)
    kept = {"value": "kept", "kind": "other", "more": [b"\x00", {"a": 1}]}
    try:
        taken_at_once(
            [route("in", echo, kind="other"), route("in", consumer)], [{"value": 1}, dict(kept), {"value": 2}]
        )
        wait_for(entered.is_set, "they are being served")
        # Nobody waits for longer than a second: see channels_lts.relief.
        wait_for(lambda: layer.connection(0).llen(layer.queue_key("in")) == 1, "it is back in its queue")
        assert layer.receive(["in"])[1] == kept
    finally:
        release.set()
    assert collect(layer, 2) == [["together", 1], ["together", 2]]


def test_all_of_a_group_have_the_turn_of_the_first(layer, consumer, taken_at_once):
    """Ended in the middle of it, a worker has served all of them, and none twice."""
    entered, release = held_up(consumer)
    worker = taken_at_once([route("in", consumer)], [{"value": value} for value in range(5)])
    wait_for(entered.is_set, "they are being served")
    worker.stop()
    release.set()
    assert collect(layer, 5) == [["together", value] for value in range(5)]
    assert layer.connection(0).llen(layer.queue_key("in")) == 0


def test_whoever_does_not_say_which_joins_cannot_be_used():
    class Half(Together):
        pass

    with pytest.raises(NotImplementedError):
        Half.joins(Message({}, "in", None))
    with pytest.raises(NotImplementedError):
        Half.serve_together([])
