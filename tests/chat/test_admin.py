from __future__ import annotations

from django.contrib import admin
from django.db import connection
from django.test.utils import CaptureQueriesContext

from chat import messages
from chat.models import Client, Membership, Message, Room
from tests.chat.base import ChatTestCase, who


class AdminTests(ChatTestCase):
    def setUp(self):
        super().setUp()
        self.boss = self.user("boss", is_staff=True, is_superuser=True)
        self.tea = self.room("Tea", owner=self.boss)
        self.message, _ = messages.post(self.tea, who(self.boss), "hello " * 50)
        self.page(self.boss).join(self.tea)
        self.client = self.browser(self.boss)

    def test_every_model_has_lists_and_forms(self):
        for model in (Room, Membership, Message, Client):
            name = model._meta.model_name
            assert model in admin.site._registry
            base = f"/admin/chat/{name}/"
            assert self.client.get(base).status_code == 200
            assert self.client.get(base, {"q": "Tea"}).status_code == 200
            assert self.client.get(f"{base}{model.objects.get().pk}/change/").status_code == 200

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

    def test_room_can_be_deleted_with_everything_in_it(self):
        self.client.post(f"/admin/chat/room/{self.tea.pk}/delete/", {"post": "yes"})
        assert not Room.objects.exists()
        assert not Message.objects.exists()
