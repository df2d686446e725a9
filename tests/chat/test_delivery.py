"""The delivery protocol beyond the first join: heads, changes, history in each direction, what one may do."""

from __future__ import annotations

from unittest import mock

from channels import Group

from chat import groups, limits, messages, presence
from chat.models import Membership, Message, Room
from tests.chat.base import ChatTestCase, guest


class DeliveryTestCase(ChatTestCase):
    def setUp(self):
        super().setUp()
        self.ann = self.user("ann")
        self.tea = self.room("Tea")

    def posted(self, count: int, room: Room | None = None) -> None:
        for number in range(count):
            messages.post(room or self.tea, guest(), str(number))

    def changed(self, seq: int, body: str) -> None:
        """Change a stored message as an edit does."""
        self.tea.refresh_from_db()
        self.tea.revision += 1
        self.tea.save(update_fields=["revision"])
        Message.objects.filter(room=self.tea, seq=seq).update(body=body, revision=self.tea.revision)


class HeadTests(DeliveryTestCase):
    def test_pong_tells_the_heads_of_the_rooms_that_this_socket_has_joined(self):
        coffee, other = self.room("Coffee"), self.room("Other")
        page = self.page(self.ann)
        assert page.one("system", "ping", id=1) == {"type": "pong", "id": 1, "heads": {}}
        page.join(self.tea)
        page.join(coffee)
        self.page(guest="gil").join(other)
        self.posted(2)
        self.changed(1, "edited")
        page.received()
        heads = {
            "tea": {"seq": 2, "revision": 1, "presence": 1},
            "coffee": {"seq": 0, "revision": 0, "presence": 1},
        }
        assert page.one("system", "ping")["heads"] == heads
        page.ask("chat", "leave", room="tea")
        assert set(page.one("system", "ping")["heads"]) == {"coffee"}

    def test_heads_cost_one_query_whatever_the_number_of_rooms(self):
        page = self.page(self.ann)
        for number in range(5):
            page.join(self.room(f"Room {number}"))
        with self.assertNumQueries(2):  # the other one is presence's, of when the socket was last heard of
            page.one("system", "ping")


class JoinTests(DeliveryTestCase):
    def test_joined_says_what_one_is_and_may_do(self):
        owner = self.user("olga")
        Membership.objects.create(room=self.tea, user=owner, role=Membership.OWNER, last_read_seq=3)
        Room.objects.filter(pk=self.tea.pk).update(slow_seconds=7)
        joined = self.page(owner).join(self.tea)
        assert (joined["role"], joined["last_read"], joined["slow_seconds"]) == ("owner", 3, 7)
        assert joined["permissions"] == ["manage", "moderate", "own", "post", "read"]
        joined = self.page(guest="gil").join(self.tea)
        assert (joined["role"], joined["last_read"], joined["permissions"]) == (None, None, ["post", "read"])

    def test_return_brings_what_was_changed_meanwhile_among_what_one_knows(self):
        self.posted(4)
        page = self.page(self.ann)
        known = page.join(self.tea)
        since = {"epoch": known["epoch"], "seq": 3, "revision": known["revision"]}
        assert page.join(self.tea, since=since)["changed"] == []
        for seq, body in ((2, "first"), (1, "one"), (2, "second"), (4, "four")):
            self.changed(seq, body)
        joined = page.join(self.tea, since=since)
        assert (joined["recovered"], joined["revision"]) == (True, 4)
        # Each once, as it is now; what one lacks altogether is among the messages.
        assert [(message["seq"], message["body"]) for message in joined["changed"]] == [(1, "one"), (2, "second")]
        assert [(message["seq"], message["body"]) for message in joined["messages"]] == [(4, "four")]
        joined = page.join(self.tea, since={**since, "revision": 2})
        assert [message["seq"] for message in joined["changed"]] == [2]

    def test_return_after_too_many_changes_or_from_the_future_means_reload(self):
        self.posted(3)
        page = self.page(self.ann)
        since = {"epoch": self.tea.epoch, "seq": 3, "revision": 0}
        for seq in (1, 2, 3):
            self.changed(seq, "edited")
        with mock.patch("chat.streams.ChatStream.recover_most", 3):
            assert len(page.join(self.tea, since=since)["changed"]) == 3
        with mock.patch("chat.streams.ChatStream.recover_most", 2):
            joined = page.join(self.tea, since=since)
        assert (joined["recovered"], joined["changed"], len(joined["messages"])) == (False, [], 3)
        assert page.join(self.tea, since={**since, "revision": 4})["recovered"] is False

    def test_who_knows_no_revisions_is_not_told_of_changes(self):
        self.posted(1)
        self.changed(1, "edited")
        joined = self.page(self.ann).join(self.tea, since={"epoch": self.tea.epoch, "seq": 1})
        assert (joined["recovered"], joined["changed"]) == (True, [])

    def test_bad_revisions_are_refused(self):
        page = self.page(self.ann)
        for revision in (-1, "1", None, 2**63):
            since = {"epoch": self.tea.epoch, "seq": 0, "revision": revision}
            assert page.join(self.tea, since=since)["code"] == "bad_field"

    def test_who_loses_the_room_while_joining_is_not_in_it(self):
        page = self.page(self.ann)
        enter = presence.enter

        def entered(room, *arguments):
            enter(room, *arguments)
            Room.objects.filter(pk=room.pk).update(private=True)

        with mock.patch("chat.presence.enter", entered):
            assert page.join(self.tea)["code"] == "not_found"
        Group(groups.room(self.tea.pk)).send({"text": "{}"})
        assert page.received() == []
        assert presence.joined(page.name) == []


class HistoryTests(DeliveryTestCase):
    def setUp(self):
        super().setUp()
        self.posted(9)
        self.page_of_ann = self.page(self.ann)

    def history(self, **fields: int) -> tuple[list[int], bool, bool]:
        answer = self.page_of_ann.one("chat", "history", room="tea", **fields)
        return [message["seq"] for message in answer["messages"]], answer["more"], answer["newer"]

    def test_backwards_forwards_and_around_a_number(self):
        assert self.history(limit=3) == ([7, 8, 9], True, False)
        assert self.history(before=4, limit=3) == ([1, 2, 3], False, True)
        assert self.history(before=5, limit=3) == ([2, 3, 4], True, True)
        assert self.history(after=0, limit=3) == ([1, 2, 3], False, True)
        assert self.history(after=6, limit=3) == ([7, 8, 9], True, False)
        assert self.history(after=5, limit=3) == ([6, 7, 8], True, True)
        assert self.history(around=5, limit=4) == ([4, 5, 6, 7], True, True)
        assert self.history(around=5, limit=5) == ([3, 4, 5, 6, 7], True, True)
        assert self.history(around=9, limit=1) == ([9], True, False)
        assert self.history(around=1, limit=20) == ([1, 2, 3, 4, 5, 6, 7, 8, 9], False, False)

    def test_at_the_ends_and_beyond(self):
        assert self.history(before=1) == ([], False, True)
        assert self.history(after=9) == ([], True, False)
        assert self.history(after=2**63 - 1) == ([], True, False)
        assert self.history(around=2**63 - 1, limit=4) == ([8, 9], True, False)
        assert self.history(around=0, limit=2) == ([1], False, True)

    def test_bad_places_are_refused(self):
        page = self.page_of_ann
        for name in ("before", "after", "around"):
            for value in (-1, "3", 1.5, True, None, 2**63):
                assert page.one("chat", "history", room="tea", **{name: value})["code"] == "bad_field"
        error = page.one("chat", "history", room="tea", before=3, after=1, id="h")
        assert (error["code"], error["id"]) == ("bad_field", "h")
        assert page.one("chat", "history", room="tea", limit=limits.HISTORY_MAX + 1)["code"] == "bad_field"
