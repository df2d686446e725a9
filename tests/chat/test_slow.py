"""Slow mode."""

from __future__ import annotations

import datetime
import threading

import pytest
from django.db import connection

from channels_lts.exceptions import StreamError
from chat import messages, permissions
from chat.identity import Identity
from chat.models import Membership, Turn
from tests.chat.base import ChatTestCase, guest, who


class SlowTests(ChatTestCase):
    def setUp(self):
        super().setUp()
        self.ann, self.ben = self.user("ann"), self.user("ben")
        self.tea = self.room("Tea", owner=self.ann, member=self.ben)
        self.tea.slow_seconds = 60
        self.tea.save()

    def post(self, identity, uid=None):
        return messages.post(permissions.open_room(identity, "tea"), identity, "hi", uid)

    def later(self, seconds):
        for turn in Turn.objects.all():
            turn.at -= datetime.timedelta(seconds=seconds)
            turn.save()

    def test_one_message_of_each_person_in_so_many_seconds(self):
        self.post(who(self.ben))
        self.post(guest())
        with pytest.raises(StreamError) as caught:
            self.post(who(self.ben))
        assert caught.value.code == "too_fast"
        assert 55_000 < caught.value.retry_after_ms <= 60_000
        self.later(59)
        with pytest.raises(StreamError) as caught:
            self.post(who(self.ben))
        assert 0 < caught.value.retry_after_ms <= 1000
        self.later(1)
        self.post(who(self.ben))

    def test_those_who_moderate_and_programs_speak_freely(self):
        moderator = self.user("mo")
        Membership.objects.create(room=self.tea, user=moderator, role="moderator")
        people = [who(self.ann), who(moderator), who(self.user("staff", is_staff=True))]
        for identity in (*people, Identity("w1", "hook", guest=False), Identity("b1", "bot", guest=False)):
            for _ in range(2):
                self.post(identity)
        assert not Turn.objects.exists()

    def test_resend_of_a_stored_message_is_acknowledged(self):
        page = self.page(self.ben)
        page.join(self.tea)
        assert page.ask("chat", "send", room="tea", body="hi", id="m1")[-1]["dup"] is False
        (refused,) = page.ask("chat", "send", room="tea", body="ho", id="m2")
        assert (refused["type"], refused["code"], refused["id"]) == ("error", "too_fast", "m2")
        assert refused["retry_after_ms"] > 55_000
        assert page.ask("chat", "send", room="tea", body="hi", id="m1")[-1]["dup"] is True
        self.later(60)
        assert page.ask("chat", "send", room="tea", body="ho", id="m2")[-1]["seq"] == 2

    def test_message_that_is_not_stored_takes_no_turn(self):
        room = permissions.open_room(who(self.ben), "tea")

        def fail(message):
            raise ZeroDivisionError

        with pytest.raises(ZeroDivisionError):
            messages.post(room, who(self.ben), "hi", before_commit=fail)
        self.post(who(self.ben))

    def test_http_says_when(self):
        browser = self.browser(self.ben)
        assert browser.post("/rooms/tea/messages/", {"body": "hi"}).status_code == 201
        response = browser.post("/rooms/tea/messages/", {"body": "ho"})
        assert response.status_code == 429
        assert response.json()["error"]["retry_after_ms"] > 55_000

    def test_other_rooms_pay_nothing(self):
        self.tea.slow_seconds = 0
        self.tea.save()
        for _ in range(3):
            self.post(who(self.ben))
        assert not Turn.objects.exists()

    @pytest.mark.skipif(connection.vendor == "sqlite", reason="threads share one in-memory SQLite database")
    def test_of_many_at_once_one_is_stored(self):
        found = []

        def post():
            try:
                found.append(self.post(who(self.ben))[0].seq)
            except StreamError as error:
                found.append(error.code)
            finally:
                connection.close()

        threads = [threading.Thread(target=post) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(30)
        assert sorted(map(str, found)) == ["1"] + ["too_fast"] * 7
