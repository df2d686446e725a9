from __future__ import annotations

import importlib
from unittest import mock

import pytest
from django.apps import apps
from django.db import IntegrityError, connection, transaction
from django.test import TestCase

from chat import limits, rooms
from chat.models import Client, Membership, Message, Room
from tests.chat.base import ChatTestCase


class RoomTests(TestCase):
    def slugs(self, *names):
        return [Room.objects.create(name=name).slug for name in names]

    def test_slug_keeps_letters_of_any_script(self):
        assert self.slugs("大厅 Lobby!", "Café", "Привет, мир") == ["大厅-lobby", "café", "привет-мир"]

    def test_twins_are_told_apart_by_a_number(self):
        assert self.slugs("Tea", "tea!", "TEA", "tea-2") == ["tea", "tea-2", "tea-3", "tea-2-2"]

    def test_name_without_a_letter_gets_a_slug_all_the_same(self):
        assert self.slugs("!!!", "🎉") == ["room", "room-2"]

    def test_slug_of_a_page_is_not_taken(self):
        assert self.slugs("New") == ["new-2"]

    def test_longest_names_fit(self):
        assert self.slugs("字" * limits.ROOM_NAME, "字" * limits.ROOM_NAME) == ["字" * 80, "字" * 80 + "-2"]
        assert len(self.slugs("㍿" * limits.ROOM_NAME)[0]) <= limits.SLUG

    def test_slug_stays_when_the_name_changes(self):
        room = Room.objects.create(name="Tea")
        room.name = "Coffee"
        room.save()
        assert room.slug == "tea"

    def test_epoch_of_a_room_at_the_same_slug_is_another(self):
        first = Room.objects.create(name="Tea")
        epoch = first.epoch
        first.delete()
        assert Room.objects.create(name="Tea").epoch != epoch

    def test_numbers_and_ids_of_messages_are_unique_in_the_database(self):
        room = Room.objects.create(name="Tea")
        Message.objects.create(room=room, seq=1, uid="a", author_key="u1")
        for fields in ({"seq": 1, "uid": "b"}, {"seq": 2, "uid": "a"}):
            with self.subTest(fields), pytest.raises(IntegrityError), transaction.atomic():
                Message.objects.create(room=room, author_key="u1", **fields)
        Message.objects.create(room=room, seq=2, uid="a", author_key="u2")

    def test_keys_are_64_bits(self):
        for model in (Room, Membership, Message, Client):
            assert model._meta.pk.get_internal_type() == "BigAutoField"

    def test_fresh_install_has_a_lobby_and_an_old_one_no_second(self):
        migration = importlib.import_module("chat.migrations.0002_lobby")
        Room.objects.all().delete()
        for _ in range(2):
            migration.make_lobby(apps, connection.schema_editor())
        assert [room.slug for room in Room.objects.all()] == ["lobby"]


class CreateTests(ChatTestCase):
    def test_slug_taken_in_the_same_moment_is_chosen_anew(self):
        self.room("Tea")
        # Another process was quicker: the first slug was free when we looked.
        with mock.patch("chat.models.rooms.free_slug", side_effect=["tea", "tea-2"]):
            room = rooms.create(Room(name="Tea", created_by=self.user("ann")))
        assert room.slug == "tea-2"
        assert [member.role for member in room.memberships.all()] == [Membership.OWNER]
