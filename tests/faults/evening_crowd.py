"""Everybody at the evening: a loop of their own in a thread, beside the faults and the servers."""

from __future__ import annotations

import asyncio
import functools
import json
import random
import threading
from collections.abc import Callable
from time import monotonic, thread_time
from typing import Any, TypeVar

from tests.faults.evening_guest import Book, Guest, Room
from tests.faults.site import Site
from tests.services import wait_for

_TICK = 0.1
# Sockets opened in one tick, at most, in the beginning: a page does not open in a burst either.
_AT_ONCE = 10
# Each second one of so many people closes the laptop, and is away for between 2 and 15 seconds.
_CHURN = 600
_AWAY = (2.0, 15.0)
_PREPARE = """
import json, sys
from importlib import import_module
from django.conf import settings
from chat.identity import become_guest
from chat.models import Room
people, rooms = {people}, {rooms}
Store = import_module(settings.SESSION_ENGINE).SessionStore
slugs = [Room.objects.create(name=f"Evening {{number}}").slug for number in range(rooms)]
cookies = []
for number in range(people):
    session = Store()
    become_guest(session, f"guest {{number}}")
    session.save()
    cookies.append(session.session_key)
print("prepared:" + json.dumps([slugs, cookies, settings.SESSION_COOKIE_NAME]))
"""
_STORED = """
import json
from chat.models import Message
found = Message.objects.filter(room__slug__startswith="evening-").order_by("room__slug", "seq")
for slug, seq, uid in found.values_list("room__slug", "seq", "uid").iterator():
    print("stored:" + json.dumps([slug, seq, uid]))
"""

T = TypeVar("T")


class Crowd:
    """*people* in *rooms* of a site, who say *rate* messages a second in all, from :meth:`start` until :meth:`stop`."""

    def __init__(self, site: Site, people: int, rooms: int, rate: float, seed: int) -> None:
        self.book = Book()
        self.rooms: list[Room] = []
        self.guests: list[Guest] = []
        self.cpu = 0.0
        self._site = site
        self._sizes = (people, rooms, rate)
        self._random = random.Random(f"churn {seed}")
        self._churns = False
        self._stopping = False
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, name="crowd", daemon=True)
        self._failure: BaseException | None = None

    def start(self) -> None:
        """Return when everybody is in their room."""
        people, rooms, rate = self._sizes
        said = self._site.stack.manage("shell", "-c", _PREPARE.format(people=people, rooms=rooms))
        line = next(line for line in said.splitlines() if line.startswith("prepared:"))
        slugs, cookies, name = json.loads(line.removeprefix("prepared:"))
        self.rooms = [Room(slug) for slug in slugs]
        address = ("127.0.0.1", self._site.stack.port)
        for number, cookie in enumerate(cookies):
            room = self.rooms[number % rooms]
            guest = Guest(self.book, room, f"g{number}", address, f"{name}={cookie}", people / rate)
            self.guests.append(guest)
        self._thread.start()
        self.wait(lambda: all(guest.joined for guest in self.guests), "everybody is in their room", 60)

    def stop(self) -> None:
        """End the crowd, whatever its state."""
        if self._thread.is_alive():
            self._stopping = True
            self._thread.join(10)

    def do(self, function: Callable[[], T]) -> T:
        """Call *function* in the crowd's loop, where nothing else happens meanwhile."""

        async def call() -> T:
            return function()

        return asyncio.run_coroutine_threadsafe(call(), self._loop).result(30)

    def wait(self, condition: Callable[[], Any], what: str, seconds: float) -> None:
        def fulfilled() -> Any:
            if self._failure is not None:
                raise AssertionError(f"the crowd failed: {self._failure!r}") from self._failure
            return condition()

        try:
            wait_for(fulfilled, what, seconds)
        except AssertionError as error:
            lacking = self.lacking()
            some = dict(list(lacking.items())[:5])
            raise AssertionError(f"{error}; {len(lacking)} are not well: {some}; {dict(self.book.counts)}") from error

    def talk(self, talks: bool) -> None:
        """From now on everybody talks, and some go away and come back; or nobody does either."""

        def change() -> None:
            self._churns = talks
            for guest in self.guests:
                guest.talks = talks

        self.do(change)

    def lacking(self) -> dict[str, str]:
        """Return who is not well, and why."""
        return {guest.name: what for guest in self.guests if guest.stays and (what := guest.lacks())}

    def settle(self, seconds: float) -> None:
        """Stop talking, and let everybody get what they lack.

        Raises:
            AssertionError: that takes longer than *seconds*, times TIMEOUT_SCALE.
        """

        def heads() -> bool:
            # What their next heartbeats would tell.
            for guest in self.guests:
                guest.ping()
            return True

        self.talk(False)
        self.wait(lambda: not self.lacking(), "everybody is well", seconds)
        # Twice: the first may be answered while a last message is on its way.
        for _ in range(2):
            wanted = self.book.counts["pong"] + len(self.guests)
            self.do(heads)
            self.wait(functools.partial(self._answered, wanted), "every heartbeat is answered", 10)
            self.wait(lambda: not self.lacking(), "everybody is well", seconds)

    def wrong_lists(self) -> list[str]:
        """Return whose list of people is not what is so, and how."""

        def compare() -> list[str]:
            wrong = []
            for room in self.rooms:
                people = room.people()
                for guest in room.guests:
                    if guest.joined and guest.here != people:
                        missing, more = len(people - guest.here), len(guest.here - people)
                        wrong.append(f"{guest.name} in {room.slug}: {missing} missing, {more} too many")
            return wrong

        return self.do(compare)

    def stored(self) -> dict[str, dict[int, str]]:
        """Return the id of each stored message by room and number."""
        stored: dict[str, dict[int, str]] = {room.slug: {} for room in self.rooms}
        for line in self._site.stack.manage("shell", "-c", _STORED).splitlines():
            if line.startswith("stored:"):
                slug, seq, uid = json.loads(line.removeprefix("stored:"))
                # A site may have seen another evening before.
                if slug in stored:
                    stored[slug][seq] = uid
        return stored

    def _answered(self, pongs: int) -> bool:
        return self.book.counts["pong"] >= pongs

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        try:
            self._loop.run_until_complete(self._live())
        except BaseException as error:
            self._failure = error
            raise

    async def _live(self) -> None:
        coming: set[asyncio.Task[None]] = set()
        while not self._stopping:
            began = monotonic()
            if self._churns:
                self._send_away()
            due = [guest for guest in self.guests if guest.tick(began)]
            for guest in due[:_AT_ONCE]:
                coming.add(asyncio.create_task(guest.come()))
            coming = {task for task in coming if not task.done()}
            self.cpu = thread_time()
            await asyncio.sleep(max(0.0, began + _TICK - monotonic()))
        for guest in self.guests:
            guest.go()

    def _send_away(self) -> None:
        for guest in self.guests:
            if guest.joined and self._random.random() < _TICK / _CHURN:
                self.book.counts["went away"] += 1
                guest.go(self._random.uniform(*_AWAY))
