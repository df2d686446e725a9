"""Every cell of the permission matrix, on every way into a room."""

from __future__ import annotations

import functools
import json
from itertools import product

import pytest
from channels.exceptions import DenyConnection
from django.core.files.uploadedfile import SimpleUploadedFile

from channels_lts.exceptions import StreamError
from chat import actions, direct, jobs, messages, permissions
from chat.identity import Identity
from chat.images import accept
from chat.models import Ban, Membership, Message, Room
from tests.chat.base import ChatTestCase, Page, Socket, guest, image_bytes, who

PEOPLE = ("staff", "owner", "moderator", "member", "stranger", "guest", "banned", "nobody")
SORTS = ("public", "private", "direct")

ALL = {"read", "post", "moderate", "manage", "own"}
# (who, sort of room) -> what they may do. Written out, so that a change of the table in the code is seen here.
ALLOWED = {
    ("staff", "public"): ALL,
    ("owner", "public"): ALL,
    ("moderator", "public"): {"read", "post", "moderate", "manage"},
    ("member", "public"): {"read", "post"},
    ("stranger", "public"): {"read", "post"},
    ("guest", "public"): {"read", "post"},
    ("banned", "public"): set(),
    ("nobody", "public"): set(),
    ("staff", "private"): ALL,
    ("owner", "private"): ALL,
    ("moderator", "private"): {"read", "post", "moderate", "manage"},
    ("member", "private"): {"read", "post"},
    ("stranger", "private"): set(),
    ("guest", "private"): set(),
    ("banned", "private"): set(),
    ("nobody", "private"): set(),
    # Of a direct room there are its two members, whatever they are elsewhere, and all others.
    ("staff", "direct"): set(),
    ("owner", "direct"): set(),
    ("moderator", "direct"): set(),
    ("member", "direct"): {"read", "post"},
    ("stranger", "direct"): set(),
    ("guest", "direct"): set(),
    ("banned", "direct"): set(),
    ("nobody", "direct"): set(),
}
CELLS = list(product(PEOPLE, SORTS))

# action of a room -> what one must be allowed to, and fields with which it is refused for another reason, or harmless.
ACTIONS: dict[str, tuple[str, dict]] = {
    "read": ("read", {"seq": 0}),
    "members": ("read", {}),
    "quit": ("read", {}),
    "kick": ("moderate", {"key": "gnone"}),
    "ban": ("moderate", {"key": "gnone"}),
    "unban": ("moderate", {"key": "gnone"}),
    "bans": ("moderate", {}),
    "invite": ("manage", {"hours": "x"}),
    "invitations": ("manage", {}),
    "revoke": ("manage", {"token": "none"}),
    "role": ("own", {"key": "gnone", "role": "king"}),
    "delete": ("own", {}),
}


def refusal(person: str) -> str:
    """How somebody who may not even read is refused."""
    return "not_allowed" if person == "nobody" else "not_found"


def in_every_cell(test):
    """Run a test of MatrixTests for everybody in a room of each sort."""

    @functools.wraps(test)
    def inner(self):
        for person, sort in CELLS:
            with self.subTest(person=person, sort=sort):
                test(self, person, self.rooms[sort], ALLOWED[person, sort])

    return inner


class MatrixTests(ChatTestCase):
    def setUp(self):
        super().setUp()
        self.users = {
            "staff": self.user("staff", is_staff=True),
            **{name: self.user(name) for name in ("owner", "moderator", "member", "stranger", "banned", "other")},
        }
        roles = {name: self.users[name] for name in ("owner", "moderator", "member")}
        self.rooms = {sort: self.room(sort, sort == "private", **roles) for sort in ("public", "private")}
        for room in self.rooms.values():
            # With a role: a ban outweighs it.
            Membership.objects.create(room=room, user=self.users["banned"], role=Membership.OWNER)
            Ban.objects.create(room=room, key=who(self.users["banned"]).key, name="banned")
        self.rooms["direct"] = direct.open_with(who(self.users["member"]), who(self.users["other"]).key)
        image = accept(SimpleUploadedFile("x", image_bytes()), 1)
        for room in self.rooms.values():
            messages.post(room, who(self.users["member"]), "hello")
            jobs.post_image(room, who(self.users["member"]), image, "", None, "job")

    def identity(self, person: str) -> Identity | None:
        if person == "nobody":
            return None
        return guest() if person == "guest" else who(self.users[person])

    def credentials(self, person: str) -> dict:
        if person == "nobody":
            return {}
        return {"guest": "gil"} if person == "guest" else {"user": self.users[person]}

    @in_every_cell
    def test_open_room(self, person, room, allowed):
        for action in ("read", "post", "moderate", "manage", "own"):
            if action in allowed:
                opened = permissions.open_room(self.identity(person), room.slug, action)
                assert opened == permissions.open_room_by_id(self.identity(person), room.pk, action) == room
                continue
            with pytest.raises(StreamError) as caught:
                permissions.open_room(self.identity(person), room.slug, action)
            assert caught.value.code == ("not_allowed" if "read" in allowed else refusal(person))

    @in_every_cell
    def test_connect_to_the_one_room_socket(self, person, room, allowed):
        path = f"/ws/chat/{room.slug}/"
        if "read" in allowed:
            self.socket(**self.credentials(person), path=path)
        else:
            with pytest.raises(DenyConnection):
                self.socket(**self.credentials(person), path=path)

    def test_connect_to_the_streams_needs_to_be_somebody(self):
        for person in PEOPLE:
            if person == "nobody":
                with pytest.raises(DenyConnection):
                    self.page()
            else:
                assert self.page(**self.credentials(person)).greeting

    @in_every_cell
    def test_join_and_history_and_send(self, person, room, allowed):
        if person == "nobody":
            return
        page: Page = self.page(**self.credentials(person))
        for kind, action, fields in (
            ("join", "read", {}),
            ("history", "read", {}),
            ("send", "post", {"body": "hi", "id": f"{person}1"}),
        ):
            answers = page.ask("chat", kind, room=room.slug, **fields)
            if action in allowed:
                assert answers[-1]["type"] in ("joined", "history", "ack")
            else:
                assert [(a["type"], a["code"]) for a in answers] == [("error", "not_found")]
        page.close()

    @in_every_cell
    def test_one_room_socket_posts(self, person, room, allowed):
        if "post" in allowed:
            socket: Socket = self.socket(**self.credentials(person), path=f"/ws/chat/{room.slug}/")
            (answer,) = socket.text({"message": "hi"})
            assert answer["message"] == "hi"

    @in_every_cell
    def test_views_of_messages_images_and_members(self, person, room, allowed):
        browser = self.browser(**self.credentials(person))
        missing = 403 if person == "nobody" else 404
        base = f"/rooms/{room.slug}/"
        assert browser.get(base + "messages/").status_code == (200 if "read" in allowed else missing)
        assert browser.get(base + "members/").status_code == (200 if "read" in allowed else missing)
        posted = browser.post(base + "messages/", {"body": "hi"})
        assert posted.status_code == (201 if "post" in allowed else missing)
        posted = browser.post(base + "images/", {"image": SimpleUploadedFile("x.png", image_bytes())})
        assert posted.status_code == (201 if "post" in allowed else missing)
        self.get_next_message("thumbnail")
        managed = browser.post(base + "members/", {"username": "nemo"}, HTTP_ACCEPT="application/json")
        if "manage" in allowed:
            # Let through, and refused for another reason: nobody has this name, or the room is public.
            assert managed.json()["error"]["code"] == ("not_found" if room.private else "bad_field")
        else:
            assert managed.status_code == (403 if "read" in allowed else missing)

    @in_every_cell
    def test_page_of_a_room(self, person, room, allowed):
        response = self.browser(**self.credentials(person)).get(f"/rooms/{room.slug}/")
        if person == "nobody":
            # The door of a public room is shown to whoever may become a guest; a private one looks like none.
            assert response.status_code == (302 if room.private else 200)
            return
        assert response.status_code == (200 if "read" in allowed else 404)
        if "read" in allowed:
            assert response.context["can_manage"] == ("manage" in allowed)

    @in_every_cell
    def test_files(self, person, room, allowed):
        image = Message.objects.filter(room=room).exclude(image="").first().image
        response = self.browser(**self.credentials(person)).get(f"/media/{image}")
        assert response.status_code == (200 if "read" in allowed else 404)

    @in_every_cell
    def test_read_marker(self, person, room, allowed):
        response = self.browser(**self.credentials(person)).post(f"/rooms/{room.slug}/read/", {"seq": "1"})
        if "read" in allowed:
            assert response.status_code == (403 if person == "guest" else 204)
        else:
            assert response.status_code == (403 if person == "nobody" else 404)

    @in_every_cell
    def test_long_poll(self, person, room, allowed):
        socket = Socket(**self.credentials(person))
        content = {"path": f"/poll/{room.slug}/", "query_string": b"since=0", "method": "GET"}
        headers = [(name.encode(), value) for name, value in socket.client.headers.items()]
        socket.client.send_and_consume("http.request", {**content, "headers": headers})
        (answer,) = socket.received()
        assert answer["status"] == (200 if "read" in allowed else 403 if person == "nobody" else 404)
        assert ("messages" in json.loads(answer["content"])) == ("read" in allowed)

    @in_every_cell
    def test_room_binding(self, person, room, allowed):
        if person == "nobody":
            return
        page: Page = self.page(**self.credentials(person))
        page.ask("rooms", "update", action="update", pk=room.pk, data={"topic": person})
        changed = Room.objects.get(pk=room.pk).topic == person
        assert changed == ("manage" in allowed)

    @in_every_cell
    def test_every_action_over_http_and_socket(self, person, room, allowed):
        browser = self.browser(**self.credentials(person))
        page = self.page(**self.credentials(person)) if person != "nobody" else None
        for action, (permission, fields) in ACTIONS.items():
            if permission in allowed and action in ("quit", "delete"):
                # Tested where it is done, since there is nobody, or no room, left after it.
                continue
            codes = [browser.post(f"/api/rooms/{room.slug}/{action}/", fields).json().get("error", {}).get("code")]
            if page is not None:
                codes.append(page.ask("chat", action, room=room.slug, **fields)[-1].get("code"))
            for code in codes:
                if permission in allowed:
                    # Done, or refused for another reason.
                    assert (action, code) in {(action, None), (action, "bad_field")} | {
                        (name, "not_found") for name in ("kick", "ban", "unban", "revoke")
                    } | {("read", "not_allowed")}
                else:
                    assert code == ("not_allowed" if "read" in allowed else refusal(person)), action

    def test_table_of_actions_here_has_them_all(self):
        mine = {name: permission for name, (permission, _) in ACTIONS.items()}
        modules = ("chat.actions.people", "chat.actions.rooms", "chat.actions.invitations")
        known = {
            action.name: action.permission
            for action in actions.ACTIONS.values()
            if action.permission and action.run.__module__ in modules
        }
        assert known.items() <= mine.items()


class PrivateRoomTests(ChatTestCase):
    def test_private_room_looks_like_a_missing_one(self):
        ann = self.user("ann")
        self.room("Cellar", private=True)
        browser, page = self.browser(ann), self.page(ann)
        for method, path, data in (
            ("get", "messages/", {}),
            ("post", "messages/", {"body": "hi"}),
            ("post", "images/", {"body": "hi"}),
            ("get", "members/", {}),
            ("post", "read/", {"seq": "1"}),
        ):
            answers = [getattr(browser, method)(f"/rooms/{slug}/{path}", data) for slug in ("cellar", "attic")]
            assert [answer.status_code for answer in answers] == [404, 404]
            assert answers[0].content == answers[1].content
        for kind in ("join", "history", "send"):
            answers = [page.ask("chat", kind, room=slug, body="hi", id="1") for slug in ("cellar", "attic")]
            assert answers[0] == answers[1]

    def test_slug_that_no_database_can_hold_is_no_room(self):
        ann = self.user("ann")
        with pytest.raises(StreamError) as caught:
            permissions.open_room(who(ann), "a\0b")
        assert caught.value.code == "not_found"
        assert self.browser(ann).get("/rooms/a%00b/").status_code == 404
        assert self.browser().get("/rooms/a%00b/").status_code == 302

    def test_opening_a_room_costs_one_query(self):
        ann = self.user("ann")
        self.room("Tea", owner=ann)
        identity = who(ann)
        with self.assertNumQueries(1):
            assert permissions.open_room(identity, "tea", "manage").role == Membership.OWNER


class WithoutGuestsTests(ChatTestCase):
    guests = False

    def test_guest_of_yesterday_is_nobody(self):
        self.room("Tea")
        with pytest.raises(DenyConnection):
            self.page(guest="gil")
        with pytest.raises(DenyConnection):
            self.socket(guest="gil", path="/ws/chat/tea/")

    def test_page_leads_to_the_sign_in_and_shows_no_rooms(self):
        self.room("Tea")
        response = self.browser().get("/rooms/tea/")
        assert response.status_code == 302
        assert response["Location"] == "/accounts/login/?next=/rooms/tea/"
        assert self.browser().get("/").context["rooms"] == []

    def test_nobody_becomes_a_guest(self):
        browser = self.browser()
        assert browser.get("/guest/").status_code == 403
        assert browser.post("/guest/", {"name": "gil"}).status_code == 403
