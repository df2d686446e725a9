"""One read marker for all devices of a person."""

from __future__ import annotations

import threading

from django.db import connection

from chat import messages, reading
from chat.models import Membership, Room
from tests.chat.base import ChatTestCase, guest, who


class ReadTests(ChatTestCase):
    def setUp(self):
        super().setUp()
        self.ann = self.user("ann")
        self.tea = self.room("Tea", member=self.ann)
        for _ in range(5):
            messages.post(self.tea, guest(), "hi @ann")

    def marker(self):
        return Membership.objects.get(room=self.tea, user=self.ann).last_read_seq

    def test_all_sockets_of_the_person_hear_it_and_nobody_elses(self):
        phone, laptop, other = self.page(self.ann), self.page(self.ann), self.page(guest="gil")
        answers = phone.text({"stream": "chat", "payload": {"type": "read", "room": "tea", "seq": 3}})
        told = {"type": "read", "room": "tea", "seq": 3, "unread": 2, "mentions": 2}
        assert phone.only("rooms", answers) == [told]
        assert laptop.heard("rooms") == [told]
        assert other.heard("rooms") == []

    def test_over_http_too(self):
        page = self.page(self.ann)
        assert self.browser(self.ann).post("/rooms/tea/read/", {"seq": 5}).status_code == 204
        assert [(told["type"], told["seq"], told["unread"]) for told in page.heard("rooms")] == [("read", 5, 0)]
        assert self.marker() == 5

    def test_marker_never_goes_back_and_repeating_tells_nobody(self):
        page = self.page(self.ann)
        page.ask("chat", "read", room="tea", seq=4)
        page.received()
        for seq in (4, 2, 0):
            (answer,) = page.only(
                "chat", page.text({"stream": "chat", "payload": {"type": "read", "room": "tea", "seq": seq}})
            )
            assert answer["type"] == "done"
            assert page.received() == []
        assert self.marker() == 4

    def test_marker_stops_at_the_last_message(self):
        self.page(self.ann).ask("chat", "read", room="tea", seq=2**60)
        assert self.marker() == 5

    def test_guests_keep_theirs_in_the_browser(self):
        page = self.page(guest="gil")
        assert page.one("chat", "read", room="tea", seq=1)["code"] == "not_allowed"

    def test_many_devices_at_once_leave_the_largest(self):
        if connection.vendor == "sqlite" and connection.is_in_memory_db():
            self.skipTest("threads share one in-memory SQLite database, which has no second connection to wait")
        room = Room.objects.with_membership(who(self.ann)).get(pk=self.tea.pk)

        def work(seq):
            reading.mark_read(room, who(self.ann), seq)
            connection.close()

        threads = [threading.Thread(target=work, args=(seq,)) for seq in (5, 1, 4, 2, 3)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert self.marker() == 5
