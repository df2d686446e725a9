"""Many messages at once: what is served together, what is not, and that nobody can tell the difference."""

from __future__ import annotations

import json
from datetime import timedelta
from unittest import mock

from channels.message import Message as ChannelMessage
from django.db import IntegrityError, connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from channels_lts.rates import Rate, refusals
from channels_lts.sessions import for_reply_channel
from chat import limits, messages, numbering_many, opening, permissions, together, waiting
from chat.models import Ban, Membership, Message, Room
from chat.streams import ChatDemultiplexer
from tests.chat.base import ChatTestCase, guest, who


def send(page, room, body, uid=None):
    """A frame as the worker hands it over, and not as it is served alone."""
    payload = {"type": "send", "room": room.slug, "body": body, "id": uid or body}
    return frame(page, {"stream": "chat", "payload": payload})


def frame(page, content):
    text = content if isinstance(content, str) else json.dumps(content)
    content = {"reply_channel": page.name, "path": "/ws/", "order": 1, "text": text}
    return ChannelMessage(content, "websocket.receive", page.client.channel_layer)


class Together(ChatTestCase):
    def setUp(self):
        super().setUp()
        self.ann, self.ben = self.user("ann"), self.user("ben")
        self.tea, self.milk = self.room("Tea"), self.room("Milk")
        self.pages = [self.page(self.ann), self.page(self.ben), self.page(guest="gil")]
        for page in self.pages:
            page.join(self.tea)
            page.received()
        for page in self.pages:
            page.received()

    def serve(self, *frames):
        """Serve them together; return the places of those that are to be served alone."""
        for each in frames:
            assert ChatDemultiplexer.joins(each), each.content
        left = ChatDemultiplexer.serve_together(frames)
        return [place for place, each in enumerate(frames) if any(each is other for other in left)]

    def bodies(self, room):
        return list(room.messages.order_by("seq").values_list("seq", "body"))

    def test_all_are_stored_told_and_acknowledged(self):
        ann, ben, gil = self.pages
        assert self.serve(send(ann, self.tea, "one"), send(ben, self.milk, "two"), send(gil, self.tea, "three")) == []
        assert self.bodies(self.tea) == [(1, "one"), (2, "three")]
        assert self.bodies(self.milk) == [(1, "two")]
        assert list(Room.objects.filter(messages__seq=1).order_by("pk").values_list("slug", "last_seq")) == [
            ("tea", 2),
            ("milk", 1),
        ]
        heard = {page: page.heard("chat") for page in self.pages}
        told = [[(item["seq"], item["body"]) for item in got if item["type"] == "message"] for got in heard.values()]
        assert told == [[(1, "one"), (2, "three")]] * 3
        acks = [[item for item in got if item["type"] == "ack"] for got in heard.values()]
        assert acks == [
            [{"type": "ack", "id": uid, "room": slug, "seq": seq, "dup": False}]
            for uid, slug, seq in [("one", "tea", 1), ("two", "milk", 1), ("three", "tea", 2)]
        ]

    def test_each_is_stored_as_if_it_had_been_served_alone(self):
        for page in self.pages:
            page.ask("chat", "send", room="tea", body=f"你好 {page.name}", id="alone")
        assert self.serve(*[send(page, self.tea, f"你好 {page.name}", "together") for page in self.pages]) == []
        rows = list(Message.objects.order_by("seq").values())
        for alone, along in zip(rows[:3], rows[3:], strict=True):
            for row in (alone, along):
                del row["id"], row["seq"], row["uid"], row["created_at"]
            assert alone == along

    def test_it_costs_few_queries_and_one_commit(self):
        frames = [send(page, room, f"{page.name} {room.slug}") for page in self.pages for room in (self.tea, self.milk)]
        with CaptureQueriesContext(
            connection,
        ) as queries:
            assert self.serve(*frames) == []
        # SQLite: the rooms; begin, known ones, a number for each room, the messages, commit.
        assert len(queries) <= (2 if connection.vendor == "postgresql" else 7), queries.captured_queries

    def test_what_needs_a_closer_look_does_not_join(self):
        ann = self.pages[0]
        say = {"type": "send", "room": "tea", "body": "x", "id": "i"}
        for payload in (
            {**say, "type": "join"},
            {**say, "body": "/remind 10m tea"},
            {**say, "body": "ask @ben"},
            {**say, "body": "   "},
            {**say, "body": "x" * (limits.BODY + 1)},
            {**say, "body": 5},
            {**say, "room": 5},
            {**say, "room": "x" * (limits.SLUG + 1)},
            {**say, "id": "\n"},
            {"type": "send"},
            "send",
        ):
            assert not ChatDemultiplexer.joins(frame(ann, {"stream": "chat", "payload": payload})), payload
        for text in ('"send"', '{"stream": "chat", "payload": {"type": "send"', '["send"]', "[" * 5000 + '"send"'):
            assert not ChatDemultiplexer.joins(frame(ann, text)), text
        assert not ChatDemultiplexer.joins(frame(ann, {"stream": "system", "payload": say}))
        ended = ChannelMessage({"reply_channel": ann.name, "path": "/ws/"}, "websocket.disconnect", None)
        assert not ChatDemultiplexer.joins(ended)
        assert ChatDemultiplexer.joins(frame(ann, {"stream": "chat", "payload": {**say, "body": "//etc"}}))
        with self.settings(CHANNEL_SESSION_ENGINE="django.contrib.sessions.backends.db"):
            assert not ChatDemultiplexer.joins(frame(ann, {"stream": "chat", "payload": say}))

    def test_who_may_not_is_left_to_be_served_alone(self):
        secret, slow = self.room("Secret", private=True), self.room("Slow")
        Room.objects.filter(pk=slow.pk).update(slow_seconds=60)
        Ban.objects.create(room=self.milk, key=f"u{self.ann.pk}", name="ann")
        ann, ben, gil = self.pages
        frames = [
            send(ann, self.milk, "banned"),
            send(ben, secret, "no member"),
            send(gil, slow, "slow"),
            send(self.page(self.user("cy")), Room(slug="nowhere"), "no room"),
            send(self.page(self.user("di", is_staff=True)), self.tea, "to be looked up"),
            send(self.page(self.user("eve")), self.tea, "fine"),
        ]
        assert self.serve(*frames) == [0, 1, 2, 3, 4]
        assert self.bodies(self.tea) == [(1, "fine")]
        assert Message.objects.count() == 1

    def test_all_may_be_left(self):
        boss = self.page(self.user("di", is_staff=True))
        assert self.serve(send(boss, self.tea, "1"), send(boss, self.tea, "2")) == [0, 1]

    def test_nobody_and_those_of_long_ago_are_left(self):
        ann, _, gil = self.pages
        stranger = self.page(self.user("fay"))
        stranger.close()
        with self.settings(CHAT_GUESTS=False):
            assert self.serve(send(gil, self.tea, "g"), send(stranger, self.tea, "s"), send(ann, self.tea, "a")) == [
                0,
                1,
            ]
        with mock.patch("chat.identity.time.time", return_value=timezone.now().timestamp() + limits.IDENTITY_CHECK + 1):
            assert self.serve(send(ann, self.tea, "b"), send(gil, self.tea, "c")) == [0]

    def test_who_has_yet_to_show_a_token_is_left(self):
        nameless = self.page(self.user("fay"))
        session = for_reply_channel(nameless.name)
        session[waiting.SINCE] = 0
        session.save()
        assert self.serve(send(nameless, self.tea, "n"), send(self.pages[0], self.tea, "a")) == [0]

    def test_room_lists_hear_of_the_last_number(self):
        elsewhere = self.page(self.user("fay"))
        elsewhere.received()
        self.serve(send(self.pages[0], self.tea, "a"), send(self.pages[1], self.tea, "b"))
        assert elsewhere.heard("rooms")[-1] == {"type": "heads", "heads": {"tea": 2}}

    def test_nothing_overtakes_what_its_own_socket_sent_before(self):
        ann, ben, _ = self.pages
        slow = self.room("Slow")
        Room.objects.filter(pk=slow.pk).update(slow_seconds=60)
        frames = [send(ann, self.tea, "1"), send(ann, slow, "2"), send(ben, self.tea, "3"), send(ann, self.tea, "4")]
        assert self.serve(*frames) == [1, 3]
        assert self.bodies(self.tea) == [(1, "1"), (2, "3")]

    def test_what_was_stored_before_is_left(self):
        ann, ben, _ = self.pages
        messages.post(self.tea, who(self.ann), "first", "id-1")
        frames = [send(ann, self.tea, "again", "id-1"), send(ben, self.tea, "another one's", "id-1")]
        assert self.serve(*frames) == [0]
        assert self.bodies(self.tea) == [(1, "first"), (2, "another one's")]

    def test_two_slashes_stand_for_one(self):
        assert self.serve(send(self.pages[0], self.tea, "//etc/hosts"), send(self.pages[1], self.tea, "b")) == []
        assert self.bodies(self.tea) == [(1, "/etc/hosts"), (2, "b")]

    def test_the_same_twice_leaves_all(self):
        ann, ben, _ = self.pages
        frames = [send(ann, self.tea, "a", "id"), send(ann, self.tea, "a", "id"), send(ben, self.tea, "b")]
        assert self.serve(*frames) == [0, 1, 2]
        assert not Message.objects.exists()

    def test_somebody_who_stores_the_same_in_this_moment_leaves_all(self):
        ann, ben, _ = self.pages
        with mock.patch.dict(numbering_many._WAYS, {connection.vendor: mock.Mock(side_effect=IntegrityError)}):
            assert self.serve(send(ann, self.tea, "a"), send(ben, self.tea, "b")) == [0, 1]
        assert Room.objects.get(pk=self.tea.pk).last_seq == 0

    def test_who_is_too_fast_is_left_and_not_counted_twice(self):
        ann, ben, _ = self.pages
        rates = {**limits.RATES, "send": {"person": Rate(1, 1000, burst=2)}}
        with self.settings(CHAT_RATES=True), mock.patch.object(limits, "RATES", rates):
            assert self.serve(*[send(ann, self.tea, text) for text in "abc"], send(ben, self.tea, "d")) == [2]
        assert self.bodies(self.tea) == [(1, "a"), (2, "b"), (3, "d")]
        assert refusals() == {}


class OpeningTests(ChatTestCase):
    def test_many_rooms_open_as_each_does(self):
        ann, ben = self.user("ann"), self.user("ben")
        rooms = [
            self.room("Public", member=ann),
            self.room("Private", private=True, owner=ann),
            self.room("Direct", private=True, member=ben),
            self.room("Slow"),
        ]
        Room.objects.filter(slug="direct").update(direct=f"u{ann.pk} u{ben.pk}")
        Room.objects.filter(slug="slow").update(slow_seconds=5)
        for name, room, until in (("ann", rooms[3], None), ("ben", rooms[0], 60), ("gil", rooms[0], -60)):
            key = {"ann": f"u{ann.pk}", "ben": f"u{ben.pk}"}.get(name, "ggil")
            at = until and timezone.now() + timedelta(seconds=until)
            Ban.objects.create(room=room, key=key, name=name, until=at)
        people = [who(ann), who(ben), guest("gil")]
        wanted = [(person, room.slug) for person in people for room in rooms] + [(people[0], "nowhere")]
        found = opening.find_all(wanted)
        assert found.pop() is None
        for (person, slug), room in zip(wanted, found, strict=False):
            alone = opening.find(person, slug=slug)
            for name in (*opening._FOR_POSTING, "role", "banned"):
                assert getattr(room, name) == getattr(alone, name), (person, slug, name)
            assert permissions.allowed(person, room) == permissions.allowed(person, alone)
        assert {room.role for room in found} == {None, Membership.MEMBER, Membership.OWNER}
        assert {room.banned for room in found} == {True, False}
        assert opening.find_all([]) == []


def test_together_is_of_sends_alone():
    assert together.joins(ChannelMessage({"text": "{}"}, "http.request", None)) is False
