"""Direct conversations: one room for each pair, under the other's name."""

from __future__ import annotations

import threading

import pytest
from django.db import connection

from channels_lts.exceptions import StreamError
from chat import direct, messages, permissions, rooms
from chat.models import Room
from tests.chat.base import ChatTestCase, guest, who


class DirectTests(ChatTestCase):
    def setUp(self):
        super().setUp()
        self.ann, self.ben = self.user("ann"), self.user("ben")

    def test_each_hears_of_it_under_the_others_name(self):
        ann, ben, eve = self.page(self.ann), self.page(self.ben), self.page(self.user("eve", is_staff=True))
        answer = ann.ask("chat", "direct", key=who(self.ben).key)[-1]
        room = Room.objects.get(direct__isnull=False)
        assert answer == {"type": "done", "action": "direct", "room": room.slug, "url": room.get_absolute_url()}
        again = self.browser(self.ben).post("/api/direct/", {"key": who(self.ann).key}).json()
        assert again["room"] == room.slug
        told = ann.ask("chat", "direct", key=who(self.ben).key)
        assert [payload["type"] for payload in told] == ["done"]
        for page, other in ((ben, self.ann),):
            heard = page.heard("rooms")
            assert {payload["type"] for payload in heard} == {"create"}
            assert {payload["data"]["name"] for payload in heard} == {other.username}
            assert {payload["data"]["direct"] for payload in heard} == {who(other).key}
        assert eve.heard("rooms") == []

    def test_lists_and_pages_show_the_other(self):
        room = direct.open_with(who(self.ann), who(self.ben).key)
        for one, other in ((self.ann, self.ben), (self.ben, self.ann)):
            (listed,) = [item for item in rooms.listed(who(one)) if item["direct"]]
            assert (listed["name"], listed["direct"]) == (other.username, who(other).key)
            context = self.browser(one).get(room.get_absolute_url()).context
            assert context["room"]["name"] == other.username
            assert not context["can_manage"]
        with self.assertNumQueries(1):
            rooms.listed(who(self.ann))

    def test_staff_and_strangers_cannot_tell_that_it_exists(self):
        room = direct.open_with(who(self.ann), who(self.ben).key)
        assert "ann" not in room.slug
        for user in (self.user("staff", is_staff=True), self.user("eve")):
            with pytest.raises(StreamError) as caught:
                permissions.open_room(who(user), room.slug)
            assert caught.value.code == "not_found"
            assert self.browser(user).get(room.get_absolute_url()).status_code == 404

    def test_staff_read_their_own(self):
        boss = self.user("boss", is_staff=True)
        room = direct.open_with(who(self.ann), who(boss).key)
        assert permissions.open_room(who(boss), room.slug, "post") == room
        with pytest.raises(StreamError):
            permissions.open_room(who(boss), room.slug, "moderate")

    def test_it_cannot_be_left_and_outlives_an_account(self):
        room = direct.open_with(who(self.ann), who(self.ben).key)
        page = self.page(self.ann)
        assert page.one("chat", "quit", room=room.slug)["code"] == "not_allowed"
        messages.post(room, who(self.ben), "hi")
        self.ben.delete()
        (listed,) = [item for item in rooms.listed(who(self.ann)) if item["direct"]]
        assert listed["name"] == "ann, ben"
        assert page.join(room)["messages"][0]["body"] == "hi"

    def test_guests_oneself_and_nobody(self):
        for identity, key, code in (
            (guest(), who(self.ann).key, "not_allowed"),
            (who(self.ann), who(self.ann).key, "bad_field"),
            (who(self.ann), "ggil", "not_found"),
            (who(self.ann), "u99999", "not_found"),
            (who(self.ann), "u0", "not_found"),
        ):
            with pytest.raises(StreamError) as caught:
                direct.open_with(identity, key)
            assert caught.value.code == code
        self.ben.is_active = False
        self.ben.save()
        with pytest.raises(StreamError):
            direct.open_with(who(self.ann), who(self.ben).key)

    @pytest.mark.skipif(connection.vendor == "sqlite", reason="threads share one in-memory SQLite database")
    def test_of_many_at_once_one_makes_it(self):
        made = set()

        def call(one, other):
            try:
                made.add(direct.open_with(who(one), who(other).key).pk)
            finally:
                connection.close()

        pairs = [(self.ann, self.ben), (self.ben, self.ann)] * 4
        threads = [threading.Thread(target=call, args=pair) for pair in pairs]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(30)
        assert len(made) == 1
        assert Room.objects.get(direct__isnull=False).memberships.count() == 2
