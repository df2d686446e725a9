"""The last number of each room, told to every room list that has the room: ``{"type": "heads", "heads": {slug: seq}}``.

A message that is posted is news for all who have its room in their list, in the room or not. To tell them of each one
would be a frame to everybody for every message, so each process tells of a room at once, and then about once a second
for as long as there is news: the last number is always told. Frames of several processes may overtake each other: the
largest number counts. What a process that was killed had yet to tell, the next message or heartbeat tells.
"""

from __future__ import annotations

import atexit
import functools
import logging
import os
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterable
from typing import NamedTuple

from channels import Group
from django.db import close_old_connections, connections, transaction

from channels_lts import after_commit, streams
from channels_lts.after_commit import send_now
from chat import groups, identity
from chat.models import Membership, Room

logger = logging.getLogger(__name__)

#: Seconds between two frames about one room.
INTERVAL = 1.0
# So many rooms may have been told of before those of more than a second ago are forgotten.
_REMEMBERED = 1000


class Head(NamedTuple):
    """Up to which number a room goes, and who may know: everybody, or its members."""

    slug: str
    private: bool
    seq: int


class Heads:
    """What this process has to tell. *interval* 0 tells everything at once; *later* begins to :meth:`work`.

    May be used from any thread.
    """

    def __init__(
        self,
        interval: float = INTERVAL,
        *,
        clock: Callable[[], float] = time.monotonic,
        later: Callable[[Callable[[], None]], None] | None = None,
    ) -> None:
        self._interval = interval
        self._clock = clock
        self._later = later or _in_thread
        self._lock = threading.Lock()
        self._told: dict[int, float] = {}
        self._due: dict[int, int] = {}
        self._working = False

    def note(self, pk: int, head: Head) -> None:
        """Tell of a room's new number, now or within a second. What fails is logged and tried again, not raised."""
        with self._lock:
            if not self._is_first(pk):
                self._keep(pk, head.seq)
                return
        try:
            tell({pk: head})
        except Exception:  # the database, which was asked for the members
            logger.exception("could not tell of %s", head.slug)
            with self._lock:
                self._keep(pk, head.seq)

    def flush(self) -> None:
        """Tell everything that is left to tell. Costs one query, and one more where private rooms are in it."""
        with self._lock:
            due, self._due = self._due, {}
            now = self._clock()
            self._told = {pk: at for pk, at in self._told.items() if now - at < self._interval}
            self._told.update(dict.fromkeys(due, now))
        if not due:
            return
        try:
            # By now a room may have another name, be private, or gone.
            found = Room.objects.filter(pk__in=due).values_list("pk", "slug", "private")
            tell({pk: Head(slug, private, due[pk]) for pk, slug, private in found})
        except Exception:  # as above
            logger.exception("could not tell of %d rooms", len(due))
            with self._lock:
                for pk, seq in due.items():
                    self._due[pk] = max(seq, self._due.get(pk, 0))

    def work(self, wait: Callable[[float], object] = time.sleep) -> None:
        """Flush once in an interval, for as long as there is something to tell."""
        try:
            while self._goes_on():
                wait(self._interval)
                close_old_connections()
                self.flush()
        except BaseException:
            with self._lock:
                # The next number that is kept begins anew.
                self._working = False
            raise
        finally:
            # The thread ends, and with it who could use its connections.
            connections.close_all()

    def _is_first(self, pk: int) -> bool:
        now = self._clock()
        # What is due is about to be told, and then this number with it.
        if pk in self._due or now - self._told.get(pk, float("-inf")) < self._interval:
            return False
        if len(self._told) >= _REMEMBERED:
            self._told = {pk: at for pk, at in self._told.items() if now - at < self._interval}
        self._told[pk] = now
        return True

    def _keep(self, pk: int, seq: int) -> None:
        self._due[pk] = max(seq, self._due.get(pk, 0))
        if not self._working:
            self._working = True
            self._later(self.work)

    def _goes_on(self) -> bool:
        with self._lock:
            self._working = bool(self._due)
            return self._working


def tell(heads: dict[int, Head]) -> None:
    """Send the numbers of rooms, by id: one frame to everybody, and one to each member of private ones.

    Direct rooms are private ones. Costs one query where there are private rooms. At most once, as
    ``after_commit.send``.
    """
    mine: dict[str, dict[str, int]] = defaultdict(dict)
    for head in heads.values():
        if not head.private:
            mine[groups.EVERYBODY][head.slug] = head.seq
    private = [pk for pk, head in heads.items() if head.private]
    for pk, user in _members(private):
        mine[groups.person(identity.user_key(user))][heads[pk].slug] = heads[pk].seq
    with after_commit.together():
        for group, seqs in mine.items():
            _send(group, seqs)


def posted(room: Room, seq: int) -> None:
    """Note, when the transaction commits, that *room* has a message number *seq*."""
    head = Head(room.slug, room.private, seq)
    transaction.on_commit(functools.partial(_note, room.pk, head))


def flush() -> None:
    """Tell what this process has yet to tell: before it ends."""
    current.flush()


def _note(pk: int, head: Head) -> None:
    current.note(pk, head)


def _members(rooms: list[int]) -> Iterable[tuple[int, int]]:
    return Membership.objects.filter(room__in=rooms).values_list("room", "user") if rooms else ()


def _send(group: str, seqs: dict[str, int]) -> None:
    send_now(Group(group), streams.encode("rooms", {"type": "heads", "heads": seqs}))


def _in_thread(work: Callable[[], None]) -> None:
    threading.Thread(target=work, name="heads", daemon=True).start()


def _begin_anew() -> None:
    """A process that forks does not take its thread along, and perhaps a lock that nobody lets go of."""
    global current
    current = Heads()


#: The one of this process; tests put in another.
current = Heads()

atexit.register(flush)
os.register_at_fork(after_in_child=_begin_anew)
