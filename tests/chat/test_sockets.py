"""The echo and the socket of one room, as the tutorials use them."""

from __future__ import annotations

import json
from unittest import mock

import pytest
from channels.exceptions import DenyConnection
from channels.test import ChannelTestCase, HttpClient, WSClient, apply_routes
from django.contrib.sessions.models import Session

from chat import messages, routing
from chat.models import Client, Message
from tests.chat.base import ChatTestCase, Socket, guest, who
from tests.services import wait_for


@apply_routes([routing.echo_routing])
class EchoTests(ChannelTestCase):
    def frame(self, client, **content):
        client.send_and_consume("websocket.receive", content, path="/ws/echo/")
        return client.receive(json=False)

    def test_text_comes_back_as_text(self):
        client = HttpClient()
        client.send_and_consume("websocket.connect", path="/ws/echo/")
        for text in ("hello", "大厅 🎉", '{"json": 1}', " "):
            assert self.frame(client, text=text) == text

    def test_bytes_come_back_as_bytes(self):
        client = WSClient()
        client.send_and_consume("websocket.connect", path="/ws/echo/")
        assert self.frame(client, bytes=b"\x00\xff") == {"bytes": b"\x00\xff"}
        assert self.frame(client, bytes=b"") == {"bytes": b""}

    def test_connect_accepts_and_disconnect_answers_nothing(self):
        client = WSClient()
        client.send("websocket.connect", path="/ws/echo/")
        client.consume("websocket.connect", check_accept=False)
        assert client.receive(json=False) == {"accept": True}
        client.send_and_consume("websocket.disconnect", path="/ws/echo/")
        assert client.receive(json=False) is None


class EchoRouteTests(ChatTestCase):
    def test_echo_needs_to_be_nobody_and_is_found_at_its_path(self):
        socket = self.socket(path="/ws/echo/")
        assert socket.text('"x"') == ["x"]
        assert not Session.objects.filter(session_key__startswith="chn").exists()


class OneRoomTests(ChatTestCase):
    def setUp(self):
        super().setUp()
        self.ann = self.user("ann")
        self.tea = self.room("茶")
        self.path = "/ws/chat/茶/"

    def test_message_is_stored_and_everybody_in_the_room_sees_it(self):
        mine, theirs = self.socket(self.ann, path=self.path), self.socket(guest="gil", path=self.path)
        (heard,) = mine.text({"message": " 你好 "})
        assert theirs.received() == [heard]
        stored = Message.objects.get()
        assert (stored.body, stored.author) == ("你好", self.ann)
        assert sorted(heard) == ["at", "author", "message", "seq"]
        assert (heard["message"], heard["author"], heard["seq"]) == ("你好", "ann", 1)

    def test_both_kinds_of_sockets_talk_with_each_other(self):
        page, socket = self.page(self.ann), self.socket(guest="gil", path=self.path)
        page.join(self.tea)
        socket.text({"message": "from the tutorial"})
        assert [payload["body"] for payload in page.heard("chat")] == ["from the tutorial"]
        page.ask("chat", "send", room="茶", body="from the page")
        assert [frame["message"] for frame in socket.received()] == ["from the page"]

    def test_other_rooms_are_not_heard(self):
        socket = self.socket(self.ann, path=self.path)
        messages.post(self.room("Coffee"), guest(), "hi")
        assert socket.received() == []

    def test_bad_frames_are_answered_and_the_socket_serves_on(self):
        socket: Socket = self.socket(self.ann, path=self.path)
        for content, code in (
            ({"text": "{"}, "malformed"),
            ({"text": ""}, "malformed"),
            ({"text": "[" * 100_000}, "malformed"),
            ({"bytes": b"\x00"}, "malformed"),
            ({"text": "[]"}, "not_object"),
            ({"text": '"hi"'}, "not_object"),
            ({"text": "{}"}, "bad_field"),
            ({"text": '{"message": 7}'}, "bad_field"),
            ({"text": '{"message": null}'}, "bad_field"),
            ({"text": '{"message": " \\n"}'}, "bad_field"),
            ({"text": '{"message": "a\\u0000b"}'}, "bad_field"),
            ({"text": '{"message": "\\ud800"}'}, "bad_field"),
            ({"text": json.dumps({"message": "x" * 4001})}, "too_large"),
        ):
            with self.subTest(content=str(content)[:60]):
                (answer,) = socket.frame(**content)
                assert answer["error"]["code"] == code
                assert answer["error"]["reason"]
        assert socket.text({"message": "hi"})[0]["message"] == "hi"
        assert Message.objects.count() == 1

    def test_missing_room_and_nobody_are_refused_and_leave_nothing_behind(self):
        for credentials, path in (({"user": self.ann}, "/ws/chat/nowhere/"), ({}, self.path)):
            socket = Socket(**credentials, path=path)
            sessions = Session.objects.count()
            with pytest.raises(DenyConnection):
                socket.open()
            assert socket.received() == []
            assert Session.objects.count() == sessions
        assert not Client.objects.exists()

    def test_failure_of_ours_is_answered_and_does_not_stop_the_socket(self):
        socket = self.socket(self.ann, path=self.path)
        with (
            mock.patch("chat.messages.post", side_effect=RuntimeError("a fault")),
            self.assertLogs("chat.consumers", "ERROR"),
        ):
            (answer,) = socket.text({"message": "lost"})
        assert answer["error"]["code"] == "internal"
        assert "fault" not in answer["error"]["reason"]
        assert socket.text({"message": "kept"})[0]["message"] == "kept"

    @mock.patch("channels_lts.turns.PATIENCE", 0.2)
    def test_d18_frame_that_a_worker_died_with_does_not_stop_the_socket(self):
        socket = self.socket(self.ann, path=self.path)
        socket.client.send("websocket.receive", {"text": json.dumps({"message": "lost"})}, path=self.path)
        socket.client.get_next_message("websocket.receive")
        # It waits for the one that was lost, and is sent again when it has waited for long enough.
        assert socket.text({"message": "kept"}) == []

        def heard():
            socket.client.consume("websocket.receive", fail_on_none=False)
            return socket.received()

        assert wait_for(heard, "the socket goes on")[0]["message"] == "kept"
        assert socket.text({"message": "and on"})[0]["message"] == "and on"

    def test_membership_lost_meanwhile_is_noticed_with_the_next_message(self):
        socket = self.socket(self.ann, path=self.path)
        type(self.tea).objects.filter(pk=self.tea.pk).update(private=True)
        (answer,) = socket.text({"message": "hi"})
        assert answer["error"]["code"] == "not_found"

    def test_whoever_is_nobody_any_more_is_closed_out(self):
        socket = self.socket(guest="gil", path=self.path)
        with self.settings(CHAT_GUESTS=False):
            assert socket.text({"message": "hi"}) == [{"close": 4003}]

    def test_closed_socket_leaves_its_groups_and_no_session(self):
        socket = self.socket(self.ann, path=self.path)
        socket.close()
        messages.post(self.tea, who(self.ann), "hi")
        assert socket.received() == []
        assert not Session.objects.filter(session_key__startswith="chn").exists()
