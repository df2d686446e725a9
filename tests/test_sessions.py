"""Channel sessions of our own engine, on Channels' test helpers and on a real Redis."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import uuid4

import asgi_redis
import pytest
from channels import route
from channels.auth import channel_session_user, channel_session_user_from_http
from channels.exceptions import ConsumeLater, DenyConnection
from channels.generic.websockets import WebsocketConsumer
from channels.sessions import channel_session, http_session, session_for_reply_channel
from channels.test import ChannelTestCase, TransactionChannelTestCase, WSClient, apply_routes
from django.conf import settings
from django.contrib.auth import get_user_model
from django.contrib.auth.signals import user_logged_out
from django.contrib.sessions.backends.db import SessionStore as HttpSession
from django.contrib.sessions.models import Session
from django.core.exceptions import ImproperlyConfigured
from django.db import connection, transaction
from django.test import Client as Browser
from django.test import override_settings
from django.test.utils import CaptureQueriesContext

from channels_lts import sessions
from channels_lts.compat.inmemory import ChannelLayer
from channels_lts.exceptions import LayerUnavailable
from channels_lts.layer import RedisChannelLayer
from tests.services import Redis, free_port

OURS = override_settings(CHANNEL_SESSION_ENGINE="channels_lts.sessions")
SOCKET = "daphne.response.abc!xyz"


# --- The store ---


@pytest.fixture(params=["ours", "stock", "memory"])
def layer(request: pytest.FixtureRequest) -> Any:
    if request.param == "memory":
        return ChannelLayer()
    server = request.getfixturevalue("redis_server")
    cls = RedisChannelLayer if request.param == "ours" else asgi_redis.RedisChannelLayer
    return cls(hosts=[server.url], prefix=f"{uuid4().hex}:")


@pytest.fixture
def session(layer: Any) -> Callable[..., Any]:
    """A function that reads the session of a socket, as one worker would."""
    return lambda name=SOCKET: sessions.for_reply_channel(name, layer)


pytestmark = pytest.mark.django_db


@pytest.mark.system
def test_a_session_keeps_what_json_can_hold(session):
    first = session()
    assert first.get("name") is None
    first["name"] = value = {"text": "大厅", "list": [1, None, True], "number": 1.5}
    first.save()
    assert session()["name"] == value
    assert session("daphne.response.abc!other").get("name") is None


@pytest.mark.system
def test_two_workers_that_write_at_the_same_time_lose_no_key(session):
    one, two = session(), session()
    assert (one.get("x"), two.get("x")) == (None, None)
    one["a"] = 1
    two["b"] = 2
    one.save()
    two.save()
    del one["a"]
    one["c"] = 3
    one.save()
    assert dict(session().items()) == {"b": 2, "c": 3}


@pytest.mark.system
def test_d11_the_name_is_random_and_stays_and_is_not_made_from_the_reply_channel(session):
    first = session()
    first["x"] = 1
    first.save()
    again = session()
    again.get("x")
    assert first.session_key == again.session_key
    assert len(first.session_key) == 32
    other = session("daphne.response.abc!other")
    other["x"] = 1
    other.save()
    assert other.session_key != first.session_key
    # Upstream's is "chn" and a hash.
    assert not first.session_key.startswith("chn")


@pytest.mark.system
def test_a_frame_that_comes_after_the_end_begins_nothing(session):
    first = session()
    first["x"] = 1
    first.save()
    first.delete()
    late = session()
    assert late.ended
    assert late.get("x") is None
    late["x"] = 2
    late.save()
    assert session().get("x") is None


@pytest.mark.system
def test_d22_everything_in_redis_expires_by_itself(redis_server: Redis, settings):
    settings.CHANNELS_LTS = {"CHANNEL_SESSION_EXPIRY": 77}
    layer = RedisChannelLayer(hosts=[redis_server.url], prefix=(prefix := f"{uuid4().hex}:"))
    session = sessions.for_reply_channel(SOCKET, layer)
    session["x"] = 1
    session.save()
    client = layer.connection(0)
    [key] = client.keys(f"{prefix}*")
    assert 70 < client.ttl(key) <= 77
    session.delete()
    assert 0 < client.ttl(key) <= 120
    assert client.hgetall(key) == {b"ended": b"1"}


@pytest.mark.system
def test_values_are_encrypted_as_messages_are(redis_server: Redis):
    layer = RedisChannelLayer(
        hosts=[redis_server.url], prefix=(prefix := f"{uuid4().hex}:"), symmetric_encryption_keys=["key"]
    )
    session = sessions.for_reply_channel(SOCKET, layer)
    session["x"] = "secret-value"
    session.save()
    client = layer.connection(0)
    stored = client.hgetall(client.keys(f"{prefix}*")[0])
    assert not any(b"secret-value" in value for value in stored.values())
    assert sessions.for_reply_channel(SOCKET, layer)["x"] == "secret-value"


@pytest.mark.system
def test_what_did_not_change_is_not_written(redis_server: Redis):
    layer = RedisChannelLayer(hosts=[redis_server.url], prefix=f"{uuid4().hex}:")
    session = sessions.for_reply_channel(SOCKET, layer)
    session.update({"a": 1, "b": [1]})
    session.save()
    again = sessions.for_reply_channel(SOCKET, layer)
    again["b"].append(2)
    again.modified = True
    # Somebody else, in between.
    session["a"] = 5
    session.save()
    again.save()
    assert dict(sessions.for_reply_channel(SOCKET, layer).items()) == {"a": 5, "b": [1, 2]}


def test_redis_that_is_away_is_said_with_its_name():
    port = free_port()
    layer = RedisChannelLayer(hosts=[f"redis://127.0.0.1:{port}/0"])
    session = sessions.for_reply_channel(SOCKET, layer)
    with pytest.raises(LayerUnavailable, match=str(port)):
        session.get("x")


def test_d11_no_session_is_found_by_a_key():
    with pytest.raises(ImproperlyConfigured, match="CHANNEL_SESSION_ENGINE"):
        sessions.SessionStore("chn" + "a" * 29)


def test_a_layer_of_many_processes_without_redis_is_refused_with_the_way_out():
    class Elsewhere:
        """As asgi_ipc's."""

    with pytest.raises(ImproperlyConfigured, match=r"Elsewhere.*backends\.db"):
        sessions.for_reply_channel(SOCKET, Elsewhere())


# --- In consumers ---


class Socket:
    """A WebSocket of an interface server; its browser has an HTTP session, signed in or not."""

    def __init__(self, user: Any = None) -> None:
        self.client = WSClient(ordered=True)
        self.client._session = HttpSession()
        if user is not None:
            self.client.force_login(user)
        self.client.session["colour"] = "blue"
        self.client.session.save()

    def send(self, channel: str, **content: Any) -> Any:
        self.client.send(channel, content, path=content.pop("path", "/"))
        return self.client.consume(channel, check_accept=False)

    def received(self) -> list[Any]:
        found = []
        while (message := self.client.get_next_message(self.client.reply_channel)) is not None:
            found.append(message.content)
        return found


class Who(WebsocketConsumer):
    http_user = True

    def connect(self, message: Any, **kwargs: Any) -> None:
        message.channel_session["seen"] = 1
        super().connect(message, **kwargs)

    def receive(self, text: str | None = None, bytes: bytes | None = None, **kwargs: Any) -> None:
        if text == "who":
            self.send(text=self.message.user.get_username() or "nobody")
        else:
            self.send(text=str(self.message.channel_session.get("seen")))


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
            assert socket.client.channel_layer.group_channels(group) == []

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


@OURS
class RevocationTests(TransactionChannelTestCase):
    """Who may no longer be here is closed out."""

    def setUp(self):
        self.ann = get_user_model().objects.create_user("ann", password="secret")
        self.ben = get_user_model().objects.create_user("ben", password="secret")
        routes = apply_routes([Who.as_route(path="^/$")])
        routes.enter()
        self.addCleanup(routes.exit)
        self.sockets = {
            name: Socket(user) for name, user in (("ann", self.ann), ("again", self.ann), ("ben", self.ben))
        }
        self.sockets["nobody"] = Socket()
        for socket in self.sockets.values():
            socket.send("websocket.connect")
            socket.received()

    def closed(self, code=4003):
        return {name for name, socket in self.sockets.items() if {"close": code} in socket.received()}

    def browser(self, name):
        browser = Browser()
        browser.cookies[settings.SESSION_COOKIE_NAME] = self.sockets[name].client.session.session_key
        return browser

    def test_signing_out_closes_the_sockets_of_that_browser_alone(self):
        self.browser("ann").post("/accounts/logout/")
        assert self.closed() == {"ann"}

    def test_a_session_of_nobody_ends_with_its_sockets_too(self):
        self.browser("nobody").post("/accounts/logout/")
        assert self.closed() == {"nobody"}

    def test_a_new_password_closes_all(self):
        self.ann.set_password("another")
        self.ann.save()
        assert self.closed() == {"ann", "again"}

    def test_deactivation_closes_all(self):
        self.ann.is_active = False
        self.ann.save(update_fields=["is_active"])
        assert self.closed() == {"ann", "again"}

    def test_deletion_closes_all(self):
        self.ann.delete()
        assert self.closed() == {"ann", "again"}

    def test_a_ban_closes_all_with_a_code_of_its_own(self):
        sessions.close_user(self.ann.pk, 4001)
        assert self.closed(4001) == {"ann", "again"}

    def test_other_changes_close_nothing(self):
        self.ann.first_name = "Ann"
        self.ann.save()
        self.browser("ann").get("/")
        Browser().login(username="ann", password="secret")
        assert self.closed() == set()

    def test_nothing_is_closed_before_the_commit_or_without_one(self):
        with transaction.atomic():
            get_user_model().objects.get(pk=self.ann.pk).delete()
            assert self.closed() == set()
            transaction.set_rollback(True)
        assert self.closed() == set()
        with transaction.atomic():
            self.ann.delete()
            assert self.closed() == set()
        assert self.closed() == {"ann", "again"}

    def test_a_closed_socket_has_left_its_groups(self):
        self.sockets["ann"].send("websocket.disconnect", code=1000)
        sessions.close_user(self.ann)
        assert self.closed() == {"again"}

    def test_a_project_that_knows_people_in_its_own_way_says_whom(self):
        @channel_session
        def connect(message):
            sessions.watch(message, self.ben)

        with apply_routes([route("websocket.connect", connect)]):
            socket = Socket()
            socket.send("websocket.connect")
        sessions.close_user(self.ben)
        assert socket.received() == [{"close": 4003}]

    def test_a_socket_that_opens_while_somebody_signs_out_is_closed_too(self):
        def opens_in_between(**kwargs):
            self.sockets["late"] = socket = Socket()
            socket.client._session = self.sockets["ann"].client.session
            socket.send("websocket.connect")
            assert socket.received() == [{"accept": True}]

        user_logged_out.connect(opens_in_between)
        self.addCleanup(user_logged_out.disconnect, opens_in_between)
        self.browser("ann").post("/accounts/logout/")
        assert self.closed() == {"ann", "late"}

    def test_a_layer_that_is_away_fails_no_logout(self):
        from unittest import mock

        with (
            mock.patch("channels_lts.compat.inmemory.ChannelLayer.send_group", side_effect=LayerUnavailable("away")),
            self.assertLogs("channels_lts.after_commit", "ERROR"),
        ):
            assert self.browser("ann").post("/accounts/logout/").status_code == 302
