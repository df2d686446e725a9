from __future__ import annotations

import datetime
from unittest import mock

from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from chat import presence, presence_rows
from chat.models import Client, Room
from tests.chat.base import ChatTestCase, guest, who


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

        assert self.statements(joining) == ["SELECT", "SELECT", "INSERT", "UPDATE"]
        assert self.statements(leaving) == ["SELECT", "DELETE", "UPDATE"]

    def statements(self, queries):
        """Those that were run. Of the beginning and the end of the transaction not every Django tells."""
        kinds = [query["sql"].split()[0] for query in queries.captured_queries]
        return [kind for kind in kinds if kind not in ("BEGIN", "COMMIT")]
