"""Roles, kicking and banning, quitting, and deleting a room."""

from __future__ import annotations

import datetime

import pytest
from channels import Group
from channels.exceptions import DenyConnection
from django.utils import timezone

from channels_lts.exceptions import StreamError
from chat import groups, messages, people, permissions, presence, rooms
from chat.models import Ban, Invitation, Membership, Room
from tests.chat.base import ChatTestCase, guest, who


class PeopleTestCase(ChatTestCase):
    private = False

    def setUp(self):
        super().setUp()
        self.ann, self.ben, self.eve = self.user("ann"), self.user("ben"), self.user("eve")
        self.tea = self.room("Tea", self.private, owner=self.ann, member=self.ben)

    def seen_by(self, user) -> Room:
        """The room as permissions.open_room returns it."""
        return permissions.open_room(who(user), self.tea.slug)

    def refused(self, function, *args) -> str:
        with pytest.raises(StreamError) as caught:
            function(*args)
        return caught.value.code

    def role_of(self, user):
        return Membership.objects.filter(room=self.tea, user=user).values_list("role", flat=True).first()


class RankTests(PeopleTestCase):
    def test_nobody_has_power_over_equals_and_betters(self):
        self.user("staff", is_staff=True)
        for name, role in (("owner", "owner"), ("moderator", "moderator"), ("other", "moderator")):
            Membership.objects.create(room=self.tea, user=self.user(name), role=role)
        self.user("staff2", is_staff=True)
        users = {user.username: user for user in type(self.ann).objects.all()}
        over = {
            "staff": {"owner", "moderator", "ben", "eve", "gil"},
            "owner": {"moderator", "ben", "eve", "gil"},
            "moderator": {"ben", "eve", "gil"},
        }
        presence.enter(self.tea, "test.gil", guest())
        for actor, allowed in over.items():
            for target in ("staff", "staff2", "owner", "ann", "moderator", "other", "ben", "eve", "gil"):
                with self.subTest(actor=actor, target=target):
                    key = "ggil" if target == "gil" else who(users[target]).key
                    may = (
                        target in allowed
                        or (actor == "staff" and target == "ann")
                        or (actor in ("staff", "owner") and target == "other")
                    )
                    room = permissions.open_room(who(users[actor]), "tea")
                    if may:
                        assert people._target(room, who(users[actor]), key).name == target
                    else:
                        assert self.refused(people._target, room, who(users[actor]), key) == "not_allowed"

    def test_nobody_by_that_key(self):
        for key in ("", "u", "u0", "u999999", "u" + "9" * 30, "u١", "gnobody", "w1", "b1", "x"):
            assert self.refused(people.kick, self.seen_by(self.ann), who(self.ann), key) == "not_found"


class RoleTests(PeopleTestCase):
    def set(self, by, target, role):
        people.set_role(self.seen_by(by), who(by), who(target).key, role)

    def test_roles_are_told_to_the_room(self):
        page = self.page(self.eve)
        page.join(self.tea)
        self.set(self.ann, self.ben, "moderator")
        told = {"type": "member", "room": "tea", "key": who(self.ben).key, "role": "moderator"}
        assert page.heard("rooms") == [told]
        assert self.role_of(self.ben) == "moderator"
        self.set(self.ann, self.ben, "moderator")
        assert page.heard("rooms") == []
        self.set(self.ann, self.ben, "member")
        assert page.heard("rooms") == [{**told, "role": "member"}]

    def test_who_is_no_member_of_a_public_room_may_be_made_one(self):
        self.set(self.ann, self.eve, "moderator")
        assert self.role_of(self.eve) == "moderator"

    def test_room_is_handed_over_and_never_without_an_owner(self):
        assert self.refused(self.set, self.ann, self.ann, "member") == "not_allowed"
        assert self.refused(people.quit_room, self.seen_by(self.ann), who(self.ann)) == "not_allowed"
        self.set(self.ann, self.ben, "owner")
        # Owners are equals.
        assert self.refused(self.set, self.ann, self.ben, "member") == "not_allowed"
        self.set(self.ann, self.ann, "member")
        assert (self.role_of(self.ann), self.role_of(self.ben)) == ("member", "owner")
        assert self.refused(self.set, self.ben, self.ben, "moderator") == "not_allowed"

    def test_guests_the_banned_and_nonsense_are_refused(self):
        presence.enter(self.tea, "test.gil", guest())
        room, ann = self.seen_by(self.ann), who(self.ann)
        assert self.refused(people.set_role, room, ann, "ggil", "member") == "not_allowed"
        assert self.refused(people.set_role, room, ann, who(self.ben).key, "king") == "bad_field"
        people.ban(room, ann, who(self.ben).key)
        assert self.refused(people.set_role, room, ann, who(self.ben).key, "owner") == "not_allowed"

    def test_links_of_somebody_who_may_make_none_any_more_end(self):
        self.set(self.ann, self.ben, "moderator")
        Invitation.objects.create(room=self.tea, token="t", created_by=self.ben)
        self.set(self.ann, self.ben, "owner")
        assert Invitation.objects.exists()
        self.set(self.ben, self.ben, "member")
        assert not Invitation.objects.exists()
        Membership.objects.filter(user=self.ben).update(role="moderator")
        Invitation.objects.create(room=self.tea, token="t", created_by=self.ben)
        people.kick(self.seen_by(self.ann), who(self.ann), who(self.ben).key)
        # Of a public room they are still a moderator.
        assert Invitation.objects.exists()
        people.quit_room(self.seen_by(self.ben), who(self.ben))
        assert not Invitation.objects.exists()


class PrivateRoleTests(PeopleTestCase):
    private = True

    def test_only_members_get_a_role(self):
        args = (self.seen_by(self.ann), who(self.ann), who(self.eve).key, "moderator")
        assert self.refused(people.set_role, *args) == "not_found"


class KickTests(PeopleTestCase):
    def test_all_sockets_of_somebody_leave_a_public_room_and_may_come_back(self):
        tabs = [self.page(guest="gil"), self.page(guest="gil")]
        socket = self.socket(guest="gil", path="/ws/chat/tea/")
        ann = self.page(self.ann)
        for page in (ann, *tabs):
            page.join(self.tea)
        for page in (ann, *tabs):
            page.received()
        people.kick(self.seen_by(self.ann), who(self.ann), "ggil")
        left = {"type": "left", "room": "tea", "reason": "kicked"}
        assert [page.heard("chat") for page in tabs] == [[left], [left]]
        assert socket.received() == [{"close": 4003}]
        assert [payload["type"] for payload in ann.heard("presence")] == ["leave"]
        messages.post(self.tea, who(self.ann), "gone?")
        assert [page.heard("chat") for page in tabs] == [[], []]
        assert tabs[0].join(self.tea)["type"] == "joined"


class PrivateKickTests(PeopleTestCase):
    private = True

    def test_place_in_a_private_room_is_lost(self):
        page = self.page(self.ben)
        page.join(self.tea)
        page.received()
        people.kick(self.seen_by(self.ann), who(self.ann), who(self.ben).key)
        frames = [frame["payload"] for frame in page.received()]
        assert {"type": "left", "room": "tea", "reason": "kicked"} in frames
        assert [frame["type"] for frame in frames if frame["type"] in ("left", "delete")] == ["left", "delete"]
        assert page.one("chat", "join", room="tea")["code"] == "not_found"

    def test_quitting_leaves_with_all_sockets(self):
        page = self.page(self.ben)
        page.join(self.tea)
        page.received()
        assert page.ask("chat", "quit", room="tea")[-1] == {"type": "done", "action": "quit", "room": "tea"}
        assert self.role_of(self.ben) is None
        assert page.one("chat", "join", room="tea")["code"] == "not_found"


class BanTests(PeopleTestCase):
    def ban(self, key, minutes=None):
        return people.ban(self.seen_by(self.ann), who(self.ann), key, minutes)

    def test_banned_guest_is_refused_on_every_way_in(self):
        page, browser = self.page(guest="gil"), self.browser(guest="gil")
        page.join(self.tea)
        page.received()
        self.ban("ggil")
        assert page.heard("chat") == [{"type": "left", "room": "tea", "reason": "banned"}]
        for kind in ("join", "history", "send", "read", "members"):
            assert page.one("chat", kind, room="tea", body="x", id="1", seq=1)["code"] == "not_found"
        with pytest.raises(DenyConnection):
            self.socket(guest="gil", path="/ws/chat/tea/")
        # This browser is another guest.
        assert browser.get("/rooms/tea/").status_code == 200

    def test_ban_takes_the_room_from_the_list_and_unban_gives_it_back(self):
        page = self.page(self.ben)
        self.ban(who(self.ben).key)
        assert [payload["type"] for payload in page.heard("rooms")] == ["delete"]
        assert [room["slug"] for room in rooms.listed(who(self.ben))] == ["lobby"] * Room.objects.filter(
            slug="lobby"
        ).count()
        people.unban(self.tea, who(self.ben).key)
        assert [payload["type"] for payload in page.heard("rooms")] == ["create"]
        assert "tea" in [room["slug"] for room in rooms.listed(who(self.ben))]
        assert self.refused(people.unban, self.tea, who(self.ben).key) == "not_found"

    def test_role_goes_with_the_ban_and_does_not_come_back(self):
        Membership.objects.filter(user=self.ben).update(role="moderator")
        self.ban(who(self.ben).key)
        people.unban(self.tea, who(self.ben).key)
        assert self.role_of(self.ben) is None

    def test_ban_outweighs_a_role(self):
        Ban.objects.create(room=self.tea, key=who(self.ann).key, name="ann")
        with pytest.raises(StreamError):
            self.seen_by(self.ann)

    def test_ban_ends_by_itself(self):
        made = self.ban(who(self.ben).key, 10)
        left = made.until - timezone.now()
        assert datetime.timedelta(minutes=9) < left <= datetime.timedelta(minutes=10)
        assert self.refused(self.seen_by, self.ben) == "not_found"
        assert [ban.name for ban in people.bans(self.tea)] == ["ben"]
        Ban.objects.update(until=timezone.now())
        assert self.seen_by(self.ben) == self.tea
        assert people.bans(self.tea) == []

    def test_second_ban_replaces_the_first(self):
        self.ban(who(self.ben).key, 10)
        self.ban(who(self.ben).key)
        assert Ban.objects.get().until is None

    def test_who_only_spoke_can_be_banned_by_key(self):
        messages.post(self.tea, guest("zoe"), "hi")
        assert self.ban("gzoe").name == "zoe"

    def test_waiting_long_polls_are_let_go(self):
        Group(groups.poll(self.tea.pk, 0)).add("waiting")
        self.ban(who(self.ben).key)
        assert self.get_next_message("waiting")["content"] == b'{"messages": []}'

    def test_actions_over_http(self):
        browser = self.browser(self.ann)
        answer = browser.post("/api/rooms/tea/ban/", {"key": who(self.ben).key, "minutes": "5"}).json()
        assert (answer["ban"]["name"], answer["ban"]["by"]) == ("ben", "ann")
        assert browser.post("/api/rooms/tea/bans/").json()["bans"] == [answer["ban"]]
        for minutes in ("0", "-1", "x", "9" * 30, str(366 * 24 * 60 + 1)):
            response = browser.post("/api/rooms/tea/ban/", {"key": who(self.ben).key, "minutes": minutes})
            assert response.json()["error"]["code"] == "bad_field"
        assert browser.post("/api/rooms/tea/unban/", {"key": who(self.ben).key}).status_code == 200
        assert not Ban.objects.exists()


class DeleteTests(PeopleTestCase):
    def test_everybody_in_it_hears_and_lists_lose_it(self):
        page, other = self.page(self.ben), self.page(guest="gil")
        page.join(self.tea)
        page.received()
        assert self.page(self.ann).ask("chat", "delete", room="tea")[-1]["type"] == "done"
        frames = [frame["payload"] for frame in page.received()]
        assert {"type": "left", "room": "tea", "reason": "not_found"} in frames
        assert "delete" in [frame["type"] for frame in frames]
        assert [payload["type"] for payload in other.heard("rooms")] == ["delete"]
        assert not Room.objects.filter(slug="tea").exists()
