"""Numbers without gaps and messages without doubles, whatever happens at the same time."""

from __future__ import annotations

import threading
from unittest import mock

import pytest
from django.db import IntegrityError, connection, transaction

from chat import messages, numbering
from chat.models import Message, Room
from tests.chat.base import ChatTestCase, guest, who


def together(*calls):
    """Run *calls* in threads that begin at the same moment; return what they returned, or raised, in their order."""
    barrier = threading.Barrier(len(calls))
    results = [None] * len(calls)

    def run(place, call):
        try:
            barrier.wait(30)
            results[place] = call()
        except BaseException as error:
            results[place] = error
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=pair) for pair in enumerate(calls)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


class StoreTests(ChatTestCase):
    def setUp(self):
        super().setUp()
        self.ann = self.user("ann")
        self.tea = self.room("Tea")

    def last(self):
        return Room.objects.get(pk=self.tea.pk).last_seq

    def test_what_is_stored_is_what_the_orm_reads(self):
        message, again = messages.post(self.tea, who(self.ann), "你好 'x' %s \\", "id-1")
        stored = Message.objects.get()
        assert not again
        for field in Message._meta.concrete_fields:
            assert getattr(stored, field.attname) == getattr(message, field.attname), field.name
        # An instance like any other that was saved.
        message.body = "changed"
        message.save()
        assert Message.objects.get().body == "changed"
        assert (message.room.slug, message.room.last_seq, message.room.private) == ("tea", 1, False)

    def test_an_insert_that_fails_takes_no_number(self):
        messages.post(self.tea, who(self.ann), "first")
        # In the way, as nothing of ours would put it there.
        stray = Message.objects.create(room=self.tea, seq=2, uid="stray", author_key="gx", author_name="x")
        with pytest.raises(IntegrityError):
            messages.post(self.tea, who(self.ann), "lost")
        assert self.last() == 1
        stray.delete()
        assert messages.post(self.tea, who(self.ann), "kept")[0].seq == 2
        assert self.last() == 2

    def test_a_resend_is_found_without_an_error_and_takes_no_number(self):
        first, _ = messages.post(self.tea, who(self.ann), "once", "id-1")
        again, dup = messages.post(self.tea, who(self.ann), "once", "id-1")
        assert (again.pk, again.seq, dup, self.last()) == (first.pk, 1, True, 1)
        with mock.patch.object(numbering, "_WAYS", {}):
            again, dup = messages.post(self.tea, who(self.ann), "once", "id-1")
        assert (again.pk, dup, self.last()) == (first.pk, True, 1)

    def test_databases_that_cannot_do_it_at_once_do_it_in_steps(self):
        with mock.patch.object(numbering, "_WAYS", {}):
            first, _ = messages.post(self.tea, who(self.ann), "1")
        second, _ = messages.post(self.tea, who(self.ann), "2")
        assert (first.seq, second.seq, self.last()) == (1, 2, 2)

    def test_a_transaction_around_it_takes_it_back(self):
        def post_and_fail():
            with transaction.atomic():
                messages.post(self.tea, who(self.ann), "lost", "id-1")
                raise ZeroDivisionError

        with pytest.raises(ZeroDivisionError):
            post_and_fail()
        assert (self.last(), Message.objects.count()) == (0, 0)
        assert messages.post(self.tea, who(self.ann), "kept", "id-1")[0].seq == 1

    def test_slow_rooms_are_looked_at_under_the_lock(self):
        Room.objects.filter(pk=self.tea.pk).update(slow_seconds=60)
        # Whoever posts may have read the room before.
        assert numbering.store(Message(room=self.tea, uid="a", author_key="gx", author_name="x"), self.tea) is None
        assert self.last() == 0

    def test_who_hears_of_it_is_decided_by_the_room_as_it_is(self):
        Room.objects.filter(pk=self.tea.pk).update(private=True)
        page = self.page(self.ann)
        page.received()
        messages.post(self.tea, guest(), "secret")
        assert page.heard("rooms") == []


class AtOnceTests(ChatTestCase):
    def setUp(self):
        super().setUp()
        if connection.vendor == "sqlite" and connection.is_in_memory_db():
            self.skipTest("threads share one in-memory SQLite database, which has no second connection to wait")
        self.tea = self.room("Tea")

    def test_of_doubles_that_come_at_once_one_is_stored(self):
        for number in range(10):
            posts = [lambda: messages.post(self.tea, guest(), "hi", f"id-{number}")] * 4  # noqa: B023
            results = together(*posts)
            assert sorted(again for _, again in results) == [False, True, True, True]
            assert {message.seq for message, _ in results} == {number + 1}
        assert list(self.tea.messages.order_by("seq").values_list("seq", flat=True)) == list(range(1, 11))
        self.tea.refresh_from_db()
        assert self.tea.last_seq == 10

    def test_a_double_does_not_break_the_transaction_that_it_is_in(self):
        second_waits = threading.Event()

        def first():
            with transaction.atomic():
                posted = messages.post(self.tea, guest(), "hi", "id-1")
                second_waits.wait(30)
            return posted

        def second():
            with transaction.atomic():
                Room.objects.create(name="Mine")
                # The first one has the lock, or gets this one to wait for it a moment later.
                threading.Timer(0.2, second_waits.set).start()
                posted = messages.post(self.tea, guest(), "hi", "id-1")
                return posted, Room.objects.filter(name="Mine").count()

        (one, again), ((other, double), rooms) = together(first, second)
        assert (one.pk == other.pk, sorted([again, double]), rooms) == (True, [False, True], 1)
        assert Room.objects.filter(name="Mine").exists()

    def test_failures_among_many_posters_leave_no_gap(self):
        def fail(message):
            raise ZeroDivisionError

        def talk(name):
            for number in range(10):
                messages.post(self.tea, guest(name), "hi", f"{name}-{number}")
                with pytest.raises(ZeroDivisionError):
                    messages.post(self.tea, guest(name), "lost", f"{name}-{number}-lost", before_commit=fail)

        assert together(*[lambda name=name: talk(name) for name in "abcd"]) == [None] * 4
        assert list(self.tea.messages.order_by("seq").values_list("seq", flat=True)) == list(range(1, 41))
