from __future__ import annotations

import json

import pytest
from channels.exceptions import DenyConnection
from channels.generic.websockets import JsonWebsocketConsumer
from channels.message import Message
from channels.test import ChannelTestCase, WSClient, apply_routes

from channels_lts.streams import (
    CODES,
    Demultiplexer,
    StreamConsumer,
    StreamError,
    encode,
    failure_frame,
    field,
    request_id,
)


class Calculator(StreamConsumer):
    def connect(self, message, **kwargs):
        self.reply("hello")

    def type_double(self, payload):
        self.reply("doubled", value=2 * field(payload, "value", int))

    def type_crash(self, payload):
        raise RuntimeError("a fault of ours")

    def type_refuse(self, payload):
        raise StreamError("not_allowed", "not you")


class Upstream(JsonWebsocketConsumer):
    """A stream as Channels 1.x documents it."""

    def connect(self, message, multiplexer, **kwargs):
        multiplexer.send({"status": "connected"})

    def receive(self, content, multiplexer, **kwargs):
        multiplexer.send({"echo": content, "stream": multiplexer.stream})


class OutOfStream(JsonWebsocketConsumer):
    def connect(self, message, **kwargs):
        pass

    def receive(self, content, multiplexer, **kwargs):
        self.send({"not": "in an envelope"})


class Streams(Demultiplexer):
    consumers = {"calculator": Calculator, "upstream": Upstream, "out": OutOfStream}


class Refusing(Streams):
    def authorize(self, message, **kwargs):
        raise DenyConnection


class StreamTests(ChannelTestCase):
    def setUp(self):
        self.routes = apply_routes([Streams.as_route(path="^/streams/")])
        self.routes.enter()
        self.addCleanup(self.routes.exit)
        self.client = WSClient()

    def replies(self):
        found = []
        while (reply := self.client.receive(json=False)) is not None:
            found.append(json.loads(reply) if isinstance(reply, str) else reply)
        return found

    def send(self, frame):
        """Send *frame* (text, or what JSON makes of it) and return all answers."""
        text = frame if isinstance(frame, str) else json.dumps(frame)
        self.client.send("websocket.receive", {"path": "/streams/", "text": text})
        self.client.consume("websocket.receive")
        return self.replies()

    def error(self, frame):
        """Send *frame*, and return stream and payload of the one error that must answer it."""
        (reply,) = self.send(frame)
        assert reply["payload"]["type"] == "error"
        assert reply["payload"]["code"] in CODES
        return reply["stream"], reply["payload"]

    def test_connect_accepts_and_reaches_every_stream(self):
        self.client.send_and_consume("websocket.connect", path="/streams/", check_accept=False)
        assert self.replies() == [
            {"accept": True},
            {"stream": "calculator", "payload": {"type": "hello"}},
            {"stream": "upstream", "payload": {"status": "connected"}},
        ]

    def test_request_is_answered_on_its_stream_with_its_id(self):
        frame = {"stream": "calculator", "payload": {"type": "double", "value": 21, "id": "a1"}}
        assert self.send(frame) == [{"stream": "calculator", "payload": {"type": "doubled", "value": 42, "id": "a1"}}]

    def test_upstream_consumers_work_unchanged(self):
        frame = {"stream": "upstream", "payload": {"text": "大厅"}}
        assert self.send(frame) == [
            {"stream": "upstream", "payload": {"echo": {"text": "大厅"}, "stream": "upstream"}},
        ]

    def test_d26_broken_json_is_answered(self):
        for text in ("", "{", "[1,", "nope", "[" * 100_000):
            stream, payload = self.error(text)
            assert (stream, payload["code"]) == ("system", "malformed")

    def test_d26_binary_frame_is_answered(self):
        self.client.send("websocket.receive", {"path": "/streams/", "bytes": b"\x00"})
        self.client.consume("websocket.receive")
        (reply,) = self.replies()
        assert reply["payload"]["code"] == "malformed"

    def test_d26_frame_that_is_no_envelope_is_answered(self):
        for frame in ([], 1, None, "text", {}, {"stream": "calculator"}, {"payload": {}}):
            _, payload = self.error(json.dumps(frame))
            assert payload["code"] == "not_object"

    def test_d26_unknown_stream_is_named(self):
        for name in ("nowhere", "", "x" * 10_000, 7, None, ["calculator"], {}):
            stream, payload = self.error({"stream": name, "payload": {"id": 5}})
            assert (stream, payload["code"], payload["id"]) == ("system", "unknown_stream", 5)
            assert len(payload["reason"]) < 200

    def test_d26_payload_that_is_no_object_is_answered_on_its_stream(self):
        for value in ([], "text", 3, None):
            stream, payload = self.error({"stream": "calculator", "payload": value})
            assert (stream, payload["code"]) == ("calculator", "bad_payload")

    def test_unknown_type_is_answered(self):
        for kind in ("nothing", "", "_request", "multiplexer", "double "):
            stream, payload = self.error({"stream": "calculator", "payload": {"type": kind, "id": 1}})
            assert (stream, payload["code"], payload["id"]) == ("calculator", "unknown_type", 1)

    def test_missing_and_wrong_fields_are_named(self):
        for fields, name in (
            ({}, "type"),
            ({"type": 4}, "type"),
            ({"type": "double"}, "value"),
            ({"type": "double", "value": "2"}, "value"),
            ({"type": "double", "value": True}, "value"),
            ({"type": "double", "value": 2**70}, "value"),
        ):
            _, payload = self.error({"stream": "calculator", "payload": fields})
            assert payload["code"] == "bad_field"
            assert name in payload["reason"]

    def test_refusal_of_a_stream_carries_its_code_and_the_socket_serves_on(self):
        _, payload = self.error({"stream": "calculator", "payload": {"type": "refuse"}})
        assert (payload["code"], payload["reason"]) == ("not_allowed", "not you")
        assert self.send({"stream": "calculator", "payload": {"type": "double", "value": 1}})

    def test_fault_of_a_stream_is_answered_and_raised_for_the_log(self):
        self.client.send(
            "websocket.receive",
            {"path": "/streams/", "text": '{"stream":"calculator","payload":{"type":"crash","id":9}}'},
        )
        with pytest.raises(RuntimeError):
            self.client.consume("websocket.receive")
        (reply,) = self.replies()
        assert reply["payload"]["code"] == "internal"
        assert reply["payload"]["id"] == 9
        assert "fault" not in reply["payload"]["reason"]

    def test_d13_consumer_cannot_send_outside_its_stream_and_its_class_stays_as_it_is(self):
        self.client.send("websocket.receive", {"path": "/streams/", "text": '{"stream":"out","payload":{}}'})
        with pytest.raises(Exception, match="multiplexer"):
            self.client.consume("websocket.receive")
        assert "send" not in vars(OutOfStream)

    def test_authorize_refuses_before_anything_is_accepted(self):
        with apply_routes([Refusing.as_route(path="^/streams/")]):
            client = WSClient()
            client.send("websocket.connect", {"path": "/streams/"})
            with pytest.raises(DenyConnection):
                client.consume("websocket.connect", check_accept=False)
            assert client.receive(json=False) is None


class FailureFrameTests(ChannelTestCase):
    def message(self, channel="websocket.receive", **content):
        layer = WSClient().channel_layer
        return Message({"reply_channel": "x", "path": "/streams/", **content}, channel, layer)

    def payload(self, consumer, message):
        frame = failure_frame(consumer, message)
        return frame and json.loads(frame["text"])

    def test_failure_is_answered_on_its_stream_with_its_id(self):
        message = self.message(text='{"stream":"calculator","payload":{"type":"crash","id":9}}')
        with pytest.raises(RuntimeError):
            Streams(message)
        found = self.payload(Streams, message)
        assert found["stream"] == "calculator"
        assert (found["payload"]["code"], found["payload"]["id"]) == ("internal", 9)

    def test_failure_before_the_stream_was_known_is_answered_on_system(self):
        assert self.payload(Streams, self.message())["stream"] == "system"

    def test_others_expect_no_frame(self):
        assert failure_frame(Streams, self.message("websocket.connect")) is None
        assert failure_frame(Upstream, self.message()) is None
        assert failure_frame(print, self.message()) is None


def test_encode_keeps_text_other_than_ascii():
    assert encode("chat", {"body": "大厅"})["text"] == '{"stream":"chat","payload":{"body":"大厅"}}'


@pytest.mark.parametrize(
    ("value", "limits", "code"),
    [
        ("four", {"max_length": 3}, "too_large"),
        ("a\0b", {}, "bad_field"),
        ("\ud800", {}, "bad_field"),
        (-1, {"minimum": 0}, "bad_field"),
        (2**63, {}, "bad_field"),
        (None, {}, "bad_field"),
    ],
)
def test_field_out_of_bounds_is_refused(value, limits, code):
    with pytest.raises(StreamError) as caught:
        field({"x": value}, "x", int if isinstance(value, int) else str, **limits)
    assert caught.value.code == code


def test_field_within_bounds_or_default_is_returned():
    assert field({"x": "four"}, "x", str, max_length=4) == "four"
    assert field({"x": 2**63 - 1}, "x", int, minimum=0) == 2**63 - 1
    assert field({}, "x", int, default=7) == 7


@pytest.mark.parametrize(
    ("payload", "expected"),
    [
        ({"id": "a-1"}, "a-1"),
        ({"id": 0}, 0),
        ({"id": True}, None),
        ({"id": "x" * 65}, None),
        ({"id": "\n"}, None),
        ({"id": {}}, None),
        ({"id": 10**400}, None),
        ({}, None),
        ([], None),
    ],
)
def test_request_id_is_repeated_only_where_it_costs_nothing(payload, expected):
    assert request_id(payload) == expected
