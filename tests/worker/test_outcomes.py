"""What becomes of a message: replies, closed sockets, another try, an error; and the loop goes on."""

from __future__ import annotations

import pytest
from channels.channel import Channel, Group
from channels.exceptions import ConsumeLater, DenyConnection, WebsocketCloseException
from channels.routing import route

from tests.services import wait_for
from tests.worker.loops import OUT, collect, echo

pytestmark = pytest.mark.system


def test_d24_nothing_leaves_after_an_error_and_the_loop_goes_on(layer, start, caplog):
    def fails(message):
        echo(message)
        raise RuntimeError("no good")

    start([route("in", fails, value="never"), route("in", echo)])
    layer.send("in", {"value": "never"})
    layer.send("in", {"value": "after"})
    assert collect(layer, 1) == ["after"]
    assert "error in consumer" in caplog.text
    assert "no good" in caplog.text


@pytest.mark.parametrize(
    ("error", "close"),
    [(DenyConnection(), True), (WebsocketCloseException(), True), (WebsocketCloseException(4001), 4001)],
    ids=["deny", "close", "close with a code"],
)
@pytest.mark.parametrize("channel", ["websocket.connect", "websocket.receive"])
def test_d2_exceptions_that_close_a_socket_close_it(layer, start, error, close, channel):
    def refuses(message):
        message.reply_channel.send({"text": "before"})
        raise error

    start([route(channel, refuses), route("in", echo)])
    layer.send(channel, {"reply_channel": "daphne.response.x!1", "path": "/"})
    wait_for(lambda: layer.connection(0).llen(layer.queue_key("daphne.response.x!")) == 2, "two replies")
    assert layer.receive(["daphne.response.x!"]) == ("daphne.response.x!1", {"text": "before"})
    assert layer.receive(["daphne.response.x!"]) == ("daphne.response.x!1", {"close": close})
    layer.send("in", {"value": 1})
    assert collect(layer, 1) == [1], "the loop goes on"


def test_d2_a_close_without_a_reply_channel_is_logged(layer, start, caplog):
    def refuses(message):
        raise DenyConnection

    start([route("in", refuses, value="^1$"), route("in", echo)])
    layer.send("in", {"value": "1"})
    layer.send("in", {"value": "2"})
    assert collect(layer, 1) == ["2"]
    assert "no reply channel" in caplog.text


def test_d3_a_full_channel_costs_its_own_messages_only(layer, start, caplog, monkeypatch):
    monkeypatch.setattr("channels_lts.replies._RETRY_FOR", 0.1)
    layer.channel_capacity = layer.compile_capacities({"narrow": 1})

    def sends(message):
        for _ in range(3):
            Channel("narrow", channel_layer=message.channel_layer).send({"value": 1})
        echo(message)

    start([route("in", sends)])
    layer.send("in", {"value": "first"})
    assert collect(layer, 1) == ["first"]
    wait_for(lambda: "dropped 2 replies" in caplog.text, "what did not fit is logged")
    layer.send("in", {"value": "second"})
    assert collect(layer, 1) == ["second"]


def test_a_full_channel_is_tried_again(layer, start):
    layer.channel_capacity = layer.compile_capacities({"narrow": 1})

    def sends(message):
        for value in range(3):
            Channel("narrow", channel_layer=message.channel_layer).send({"value": value})

    start([route("in", sends)])
    layer.send("in", {"value": 1})
    assert collect(layer, 3, "narrow") == [0, 1, 2]


def test_a_reply_that_cannot_be_sent_does_not_take_others_along(layer, start, caplog):
    def sends(message):
        Channel("not a name", channel_layer=message.channel_layer).send({"value": 1})
        Channel("object", channel_layer=message.channel_layer).send({"value": object()})
        Group("not a name", channel_layer=message.channel_layer).send({"value": 1})
        echo(message)

    start([route("in", sends)])
    layer.send("in", {"value": 1})
    assert collect(layer, 1) == [1]
    for name in ("to not a name", "to object", "to group not a name"):
        assert f"could not send {name}" in caplog.text


def test_consume_later_tries_again_and_gives_up(layer, start, caplog):
    tries = []

    def later(message):
        tries.append(bool(getattr(message, "__doomed__", False)))
        Channel(OUT, channel_layer=message.channel_layer).send({"value": "never"})
        raise ConsumeLater

    start([route("in", later)])
    layer.send("in", {"value": 1})
    wait_for(lambda: "gave up" in caplog.text, "it gives up")
    assert tries == [False] * 10 + [True]
    assert layer.receive([OUT]) == (None, None)


def test_a_message_without_a_route_is_logged(layer, start, caplog):
    start([route("in", echo, path="^/here$")])
    layer.send("in", {"path": "/there", "value": 1})
    layer.send("in", {"path": "/here", "value": 2})
    assert collect(layer, 1) == [2]
    assert "no route for a message on in" in caplog.text


def test_a_message_that_the_routing_cannot_match_ends_no_worker(layer, start, caplog):
    start([route("in", echo, value="^text$")])
    for value in (1, "text"):
        layer.send("in", {"value": value})
    assert collect(layer, 1) == ["text"]
    assert "cannot match a message on in" in caplog.text
