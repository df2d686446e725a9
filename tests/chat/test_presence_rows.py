from __future__ import annotations

import datetime
import threading
from unittest import mock

from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from chat import presence, presence_rows
from chat.models import Client, Room
from tests.chat.base import ChatTestCase, guest, who
from tests.services import wait_for


class PresenceRowsTests(ChatTestCase):
    def setUp(self):
        super().setUp()
        self.ann = who(self.user("ann"))
        self.tea, self.coffee = self.room("Tea"), self.room("Coffee")
        self.now = timezone.now()

    def row(self, name, identity, room=None, *, silent=0, **fields):
        """Note a socket of which nothing was heard for so many seconds."""
        fields.update(user_id=identity.user_id, key=identity.key, name=identity.name)
        seen_at = self.now - datetime.timedelta(seconds=silent)
        return Client.objects.create(room=room or self.tea, channel_name=name, seen_at=seen_at, **fields)

    def ago(self, seconds):
        return self.now - datetime.timedelta(seconds=seconds)

    def both_ways(self):
        """Once as this database does it, and once as one that has no RETURNING."""
        for has in (presence_rows._has_returning(), False):
            with self.subTest(returning=has), mock.patch.object(presence_rows, "_has_returning", return_value=has):
                yield has

    def test_who_joins_finds_their_own_rows_the_stale_the_ended_and_those_of_the_socket(self):
        wanted = [
            self.row("ann-1", self.ann),
            self.row("ann-2", self.ann, present=False, plain=True),
            self.row("stale", guest("stale"), silent=100),
            self.row("ended", guest("ended"), silent=2000, present=False),
            self.row("new", self.ann, self.coffee),
        ]
        self.row("ben", guest("ben"))
        self.row("gone", guest("gone"), silent=100, present=False)
        self.row("ann-3", self.ann, self.coffee)
        found = presence_rows.concerning(self.tea, "new", self.ann.key, cutoff=self.ago(75), ended=self.ago(1000))
        assert {row.id: row for row in found} == {
            row.pk: presence_rows.Row(*(getattr(row, name) for name in presence_rows.Row._fields)) for row in wanted
        }
        # Stand-ins are replaced anew each time.
        assert presence_rows.concerning(self.coffee, "x", "x", cutoff=self.ago(75), ended=self.ago(1000)) == []

    def test_row_that_is_added_is_the_one_that_django_would_add(self):
        for identity in (self.ann, guest("gil")):
            presence_rows.add(self.tea, identity.key, identity, self.now)
            added, expected = Client.objects.get(channel_name=identity.key), self.row("x", identity)
            for field in Client._meta.concrete_fields:
                if field.name not in ("id", "channel_name"):
                    assert getattr(added, field.attname) == getattr(expected, field.attname), field.name
            expected.delete()

    def test_row_that_is_taken_says_whether_the_person_is_elsewhere_in_the_room(self):
        gil = guest("gil")
        for _ in self.both_ways():
            Client.objects.all().delete()
            self.row("ann-1", self.ann)
            self.row("ann-2", self.ann)
            self.row("ann-3", self.ann, self.coffee)
            self.row("ann-4", self.ann, present=False, plain=True)
            self.row("gil", gil, present=False)
            with transaction.atomic():
                taken = [presence_rows.take(self.tea, name) for name in ("ann-1", "ann-2", "gil", "ann-3", "ann-1")]
            assert taken == [
                (self.ann.key, "ann", self.ann.user_id, True, True),
                (self.ann.key, "ann", self.ann.user_id, True, False),
                (gil.key, "gil", None, False, False),
                None,
                None,
            ]
            assert set(Client.objects.values_list("channel_name", flat=True)) == {"ann-3", "ann-4"}

    def test_number_is_stored_and_people_are_counted_once_each(self):
        self.row("ann-1", self.ann)
        self.row("ann-2", self.ann)
        self.row("gil", guest("gil"))
        self.row("stale", guest("stale"), silent=100)
        self.row("plain", guest("plain"), present=False, plain=True)
        self.row("elsewhere", guest("elsewhere"), self.coffee)
        for number, _ in enumerate(self.both_ways(), 7):
            self.tea.presence = number
            assert presence_rows.number(self.tea, self.ago(75)) == 2
            assert Room.objects.get(pk=self.tea.pk).presence == number
            assert Room.objects.get(pk=self.coffee.pk).presence == 0

    def test_joining_and_leaving_take_few_statements(self):
        presence.enter(self.tea, "other", guest("gil"))
        if not presence_rows._has_returning():
            self.skipTest("this SQLite has no RETURNING")
        with CaptureQueriesContext(connection) as joining:
            presence.enter(self.tea, "new", self.ann)
        with CaptureQueriesContext(connection) as leaving:
            presence.leave(self.tea, "new")

        alone = connection.vendor == "postgresql"
        assert self.statements(joining) == (["WITH"] if alone else ["SELECT", "SELECT", "INSERT", "UPDATE"])
        assert self.statements(leaving) == ["SELECT", "DELETE", "UPDATE"]

    def statements(self, queries):
        """Those that were run. Of the beginning and the end of the transaction not every Django tells."""
        kinds = [query["sql"].split()[0] for query in queries.captured_queries]
        return [kind for kind in kinds if kind not in ("BEGIN", "COMMIT")]


class EnterTests(ChatTestCase):
    """Joining in one statement, which only PostgreSQL can."""

    def setUp(self):
        super().setUp()
        if connection.vendor != "postgresql":
            self.skipTest("only PostgreSQL stores and numbers in one statement")
        self.tea, self.ann = self.room("Tea"), who(self.user("ann"))
        self.now = timezone.now()

    def enter(self, name="new", identity=None, most=5):
        times = {"now": self.now, "cutoff": self.ago(75), "ended": self.ago(1000)}
        return presence_rows.enter(self.tea, name, identity or self.ann, most=most, **times)

    def ago(self, seconds):
        return self.now - datetime.timedelta(seconds=seconds)

    def row(self, name, key, silent=0, **fields):
        return Client.objects.create(
            room=fields.pop("room", self.tea), channel_name=name, key=key, name=key, seen_at=self.ago(silent), **fields
        )

    def stored(self):
        return Room.objects.get(pk=self.tea.pk).presence, Client.objects.filter(room=self.tea).count()

    def test_it_adds_the_row_numbers_and_counts(self):
        self.row("gil", "ggil")
        self.row("plain", "gplain", present=False, plain=True)
        assert self.enter() == (1, "tea", 2)
        assert self.enter("other", guest("uli")) == (2, "tea", 3)
        assert self.stored() == (2, 4)
        added = Client.objects.get(channel_name="new")
        assert (added.user_id, added.key, added.name) == (self.ann.user_id, self.ann.key, "ann")
        assert (added.seen_at, added.present, added.plain) == (self.now, True, False)

    def test_it_does_nothing_where_somebody_has_to_be_looked_at(self):
        cases = [
            {"name": "tab", "key": self.ann.key},
            {"name": "tab", "key": self.ann.key, "present": False, "plain": True},
            {"name": "new", "key": "gsomebody"},
            {"name": "stale", "key": "gstale", "silent": 100},
            {"name": "ended", "key": "gended", "silent": 2000, "present": False},
        ]
        for case in cases:
            with self.subTest(**case):
                row = self.row(**case)
                assert self.enter() is None
                assert self.stored() == (0, 1)
                row.delete()
        coffee = self.room("Coffee")
        self.row("new", self.ann.key, room=coffee)
        assert self.enter(most=1) is None
        assert self.enter(most=2) == (1, "tea", 1)
        with transaction.atomic():
            assert self.enter("other", guest()) is None
        self.tea.delete()
        self.tea.pk = -1
        assert self.enter() is None

    def test_both_ways_tell_the_same(self):
        told = []
        for alone in (True, False):
            room = self.room(f"Room {alone}")
            watcher = self.page(guest=f"watcher{alone}")
            watcher.join(room)
            watcher.received()
            with mock.patch.object(presence_rows, "enter", presence_rows.enter if alone else lambda *a, **k: None):
                presence.enter(room, f"socket{alone}", self.ann)
            (payload,) = watcher.heard("presence")
            assert payload.pop("room") == room.slug
            told.append(payload)
        assert told[0] == told[1]

    def meanwhile(self, **changes):
        """Enter while another transaction changes the room's row; return what came of it."""
        results = []

        def work():
            results.append(self.enter())
            connection.close()

        thread = threading.Thread(target=work)
        with transaction.atomic():
            Room.objects.filter(pk=self.tea.pk).update(**changes)
            thread.start()
            wait_for(self.somebody_waits, "the other waits for the lock")
        thread.join()
        return results[0]

    @staticmethod
    def somebody_waits():
        with connection.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM pg_locks WHERE NOT granted")
            return cursor.fetchone()[0]

    def test_somebody_who_comes_in_the_same_moment_is_looked_at_again(self):
        assert self.meanwhile(presence=1) is None
        assert self.stored() == (1, 0)
        assert self.enter() == (2, "tea", 1)

    def test_message_that_is_posted_in_the_same_moment_is_no_reason(self):
        assert self.meanwhile(last_seq=7) == (1, "tea", 1)
        assert Room.objects.get(pk=self.tea.pk).last_seq == 7

    def test_tabs_that_open_in_the_same_moment_tell_it_once(self):
        watcher = self.page(guest="watcher")
        watcher.join(self.tea)
        watcher.received()

        def enter(number):
            presence.enter(self.tea, f"tab{number}", self.ann)
            presence.enter(self.tea, f"of{number}", guest(f"of{number}"))
            connection.close()

        threads = [threading.Thread(target=enter, args=(number,)) for number in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        told = watcher.heard("presence")
        assert sorted(payload["presence"] for payload in told) == list(range(2, 11))
        assert sorted(payload["people"] for payload in told) == list(range(2, 11))
        assert len({payload["who"]["key"] for payload in told}) == 9
