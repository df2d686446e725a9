from __future__ import annotations

import threading
from unittest import mock

import pytest
from channels import Group
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from channels_lts.exceptions import StreamError
from chat import groups, limits, messages, payloads
from chat.models import Message, Room
from tests.chat.base import ChatTestCase, guest, who


class PostTests(ChatTestCase):
    def setUp(self):
        super().setUp()
        self.ann = self.user("ann")
        self.tea = self.room("Tea")

    def test_messages_are_numbered_from_one_by_room(self):
        other = self.room("Coffee")
        numbers = [messages.post(self.tea, who(self.ann), "x")[0].seq for _ in range(3)]
        assert numbers == [1, 2, 3]
        assert messages.post(other, guest(), "x")[0].seq == 1
        self.tea.refresh_from_db()
        assert self.tea.last_seq == 3

    def test_message_keeps_who_wrote_it(self):
        mine, _ = messages.post(self.tea, who(self.ann), " hello ")
        theirs, _ = messages.post(self.tea, guest("gil"), "hi")
        assert (mine.author, mine.author_key, mine.author_name, mine.body) == (
            self.ann,
            f"u{self.ann.pk}",
            "ann",
            "hello",
        )
        assert (theirs.author, theirs.author_key, theirs.author_name) == (None, "ggil", "gil")
        self.ann.delete()
        mine.refresh_from_db()
        assert (mine.author, mine.author_name) == (None, "ann")

    def test_resend_returns_the_stored_message_and_tells_nobody(self):
        first, again = messages.post(self.tea, who(self.ann), "once", "id-1")
        assert not again
        self.listen(groups.room(self.tea.pk))
        second, again = messages.post(self.tea, who(self.ann), "twice", "id-1")
        assert again
        assert (second.pk, second.body) == (first.pk, "once")
        assert Message.objects.count() == 1
        assert self.get_next_message("listener") is None

    def test_same_id_of_another_author_or_in_another_room_is_another_message(self):
        messages.post(self.tea, who(self.ann), "x", "id-1")
        assert not messages.post(self.tea, guest(), "x", "id-1")[1]
        assert not messages.post(self.room("Coffee"), who(self.ann), "x", "id-1")[1]

    def test_bad_bodies_store_nothing(self):
        for body, code in (("", "bad_field"), (" \n", "bad_field"), ("x" * 4001, "too_large")):
            with pytest.raises(StreamError) as caught:
                messages.post(self.tea, who(self.ann), body)
            assert caught.value.code == code
        assert not Message.objects.exists()

    def test_failure_leaves_no_gap_and_tells_nobody(self):
        self.listen(groups.room(self.tea.pk))

        def fail(message):
            raise RuntimeError("before the commit")

        with pytest.raises(RuntimeError):
            messages.post(self.tea, who(self.ann), "lost", before_commit=fail)
        assert self.get_next_message("listener") is None
        assert messages.post(self.tea, who(self.ann), "kept")[0].seq == 1

    def test_d24_nothing_is_told_before_the_commit(self):
        self.listen(groups.room(self.tea.pk), groups.plain(self.tea.pk), groups.poll(self.tea.pk, 0), groups.EVERYBODY)
        with transaction.atomic():
            messages.post(self.tea, who(self.ann), "hi")
            assert self.get_next_message("listener") is None
        told = []
        while (message := self.get_next_message("listener")) is not None:
            told.append(message.content)
        # The room list, the room, the one-room sockets, the long-polls.
        assert len(told) == 4
        assert [sorted(message) for message in told].count(["text"]) == 3

    def test_room_deleted_meanwhile_is_not_found(self):
        Room.objects.filter(pk=self.tea.pk).delete()
        with pytest.raises(StreamError) as caught:
            messages.post(self.tea, who(self.ann), "hi")
        assert caught.value.code == "not_found"

    def test_layer_that_fails_does_not_undo_or_hide_what_was_stored(self):
        with (
            mock.patch("channels.channel.Group.send", side_effect=RuntimeError("Redis is away")),
            self.assertLogs("channels_lts.after_commit", "ERROR") as log,
        ):
            message, _ = messages.post(self.tea, who(self.ann), "hi")
        assert Message.objects.get().pk == message.pk
        assert len(log.records) == 4

    def test_posting_costs_few_queries(self):
        identity = who(self.ann)
        with CaptureQueriesContext(connection) as queries:
            messages.post(self.tea, identity, "hi", "id-1")
        # The number and the message. Some Djangos list BEGIN and COMMIT as well.
        sent = [query["sql"].split()[0] for query in queries.captured_queries]
        wanted = {"postgresql": ["WITH"], "sqlite": ["UPDATE", "INSERT"]}[connection.vendor]
        assert [verb for verb in sent if verb not in ("BEGIN", "COMMIT")] == wanted

    def listen(self, *names):
        for name in names:
            Group(name).add("listener")


class ManyPostersTests(ChatTestCase):
    def test_numbers_have_no_gap_when_many_post_at_once(self):
        if connection.vendor == "sqlite" and connection.is_in_memory_db():
            self.skipTest("threads share one in-memory SQLite database, which has no second connection to wait")
        room, ann = self.room("Tea"), who(self.user("ann"))
        failures = []

        def talk(name):
            try:
                for number in range(10):
                    messages.post(room, ann, f"{name} {number}", f"{name}-{number}")
            except Exception as error:
                failures.append(error)
            finally:
                connection.close()

        threads = [threading.Thread(target=talk, args=(name,)) for name in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert failures == []
        assert list(Message.objects.order_by("seq").values_list("seq", flat=True)) == list(range(1, 41))


class FilesTests(ChatTestCase):
    def setUp(self):
        super().setUp()
        self.tea, self.ann = self.room("Tea"), self.user("ann")

    def test_files_go_with_the_room(self):
        name = default_storage.save("images/x.png", ContentFile(b"x"))
        messages.post(self.tea, who(self.ann), "", image=messages.StoredImage(name, 3, 4))
        with transaction.atomic():
            self.tea.delete()
            assert default_storage.exists(name)
        assert not default_storage.exists(name)


class HistoryTests(ChatTestCase):
    def test_windows_are_oldest_first_and_say_whether_there_is_more(self):
        room, ann = self.room("Tea"), who(self.user("ann"))
        for number in range(5):
            messages.post(room, ann, str(number))

        def seqs(found):
            return [message["seq"] for message in found]

        found, more = messages.before(room, None, 2)
        assert (seqs(found), more) == ([4, 5], True)
        found, more = messages.before(room, 4, 3)
        assert (seqs(found), more) == ([1, 2, 3], False)
        assert messages.before(room, 1, 3) == ([], False)
        assert seqs(messages.after(room, 3, 9)) == [4, 5]
        with self.assertNumQueries(1):
            messages.before(room, None, 5)

    def test_listed_messages_are_shown_as_the_stored_ones_are(self):
        room, ann = self.room("Tea"), who(self.user("ann"))
        for number in range(4):
            messages.post(room, ann if number else guest(), f"{number} @ann")
        stored = Message.objects.filter(room=room)
        then = timezone.now().replace(microsecond=1000)
        stored.filter(seq=2).update(removed=True, edited_at=then, revision=1, image="images/x.png")
        stored.filter(seq=3).update(edited_at=then, created_at=then.replace(microsecond=0), revision=2)
        stored.filter(seq=4).update(image="images/ä.png", thumbnail="thumbnails/x.webp", width=3, height=4, body="")
        expected = [payloads.message(message, room.slug) for message in stored.order_by("seq")]
        kinds = (expected[3]["image"], expected[2]["edited"], expected[1]["removed"], expected[0]["mentions"])
        assert all(kinds)
        for found in (messages.before(room, None)[0], messages.after(room, 0, 9), messages.before(room, 5, 9)[0]):
            assert found == expected
        assert messages.changed(room, 0, 9, 9) == expected[1:3]
        assert messages.after(room, 2**63 - 1, 9) == messages.after(room, 0, 0) == []
        # Another room's stay there.
        assert messages.before(self.room("Coffee"), None) == ([], False)

    def test_last_messages_of_a_large_room_are_found_by_their_numbers_where_most_rooms_are_small(self):
        if connection.vendor != "postgresql":
            self.skipTest("only PostgreSQL plans a statement once for all rooms")
        rooms = [self.room(f"Room {number}") for number in range(100)]
        sizes = [2000] + [20] * 99
        Message.objects.bulk_create(
            Message(room=room, seq=seq, uid=str(seq), author_key="g", body="x" * 50)
            for room, size in zip(rooms, sizes, strict=True)
            for seq in range(1, size + 1)
        )
        sql = messages._compiled("postgresql", "-seq", limits.HISTORY + 1).sql
        for place in ("$1", "$2", "$3"):
            sql = sql.replace("%s", place, 1)
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("ANALYZE chat_message")
            cursor.execute("SET LOCAL plan_cache_mode = force_generic_plan")
            cursor.execute(f"PREPARE listed(bigint, bigint, bigint) AS {sql}")
            cursor.execute(f"EXPLAIN EXECUTE listed({rooms[0].pk}, 0, 1000000)")
            plan = "\n".join(line for (line,) in cursor.fetchall())
            cursor.execute("DEALLOCATE listed")
        # A range of one index, in its order: fifty rows are read, of however many there are.
        assert "chat_message_number" in plan, plan
        assert "Sort" not in plan, plan
