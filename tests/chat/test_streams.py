from __future__ import annotations

import json
from unittest import mock

from channels import Group

from channels_lts import streams as library
from chat import groups, limits, messages, presence
from chat.models import Message
from tests.chat.base import ChatTestCase, Page, Socket, guest, who


class BadFrameTests(ChatTestCase):
    """A fault is named on the stream that it came in on, and the socket serves on."""

    def setUp(self):
        super().setUp()
        self.tea = self.room("Tea")
        self.page_of_ann = self.page(self.user("ann"))

    def error(self, frame) -> tuple[str, str]:
        page: Page = self.page_of_ann
        (answer,) = page.text(frame)
        assert answer["payload"]["type"] == "error"
        assert answer["payload"]["code"] in library.CODES
        assert answer["payload"]["reason"]
        assert page.one("system", "ping")["type"] == "pong"
        return answer["stream"], answer["payload"]["code"]

    def test_frames_that_are_no_envelope(self):
        assert self.error("{") == ("system", "malformed")
        assert self.error("[]") == ("system", "not_object")
        assert self.error({"stream": "chat"}) == ("chat", "not_object")
        assert self.error({"stream": "nowhere", "payload": {}}) == ("system", "unknown_stream")
        assert self.error({"stream": "chat", "payload": []}) == ("chat", "bad_payload")
        (answer,) = self.page_of_ann.frame(bytes=b"\x00\x01")
        assert answer["payload"]["code"] == "malformed"

    def test_types_that_a_stream_does_not_know(self):
        for stream in ("system", "chat", "presence", "jobs"):
            assert self.error({"stream": stream, "payload": {"type": "dance"}}) == (stream, "unknown_type")
            assert self.error({"stream": stream, "payload": {}}) == (stream, "bad_field")
        # Only spoken by the server.
        assert self.error({"stream": "presence", "payload": {"type": "join"}}) == ("presence", "unknown_type")

    def test_fields_that_are_missing_wrong_or_out_of_bounds(self):
        good = {
            "join": {"room": "tea"},
            "leave": {"room": "tea"},
            "send": {"room": "tea", "body": "hi", "id": "1"},
            "history": {"room": "tea", "before": 3, "limit": 2},
        }
        bad: list[tuple[str, str, object, str]] = [
            *[(kind, "room", value, "bad_field") for kind in good for value in (None, 7, [], "a\0b", "\ud800")],
            *[(kind, "room", "x" * 101, "too_large") for kind in good],
            *[("send", "body", value, "bad_field") for value in (None, 7, {}, "", "  ", "\0", "\udc00")],
            ("send", "body", "x" * 4001, "too_large"),
            *[("send", "id", value, "bad_field") for value in (7, "", "a\nb", [], "\0")],
            ("send", "id", "x" * 65, "too_large"),
            *[("history", "before", value, "bad_field") for value in (0, -1, "3", 1.5, True, 2**63)],
            *[("history", "limit", value, "bad_field") for value in (0, -1, 101, "all", None, 2**70)],
            *[("join", "since", value, "bad_field") for value in (7, "x", [], {}, {"epoch": "1"}, {"seq": 1})],
            *[("join", "since", {"epoch": "1", "seq": value}, "bad_field") for value in (-1, "1", None, 2**63)],
            ("join", "since", {"epoch": 1, "seq": 1}, "bad_field"),
        ]
        for kind, name, value, code in bad:
            with self.subTest(kind, name=name, value=value):
                payload = {**good[kind], "type": kind, name: value}
                assert self.error(json.dumps({"stream": "chat", "payload": payload})) == ("chat", code)
        for kind, fields in good.items():
            for name in {"room", "body"} & set(fields):
                payload = {"type": kind, **{key: value for key, value in fields.items() if key != name}}
                assert self.error({"stream": "chat", "payload": payload}) == ("chat", "bad_field")
        assert not Message.objects.exists()

    def test_rooms_that_are_not_there(self):
        for kind in ("join", "leave", "send", "history"):
            payload = {"type": kind, "room": "nowhere", "body": "hi"}
            assert self.error({"stream": "chat", "payload": payload}) == ("chat", "not_found")

    def test_errors_repeat_the_id_of_the_request(self):
        error = self.page_of_ann.one("chat", "send", room="tea", body="", id="m1")
        assert (error["code"], error["id"]) == ("bad_field", "m1")


class RoomTests(ChatTestCase):
    def setUp(self):
        super().setUp()
        self.ann, self.ben = self.user("ann"), self.user("ben")
        self.tea = self.room("茶 Tea")

    def test_two_people_see_each_others_messages(self):
        ann, gil = self.page(self.ann), self.page(guest="gil")
        ann.join(self.tea)
        gil.join(self.tea)
        answers = ann.ask("chat", "send", room=self.tea.slug, body="你好 <b>", id="m1")
        assert answers[-1] == {"type": "ack", "id": "m1", "room": "茶-tea", "seq": 1, "dup": False}
        (heard,) = gil.heard("chat")
        assert answers[0] == heard
        stored = Message.objects.get()
        assert heard == {
            "type": "message",
            "room": "茶-tea",
            "seq": 1,
            "id": "m1",
            "author": {"key": f"u{self.ann.pk}", "name": "ann", "guest": False},
            "body": "你好 <b>",
            "at": stored.created_at.strftime("%Y-%m-%dT%H:%M:%S.") + f"{stored.created_at.microsecond // 1000:03}Z",
            "image": None,
            "removed": False,
            "edited": None,
            "revision": 0,
            "mentions": [],
        }

    def test_message_comes_before_its_ack_and_the_room_list_hears_of_the_number(self):
        page = self.page(self.ann)
        page.join(self.tea)
        frames = page.text({"stream": "chat", "payload": {"type": "send", "room": self.tea.slug, "body": "hi"}})
        assert [(frame["stream"], frame["payload"]["type"]) for frame in frames] == [
            ("chat", "message"),
            ("rooms", "heads"),
            ("chat", "ack"),
        ]
        assert frames[1]["payload"]["heads"] == {self.tea.slug: 1}

    def test_message_without_an_id_gets_one_from_the_server(self):
        page = self.page(self.ann)
        ack = page.ask("chat", "send", room=self.tea.slug, body="hi")[-1]
        assert ack["id"] == Message.objects.get().uid
        assert len(ack["id"]) >= 16

    def test_resend_is_acknowledged_as_a_double_and_nobody_hears_it_twice(self):
        page, other = self.page(self.ann), self.page(self.ben)
        other.join(self.tea)
        page.ask("chat", "send", room=self.tea.slug, body="hi", id="m1")
        other.received()
        again = page.one("chat", "send", room=self.tea.slug, body="hi", id="m1")
        assert again == {"type": "ack", "id": "m1", "room": self.tea.slug, "seq": 1, "dup": True}
        assert other.received() == []

    def test_one_can_send_without_having_joined_and_hears_nothing_then(self):
        page = self.page(self.ann)
        answers = page.ask("chat", "send", room=self.tea.slug, body="hi")
        assert [answer["type"] for answer in answers] == ["ack"]

    def test_leave_ends_the_messages_of_a_room(self):
        page = self.page(self.ann)
        page.join(self.tea)
        assert page.one("chat", "leave", room=self.tea.slug) == {"type": "left", "room": self.tea.slug}
        messages.post(self.tea, guest(), "hi")
        assert page.heard("chat") == []
        assert page.one("chat", "leave", room=self.tea.slug)["code"] == "not_found"

    def test_first_join_brings_the_latest_messages(self):
        for number in range(limits.HISTORY + 5):
            messages.post(self.tea, guest(), str(number))
        joined = self.page(self.ann).join(self.tea, id="j1")
        assert (joined["type"], joined["id"], joined["seq"], joined["recovered"]) == ("joined", "j1", 55, False)
        assert [message["seq"] for message in joined["messages"]] == list(range(6, 56))
        assert [person["name"] for person in joined["members"]] == ["ann"]
        assert joined["epoch"] == self.tea.epoch

    def test_return_brings_exactly_what_was_missed(self):
        for number in range(5):
            messages.post(self.tea, guest(), str(number))
        page = self.page(self.ann)
        for seq, missed in ((5, []), (3, [4, 5]), (0, [1, 2, 3, 4, 5])):
            joined = page.join(self.tea, since={"epoch": self.tea.epoch, "seq": seq})
            assert joined["recovered"] is True
            assert [message["seq"] for message in joined["messages"]] == missed

    def test_return_from_elsewhere_or_too_late_means_reload(self):
        for number in range(3):
            messages.post(self.tea, guest(), str(number))
        page = self.page(self.ann)
        for since in ({"epoch": "another", "seq": 2}, {"epoch": self.tea.epoch, "seq": 4}, None):
            joined = page.join(self.tea, since=since)
            assert joined["recovered"] is False
            assert [message["seq"] for message in joined["messages"]] == [1, 2, 3]
        self.tea.last_seq = limits.RECOVER_MAX + 1
        self.tea.save()
        assert page.join(self.tea, since={"epoch": self.tea.epoch, "seq": 0})["recovered"] is False
        assert page.join(self.tea, since={"epoch": self.tea.epoch, "seq": 1})["recovered"] is True

    def test_history_goes_back_in_steps(self):
        for number in range(5):
            messages.post(self.tea, guest(), str(number))
        page = self.page(self.ann)
        answer = page.one("chat", "history", room=self.tea.slug, before=5, limit=2, id=7)
        assert (answer["type"], answer["id"], answer["room"], answer["more"]) == ("history", 7, self.tea.slug, True)
        assert [message["seq"] for message in answer["messages"]] == [3, 4]
        answer = page.one("chat", "history", room=self.tea.slug)
        assert (len(answer["messages"]), answer["more"]) == (5, False)

    def test_nothing_falls_between_joining_and_looking(self):
        """A message posted after the group was joined and before the room was read is in both, never in neither."""

        def enter(room, channel, identity):
            messages.post(room, guest(), "in between")
            original(room, channel, identity)

        original = presence.enter
        page = self.page(self.ann)
        with mock.patch("chat.presence.enter", enter):
            frames = page.only(
                "chat", page.text({"stream": "chat", "payload": {"type": "join", "room": self.tea.slug}})
            )
        assert [frame["type"] for frame in frames] == ["message", "joined"]
        assert frames[1]["messages"][0]["seq"] == frames[0]["seq"] == frames[1]["seq"] == 1

    def test_group_helper_reaches_one_stream_of_everybody(self):
        page = self.page(self.ann)
        Group(groups.EVERYBODY).send(library.encode("system", {"type": "announcement"}))
        assert page.heard("system") == [{"type": "announcement"}]

    def test_group_names_come_from_ids(self):
        for name in (groups.room(7), groups.plain(7), groups.poll(7, 9), groups.person("u1")):
            assert name.isascii()
            assert Socket().client.channel_layer.valid_group_name(name)


def test_identity_of_user_is_stable():
    class User:
        pk, is_staff = 12, False

        def get_username(self):
            return "ann"

    assert who(User()).public() == {"key": "u12", "name": "ann", "guest": False}
