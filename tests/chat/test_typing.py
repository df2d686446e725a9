"""Who is typing."""

from __future__ import annotations

from unittest import mock

from django.db import connection
from django.test.utils import CaptureQueriesContext

from channels_lts.rates import Rate
from chat import limits
from chat.models import Message
from tests.chat.base import ChatTestCase


class TypingTests(ChatTestCase):
    def setUp(self):
        super().setUp()
        self.ann = self.user("ann")
        self.tea = self.room("Tea")
        self.page = self.page(self.ann)
        self.page.join(self.tea)
        self.reader = self.socket_of("ben")
        self.reader.join(self.tea)
        self.reader.received()
        self.page.received()

    def socket_of(self, name):
        return ChatTestCase.page(self, self.user(name))

    def told(self):
        return self.reader.heard("chat")

    def test_others_hear_who_types_and_for_how_long(self):
        self.page.ask("chat", "typing", room="tea", on=True)
        who = {"key": f"u{self.ann.pk}", "name": "ann", "guest": False}
        assert self.told() == [{"type": "typing", "room": "tea", "who": who, "for_ms": limits.TYPING * 1000}]
        self.page.ask("chat", "typing", room="tea", on=False)
        assert [payload["for_ms"] for payload in self.told()] == [0]

    def test_other_rooms_hear_nothing(self):
        self.page.ask("chat", "typing", room=self.room("Coffee").slug, on=True)
        assert self.told() == []

    def test_one_query_and_nothing_is_stored(self):
        with CaptureQueriesContext(connection) as queries:
            self.page.ask("chat", "typing", room="tea", on=True)
        asked = [query["sql"] for query in queries.captured_queries if "auth_user" not in query["sql"]]
        assert len(asked) == 1, asked
        assert not Message.objects.exists()

    def test_who_may_not_talk_there_is_told_so_and_nobody_else_anything(self):
        self.room("Secret", private=True)
        stranger = self.socket_of("cem")
        assert stranger.one("chat", "typing", room="secret", on=True)["code"] == "not_found"

    def test_bad_frames_are_answered(self):
        for fields in ({"room": "tea"}, {"room": "tea", "on": "yes"}, {"room": "tea", "on": None}, {"on": True}):
            assert self.page.one("chat", "typing", **fields)["code"] == "bad_field"
        assert self.told() == []

    def test_too_many_are_dropped_in_silence(self):
        few = {"person": Rate(1, per=600, burst=3)}
        with mock.patch.dict(limits.RATES, {"typing": few}):
            frames = [frame for _ in range(10) for frame in self.page.ask("chat", "typing", room="tea", on=True)]
        # The page hears itself, and no error.
        assert [frame["type"] for frame in frames] == ["typing"] * 3
        assert len(self.told()) == 3
