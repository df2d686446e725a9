"""Storing many messages at once: the same promises as for one, and several rooms at a time."""

from __future__ import annotations

import random

import pytest
from django.db import DataError, connection, transaction

from chat import limits, messages, numbering_many
from chat.models import Message, Room
from tests.chat.base import ChatTestCase, guest
from tests.chat.test_numbering import together


def new(room, uid, name="gil", text="hi"):
    return messages.plain(room, guest(name), text, uid)


class StoreAllTests(ChatTestCase):
    def setUp(self):
        super().setUp()
        self.tea, self.milk = self.room("Tea"), self.room("Milk")

    def numbers(self, room):
        room.refresh_from_db()
        numbers = list(room.messages.order_by("seq").values_list("seq", "uid"))
        assert [seq for seq, _ in numbers] == list(range(1, room.last_seq + 1))
        return [uid for _, uid in numbers]

    def test_what_is_stored_is_what_the_orm_reads(self):
        made = [new(self.tea, "a", text="你好 'x' %s \\"), new(self.milk, "b"), new(self.tea, "c")]
        assert numbering_many.store_all(made) == [0, 1, 2]
        for message in made:
            stored = Message.objects.get(uid=message.uid)
            for field in Message._meta.concrete_fields:
                if field.name != "id":
                    assert getattr(stored, field.attname) == getattr(message, field.attname), field.name
        assert (self.numbers(self.tea), self.numbers(self.milk)) == (["a", "c"], ["b"])

    def test_numbers_go_on_where_they_were(self):
        messages.post(self.tea, guest(), "one", "one")
        numbering_many.store_all([new(self.tea, "two"), new(self.tea, "three")])
        messages.post(self.tea, guest(), "four", "four")
        assert self.numbers(self.tea) == ["one", "two", "three", "four"]

    def test_the_room_counts_as_it_is_now(self):
        slow, gone = self.room("Slow"), self.room("Gone")
        Room.objects.filter(pk=slow.pk).update(slow_seconds=9)
        Room.objects.filter(pk=self.milk.pk).update(private=True, slug="cream")
        Room.objects.filter(pk=gone.pk).delete()
        made = [new(slow, "a"), new(gone, "b"), new(self.milk, "c"), new(self.tea, "d")]
        assert numbering_many.store_all(made) == [2, 3]
        assert (made[2].room.slug, made[2].room.private) == ("cream", True)
        assert self.numbers(slow) == []

    def test_one_that_is_there_takes_no_number(self):
        messages.post(self.tea, guest(), "hi", "a")
        made = [new(self.tea, "a"), new(self.tea, "b"), new(self.tea, "a", name="another"), new(self.milk, "a")]
        assert numbering_many.store_all(made) == [1, 2, 3]
        assert self.numbers(self.tea) == ["a", "b", "a"]

    def test_all_are_there(self):
        messages.post(self.tea, guest(), "hi", "a")
        assert numbering_many.store_all([new(self.tea, "a")]) == []

    def test_nothing_to_store(self):
        assert numbering_many.store_all([]) == []

    def test_a_transaction_around_it_survives_a_refusal_and_takes_it_back(self):
        Message.objects.create(room=self.tea, seq=2, uid="stray", author_key="gx", author_name="x")
        with transaction.atomic():
            # The second number is taken, as nothing of ours would take it.
            assert numbering_many.store_all([new(self.tea, "a"), new(self.tea, "b")]) == []
            assert numbering_many.store_all([new(self.milk, "a")]) == [0]
            transaction.set_rollback(True)
        assert self.numbers(self.milk) == []
        assert Room.objects.get(pk=self.tea.pk).last_seq == 0

    def test_what_does_not_fit_is_not_cut(self):
        long = new(self.tea, "x" * (limits.UID + 1))
        if connection.vendor == "postgresql":
            with pytest.raises(DataError):
                numbering_many.store_all([new(self.tea, "a"), long])
            assert self.numbers(self.tea) == []
        else:
            # SQLite knows no lengths.
            numbering_many.store_all([long])
            assert self.numbers(self.tea) == [long.uid]

    def test_many_workers_and_rooms_in_any_order_leave_no_gap_and_wait_for_nobody_for_ever(self):
        if connection.vendor == "sqlite" and connection.is_in_memory_db():
            self.skipTest("threads share one in-memory SQLite database, which has no second connection to wait")
        rooms = [self.room(f"Room {number}") for number in range(5)]

        def work(name):
            order = random.Random(name)
            for turn in range(20):
                picked = order.sample(rooms, 4)
                # One of them is another's as well.
                made = [new(room, f"{name} {turn}", name=name) for room in picked] + [new(rooms[0], f"{turn}")]
                left = set(range(5)) - set(numbering_many.store_all(made))
                for place in left:
                    messages.post(made[place].room, guest("gil" if place == 4 else name), "hi", made[place].uid)

        assert together(*[lambda name=name: work(name) for name in "abcd"]) == [None] * 4
        assert sum(len(self.numbers(room)) for room in rooms) == 4 * 20 * 4 + 20
