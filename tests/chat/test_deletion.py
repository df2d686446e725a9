"""Deleting rooms: nothing of them is left, nothing else is touched, and it costs the same however much was in them."""

from __future__ import annotations

import threading
from pathlib import Path
from unittest import mock

from django.contrib.auth.models import Permission
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from channels_lts.exceptions import StreamError
from chat import messages, rooms, search, storage
from chat.models import Ban, Client, Invitation, Membership, Mention, Message, Room, Turn, Upload, Webhook
from tests.chat.base import ChatTestCase, guest, who
from tests.chat.test_numbering import together
from tests.services import wait_for


class DeletionTestCase(ChatTestCase):
    def setUp(self):
        super().setUp()
        self.ann = self.user("ann")
        self.tea, self.coffee = self.filled("Tea"), self.filled("Coffee")

    def filled(self, name):
        """A room with something of everything in it."""
        room = self.room(name, owner=self.ann)
        messages.post(room, who(self.ann), f"kettle 水壶 {room.slug}")
        picture = messages.StoredImage(storage.save("images", b"picture", "png"), 1, 1)
        thumbnailed, _again = messages.post(room, who(self.ann), "", None, picture)
        thumbnail = storage.save("thumbnails", b"thumbnail", "webp")
        Message.objects.filter(pk=thumbnailed.pk).update(thumbnail=thumbnail)
        plain = messages.StoredImage(storage.save("images", b"no thumbnail yet", "png"), 1, 1)
        messages.post(room, who(self.ann), "", None, plain)
        Mention.objects.create(room=room, seq=1, user=self.ann)
        Client.objects.create(room=room, channel_name="test.socket", key="ggil", name="gil")
        Turn.objects.create(room=room, key="ggil", at=timezone.now())
        Ban.objects.create(room=room, key="gzoe", name="zoe")
        Invitation.objects.create(room=room, token=f"token-{name}", created_by=self.ann)
        Webhook.objects.create(room=room, name="hook", digest=f"digest-{name}")
        upload = Upload.objects.create(room=room, token=f"upload-{name}", key="ggil", size=10)
        default_storage.save(upload.path, ContentFile(b"piece"))
        return room

    def talk(self, room, number):
        Message.objects.bulk_create(
            Message(room=room, seq=100 + seq, uid=f"u{seq}", author_key="ggil", body="more") for seq in range(number)
        )

    def crowd(self, room, number):
        Membership.objects.bulk_create(
            Membership(room=room, user=self.user(f"{room.slug}{count}")) for count in range(number)
        )

    def rows(self, pk):
        """How much there is of a room in each table that refers to rooms, and how many files."""
        models = [relation.related_model for relation in Room._meta.related_objects]
        return {model.__name__: model._base_manager.filter(room=pk).count() for model in models}

    def files(self):
        return sorted(path for path in Path(self.media).rglob("*") if path.is_file())

    def found(self):
        return [item["room"] for item in search.find(who(self.ann), "kettle 水壶", limit=9)[0]]

    def cost(self, action, *args):
        with CaptureQueriesContext(connection) as queries:
            action(*args)
        return len(queries)


class RoomsTests(DeletionTestCase):
    def test_nothing_of_the_room_is_left_and_other_rooms_are_untouched(self):
        tea, before = self.tea.pk, self.rows(self.coffee.pk)
        assert all(before.values()), "a table that refers to rooms, of which this test knows nothing"
        assert len(self.files()) == 8
        rooms.delete(self.tea)
        assert not any(self.rows(tea).values())
        assert self.rows(self.coffee.pk) == before
        assert [room.slug for room in Room.objects.filter(slug__in=["tea", "coffee"])] == ["coffee"]
        assert len(self.files()) == 4
        pictures = Message.objects.filter(room=self.coffee).exclude(image="")
        for message in pictures:
            assert default_storage.exists(message.image.name)
        assert default_storage.exists(Upload.objects.get().path)

    def test_search_finds_nothing_of_it(self):
        assert self.found() == ["coffee", "tea"]
        rooms.delete(self.tea)
        assert self.found() == ["coffee"]
        if connection.vendor == "sqlite":
            with connection.cursor() as cursor:
                # It raises an error where the index and the messages are not the same.
                cursor.execute(
                    "INSERT INTO chat_message_search(chat_message_search, rank) VALUES ('integrity-check', 1)"
                )

    def test_as_many_queries_however_much_was_in_it(self):
        self.talk(self.coffee, 1500)
        self.crowd(self.coffee, 30)
        assert self.cost(rooms.delete, self.tea) == self.cost(rooms.delete, self.coffee) < 20

    def test_rollback_brings_all_of_it_back(self):
        before, files = self.rows(self.tea.pk), self.files()
        with transaction.atomic():
            rooms.delete(Room.objects.get(pk=self.tea.pk))
            transaction.set_rollback(True)
        assert self.rows(self.tea.pk) == before
        assert self.files() == files
        assert self.found() == ["coffee", "tea"]


class AtOnceTests(DeletionTestCase):
    def test_who_posts_or_enters_meanwhile_finds_it_gone_and_leaves_nothing(self):
        if connection.vendor != "postgresql":
            self.skipTest("only PostgreSQL lets others write meanwhile")
        tea, late, half_way, files = self.tea.pk, self.user("late"), threading.Event(), rooms._files

        def waiting():
            with connection.cursor() as cursor:
                cursor.execute("SELECT count(*) FROM pg_locks WHERE NOT granted")
                return cursor.fetchone()[0] >= 2

        def files_when_others_wait(pk):
            half_way.set()
            wait_for(waiting, "the other two wait for the room")
            return files(pk)

        def meanwhile(action, *args, **fields):
            assert half_way.wait(30)
            action(*args, **fields)

        with mock.patch.object(rooms, "_files", files_when_others_wait):
            deleted, posted, entered = together(
                lambda: rooms.delete(Room.objects.get(pk=tea)),
                lambda: meanwhile(messages.post, self.tea, guest(), "late"),
                lambda: meanwhile(Membership.objects.create, room=self.tea, user=late),
            )
        assert (deleted, type(posted), type(entered)) == (None, StreamError, IntegrityError)
        assert not any(self.rows(tea).values())


class AdminTests(DeletionTestCase):
    def setUp(self):
        super().setUp()
        self.boss = self.user("boss", is_staff=True, is_superuser=True)
        self.client = self.browser(self.boss)

    def delete(self, room):
        return self.client.post(f"/admin/chat/room/{room.pk}/delete/", {"post": "yes"})

    def delete_selected(self, *chosen, **fields):
        action = {"action": "delete_selected", "_selected_action": [room.pk for room in chosen], **fields}
        return self.client.post("/admin/chat/room/", action)

    def test_asks_with_numbers_and_not_with_every_message(self):
        self.talk(self.tea, 50)
        for response in (self.client.get(f"/admin/chat/room/{self.tea.pk}/delete/"), self.delete_selected(self.tea)):
            page = response.content.decode()
            assert "Messages: 53" in page
            assert "Room: Tea" in page
            assert "Tea 100" not in page
        assert Room.objects.filter(slug="tea").exists()

    def test_deletes_all_that_was_in_them(self):
        one, two = self.tea.pk, self.coffee.pk
        self.delete(self.tea)
        assert not any(self.rows(one).values())
        self.delete_selected(self.coffee, post="yes")
        assert not any(self.rows(two).values())
        assert self.files() == []
        assert not Room.objects.filter(pk__in=[one, two]).exists()

    def test_as_many_queries_however_much_was_in_it(self):
        # What Django looks up once.
        self.delete(self.room("First"))
        self.talk(self.coffee, 1500)
        self.crowd(self.coffee, 30)
        assert self.cost(self.delete, self.tea) == self.cost(self.delete, self.coffee)

    def test_who_may_not_delete_what_is_in_it_may_not_delete_it(self):
        aide = self.user("aide", is_staff=True)
        aide.user_permissions.set(Permission.objects.filter(codename__in=["view_room", "delete_room"]))
        self.client = self.browser(aide)
        assert self.delete(self.tea).status_code == 403
        assert Room.objects.filter(slug="tea").exists()
        empty = self.room("Empty")
        assert self.delete(empty).status_code == 302
        assert not Room.objects.filter(slug="empty").exists()
