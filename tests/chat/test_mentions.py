"""``@name``: who is meant, who is told, and what is unread."""

from __future__ import annotations

import datetime

from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from chat import changes, mentions, messages, rooms
from chat.models import Ban, Mention
from tests.chat.base import ChatTestCase, guest, who


class WhoIsMeantTests(ChatTestCase):
    def setUp(self):
        super().setUp()
        self.names = ["ann", "ann.b", "小明", "小明你", "o+o@x-y"]
        self.people = {name: self.user(name) for name in self.names}
        self.tea = self.room("Tea")

    def meant(self, body, room=None):
        found = mentions.of(room or self.tea, body)
        return sorted(name for name, user in self.people.items() if user.pk in found)

    def test_names_end_where_people_end_them(self):
        for body, expected in (
            ("@ann", ["ann"]),
            ("hello @ann, how are you?", ["ann"]),
            ("@ann.", ["ann"]),
            ("@ann.b.", ["ann.b"]),
            ("(@ann)", ["ann"]),
            ("@annabel @an @", []),
            ("@Ann", []),
            ("ann@example.org and x.@ann", []),
            ("https://example.org/@ann", []),
            ("@o+o@x-y!", ["o+o@x-y"]),
            ("@小明", ["小明"]),
            ("你好@小明，在吗", ["小明"]),
            ("@小明在吗", ["小明"]),
            ("@小明你好", ["小明你"]),
            ("@ann你好", ["ann"]),
            ("@ann @小明 @ann", ["ann", "小明"]),
            ("ann", []),
        ):
            with self.subTest(body):
                assert self.meant(body) == expected

    def test_no_query_without_a_name(self):
        with CaptureQueriesContext(connection) as queries:
            mentions.of(self.tea, "write to ann@example.org @ noon")
        assert len(queries) == 0

    def test_only_who_may_read_the_room(self):
        den = self.room("Den", private=True, member=self.people["ann"])
        assert self.meant("@ann @小明", den) == ["ann"]
        self.people["小明"].is_active = False
        self.people["小明"].save()
        Ban.objects.create(room=self.tea, key=f"u{self.people['ann.b'].pk}", name="ann.b")
        ended = timezone.now() - datetime.timedelta(minutes=1)
        Ban.objects.create(room=self.tea, key=f"u{self.people['ann'].pk}", name="ann", until=ended)
        assert self.meant("@ann @小明 @ann.b") == ["ann"]

    def test_number_of_names_and_of_places_where_one_ends_is_bounded(self):
        assert self.meant("@nobody " * 20 + "@ann") == []
        with CaptureQueriesContext(connection) as queries:
            mentions.of(self.tea, " ".join("@" + "明" * 150 for _ in range(20)))
        assert len(queries) == 1


class UnreadTests(ChatTestCase):
    def setUp(self):
        super().setUp()
        self.ann, self.ben = self.user("ann"), self.user("ben")
        self.tea = self.room("Tea")

    def unread(self, user=None):
        return next(room["mentions"] for room in rooms.listed(who(user or self.ben)) if room["slug"] == "tea")

    def say(self, body, author=None):
        return messages.post(self.tea, author or who(self.ann), body)[0]

    def test_mentioned_person_is_told_and_has_it_unread_until_they_read(self):
        page, other = self.page(self.ben), self.page(self.ann)
        self.say("hello")
        message = self.say("@ben?")
        assert page.heard("rooms")[-1:] != []
        assert self.unread() == 1
        assert messages.before(self.tea, None)[0][1]["mentions"] == [f"u{self.ben.pk}"]
        assert [p for p in other.heard("rooms") if p["type"] == "mention"] == []
        self.browser(self.ben).post("/rooms/tea/read/", {"seq": message.seq - 1})
        assert self.unread() == 1
        self.browser(self.ben).post("/rooms/tea/read/", {"seq": message.seq})
        assert self.unread() == 0

    def test_frame_tells_where_and_by_whom(self):
        page = self.page(self.ben)
        self.say("@ben", guest("gil"))
        (told,) = [payload for payload in page.heard("rooms") if payload["type"] == "mention"]
        by = {"key": "ggil", "name": "gil", "guest": True}
        assert told == {"type": "mention", "room": "tea", "seq": 1, "by": by}

    def test_own_mention_and_a_resend_count_nothing(self):
        self.say("@ann")
        assert self.unread(self.ann) == 0
        for _ in range(2):
            messages.post(self.tea, who(self.ann), "@ben", "id-1")
        assert self.unread() == 1

    def test_edit_adds_and_takes_away(self):
        cleo = self.user("cleo")
        self.say("@ben")
        page = self.page(self.ben)
        changes.edit(self.tea, who(self.ann), 1, "@cleo")
        assert (self.unread(), self.unread(cleo)) == (0, 1)
        # Who loses one is told how things stand.
        assert page.heard("rooms") == [{"type": "read", "room": "tea", "seq": 1, "unread": 0, "mentions": 0}]
        changes.edit(self.tea, who(self.ann), 1, "@cleo!")
        assert self.unread(cleo) == 1

    def test_edit_of_what_was_read_does_not_mention_again(self):
        self.say("hi")
        self.browser(self.ben).post("/rooms/tea/read/", {"seq": 1})
        changes.edit(self.tea, who(self.ann), 1, "hi @ben")
        assert self.unread() == 0

    def test_removed_message_mentions_nobody(self):
        message = self.say("@ben")
        changes.remove(message)
        assert self.unread() == 0
        assert not Mention.objects.exists()

    def test_guests_have_none(self):
        self.say("@ben")
        assert [room["mentions"] for room in rooms.listed(guest())] == [0]
