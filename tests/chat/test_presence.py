from __future__ import annotations

import datetime
import threading
from unittest import mock

from channels.test import Client as LayerClient
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from channels_lts.sessions import for_reply_channel
from chat import limits, messages, presence
from chat.models import Client
from tests.chat.base import ChatTestCase, who

enter = presence.enter


def names(people):
    return [person["name"] for person in people]


class PresenceTests(ChatTestCase):
    def setUp(self):
        super().setUp()
        self.ann, self.ben = self.user("ann"), self.user("ben")
        self.tea = self.room("Tea")
        self.watcher = self.page(guest="watcher")
        self.watcher.join(self.tea)
        self.watcher.received()

    def silent(self, page, seconds=limits.PRESENT + 1):
        """Let *page* be silent for some seconds."""
        then = timezone.now() - datetime.timedelta(seconds=seconds)
        Client.objects.filter(channel_name=page.name).update(seen_at=then)

    def told(self):
        return [(payload["type"], payload["who"]["name"]) for payload in self.watcher.heard("presence")]

    def test_room_hears_who_comes_and_goes(self):
        page = self.page(self.ann)
        joined = page.join(self.tea)
        assert names(joined["members"]) == ["ann", "watcher"]
        assert self.watcher.heard("presence") == [
            {
                "type": "join",
                "room": "tea",
                "who": {"key": f"u{self.ann.pk}", "name": "ann", "guest": False},
                "presence": 2,
                "people": 2,
            }
        ]
        page.close()
        assert self.told() == [("leave", "ann")]

    def test_three_tabs_are_one_person(self):
        pages = [self.page(self.ann) for _ in range(3)]
        for page in pages:
            joined = page.join(self.tea)
        assert names(joined["members"]) == ["ann", "watcher"]
        assert self.told() == [("join", "ann")]
        for page in pages[:2]:
            page.close()
        assert self.told() == []
        pages[2].ask("chat", "leave", room="tea")
        assert self.told() == [("leave", "ann")]

    def test_joining_twice_is_joining_once(self):
        page = self.page(self.ann)
        page.join(self.tea)
        page.join(self.tea)
        assert self.told() == [("join", "ann")]
        assert Client.objects.filter(channel_name=page.name).count() == 1

    def test_rooms_are_told_apart(self):
        page = self.page(self.ann)
        page.join(self.room("Coffee"))
        assert self.told() == []
        page.join(self.tea)
        page.close()
        assert self.told() == [("join", "ann"), ("leave", "ann")]

    def test_ping_keeps_one_present(self):
        page = self.page(self.ann)
        page.join(self.tea)
        self.silent(page, limits.SEEN_WRITE + 1)
        page.ask("system", "ping")
        client = Client.objects.get(channel_name=page.name)
        assert timezone.now() - client.seen_at < datetime.timedelta(seconds=5)

    def test_ping_writes_at_most_once_in_a_while(self):
        page = self.page(self.ann)
        page.join(self.tea)
        with CaptureQueriesContext(connection) as queries:
            presence.seen(page.name, who(self.ann))
        assert [query["sql"].split()[0] for query in queries.captured_queries] == ["SELECT"]

    def test_the_dead_are_not_listed_and_the_living_find_them(self):
        dead = self.page(self.ann)
        dead.join(self.tea)
        self.told()
        self.silent(dead)
        assert [person.name for person in presence.here(self.tea)] == ["watcher"]
        self.silent(self.watcher, limits.SEEN_WRITE + 1)
        frames = self.watcher.text({"stream": "system", "payload": {"type": "ping"}})
        assert [frame["payload"]["type"] for frame in frames] == ["leave", "pong"]
        # It is told once.
        self.silent(self.watcher, limits.SEEN_WRITE + 1)
        self.watcher.ask("system", "ping")
        assert self.told() == []

    def test_whoever_joins_finds_the_dead_too(self):
        dead = self.page(self.ann)
        dead.join(self.tea)
        self.told()
        self.silent(dead)
        joined = self.page(self.ben).join(self.tea)
        assert names(joined["members"]) == ["ben", "watcher"]
        assert self.told() == [("leave", "ann"), ("join", "ben")]

    def test_dead_tab_of_somebody_who_is_here_is_not_told(self):
        dead, alive = self.page(self.ann), self.page(self.ann)
        dead.join(self.tea)
        alive.join(self.tea)
        self.told()
        self.silent(dead)
        self.page(self.ben).join(self.tea)
        assert self.told() == [("join", "ben")]
        alive.close()
        assert self.told() == [("leave", "ann")]

    def test_laptop_that_wakes_up_is_there_again(self):
        page = self.page(self.ann)
        page.join(self.tea)
        self.silent(page)
        self.page(self.ben).join(self.tea)
        self.told()
        page.ask("system", "ping")
        assert self.told() == [("join", "ann")]
        assert "ann" in [person.name for person in presence.here(self.tea)]

    def interface_gone(self, process):
        client = LayerClient()
        client.send_and_consume("interface.gone", {"process": process})

    def on(self, process, user):
        """Let the page of *user* in the tea room be on interface server *process*; returns the page."""
        page = self.page(user)
        page.join(self.tea)
        name = f"{process}{user.username}"
        Client.objects.filter(channel_name=page.name).update(channel_name=name)
        return name

    def test_people_of_an_interface_server_that_was_killed_leave_and_nobody_else(self):
        self.on("daphne.response.x_y!", self.ann)
        self.on("daphne.response.xzy!", self.ben)
        self.told()
        self.interface_gone("daphne.response.x_y!")
        assert self.told() == [("leave", "ann")]
        assert [person.name for person in presence.here(self.tea)] == ["ben", "watcher"]
        # It is told once.
        self.interface_gone("daphne.response.x_y!")
        assert self.told() == []

    def test_who_has_another_tab_on_another_interface_server_stays(self):
        self.on("daphne.response.x!", self.ann)
        self.on("daphne.response.y!", self.ann)
        self.told()
        self.interface_gone("daphne.response.x!")
        assert self.told() == []
        assert [person.name for person in presence.here(self.tea)] == ["ann", "watcher"]

    def test_people_of_an_interface_server_that_was_only_paused_return_at_their_next_ping(self):
        name = self.on("daphne.response.x!", self.ann)
        self.told()
        self.interface_gone("daphne.response.x!")
        presence.seen(name, who(self.ann))
        assert self.told() == [("leave", "ann"), ("join", "ann")]
        assert "ann" in [person.name for person in presence.here(self.tea)]

    def test_stale_people_of_other_rooms_are_swept_too(self):
        coffee = self.room("Coffee")
        page = self.page(self.ann)
        page.join(coffee)
        self.silent(page)
        self.interface_gone("daphne.response.x!")
        assert not Client.objects.filter(room=coffee, present=True).exists()

    def test_rows_of_sockets_that_cannot_be_open_any_more_go(self):
        page = self.page(self.ann)
        page.join(self.tea)
        self.silent(page, limits.CLIENT_ROW + 1)
        self.page(self.ben).join(self.tea)
        assert not Client.objects.filter(channel_name=page.name).exists()

    def test_one_room_sockets_are_noted_but_not_present(self):
        socket = self.socket(self.ann, path="/ws/chat/tea/")
        assert [person.name for person in presence.here(self.tea)] == ["watcher"]
        assert Client.objects.filter(channel_name=socket.name, plain=True).exists()
        socket.close()
        assert not Client.objects.filter(channel_name=socket.name).exists()
        assert self.told() == []

    def test_join_that_is_served_while_the_socket_ends_leaves_nobody_behind(self):
        page = self.page(self.ann)

        def enter_late(*args):
            # Another worker serves the end of the socket, and finds no row.
            for_reply_channel(page.name).delete()
            assert presence.leave_all(page.name) == []
            enter(*args)

        with mock.patch("chat.presence.enter", side_effect=enter_late):
            page.ask("chat", "join", room="tea")
        assert not Client.objects.filter(channel_name=page.name).exists()
        assert [person.name for person in presence.here(self.tea)] == ["watcher"]

    def test_socket_that_left_does_not_return_by_a_ping(self):
        page = self.page(self.ann)
        page.join(self.tea)
        row = Client.objects.get(channel_name=page.name)
        presence.leave(self.tea, page.name)
        presence._revive(row, who(self.ann))
        assert not Client.objects.filter(channel_name=page.name).exists()

    def test_so_many_rooms_at_once_and_no_more(self):
        page, rooms = self.page(self.ann), [self.room(f"Room {number}") for number in range(4)]
        with mock.patch.object(limits, "ROOMS_JOINED", 3):
            assert [page.join(room)["type"] for room in rooms[:3]] == ["joined"] * 3
            assert page.join(rooms[3])["code"] == "too_large"
            # Nothing of that room reaches it.
            messages.post(rooms[3], who(self.ben), "hi")
            assert page.heard("chat") == []
            assert page.join(rooms[0])["type"] == "joined"
            page.ask("chat", "leave", room=rooms[0].slug)
            assert page.join(rooms[3])["type"] == "joined"

    def test_joined_lists_so_many_people_and_says_how_many_there_are(self):
        with mock.patch.object(limits, "PEOPLE_LISTED", 2):
            for name in ("zoe", "bea"):
                answer = self.page(guest=name).join(self.tea)
        assert names(answer["members"]) == ["bea", "watcher"]
        assert (answer["people"], answer["presence"]) == (3, 3)

    def test_posting_does_not_touch_presence(self):
        before = list(Client.objects.values_list("seen_at", flat=True))
        messages.post(self.tea, who(self.ann), "hi")
        assert list(Client.objects.values_list("seen_at", flat=True)) == before


class TabsAtOnceTests(ChatTestCase):
    def test_tabs_that_close_in_the_same_moment_tell_it_once(self):
        if connection.vendor == "sqlite" and connection.is_in_memory_db():
            self.skipTest("threads share one in-memory SQLite database, which has no second connection to wait")
        tea, ann = self.room("Tea"), who(self.user("ann"))
        watcher = self.page(guest="watcher")
        watcher.join(tea)
        for number in range(8):
            presence.enter(tea, f"tab{number}", ann)
        watcher.received()

        def close(number):
            presence.leave(tea, f"tab{number}")
            connection.close()

        threads = [threading.Thread(target=close, args=(number,)) for number in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert [payload["type"] for payload in watcher.heard("presence")] == ["leave"]
