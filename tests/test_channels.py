"""What Channels 1.1.8 offers to consumers, on the Django and Python that the tests run on."""

from __future__ import annotations

import json

from channels import Channel, Group, include, route, route_class
from channels.auth import channel_session_user, channel_session_user_from_http, http_session_user
from channels.exceptions import ConsumeLater, DenyConnection, WebsocketCloseException
from channels.generic import BaseConsumer
from channels.generic.websockets import (
    JsonWebsocketConsumer,
    WebsocketConsumer,
    WebsocketDemultiplexer,
    WebsocketMultiplexer,
)
from channels.security.websockets import allowed_hosts_only
from channels.sessions import enforce_ordering
from channels.signals import consumer_finished, consumer_started
from channels.test import ChannelTestCase, HttpClient, WSClient, apply_routes
from django.contrib.auth import get_user_model

from tests.until_idle import run_worker


class Echo(WebsocketConsumer):
    def receive(self, text=None, bytes=None, **kwargs):
        self.send(text=text, bytes=bytes)


class Lowercase(JsonWebsocketConsumer):
    groups = ["everybody"]

    def receive(self, content, slug, **kwargs):
        self.send({"slug": slug, "got": content})

    @classmethod
    def encode_json(cls, content):
        return json.dumps(content, ensure_ascii=False, sort_keys=True)

    @classmethod
    def decode_json(cls, text):
        return json.loads(text.lower())


class Counter(BaseConsumer):
    method_mapping = {"count.up": "up", "count.down": "down"}
    step = 1

    def up(self, message, **kwargs):
        message.reply_channel.send({"value": message["value"] + self.step})

    def down(self, message, **kwargs):
        message.reply_channel.send({"value": message["value"] - self.step})


class RoutingTests(ChannelTestCase):
    def test_include_strips_its_prefix_and_filters_name_arguments(self):
        inner = [route_class(Lowercase, path=r"^/(?P<slug>[^/]+)/$")]
        with apply_routes([include(inner, path=r"^/rooms")]):
            client = WSClient()
            client.send_and_consume("websocket.connect", path="/rooms/大厅/")
            client.send_and_consume("websocket.receive", text='{"A": "B"}', path="/rooms/大厅/")
            assert client.receive() == {"slug": "大厅", "got": {"a": "b"}}

    def test_as_route_sets_attributes_for_this_route_only(self):
        with apply_routes([Counter.as_route(attrs={"step": 10})]):
            client = WSClient()
            client.send_and_consume("count.up", {"value": 1})
            assert self.get_next_message(client.reply_channel, require=True)["value"] == 11
        assert Counter.step == 1

    def test_function_and_class_consumers_stand_side_by_side(self):
        with apply_routes([Counter.as_route(), route("plain", lambda message: Channel("out").send({"x": 2}))]):
            client = WSClient()
            client.send_and_consume("plain")
            assert self.get_next_message("out", require=True)["x"] == 2
            client.send_and_consume("count.down", {"value": 1})
            assert self.get_next_message(client.reply_channel, require=True)["value"] == 0


class WebsocketTests(ChannelTestCase):
    def test_text_and_bytes_come_back_as_they_were(self):
        with apply_routes([Echo.as_route(path="^/$")]):
            client = WSClient()
            client.send_and_consume("websocket.connect")
            client.send_and_consume("websocket.receive", text="grüße")
            assert client.receive(json=False) == "grüße"
            client.send_and_consume("websocket.receive", {"bytes": b"\x00\xff"})
            assert client.receive() == {"bytes": b"\x00\xff"}

    def test_groups_are_joined_on_connect_and_left_on_disconnect(self):
        with apply_routes([route_class(Lowercase, path=r"^/(?P<slug>[^/]+)/$")]):
            client = WSClient()
            client.send_and_consume("websocket.connect", path="/a/")
            Lowercase.group_send("everybody", {"text": "大厅"})
            assert client.receive() == {"text": "大厅"}
            client.send_and_consume("websocket.disconnect", path="/a/")
            Group("everybody").send({"text": "{}"})
            assert client.receive() is None

    def test_upstream_demultiplexer_and_own_multiplexer_class(self):
        class Loud(WebsocketMultiplexer):
            @classmethod
            def encode(cls, stream, payload):
                return super().encode(stream.upper(), payload)

        class Stream(JsonWebsocketConsumer):
            def connect(self, message, multiplexer, **kwargs):
                """The demultiplexer accepts."""

            def receive(self, content, multiplexer, **kwargs):
                multiplexer.send({"stream": multiplexer.stream, **content})

        class Streams(WebsocketDemultiplexer):
            consumers = {"one": Stream}
            multiplexer_class = Loud

        with apply_routes([Streams.as_route(path="^/$")]):
            client = WSClient()
            client.send_and_consume("websocket.connect")
            client.send_and_consume("websocket.receive", text={"stream": "one", "payload": {"a": 1}})
            assert client.receive() == {"stream": "ONE", "payload": {"stream": "one", "a": 1}}


class SessionTests(ChannelTestCase):
    def setUp(self):
        self.ann = get_user_model().objects.create_user("ann", password="secret")

    def test_http_user_as_attribute_reaches_later_frames(self):
        class Who(WebsocketConsumer):
            http_user = True

            def receive(self, text=None, bytes=None, **kwargs):
                self.send(text=self.message.user.get_username())

        with apply_routes([Who.as_route(path="^/$")]):
            client = HttpClient()
            assert client.login(username="ann", password="secret")
            client.send_and_consume("websocket.connect")
            client.send_and_consume("websocket.receive", text="?")
            assert client.receive(json=False) == "ann"

    def test_decorators_carry_user_and_session(self):
        @channel_session_user_from_http
        def connect(message):
            message.channel_session["seen"] = message.user.get_username()
            message.reply_channel.send({"accept": True})

        @channel_session_user
        def receive(message):
            message.reply_channel.send({"text": f"{message.user.pk} {message.channel_session['seen']}"})

        with apply_routes([route("websocket.connect", connect), route("websocket.receive", receive)]):
            client = WSClient()
            client.force_login(self.ann)
            client.send_and_consume("websocket.connect")
            client.send_and_consume("websocket.receive")
            assert client.receive(json=False) == f"{self.ann.pk} ann"

    def test_http_session_user_reads_the_cookie(self):
        @http_session_user
        def connect(message):
            Channel("out").send({"user": message.user.get_username()})

        with apply_routes([route("websocket.connect", connect)]):
            client = WSClient()
            client.force_login(self.ann)
            client.send_and_consume("websocket.connect", check_accept=False)
            assert self.get_next_message("out", require=True)["user"] == "ann"


class OrderingTests(ChannelTestCase):
    def test_enforce_ordering_holds_a_frame_until_its_turn(self):
        seen = []

        @enforce_ordering
        def consume(message):
            seen.append(message["order"])

        with apply_routes([route("websocket.receive", consume)]):
            client = WSClient()
            for order in (2, 1, 0):
                client.send("websocket.receive", {"order": order})
            run_worker()
        assert seen == [0, 1, 2]

    def test_consume_later_puts_the_message_back(self):
        tries = []

        def consume(message):
            tries.append(message.get("__retries__", 0))
            if len(tries) < 3:
                raise ConsumeLater

        with apply_routes([route("later", consume)]):
            Channel("later").send({}, immediately=True)
            run_worker()
        assert tries == [0, 1, 2]

    def test_consumer_signals_surround_each_consumer(self):
        events = []

        def started(**kwargs):
            events.append("started")

        def finished(**kwargs):
            events.append("finished")

        consumer_started.connect(started)
        consumer_finished.connect(finished)
        self.addCleanup(consumer_started.disconnect, started)
        self.addCleanup(consumer_finished.disconnect, finished)
        with apply_routes([route("x", lambda message: events.append("consumer"))]):
            Channel("x").send({}, immediately=True)
            run_worker()
        assert events == ["started", "consumer", "finished"]


class RefusalTests(ChannelTestCase):
    def replies(self, consumer, channel="websocket.connect", **content):
        with apply_routes([route(channel, consumer)]):
            client = WSClient()
            # Stock reads whose message it is from the name of the reply channel.
            client.reply_channel = "websocket.x"
            client.send(channel, content)
            run_worker()
            return client.receive(json=False)

    def test_deny_connection_refuses(self):
        def connect(message):
            raise DenyConnection

        assert self.replies(connect) == {"close": True}

    def test_websocket_close_exception_closes_with_its_code(self):
        def receive(message):
            raise WebsocketCloseException(4001)

        assert self.replies(receive, "websocket.receive") == {"close": 4001}

    def test_allowed_hosts_only_refuses_foreign_origins(self):
        @allowed_hosts_only
        def connect(message):
            message.reply_channel.send({"accept": True})

        with self.settings(ALLOWED_HOSTS=["chat.example.com"]):
            own = [(b"origin", b"https://chat.example.com")]
            assert self.replies(connect, headers=own) == {"accept": True}
            assert self.replies(connect, headers=[(b"origin", b"https://evil.example.net")]) == {"close": True}
            assert self.replies(connect, headers=[]) == {"close": True}
