from __future__ import annotations

from channels.binding.base import BindingMetaclass
from django.db import transaction

from chat import direct, messages
from chat.bindings import RoomBinding
from chat.models import Membership, Room
from tests.chat.base import ChatTestCase, guest, who


def actions(payloads):
    return [(payload["action"], payload["data"]["name"]) for payload in payloads]


class OutboundTests(ChatTestCase):
    def setUp(self):
        super().setUp()
        self.ann, self.ben = self.user("ann"), self.user("ben")
        self.page_of_ann, self.page_of_ben = self.page(self.ann), self.page(self.ben)
        self.page_of_guest = self.page(guest="gil")

    def heard(self):
        """What Ann, Ben and a guest heard of rooms since."""
        return [actions(page.heard("rooms")) for page in (self.page_of_ann, self.page_of_ben, self.page_of_guest)]

    def test_everybody_hears_of_public_rooms(self):
        room = Room.objects.create(name="Tea", topic="green")
        (payload,) = self.page_of_guest.heard("rooms")
        assert payload == {
            "type": "create",
            "action": "create",
            "pk": room.pk,
            "model": "chat.room",
            "data": {
                "name": "Tea",
                "slug": "tea",
                "topic": "green",
                "private": False,
                "last_seq": 0,
                "slow_seconds": 0,
                "direct": None,
            },
        }
        room.topic = "black"
        room.save()
        (payload,) = self.page_of_guest.heard("rooms")
        assert (payload["type"], payload["data"]["topic"]) == ("update", "black")
        pk = room.pk
        room.delete()
        (payload,) = self.page_of_guest.heard("rooms")
        assert (payload["type"], payload["pk"]) == ("delete", pk)

    def test_d24_changes_go_out_after_the_commit_and_never_without_one(self):
        try:
            with transaction.atomic():
                Room.objects.create(name="Tea")
                assert self.heard() == [[], [], []]
                raise RuntimeError
        except RuntimeError:
            pass
        assert self.heard() == [[], [], []]

    def test_private_rooms_are_for_their_members(self):
        with transaction.atomic():
            room = self.room("Cellar", private=True, owner=self.ann)
        assert self.heard()[1:] == [[], []]
        room.topic = "wine"
        room.save()
        assert self.heard() == [[("update", "Cellar")], [], []]
        room.delete()
        assert self.heard() == [[("delete", "Cellar")], [], []]

    def test_new_member_gets_the_room_and_a_former_one_loses_it(self):
        room = self.room("Cellar", private=True, owner=self.ann)
        self.heard()
        membership = Membership.objects.create(room=room, user=self.ben)
        assert self.heard() == [[], [("create", "Cellar")], []]
        membership.delete()
        assert self.heard() == [[], [("delete", "Cellar")], []]

    def test_d12_room_that_becomes_private_is_taken_from_strangers(self):
        room = self.room("Tea", owner=self.ann)
        self.heard()
        room.private = True
        room.save()
        assert self.heard() == [[("delete", "Tea"), ("create", "Tea")], [("delete", "Tea")], [("delete", "Tea")]]
        room.private = False
        room.save()
        assert self.heard() == [[("delete", "Tea"), ("create", "Tea")], [("create", "Tea")], [("create", "Tea")]]

    def test_bindings_are_registered_in_every_process(self):
        assert RoomBinding in BindingMetaclass.binding_classes
        assert RoomBinding.model_label == "chat.room"


class InboundTests(ChatTestCase):
    def setUp(self):
        super().setUp()
        self.ann, self.ben = self.user("ann"), self.user("ben")
        self.tea = self.room("Tea", owner=self.ann)

    def ask(self, who, **payload):
        return self.page(**who).ask("rooms", payload.pop("type", "request"), **payload)

    def refused(self, who, **payload):
        (error,) = self.ask(who, **payload)
        assert error["type"] == "error"
        return error["code"]

    def test_create(self):
        page, other = self.page(self.ben), self.page(guest="gil")
        answer, heard = page.ask("rooms", "create", action="create", data={"name": " 新 room ", "topic": "x"}, id="r1")[
            ::-1
        ]
        room = Room.objects.get(slug="新-room")
        assert (room.name, room.topic, room.private, room.created_by) == ("新 room", "x", False, self.ben)
        assert room.memberships.get().role == Membership.OWNER
        assert answer == {**heard, "id": "r1"}
        assert actions(other.heard("rooms")) == [("create", "新 room")]

    def test_create_private_is_heard_by_its_owner_only(self):
        page, other = self.page(self.ben), self.page(self.ann)
        (heard, *_) = page.ask("rooms", "create", action="create", data={"name": "Cellar", "private": True})
        assert heard["data"]["private"] is True
        assert other.heard("rooms") == []

    def test_update_changes_what_is_given_and_nothing_else(self):
        answers = self.ask({"user": self.ann}, action="update", pk=self.tea.pk, data={"topic": "green"})
        assert actions(answers) == [("update", "Tea")]
        self.tea.refresh_from_db()
        assert (self.tea.name, self.tea.topic, self.tea.slug) == ("Tea", "green", "tea")

    def test_slow_mode_and_privacy_are_set_and_told(self):
        data = {"slow_seconds": 3600, "private": True}
        self.ask({"user": self.ann}, action="update", pk=self.tea.pk, data=data)
        self.tea.refresh_from_db()
        assert (self.tea.slow_seconds, self.tea.private) == (3600, True)

    def test_direct_rooms_cannot_be_changed(self):
        room = direct.open_with(who(self.ann), who(self.ben).key)
        for data in ({"name": "x"}, {"private": False}, {"slow_seconds": 5}):
            assert self.refused({"user": self.ann}, action="update", pk=room.pk, data=data) == "not_allowed"

    def test_action_may_be_given_as_the_type(self):
        self.ask({"user": self.ann}, type="update", pk=self.tea.pk, data={"name": "Coffee"})
        self.tea.refresh_from_db()
        assert (self.tea.name, self.tea.slug) == ("Coffee", "tea")

    def test_update_does_not_turn_the_number_back(self):
        page = self.page(self.ann)
        messages.post(self.tea, guest(), "hi")
        page.ask("rooms", "update", action="update", pk=self.tea.pk, data={"topic": "green"})
        self.tea.refresh_from_db()
        assert self.tea.last_seq == 1

    def test_d12_only_listed_fields_can_be_set(self):
        who = {"user": self.ann}
        for name, value in (
            ("last_seq", 99),
            ("slug", "mine"),
            ("created_by", self.ben.pk),
            ("id", 7),
            ("nonsense", 1),
            ("memberships", []),
        ):
            for request in (
                {"action": "create", "data": {"name": "x", name: value}},
                {"action": "update", "pk": self.tea.pk, "data": {name: value}},
            ):
                with self.subTest(request=request):
                    assert self.refused(who, **request) == "bad_field"
        assert [(room.slug, room.last_seq) for room in Room.objects.all()] == [("tea", 0)]

    def test_values_pass_the_form(self):
        who = {"user": self.ann}
        for data in (
            {"name": ""},
            {"name": " \u200b "},
            {"name": "x" * 81},
            {"name": None},
            {"name": 7},
            {"name": "a\0b"},
            {"name": "\ud800"},
            {"topic": "x" * 201},
            {"topic": []},
            {"private": "yes"},
            {"private": None},
            {"slow_seconds": -1},
            {"slow_seconds": 3601},
            {"slow_seconds": "1"},
            {"slow_seconds": True},
        ):
            for request in (
                {"action": "create", "data": {"name": "Coffee", **data}},
                {"action": "update", "pk": self.tea.pk, "data": data},
            ):
                with self.subTest(request=request):
                    assert self.refused(who, **request) == "bad_field"
        assert [room.name for room in Room.objects.all()] == ["Tea"]

    def test_broken_requests_are_answered(self):
        who = {"user": self.ann}
        for request, code in (
            ({"action": "delete", "pk": self.tea.pk}, "unknown_type"),
            ({"action": "explode", "data": {}}, "unknown_type"),
            ({"action": 7, "data": {}}, "bad_field"),
            ({"action": "create", "data": []}, "bad_field"),
            ({"action": "create"}, "bad_field"),
            ({"action": "update", "data": {"name": "x"}}, "bad_field"),
            ({"action": "update", "pk": "1; drop", "data": {"name": "x"}}, "bad_field"),
            ({"action": "update", "pk": 2**63, "data": {"name": "x"}}, "bad_field"),
            ({"action": "update", "pk": 2**62, "data": {"name": "x"}}, "not_found"),
        ):
            with self.subTest(request=request):
                assert self.refused(who, **request) == code
        assert Room.objects.count() == 1

    def test_guests_make_no_rooms_and_strangers_change_none(self):
        assert self.refused({"guest": "gil"}, action="create", data={"name": "x"}) == "not_allowed"
        for someone in ({"guest": "gil"}, {"user": self.ben}):
            request = {"action": "update", "pk": self.tea.pk, "data": {"name": "x"}}
            assert self.refused(someone, **request) == "not_allowed"
        self.tea.private = True
        self.tea.save()
        request = {"action": "update", "pk": self.tea.pk, "data": {"private": False}}
        assert self.refused({"user": self.ben}, **request) == "not_found"

    def test_error_repeats_the_id(self):
        (error,) = self.ask({"guest": "gil"}, action="create", data={"name": "x"}, id="r9")
        assert error["id"] == "r9"
