"""Channel sessions of our own engine in consumers, by Channels' test helpers."""

from __future__ import annotations

import pytest
from channels import route
from channels.auth import channel_session_user, channel_session_user_from_http
from channels.exceptions import ConsumeLater, DenyConnection
from channels.sessions import channel_session, http_session, session_for_reply_channel
from channels.test import ChannelTestCase, WSClient, apply_routes
from django.conf import settings
from django.contrib.auth import get_user_model
from django.contrib.sessions.backends.db import SessionStore as HttpSession
from django.contrib.sessions.models import Session
from django.db import connection
from django.test import Client as Browser
from django.test import override_settings
from django.test.utils import CaptureQueriesContext

from channels_lts import sessions
from tests.socket_session import Socket, Who

OURS = override_settings(CHANNEL_SESSION_ENGINE="channels_lts.sessions")


@OURS
class ConsumerTests(ChannelTestCase):
    def setUp(self):
        self.ann = get_user_model().objects.create_user("ann", password="secret")
        routes = apply_routes([Who.as_route(path="^/$")])
        routes.enter()
        self.addCleanup(routes.exit)

    def open(self, user=None):
        socket = Socket(user)
        socket.send("websocket.connect")
        assert socket.received() == [{"accept": True}]
        return socket

    def test_user_and_values_reach_later_frames(self):
        socket = self.open(self.ann)
        socket.send("websocket.receive", text="who")
        socket.send("websocket.receive", text="seen")
        assert socket.received() == [{"text": "ann"}, {"text": "1"}]

    def test_a_frame_costs_no_database_query_until_the_user_is_asked_for(self):
        socket = self.open(self.ann)
        with CaptureQueriesContext(
            connection,
        ) as queries:
            socket.send("websocket.receive", text="seen")
        assert len(queries) == 0
        with CaptureQueriesContext(connection) as queries:
            socket.send("websocket.receive", text="who")
        assert len(queries) == 1

    def test_d22_the_session_ends_with_the_socket_and_leaves_no_row(self):
        rows = Session.objects.count()
        socket = self.open(self.ann)
        socket.send("websocket.disconnect", code=1000)
        assert session_for_reply_channel(socket.client.reply_channel).ended
        # That of the browser.
        assert Session.objects.count() == rows + 1
        socket.send("websocket.receive", text="who")
        assert socket.received() == [{"text": "nobody"}]

    def test_d22_a_refused_socket_leaves_no_session(self):
        class Refusing(Who):
            def connect(self, message, **kwargs):
                message.channel_session["seen"] = 1
                raise DenyConnection

        with apply_routes([Refusing.as_route(path="^/$")]):
            socket = Socket(self.ann)
            with pytest.raises(DenyConnection):
                socket.send("websocket.connect")
        assert session_for_reply_channel(socket.client.reply_channel).ended
        for group in (sessions.user_group(self.ann), sessions.session_group(socket.client.session.session_key)):
            assert not socket.client.channel_layer.group_channels(group)

    def test_d22_rows_of_other_engines_go_too(self):
        with self.settings(CHANNEL_SESSION_ENGINE="django.contrib.sessions.backends.db"):
            rows = Session.objects.count()
            socket = self.open(self.ann)
            assert Session.objects.count() == rows + 2
            socket.send("websocket.disconnect", code=1000)
            assert Session.objects.count() == rows + 1

    def test_a_disconnect_that_is_consumed_later_finds_its_session(self):
        tries = []

        class Later(Who):
            def disconnect(self, message, **kwargs):
                tries.append(message.channel_session.get("seen"))
                if len(tries) == 1:
                    raise ConsumeLater

        with apply_routes([Later.as_route(path="^/$")]):
            socket = self.open(self.ann)
            with pytest.raises(ConsumeLater):
                socket.send("websocket.disconnect", code=1000)
            socket.send("websocket.disconnect", code=1000)
        assert tries == [1, 1]

    def test_the_session_ends_after_a_disconnect_that_fails(self):
        class Failing(Who):
            def disconnect(self, message, **kwargs):
                raise RuntimeError

        with apply_routes([Failing.as_route(path="^/$")]):
            socket = self.open(self.ann)
            with pytest.raises(RuntimeError):
                socket.send("websocket.disconnect", code=1000)
        assert session_for_reply_channel(socket.client.reply_channel).ended

    def test_d11_the_key_of_a_channel_session_opens_no_http_session(self):
        socket = self.open(self.ann)
        key = session_for_reply_channel(socket.client.reply_channel)
        key.get("seen")
        browser = Browser()
        browser.cookies[settings.SESSION_COOKIE_NAME] = key.session_key
        assert "_auth_user_id" not in browser.session

    def test_d11_an_address_names_no_session(self):
        key = HttpSession()
        key["colour"] = "red"
        key.save()
        seen = []

        @http_session
        def connect(message):
            seen.append(message.http_session and message.http_session.get("colour"))

        with apply_routes([route("websocket.connect", connect)]):
            client = WSClient()
            client._session_cookie = False
            client.send_and_consume("websocket.connect", path=f"/?session_key={key.session_key}", check_accept=False)
        assert seen == [None]

    def test_function_consumers_have_all_of_it(self):
        @channel_session_user_from_http
        def connect(message):
            message.channel_session["name"] = message.user.get_username()

        @channel_session_user
        def receive(message):
            message.reply_channel.send({"text": f"{message.user.pk} {message.channel_session['name']}"})

        @channel_session
        def disconnect(message):
            message.channel_session["name"] = "gone"

        names = ("connect", "receive", "disconnect")
        consumers = (connect, receive, disconnect)
        with apply_routes(
            [route(f"websocket.{name}", consumer) for name, consumer in zip(names, consumers, strict=True)]
        ):
            socket = Socket(self.ann)
            for name in names:
                socket.send(f"websocket.{name}", text="x")
        assert socket.received() == [{"text": f"{self.ann.pk} ann"}]
        assert session_for_reply_channel(socket.client.reply_channel).ended
