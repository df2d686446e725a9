from __future__ import annotations

from django.test import TestCase

from chat import limits, messages, rooms
from chat.models import Membership, Room
from tests.chat.base import ChatTestCase, guest, who


class HomeTests(ChatTestCase):
    def test_page_knows_rooms_and_who_one_is(self):
        # The lobby, which migrations make, is there for the first test of a run.
        Room.objects.all().delete()
        ann = self.user("ann")
        tea = self.room("茶", owner=ann)
        self.room("Cellar", private=True)
        response = self.browser(ann).get("/")
        assert response.status_code == 200
        me = {"key": f"u{ann.pk}", "name": "ann", "guest": False}
        listed = {
            "id": tea.pk,
            "name": "茶",
            "slug": "茶",
            "topic": "",
            "private": False,
            "direct": None,
            "slow_seconds": 0,
            "last_seq": 0,
            "unread": 0,
            "mentions": 0,
            "url": "/rooms/%E8%8C%B6/",
        }
        assert response.context["identity"] == me
        assert response.context["rooms"] == [listed]
        assert response.context["room"] is None
        assert response.context["config"] == {
            "identity": me,
            "rooms": [listed],
            "room": None,
            "socket": "/ws/",
            "urls": {
                "images": "/rooms/{slug}/images/",
                "uploads": "/rooms/{slug}/uploads/",
                "room": "/rooms/{slug}/",
                "read": "/rooms/{slug}/read/",
                "messages": "/rooms/{slug}/messages/",
                "members": "/rooms/{slug}/members/",
            },
            "limits": {"body": limits.BODY, "image": limits.IMAGE_BYTES},
        }

    def test_nobody_sees_public_rooms_where_they_may_become_a_guest(self):
        self.room("Tea")
        self.room("Cellar", private=True)
        response = self.browser().get("/")
        assert response.context["identity"] is None
        assert [room["slug"] for room in response.context["rooms"]] == ["tea"]
        assert response.context["guests_allowed"] is True

    def test_names_of_people_and_rooms_are_escaped(self):
        room = self.room('<script>alert("x")</script>')
        browser = self.browser(guest="</script><b>gil")
        for path in ("/", room.get_absolute_url()):
            content = browser.get(path).content.decode()
            assert "<script>alert" not in content
            assert "</script><b>" not in content

    def test_pages_are_not_cached(self):
        for path in ("/", "/accounts/login/", "/guest/"):
            assert "no-store" in self.browser().get(path)["Cache-Control"]


class RoomPageTests(ChatTestCase):
    def test_room_is_shown_by_its_slug_in_any_script(self):
        room = self.room("茶 Tea", private=True, owner=(ann := self.user("ann")))
        response = self.browser(ann).get(f"/rooms/{room.slug}/")
        assert response.status_code == 200
        assert response.context["room"]["slug"] == response.context["config"]["room"] == "茶-tea"
        assert response.context["can_manage"] is True

    def test_missing_room_is_404_for_somebody_and_the_sign_in_for_nobody(self):
        assert self.browser(guest="gil").get("/rooms/nowhere/").status_code == 404
        assert self.browser().get("/rooms/nowhere/")["Location"] == "/accounts/login/?next=/rooms/nowhere/"

    def test_page_cannot_be_posted_to(self):
        assert self.browser(guest="gil").post("/").status_code == 405


class UnreadTests(ChatTestCase):
    def setUp(self):
        super().setUp()
        self.ann = self.user("ann")
        self.tea = self.room("Tea", owner=self.ann)
        for _ in range(3):
            messages.post(self.tea, guest(), "hi")

    def unread(self, identity):
        return {room["slug"]: room["unread"] for room in rooms.listed(identity)}

    def read(self, seq, room="tea", user=None):
        return self.browser(user or self.ann).post(f"/rooms/{room}/read/", {"seq": seq}).status_code

    def test_unread_is_what_came_after_the_marker(self):
        assert self.unread(who(self.ann)) == {"tea": 3}
        assert self.read(2) == 204
        assert self.unread(who(self.ann)) == {"tea": 1}

    def test_marker_moves_forward_only_and_not_beyond_the_end(self):
        for seq, left in (("2", 1), ("1", 1), ("99", 0), ("0", 0)):
            assert self.read(seq) == 204
            assert self.unread(who(self.ann)) == {"tea": left}
        messages.post(self.tea, guest(), "hi")
        assert self.unread(who(self.ann)) == {"tea": 1}

    def test_marker_as_json(self):
        response = self.browser(self.ann).post("/rooms/tea/read/", '{"seq": 2}', content_type="application/json")
        assert response.status_code == 204
        assert self.unread(who(self.ann)) == {"tea": 1}

    def test_room_never_opened_has_nothing_unread_and_reading_it_makes_a_member(self):
        ben = self.user("ben")
        assert self.unread(who(ben)) == {"tea": 0}
        assert self.read("1", user=ben) == 204
        assert self.unread(who(ben)) == {"tea": 2}
        assert Membership.objects.get(user=ben).role == Membership.MEMBER

    def test_staff_looking_into_a_private_room_does_not_become_a_member(self):
        cellar, boss = self.room("Cellar", private=True), self.user("boss", is_staff=True)
        assert self.read("0", "cellar", boss) == 204
        assert not cellar.memberships.exists()

    def test_guests_keep_count_in_their_browser(self):
        assert self.unread(guest()) == {"tea": None}

    def test_bad_numbers_are_refused(self):
        browser = self.browser(self.ann)
        for seq in ("", "x", "-1", "1.5", "1e3", "²", "9" * 30, " 1", "+1"):
            response = browser.post("/rooms/tea/read/", {"seq": seq})
            assert (response.status_code, response.json()["error"]["code"]) == (400, "bad_field")
        for body in ('{"seq": null}', '{"seq": true}', '{"seq": -1}', "{}", "[]", "7", "{", '{"seq": 1.5}'):
            response = browser.post("/rooms/tea/read/", body, content_type="application/json")
            assert response.status_code == 400
        assert browser.post("/rooms/tea/read/").status_code == 400
        assert self.unread(who(self.ann)) == {"tea": 3}

    def test_list_costs_one_query_however_many_rooms_there_are(self):
        for number in range(20):
            room = self.room(f"Room {number}", private=number % 2 == 0, owner=self.ann)
            messages.post(room, guest(), "hi")
        identity = who(self.ann)
        with self.assertNumQueries(1):
            assert len(rooms.listed(identity)) == 21

    def test_page_costs_few_queries(self):
        browser = self.browser(self.ann)
        # Session, user, room, list.
        with self.assertNumQueries(4):
            browser.get("/rooms/tea/")


class NewRoomTests(ChatTestCase):
    def test_room_is_made_and_belongs_to_its_maker(self):
        ann = self.user("ann")
        response = self.browser(ann).post("/rooms/new/", {"name": " 新 room ", "topic": "x", "private": "on"})
        room = Room.objects.get()
        assert (response.status_code, response["Location"]) == (302, room.get_absolute_url())
        assert (room.name, room.slug, room.topic, room.private, room.created_by) == (
            "新 room",
            "新-room",
            "x",
            True,
            ann,
        )
        assert [(member.user, member.role) for member in room.memberships.all()] == [(ann, "owner")]

    def test_form_is_for_people_with_an_account(self):
        for browser in (self.browser(), self.browser(guest="gil")):
            assert browser.get("/rooms/new/")["Location"] == "/accounts/login/?next=/rooms/new/"
            assert browser.post("/rooms/new/", {"name": "x"}).status_code == 302
        assert not Room.objects.exists()

    def test_mistakes_are_shown(self):
        browser = self.browser(self.user("ann"))
        assert browser.get("/rooms/new/").status_code == 200
        for fields in ({}, {"name": ""}, {"name": "\u200b"}, {"name": "x" * 81}, {"name": "x", "topic": "y" * 201}):
            response = browser.post("/rooms/new/", fields)
            assert response.status_code == 200
            assert response.context["form"].errors
        assert not Room.objects.exists()

    def test_control_characters_are_taken_out_of_the_name(self):
        self.browser(self.user("ann")).post("/rooms/new/", {"name": "Te\u202ea\a"})
        assert Room.objects.get().name == "Tea"


class CatalogTests(TestCase):
    def test_scripts_get_their_words(self):
        response = self.client.get("/jsi18n/")
        assert response.status_code == 200
        assert b"gettext" in response.content
