"""What may be a stream of a demultiplexer, and who may use it."""

from __future__ import annotations

import json

import pytest
from channels.auth import channel_session_user, channel_session_user_from_http
from channels.exceptions import ConsumeLater, DenyConnection
from channels.generic.websockets import JsonWebsocketConsumer
from channels.message import Message
from channels.test import ChannelTestCase, WSClient, apply_routes
from django.contrib.auth import get_user_model
from django.test import override_settings

from channels_lts.streams import Demultiplexer, StreamConsumer, StreamError


class Upstream(JsonWebsocketConsumer):
    """A stream as Channels 1.x documents it."""

    def connect(self, message, multiplexer, **kwargs):
        multiplexer.send({"status": "connected"})

    def receive(self, content, multiplexer, **kwargs):
        multiplexer.send({"echo": content, "stream": multiplexer.stream})


@override_settings(CHANNEL_SESSION_ENGINE="channels_lts.sessions")
class ConsumerKindTests(ChannelTestCase):
    """Whatever can consume a WebSocket can be a stream."""

    def serve(self, streams, **attrs):
        """Route to a demultiplexer of *streams*, and return a client that is signed in as ann."""
        demultiplexer = type("Streams", (Demultiplexer,), {"consumers": streams, **attrs})
        routes = apply_routes([demultiplexer.as_route(path="^/$")])
        routes.enter()
        self.addCleanup(routes.exit)
        client = WSClient(ordered=True)
        client.force_login(get_user_model().objects.create_user("ann"))
        return client

    def replies(self, client):
        found = []
        while (reply := client.receive(json=False)) is not None:
            found.append(json.loads(reply)["payload"] if isinstance(reply, str) else reply)
        return found

    def send(self, client, stream="one", **payload):
        client.send("websocket.receive", text={"stream": stream, "payload": payload})
        client.consume("websocket.receive")
        return self.replies(client)

    def connect(self, client):
        client.send_and_consume("websocket.connect", check_accept=False)
        return self.replies(client)

    def test_functions_with_channels_own_decorators(self):
        @channel_session_user_from_http
        def who(message, multiplexer, **kwargs):
            count = message.channel_session.get("count", 0)
            message.channel_session["count"] = count + 1
            multiplexer.send({"on": message.channel.name, "user": message.user.get_username(), "count": count})

        @channel_session_user
        def other(message, multiplexer, **kwargs):
            if message.channel.name == "websocket.receive":
                multiplexer.send({**json.loads(message["text"]), "user": message.user.get_username()})

        client = self.serve({"one": who, "two": other})
        assert self.connect(client) == [{"accept": True}, {"on": "websocket.connect", "user": "ann", "count": 0}]
        assert self.send(client, "two", a=1) == [{"a": 1, "user": "ann"}]
        client.send_and_consume("websocket.disconnect", {"code": 1000})
        assert self.replies(client)[0]["on"] == "websocket.disconnect"

    def test_user_of_the_demultiplexer_and_of_a_stream(self):
        class Who(JsonWebsocketConsumer):
            def connect(self, message, **kwargs):
                pass

            def receive(self, content, multiplexer, **kwargs):
                multiplexer.send({"user": self.message.user.get_username()})

        class Own(Who):
            http_user = True

        class Carried(Who):
            channel_session_user = True

        for streams, attrs in (
            ({"one": Who}, {"http_user": True}),
            ({"one": Own}, {}),
            ({"one": Carried}, {"http_user": True}),
            ({"one": Who}, {"http_user_and_session": True}),
        ):
            with self.subTest(streams=streams):
                client = self.serve(streams, **attrs)
                self.connect(client)
                assert self.send(client) == [{"user": "ann"}]
                get_user_model().objects.all().delete()

    def test_strict_ordering_of_the_demultiplexer_and_of_two_streams(self):
        class Ordered(Upstream):
            strict_ordering = True

        client = self.serve({"one": Ordered, "two": Ordered}, strict_ordering=True)
        assert self.connect(client) == [{"accept": True}, {"status": "connected"}, {"status": "connected"}]
        assert self.send(client, "one", n=1) == [{"echo": {"n": 1}, "stream": "one"}]
        assert self.send(client, "two", n=2) == [{"echo": {"n": 2}, "stream": "two"}]
        client.send_and_consume("websocket.disconnect", {"code": 1000})

    def test_strict_ordering_of_a_stream_alone_puts_whole_frames_in_order(self):
        class Ordered(Upstream):
            strict_ordering = True

        client = self.serve({"one": Ordered})
        self.connect(client)
        layer = client.channel_layer
        for n in (1, 2):
            client.send("websocket.receive", text={"stream": "one", "payload": {"n": n}})
        first = layer.receive(["websocket.receive"])[1]
        client.consume("websocket.receive")
        assert self.replies(client) == []
        layer.send("websocket.receive", first)
        client.consume("websocket.receive")
        client.consume("websocket.receive")
        assert [reply["echo"]["n"] for reply in self.replies(client)] == [1, 2]

    def test_frame_that_a_stream_wants_later_comes_again_whole(self):
        class Later(StreamConsumer):
            def type_ask(self, payload):
                if "__retries__" not in self.message:
                    raise ConsumeLater
                self.reply("answer")

        client = self.serve({"one": Later})
        client.send("websocket.receive", text={"stream": "one", "payload": {"type": "ask", "id": 7}})
        message = client.get_next_message("websocket.receive")
        consumer, kwargs = client.channel_layer.router.match(message)
        with pytest.raises(ConsumeLater):
            consumer(message, **kwargs)
        # As workers do it.
        client.channel_layer.send("websocket.receive", {**message.content, "__retries__": 1})
        client.consume("websocket.receive")
        assert self.replies(client) == [{"type": "answer", "id": 7}]


class PermissionTests(ChannelTestCase):
    def setUp(self):
        class Hall(StreamConsumer):
            def connect(self, message, **kwargs):
                self.reply("hello")

            def type_ask(self, payload):
                self.reply("answer")

        class Office(Hall):
            @classmethod
            def authorize(cls, message, **kwargs):
                if message["path"] != "/staff/":
                    raise StreamError("not_allowed", "staff only")

        class Safe(Office):
            def connect(self, message, **kwargs):
                if message["path"] == "/closed/":
                    raise DenyConnection
                if message["path"] == "/broken/":
                    raise RuntimeError

            @classmethod
            def authorize(cls, message, **kwargs):
                if message["path"] == "/street/":
                    raise DenyConnection

        class Streams(Demultiplexer):
            consumers = {"hall": Hall, "office": Office, "safe": Safe}

        self.routes = apply_routes([Streams.as_route(path="^/")])
        self.routes.enter()
        self.addCleanup(self.routes.exit)
        self.client = WSClient()

    def replies(self):
        found = []
        while (reply := self.client.receive(json=False)) is not None:
            found.append(json.loads(reply) if isinstance(reply, str) else reply)
        return found

    def connect(self, path):
        self.client.send_and_consume("websocket.connect", path=path, check_accept=False)
        return self.replies()

    def ask(self, path, stream):
        self.client.send("websocket.receive", text={"stream": stream, "payload": {"type": "ask", "id": 1}}, path=path)
        self.client.consume("websocket.receive")
        return [reply["payload"] for reply in self.replies()]

    def test_stream_says_who_may_use_it(self):
        hello = [{"stream": name, "payload": {"type": "hello"}} for name in ("hall", "office")]
        assert self.connect("/staff/") == [{"accept": True}, *hello]
        assert self.connect("/all/") == [{"accept": True}, hello[0]]
        assert self.ask("/staff/", "office") == [{"type": "answer", "id": 1}]
        error = {"type": "error", "code": "not_allowed", "reason": "staff only", "id": 1}
        assert self.ask("/all/", "office") == [error]
        assert self.ask("/all/", "hall") == [{"type": "answer", "id": 1}]

    def test_d26_stream_refuses_the_handshake_before_anything_leaves(self):
        for path in ("/street/", "/closed/"):
            with pytest.raises(DenyConnection):
                self.connect(path)
            assert self.replies() == []

    def test_stream_that_refuses_the_handshake_refuses_frames_by_an_error(self):
        (error,) = self.ask("/street/", "safe")
        assert error["code"] == "not_allowed"

    def test_stream_that_fails_with_the_handshake_lets_nobody_wait(self):
        with pytest.raises(RuntimeError):
            self.connect("/broken/")
        assert self.replies() == [{"close": True}]

    def test_outside_of_a_consumer_the_order_is_as_it_can_be(self):
        message = Message({"reply_channel": self.client.reply_channel, "path": "/all/"}, "websocket.connect",
                          self.client.channel_layer)  # fmt: skip
        consumer, kwargs = self.client.channel_layer.router.match(message)
        consumer(message, **kwargs)
        assert {"accept": True} in self.replies()
