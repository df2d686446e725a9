from __future__ import annotations

from unittest import mock

import pytest
from channels.exceptions import DenyConnection
from channels.sessions import session_for_reply_channel
from django.contrib.auth import get_user_model
from django.contrib.auth.hashers import make_password
from django.contrib.sessions.models import Session
from django.db import connection
from django.test import override_settings
from django.test.utils import CaptureQueriesContext
from django.utils import translation

from channels_lts import session_places, sessions
from chat import groups
from chat.models import Client
from chat.streams import SystemStream
from tests.chat.base import ChatTestCase, Page


class ConnectTests(ChatTestCase):
    def test_welcome_says_who_one_is_and_what_the_limits_are(self):
        ann = self.user("ann")
        assert self.page(ann).greeting == [
            {
                "stream": "system",
                "payload": {
                    "type": "welcome",
                    "identity": {"key": f"u{ann.pk}", "name": "ann", "guest": False},
                    "heartbeat": 25,
                    "limits": {"body": 4000, "image": 10 * 1024 * 1024},
                },
            }
        ]

    def test_guest_is_known_by_the_http_session_at_connect_and_by_the_channel_session_later(self):
        page = self.page(guest="gil")
        assert page.greeting[0]["payload"]["identity"] == {"key": "ggil", "name": "gil", "guest": True}
        assert page.one("system", "ping")["type"] == "pong"

    def test_nobody_is_refused_and_leaves_no_session_behind(self):
        socket = Page()
        before = Session.objects.count()
        with pytest.raises(DenyConnection):
            socket.open()
        assert socket.received() == []
        assert Session.objects.count() == before

    def test_foreign_page_cannot_open_a_socket_with_the_cookies_of_its_visitor(self):
        socket = Page(self.user("ann"))
        socket.headers = [(b"origin", b"https://evil.example")]
        with pytest.raises(DenyConnection), self.assertLogs("channels_lts.origin", "WARNING"):
            socket.open()

    def test_unknown_path_is_refused(self):
        with pytest.raises(DenyConnection):
            self.socket(self.user("ann"), path="/ws/elsewhere/")

    def test_disconnect_leaves_groups_rows_and_sessions_clean(self):
        ann = self.user("ann")
        room = self.room("Tea")
        page = self.page(ann)
        page.join(room)
        names = [groups.EVERYBODY, groups.person(f"u{ann.pk}"), groups.room(room.pk)]
        names += [sessions.user_group(ann), sessions.session_group(page.client.session.session_key)]
        layer = page.client.channel_layer
        assert all(page.name in layer.group_channels(name) for name in names)
        page.close()
        assert not any(page.name in layer.group_channels(name) for name in names)
        assert not Client.objects.exists()
        assert session_for_reply_channel(page.name).ended
        assert not Session.objects.filter(session_key__startswith="chn").exists()

    def test_frame_after_the_end_is_refused_and_starts_nothing(self):
        page = self.page(self.user("ann"))
        page.close()
        assert page.text({"stream": "system", "payload": {"type": "ping"}}) == [{"close": 1012}]

    def test_page_whose_session_was_lost_is_asked_to_come_back(self):
        page = self.page(self.user("ann"))
        session_places.place(page.client.channel_layer)._sessions.clear()
        assert page.text({"stream": "system", "payload": {"type": "ping"}}) == [{"close": 1012}]

    def test_frame_asks_the_database_nothing_of_who_sent_it(self):
        page = self.page(self.user("ann"))
        with CaptureQueriesContext(connection) as queries:
            page.one("system", "ping")
        assert not [query for query in queries if "auth_user" in query["sql"] or "session" in query["sql"]]

    @mock.patch("chat.limits.IDENTITY_CHECK", 0)
    def test_account_closed_without_a_signal_is_noticed_when_it_is_looked_up_again(self):
        ann = self.user("ann")
        page = self.page(ann)
        # As another program might do it, so that no signal tells.
        get_user_model().objects.filter(pk=ann.pk).update(is_active=False)
        assert page.text({"stream": "system", "payload": {"type": "ping"}}) == [{"close": 4003}]

    def test_staff_are_looked_up_with_every_frame(self):
        boss = self.user("boss", is_staff=True)
        page, room = self.page(boss), self.room("Cellar", private=True)
        assert page.join(room)["type"] == "joined"
        get_user_model().objects.filter(pk=boss.pk).update(is_staff=False)
        assert page.join(room)["code"] == "not_found"

    @mock.patch("chat.limits.IDENTITY_CHECK", 0)
    def test_changed_password_closes_out(self):
        ann = self.user("ann")
        page = self.page(ann)
        get_user_model().objects.filter(pk=ann.pk).update(password=make_password("another"))
        assert page.text({"stream": "system", "payload": {"type": "ping"}}) == [{"close": 4003}]

    def test_guests_are_closed_out_when_they_are_no_longer_welcome(self):
        page = self.page(guest="gil")
        with override_settings(CHAT_GUESTS=False):
            assert page.text({"stream": "system", "payload": {"type": "ping"}}) == [{"close": 4003}]

    def test_refusals_are_in_the_language_of_the_browser(self):
        socket = Page(self.user("ann"))
        socket.headers = [(b"accept-language", b"zh-CN,zh;q=0.9,en;q=0.5")]
        socket.open()
        seen = []

        def ping(stream, payload):
            seen.append(translation.get_language())

        with mock.patch.object(SystemStream, "type_ping", ping):
            socket.ask("system", "ping")
        assert seen == ["zh-hans"]
        assert translation.get_language() == "en"
