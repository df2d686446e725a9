from __future__ import annotations

import datetime

from django.utils import timezone

from chat import opening, presence
from chat.models import Ban, Room
from tests.chat.base import ChatTestCase, guest, who


class FindTests(ChatTestCase):
    def setUp(self):
        super().setUp()
        self.ann, self.ben = self.user("ann"), self.user("ben")
        self.tea = self.room("茶", private=True, owner=self.ann, member=self.ben)

    def same(self, identity, room):
        """What the query finds that was compiled once is what Django finds by itself."""
        expected = Room.objects.with_membership(identity).get(pk=room.pk)
        for found in (opening.find(identity, slug=room.slug), opening.find(identity, pk=room.pk)):
            wanted, got = dict(vars(expected)), dict(vars(found))
            assert wanted.pop("_state").db == got.pop("_state").db
            assert got == wanted
        return found

    def test_it_is_the_room_that_django_finds_for_everybody(self):
        coffee = self.room("Coffee", member=self.ben)
        for identity in (who(self.ann), who(self.ben), guest(), guest("uli")):
            for room in (self.tea, coffee):
                self.same(identity, room)
        assert self.same(who(self.ann), self.tea).role == "owner"
        assert self.same(who(self.ben), coffee).role == "member"
        assert self.same(guest(), self.tea).role is None

    def test_bans_last_until_they_end(self):
        now = timezone.now()
        for minutes, banned in ((5, True), (-5, False), (None, True)):
            until = None if minutes is None else now + datetime.timedelta(minutes=minutes)
            Ban.objects.update_or_create(room=self.tea, key=guest().key, defaults={"name": "gil", "until": until})
            assert bool(self.same(guest(), self.tea).banned) is banned
        assert not self.same(guest("other"), self.tea).banned

    def test_it_is_found_anew_each_time_by_one_query(self):
        self.same(who(self.ann), self.tea)
        Room.objects.filter(pk=self.tea.pk).update(topic="green", slow_seconds=7)
        with self.assertNumQueries(1):
            found = opening.find(who(self.ann), slug=self.tea.slug)
        assert (found.topic, found.slow_seconds) == ("green", 7)

    def test_what_is_not_there_is_not_found(self):
        assert opening.find(guest(), slug="nowhere") is None
        assert opening.find(guest(), pk=self.tea.pk + 1000) is None
        assert opening.find(guest(), slug="") is None

    def test_rooms_of_a_socket_are_those_that_django_finds(self):
        rooms = [self.tea, *(self.room(f"Room {number}") for number in range(3))]
        for room in reversed(rooms[:3]):
            presence.enter(room, "socket", guest())
            presence.enter(rooms[3], f"of {room.slug}", guest())
        presence.enter_plain(rooms[3], "other", guest())
        for name in ("socket", "other", "nobody"):
            expected = list(Room.objects.filter(clients__channel_name=name).order_by("pk"))
            for _ in range(2):
                found = opening.joined(name)
                assert [self.fields(room) for room in found] == [self.fields(room) for room in expected]
            for room in rooms:
                found = opening.joined_as(name, room.slug)
                assert found == (room if room in expected else None)
        assert [room.pk for room in opening.joined("socket")] == sorted(room.pk for room in rooms[:3])

    @staticmethod
    def fields(room):
        return {field.attname: getattr(room, field.attname) for field in Room._meta.concrete_fields}
