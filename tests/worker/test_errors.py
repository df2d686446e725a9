"""Errors: each is logged once, counted, told to the client of a multiplexed socket, and ends nothing."""

from __future__ import annotations

import json
import sys
import threading

import pytest
from channels.channel import Channel
from channels.exceptions import ChannelSocketException, ConsumeLater, DenyConnection, WebsocketCloseException
from channels.generic.websockets import JsonWebsocketConsumer
from channels.routing import route
from channels.signals import consumer_finished, consumer_started

from channels_lts.layer.batch import Outgoing
from channels_lts.streams import Demultiplexer
from channels_lts.worker import Worker
from channels_lts.worker_group import WorkerGroup
from tests.services import wait_for
from tests.worker.loops import OUT, collect, echo

pytestmark = pytest.mark.system

CLIENT = "daphne.response.x!1"


class Own(ChannelSocketException):
    def run(self, message):
        message.reply_channel.send({"text": "own"})


class Broken(ChannelSocketException):
    """Without a `run` of its own."""


@pytest.mark.parametrize(
    ("error", "counter", "logged"),
    [
        (RuntimeError("no good"), "consumer_errors", 1),
        (SystemExit(1), "consumer_errors", 1),
        (KeyboardInterrupt(), "consumer_errors", 1),
        (MemoryError(), "consumer_errors", 1),
        (Broken(), "consumer_errors", 1),
        (Own(), None, 0),
        (DenyConnection(), "connections_denied", 0),
        (WebsocketCloseException(4001), "sockets_closed", 0),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, BaseException) else "",
)
def test_each_is_counted_and_logged_once_with_all_that_finds_it(layer, start, caplog, error, counter, logged):
    def raises(message):
        raise error

    worker = start([route("bad", raises), route("in", echo)])
    layer.send("bad", {"reply_channel": CLIENT})
    layer.send("in", {"value": 1})
    assert collect(layer, 1) == [1], "the loop goes on"
    wait_for(lambda: worker.activity.counts().get("messages") == 2, "both are done")
    counts = worker.activity.counts()
    assert {name for name in counts if name != "messages"} == ({counter} if counter else set())
    errors = [record.getMessage() for record in caplog.records if record.levelname == "ERROR"]
    assert len(errors) == logged
    for text in errors:
        assert "tests.worker.test_errors.raises" in text
        assert "on bad" in text
        assert CLIENT in text


def test_the_others_are_counted_too(layer, start, monkeypatch):
    def later(message):
        raise ConsumeLater

    layer.channel_capacity = layer.compile_capacities({"narrow": 1})
    monkeypatch.setattr("channels_lts.replies._RETRY_FOR", 0.1)
    worker = start([route("later", later), route("in", echo, path="^/$")])
    layer.send("later", {})
    layer.send("in", {"path": "/elsewhere"})
    layer.send("in", {"path": 1})
    # Nothing that anybody can read, as from another program.
    layer.connection(0).rpush(layer.queue_key("in"), b"?")
    layer.send("in", {"path": "/", "value": 1})
    assert collect(layer, 1) == [1]
    wait_for(lambda: "given_up" in worker.activity.counts(), "it gives up")
    counts = worker.activity.counts()
    assert {name: counts[name] for name in counts if name not in ("messages", "messages_put_back")} == {
        "postponed": 10, "given_up": 1, "messages_unrouted": 1, "messages_unmatched": 1, "messages_unopened": 1,
    }  # fmt: skip


def test_replies_that_are_dropped_are_counted(layer, start, monkeypatch):
    monkeypatch.setattr("channels_lts.replies._RETRY_FOR", 0.1)
    layer.channel_capacity = layer.compile_capacities({OUT: 1})
    worker = start([route("in", echo)])
    for value in range(4):
        layer.send("in", {"value": value})
    wait_for(lambda: worker.activity.counts().get("replies_dropped") == 3, "three have no room")


def test_nothing_is_sent_twice_when_redis_refuses_some(layer, start, caplog):
    """The key of one channel is of another type; the others get theirs once."""

    def sends(message):
        for name in (OUT, "damaged"):
            Channel(name, channel_layer=message.channel_layer).send({"value": message["value"]})

    layer.connection(0).set(layer.queue_key("damaged"), "no list")
    worker = start([route("in", sends)])
    layer.send("in", {"value": 1})
    wait_for(lambda: "WRONGTYPE" in caplog.text, "it is logged")
    assert layer.connection(0).llen(layer.queue_key(OUT)) <= 1
    assert worker.activity.counts()["replies_dropped"] == 2


class Stream(JsonWebsocketConsumer):
    def receive(self, content, multiplexer=None, **kwargs):
        multiplexer.send({"type": "never"})
        raise RuntimeError("no good")


class Streams(Demultiplexer):
    consumers = {"chat": Stream}


def test_the_client_of_a_multiplexed_socket_gets_an_error_frame_and_nothing_else(layer, start, caplog):
    start([Streams.as_route(path="^/$")])
    frame = json.dumps({"stream": "chat", "payload": {"type": "x", "id": 7}})
    layer.send("websocket.receive", {"reply_channel": CLIENT, "path": "/", "text": frame})
    key = layer.queue_key("daphne.response.x!")
    wait_for(lambda: layer.connection(0).llen(key), "an answer")
    answer = json.loads(layer.receive(["daphne.response.x!"])[1]["text"])
    assert answer["stream"] == "chat"
    assert (answer["payload"]["type"], answer["payload"]["code"], answer["payload"]["id"]) == ("error", "internal", 7)
    assert layer.receive(["daphne.response.x!"]) == (None, None)
    assert caplog.text.count("error in consumer") == 1


@pytest.mark.parametrize("signal", [consumer_started, consumer_finished], ids=["started", "finished"])
def test_receivers_of_signals_that_fail_end_nothing(layer, start, signal):
    def fails(**kwargs):
        raise SystemExit

    signal.connect(fails)
    try:
        worker = start([route("in", echo)])
        layer.send("in", {"value": 1})
        counter = "consumer_errors" if signal is consumer_started else "receiver_errors"
        wait_for(lambda: worker.activity.counts().get(counter) == 1, "it is counted")
    finally:
        signal.disconnect(fails)
    layer.send("in", {"value": 2})
    assert collect(layer, 2 if signal is consumer_finished else 1)[-1] == 2


@pytest.mark.parametrize("cls", [Worker, WorkerGroup])
def test_d1_a_thread_that_dies_is_logged_counted_and_replaced(layer, start, caplog, monkeypatch, cls):
    """Whatever it dies of, the main thread too."""
    dead: set[str] = set()
    take = type(layer).take

    def dies_once(self, waiter, limit):
        name = threading.current_thread().name
        if name not in dead:
            dead.add(name)
            sys.exit("a bug")
        return take(self, waiter, limit)

    monkeypatch.setattr(type(layer), "take", dies_once)
    threads = {"n_threads": 3} if cls is WorkerGroup else {}
    worker = start([route("in", echo)], cls=cls, **threads)
    expected = 3 if threads else 1
    wait_for(lambda: worker.activity.counts().get("thread_deaths") == expected, "each dies once")
    wait_for(lambda: caplog.text.count("died; it is replaced") == expected, "each is logged once")
    wait_for(lambda: layer.connection(0).info("clients")["blocked_clients"] >= expected, "all of them wait")
    layer.send("in", {"value": 1})
    assert collect(layer, 1) == [1]


def test_what_a_dying_thread_had_goes_back(layer, start, monkeypatch):
    handle = Worker._handle

    def dies(self, messages, taken):
        monkeypatch.undo()
        handle(self, messages, taken)
        raise SystemExit

    for value in range(50):
        layer.send("in", {"value": value})
    monkeypatch.setattr("channels_lts.worker._SLOW", 60)
    worker = start([route("in", echo)])
    collect(layer, 50)
    monkeypatch.setattr(Worker, "_handle", dies)
    layer.send_batch([Outgoing("in", "", {"value": value}) for value in range(5)])
    assert collect(layer, 5) == list(range(5))
    assert worker.activity.counts()["thread_deaths"] == 1


def test_a_handshake_whose_consumer_fails_is_refused_and_nothing_else_leaves(layer, start):
    def raises(message):
        message.reply_channel.send({"accept": True})
        raise RuntimeError("no good")

    start([route("websocket.connect", raises)])
    layer.send("websocket.connect", {"reply_channel": CLIENT})
    replies: list[dict] = []

    def answered() -> bool:
        _, message = layer.receive(["daphne.response.x!"])
        if message is not None:
            replies.append(message)
        return message is not None

    wait_for(answered, "the refusal")
    assert replies == [{"close": 1011}]
    assert layer.receive(["daphne.response.x!"]) == (None, None)


class Bound:
    def consume(self, message):
        raise RuntimeError("no good")


def test_a_method_of_an_instance_is_a_consumer_like_others(layer, start, caplog):
    worker = start([route("bad", Bound().consume)])
    layer.send("bad", {"reply_channel": CLIENT})
    wait_for(lambda: worker.activity.counts().get("messages") == 1, "it is done")
    assert worker.activity.counts() == {"messages": 1, "consumer_errors": 1}
    [logged] = [record.getMessage() for record in caplog.records if record.levelname == "ERROR"]
    assert "Bound.consume" in logged
