from __future__ import annotations

from unittest.mock import patch

from django.contrib import admin
from django.db import connection
from django.test.utils import CaptureQueriesContext

from chat import direct, messages
from chat.models import Ban, Client, Invitation, Membership, Message, Room, Token, Webhook
from tests.chat.base import ChatTestCase, who


class AdminTests(ChatTestCase):
    def setUp(self):
        super().setUp()
        self.boss = self.user("boss", is_staff=True, is_superuser=True)
        self.tea = self.room("Tea", owner=self.boss)
        self.message, _ = messages.post(self.tea, who(self.boss), "hello " * 50)
        self.page(self.boss).join(self.tea)
        made = {"room": self.tea, "created_by": self.boss}
        Ban.objects.create(key="ggil", name="gil", **made)
        Invitation.objects.create(token="secret-token", **made)
        Webhook.objects.create(name="hook", digest="secret-digest", **made)
        Token.objects.create(user=self.boss, name="bot", digest="secret-digest")
        self.client = self.browser(self.boss)

    def test_every_model_has_lists_and_forms(self):
        for model in (Room, Membership, Message, Client, Ban, Invitation, Token, Webhook):
            name = model._meta.model_name
            assert model in admin.site._registry
            base = f"/admin/chat/{name}/"
            assert self.client.get(base).status_code == 200
            assert self.client.get(base, {"q": "Tea"}).status_code == 200
            response = self.client.get(f"{base}{model.objects.get().pk}/change/")
            assert response.status_code == 200
            # Neither what lets people in, nor what is kept of it.
            assert "secret" not in response.content.decode()

    def test_lists_cost_the_same_however_long_they_are(self):
        def cost(name):
            with CaptureQueriesContext(connection) as queries:
                self.client.get(f"/admin/chat/{name}/")
            return len(queries)

        before = [cost(name) for name in ("room", "membership", "message")]
        for number in range(5):
            room = self.room(f"Room {number}", owner=self.user(f"user{number}"))
            messages.post(room, who(self.boss), "hi")
        assert [cost(name) for name in ("room", "membership", "message")] == before

    def test_deleting_messages_leaves_tombstones(self):
        second, _ = messages.post(self.tea, who(self.boss), "hi")
        self.client.post(f"/admin/chat/message/{self.message.pk}/delete/", {"post": "yes"})
        action = {"action": "delete_selected", "_selected_action": [second.pk], "post": "yes"}
        self.client.post("/admin/chat/message/", action)
        assert list(Message.objects.values_list("seq", "removed").order_by("seq")) == [(1, True), (2, True)]

    def test_messages_are_not_written_here(self):
        assert self.client.get("/admin/chat/message/add/").status_code == 403

    def test_room_made_here_gets_its_slug(self):
        form = {
            "name": "新 room", "topic": "", "created_by": "", "memberships-TOTAL_FORMS": "0",
            "memberships-INITIAL_FORMS": "0",
        }  # fmt: skip
        response = self.client.post("/admin/chat/room/add/", form)
        assert response.status_code == 302, response.context["errors"]
        assert Room.objects.get(name="新 room").slug == "新-room"

    def form(self, **fields):
        return {
            "name": "Tea", "topic": "", "slow_seconds": "0", "created_by": "", "memberships-TOTAL_FORMS": "0",
            "memberships-INITIAL_FORMS": "0", **fields,
        }  # fmt: skip

    def test_saving_a_room_does_not_turn_its_numbers_back(self):
        saved = Room.save

        def talk_meanwhile(room, *args, **kwargs):
            with patch.object(Room, "save", saved):
                messages.post(Room.objects.get(pk=room.pk), who(self.boss), "meanwhile")
            saved(room, *args, **kwargs)

        with patch.object(Room, "save", talk_meanwhile):
            self.client.post(f"/admin/chat/room/{self.tea.pk}/change/", self.form(topic="green"))
        self.tea.refresh_from_db()
        assert (self.tea.topic, self.tea.last_seq) == ("green", 2)

    def test_direct_rooms_are_not_changed_here(self):
        room = direct.open_with(who(self.boss), who(self.user("ann")).key)
        self.client.post(f"/admin/chat/room/{room.pk}/change/", self.form(name="x"))
        room.refresh_from_db()
        assert (room.name, room.private) == ("boss, ann", True)

    def test_room_can_be_deleted_with_everything_in_it(self):
        self.client.post(f"/admin/chat/room/{self.tea.pk}/delete/", {"post": "yes"})
        assert not Room.objects.exists()
        assert not Message.objects.exists()
