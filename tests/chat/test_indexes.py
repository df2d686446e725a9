"""Indexes of messages: what is there, and that what is asked uses them."""

from __future__ import annotations

import re

from django.core.management import call_command
from django.db import connection
from django.db.models import Q

from chat import messages
from chat.models import Message, Room
from tests.chat.base import ChatTestCase, who

PICTURE, THUMBNAIL = "images/aa/picture.png", "thumbnails/aa/thumbnail.webp"


def indexes():
    """The columns of each index of messages that is not there for being unique."""
    with connection.cursor() as cursor:
        found = connection.introspection.get_constraints(cursor, Message._meta.db_table)
    return sorted(
        index["columns"]
        for index in found.values()
        if index["index"] and not index["unique"] and not index["primary_key"] and index["columns"] != ["search"]
    )


class IndexTestCase(ChatTestCase):
    """As many messages in as many rooms as it takes to make an index worth its while."""

    def setUp(self):
        super().setUp()
        self.ann = self.user("ann")
        self.rooms = [self.room(f"Room {number}") for number in range(10)]
        Message.objects.bulk_create(
            Message(room=room, seq=seq, uid=f"u{seq}", author_key=f"u{seq % 7}", body="kettle")
            for room in self.rooms
            for seq in range(1, 401)
        )
        Message.objects.filter(room=self.rooms[3], seq=7).update(image=PICTURE, thumbnail=THUMBNAIL)
        Room.objects.update(last_seq=400)
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE")

    def plan(self, sql, params):
        """How the database executes a statement that it plans once for all parameters."""
        with connection.cursor() as cursor:
            if connection.vendor == "sqlite":
                cursor.execute(f"EXPLAIN QUERY PLAN {sql}", params)
                return "\n".join(row[-1] for row in cursor.fetchall())
            # Not psycopg's own parameters: EXPLAIN is not what they would be planned for.
            numbers = iter(range(1, len(params) + 1))
            cursor.execute("SET plan_cache_mode = force_generic_plan")
            cursor.execute("PREPARE asked AS " + re.sub("%s", lambda _found: f"${next(numbers)}", sql))
            try:
                values = ", ".join(f"'{param}'" for param in params)
                cursor.execute(f"EXPLAIN EXECUTE asked({values})")
                return "\n".join(row[0] for row in cursor.fetchall())
            finally:
                cursor.execute("DEALLOCATE asked")
                cursor.execute("RESET plan_cache_mode")

    def asked(self, function, *args):
        """What *function* asks of the messages: statements and their parameters."""
        statements = []

        def note(execute, sql, params, many, context):
            if "chat_message" in sql.replace('"', " ").split():
                statements.append((sql, params))
            return execute(sql, params, many, context)

        with connection.execute_wrapper(note):
            function(*args)
        return statements

    def assert_walks_nothing(self, plan):
        assert not re.search("Seq Scan|SCAN (TABLE )?chat_message|Filter: ", plan), plan


class FileTests(IndexTestCase):
    def test_whose_file_it_is_is_found_by_the_small_indexes(self):
        for path in (PICTURE, THUMBNAIL, "images/aa/none.png"):
            with self.subTest(path):
                ((sql, params),) = self.asked(self.browser(self.ann).get, f"/media/{path}")
                plan = self.plan(sql, params)
                assert "chat_message_image" in plan
                assert "chat_message_thumbnail" in plan
                self.assert_walks_nothing(plan)

    def test_indexes_have_no_entry_for_messages_without_a_file(self):
        for name in ("chat_message_image", "chat_message_thumbnail"):
            with self.subTest(name), connection.cursor() as cursor:
                if connection.vendor == "sqlite":
                    cursor.execute("SELECT stat FROM sqlite_stat1 WHERE idx = %s", [name])
                else:
                    cursor.execute("SELECT reltuples::bigint || ' ' FROM pg_class WHERE relname = %s", [name])
                assert cursor.fetchone()[0].split()[0] == "1"


class RoomTests(IndexTestCase):
    def test_what_is_in_a_room_is_found_without_an_index_of_its_own(self):
        room = self.rooms[3]
        for found in (
            Message.objects.filter(room=room),
            Message.objects.filter(room=room).exclude(image="", thumbnail=""),
            room.messages.filter(Q(author_key="u3")),
        ):
            ((sql, params),) = self.asked(list, found)
            with self.subTest(sql):
                plan = self.plan(sql, params)
                assert not re.search("Seq Scan|SCAN", plan), plan
                assert re.search("chat_message_(number|uid)|autoindex_chat_message_[12]", plan)

    def test_history_is_read_by_number(self):
        ((sql, params),) = self.asked(messages.after, self.rooms[3], 390, 20)
        plan = self.plan(sql, params)
        assert re.search("chat_message_number|autoindex_chat_message_1", plan), plan
        self.assert_walks_nothing(plan)


class MigrationTests(IndexTestCase):
    LESS = sorted([["author_id"], ["image"], ["thumbnail"], ["room_id", "revision"]])

    def test_it_goes_back_and_forth_and_keeps_messages_and_search(self):
        assert indexes() == self.LESS
        try:
            call_command("migrate", "chat", "0007", verbosity=0)
            assert indexes() == sorted([*self.LESS, ["room_id"]])
        finally:
            call_command("migrate", "chat", verbosity=0)
        assert indexes() == self.LESS
        assert Message.objects.count() == 4000
        messages.post(self.rooms[0], who(self.ann), "teapot")
        assert self.page(self.ann).one("chat", "search", query="teapot")["messages"] != []
