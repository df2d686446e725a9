from __future__ import annotations

import subprocess
import sys
from unittest import mock

import pytest
from django.db import transaction

from chat import groups, heads, messages
from chat.heads import Head, Heads
from chat.models import Membership, Room
from tests.chat.base import ChatTestCase, guest
from tests.services import ROOT, wait_for


class Clock:
    now = 100.0

    def __call__(self):
        return self.now


class HeadsTests(ChatTestCase):
    """With a clock that stands still, and a worker that only works when it is told to."""

    def setUp(self):
        super().setUp()
        self.clock = Clock()
        self.started = []
        self.heads = Heads(clock=self.clock, later=self.started.append)
        patch = mock.patch.object(heads, "current", self.heads)
        patch.start()
        self.addCleanup(patch.stop)
        self.ann, self.ben = self.user("ann"), self.user("ben")
        self.tea = self.room("Tea")
        self.page_of_ann, self.page_of_ben = self.page(self.ann), self.page(self.ben)

    def post(self, room, times=1):
        for _ in range(times):
            messages.post(room, guest(), "hi")

    def heard(self, page=None):
        payloads = (page or self.page_of_ann).heard("rooms")
        assert {payload["type"] for payload in payloads} <= {"heads"}
        return [payload["heads"] for payload in payloads]

    def tick(self):
        self.clock.now += 1
        self.heads.flush()

    def test_first_number_is_told_at_once_and_then_one_a_second_and_the_last_one_always(self):
        self.post(self.tea, 100)
        assert self.heard() == [{"tea": 1}]
        self.tick()
        assert self.heard() == [{"tea": 100}]
        self.post(self.tea, 7)
        # It was told this very second.
        assert self.heard() == []
        self.tick()
        assert self.heard() == [{"tea": 107}]
        self.tick()
        assert self.heard() == []

    def test_a_room_that_was_quiet_for_a_second_is_told_at_once_again(self):
        self.post(self.tea)
        self.clock.now += 1
        self.post(self.tea)
        assert self.heard() == [{"tea": 1}, {"tea": 2}]
        assert self.started == []

    def test_rooms_share_a_frame(self):
        rooms = [self.tea, self.room("Coffee"), self.room("Milk")]
        self.page_of_ann.received()
        for room in rooms:
            self.post(room, 3)
        assert self.heard() == [{"tea": 1}, {"coffee": 1}, {"milk": 1}]
        self.tick()
        assert self.heard() == [{"tea": 3, "coffee": 3, "milk": 3}]

    def test_private_and_direct_rooms_are_told_to_their_members(self):
        cellar = self.room("Cellar", private=True, member=self.ann)
        pair = Room.objects.create(name="", slug="pair", private=True, direct=f"u{self.ann.pk} u{self.ben.pk}")
        for user in (self.ann, self.ben):
            Membership.objects.create(room=pair, user=user)
        self.page_of_ann.received(), self.page_of_ben.received()
        self.post(cellar, 2)
        self.post(pair, 2)
        assert (self.heard(), self.heard(self.page_of_ben)) == ([{"cellar": 1}, {"pair": 1}], [{"pair": 1}])
        self.tick()
        assert (self.heard(), self.heard(self.page_of_ben)) == ([{"cellar": 2, "pair": 2}], [{"pair": 2}])

    def test_who_left_or_was_shut_out_meanwhile_is_not_told(self):
        cellar = self.room("Cellar", private=True, member=self.ben)
        self.post(self.tea, 2)
        self.post(cellar, 2)
        Membership.objects.filter(user=self.ben).delete()
        # Without a signal: as if another process had done it.
        Room.objects.filter(pk=self.tea.pk).update(private=True)
        self.page_of_ann.received(), self.page_of_ben.received()
        self.tick()
        assert (self.heard(), self.heard(self.page_of_ben)) == ([], [])

    def test_members_are_looked_up_once_for_many_messages(self):
        cellar = self.room("Cellar", private=True, member=self.ann)
        self.post(cellar, 50)
        with self.assertNumQueries(2):
            self.tick()
        with self.assertNumQueries(0):
            self.heads.flush()

    def test_nothing_is_told_before_the_commit_and_nothing_without_one(self):
        def fail(message):
            raise RuntimeError

        with transaction.atomic():
            self.post(self.tea)
            assert self.heard() == []
        with pytest.raises(RuntimeError):
            messages.post(self.tea, guest(), "lost", before_commit=fail)
        self.tick()
        assert self.heard() == [{"tea": 1}]

    def test_a_database_that_fails_delays_the_number_and_fails_nobody(self):
        cellar = self.room("Cellar", private=True, member=self.ann)
        self.page_of_ann.received()
        with (
            mock.patch("chat.heads._members", side_effect=RuntimeError("away")),
            self.assertLogs("chat.heads", "ERROR"),
        ):
            self.post(cellar, 3)
            self.tick()
        assert (self.heard(), cellar.messages.count()) == ([], 3)
        self.tick()
        assert self.heard() == [{"cellar": 3}]

    def test_the_thread_works_while_there_is_news_and_begins_again_with_the_next(self):
        self.post(self.tea, 5)
        (work,) = self.started
        waited = []

        def wait(seconds):
            waited.append(seconds)
            self.clock.now += seconds
            if len(waited) == 1:
                # More news while it waits: no second thread.
                self.post(self.tea, 5)

        work(wait)
        assert (waited, self.heard()) == ([heads.INTERVAL], [{"tea": 1}, {"tea": 10}])
        self.clock.now += 1
        self.post(self.tea, 2)
        assert len(self.started) == 2

    def test_what_is_remembered_does_not_grow_with_the_rooms(self):
        with mock.patch("chat.heads.tell"):
            for pk in range(5000):
                self.clock.now += 0.01
                self.heads.note(pk, Head("x", False, 1))
        assert len(self.heads._told) <= 1000


def test_a_thread_tells_the_last_number_by_itself():
    told = []
    with mock.patch("chat.heads.tell", told.append), mock.patch("chat.heads.Room") as rooms:
        rooms.objects.filter.return_value.values_list.return_value = [(1, "tea", False)]
        current = Heads(interval=0.1)
        for seq in (1, 2, 3):
            current.note(1, Head("tea", False, seq))
        wait_for(lambda: len(told) == 2, "the last number is told")
    assert [list(each.values()) for each in told] == [[Head("tea", False, 1)], [Head("tea", False, 3)]]


ENDS = """
import django; django.setup()
from unittest import mock
from chat import heads
heads.tell = lambda told: print(*(head.seq for head in told.values()), flush=True)
mock.patch("chat.heads.Room").start().objects.filter.return_value.values_list.return_value = [(1, "tea", False)]
heads.current = heads.Heads(interval=600)
for seq in (1, 2, 3):
    heads.current.note(1, heads.Head("tea", False, seq))
"""


def test_a_process_that_ends_tells_the_last_number_before():
    environment = {"DJANGO_SETTINGS_MODULE": "my_project.settings", "PYTHONPATH": str(ROOT)}
    said = subprocess.run(
        [sys.executable, "-c", ENDS], env=environment, cwd=ROOT, capture_output=True, text=True, timeout=60, check=True
    )
    assert said.stdout.split() == ["1", "3"], said.stderr


def test_everybody_is_the_group_of_public_rooms():
    with mock.patch("chat.heads._send") as send:
        heads.tell({1: Head("tea", False, 4), 2: Head("milk", False, 5)})
    send.assert_called_once_with(groups.EVERYBODY, {"tea": 4, "milk": 5})
