"""Somebody at the evening, who follows the rules of docs/streams.md, and the room that they share with others."""

from __future__ import annotations

import asyncio
import json
import random
from collections import Counter
from dataclasses import dataclass, field
from time import monotonic
from typing import Any

from tests.faults.quick_socket import QuickSocket
from tests.services import TIMEOUT_SCALE

# Seconds: for an answer before one asks, or sends, again; that a message may come after a later one before it is asked
# for; for a welcome.
_ANSWER, _OVERTAKEN, _WELCOME = 6.0, 0.5, 20.0
# The patience with acknowledgements doubles up to this, until one comes.
_ANSWER_MOST = 24.0
# Bounds of the wait before coming back where the server gave no advice: full jitter below the first, which doubles.
_AGAIN_FIRST, _AGAIN_MOST = 0.5, 8.0
_PAGE = 100
# Messages under way, at most: nobody types on for ever while no answer comes.
_UNANSWERED = 20
_NEVER = float("inf")


@dataclass
class Book:
    """What happened, of all rooms together. Of one thread."""

    sent: dict[str, float] = field(default_factory=dict)
    acknowledged: dict[str, tuple[str, int]] = field(default_factory=dict)
    #: (when, seconds) of each acknowledgement.
    took: list[tuple[float, float]] = field(default_factory=list)
    #: resent, dup, history, joined again, recovered, began anew, refused, and sockets that ended, by their code.
    counts: Counter[str] = field(default_factory=Counter)
    #: Promises that were broken, in words.
    broken: list[str] = field(default_factory=list)
    deliveries: int = 0

    def break_(self, what: str) -> None:
        if len(self.broken) < 50:
            self.broken.append(what)


@dataclass
class Room:
    slug: str
    guests: list[Guest] = field(default_factory=list)
    #: The id of each message by its number, as the first reader who had it tells: all have to agree.
    uids: dict[int, str] = field(default_factory=dict)

    def people(self) -> set[str]:
        """Return the keys of those who are in it now."""
        return {guest.key for guest in self.guests if guest.joined}


class Guest:
    """In *room*, sends a message every so many seconds. :meth:`tick` has to be called some times a second."""

    def __init__(self, book: Book, room: Room, name: str, address: tuple[str, int], cookie: str, every: float) -> None:
        self.name, self.key = name, ""
        self.joined = False
        self.talks, self.stays = False, True
        #: From after which number on it reads, up to which it has all.
        self.base = self.last = 0
        self.here: set[str] = set()
        self.unanswered: dict[str, float] = {}
        self._book, self._room, self._address, self._cookie, self._every = book, room, address, cookie, every
        self._random = random.Random(name)
        self._socket: QuickSocket | None = None
        self._epoch = ""
        self._count = self._failures = 0
        self._patience = _ANSWER
        self._early: dict[int, str] = {}
        self._pushed: set[int] = set()
        # Numbers that the server told of: of the last message, and of the last coming or going.
        self._head = self._head_presence = 0
        # Of comings and goings: up to which it knows all, those that came early, and the last of each person.
        self._presence = 0
        self._comings: set[int] = set()
        self._latest: dict[str, int] = {}
        self._advice: tuple[float, float] | None = None
        self._come_at = 0.0
        self._opened_at = self._hole_since = self._join_at = _NEVER
        # When history was asked for that has not come: long ago, where it has.
        self._asked_at = 0.0
        self._ping_at = self._presence_hole_since = _NEVER
        self._due = monotonic() + self._random.random() * every
        self._heartbeat = 25.0
        room.guests.append(self)

    # --- What it does ---

    async def come(self) -> None:
        """Open a socket; what comes of it is seen by :meth:`tick`."""
        self._come_at, self._opened_at = _NEVER, monotonic()
        host, port = self._address
        socket = QuickSocket("/ws/", f"{host}:{port}", self._cookie, self._frame, self._ended)
        self._socket = socket
        try:
            await asyncio.get_running_loop().create_connection(lambda: socket, host, port)
        except OSError:
            self._ended(0)

    def go(self, away: float = _NEVER) -> None:
        """Close the socket, and come back after *away* seconds."""
        self.stays = away < _NEVER
        self.joined = False
        if self._socket is not None:
            socket, self._socket = self._socket, None
            socket.close()
            self._left(away)

    def lacks(self) -> str:
        """Return what is not as it should be, in words; nothing where all is well."""
        if not self.joined:
            return "is away"
        if self.unanswered:
            return f"waits for {len(self.unanswered)} acknowledgements"
        if self._early or self._head > self.last:
            return f"has all up to {self.last} of {max([self._head, *self._early])}"
        if self._comings or self._head_presence > self._presence:
            return "has not heard of all comings and goings"
        return ""

    def ping(self) -> None:
        self._ping_at = monotonic() + self._heartbeat
        self._speak("system", type="ping")

    def tick(self, now: float) -> bool:
        """Do what is due; returns whether it is time to :meth:`come`."""
        if self._socket is None:
            return now >= self._come_at
        if not self.joined:
            if now > self._opened_at + _WELCOME * TIMEOUT_SCALE:
                self._socket.abort()
            elif now > self._join_at + _ANSWER:
                self._join()
            return False
        if now >= self._due:
            self._due = max(self._due + self._every, now)
            if self.talks and len(self.unanswered) < _UNANSWERED:
                self._count += 1
                self._send(f"{self.name}.{self._count}", now)
        if self.unanswered:
            self._send_again(now)
        if now > self._hole_since + _OVERTAKEN and now > self._asked_at + _ANSWER:
            self._ask(now)
        if now > self._presence_hole_since + _OVERTAKEN and now > self._join_at + _ANSWER:
            self._book.counts["joined again"] += 1
            self._join()
        if now >= self._ping_at:
            self.ping()
        return False

    def _send(self, uid: str, now: float) -> None:
        self._book.sent.setdefault(uid, now)
        self.unanswered[uid] = now
        self._speak("chat", type="send", room=self._room.slug, body=uid, id=uid)

    def _send_again(self, now: float) -> None:
        # The oldest comes first: a dictionary keeps the order, and one that is sent again goes to its end.
        late = [uid for uid, at in self.unanswered.items() if now > at + self._patience]
        if late:
            # Who is slow to answer does not get faster by being asked more often.
            self._patience = min(2 * self._patience, _ANSWER_MOST)
        for uid in late:
            del self.unanswered[uid]
            self._book.counts["resent"] += 1
            self._send(uid, now)

    def _ask(self, now: float) -> None:
        self._asked_at = now
        self._book.counts["history"] += 1
        self._speak("chat", type="history", room=self._room.slug, after=self.last, limit=_PAGE)

    def _join(self) -> None:
        self._join_at = monotonic()
        since = {"epoch": self._epoch, "seq": self.last, "revision": 0} if self._epoch else None
        self._speak("chat", type="join", room=self._room.slug, since=since)

    def _speak(self, stream: str, **payload: Any) -> None:
        if self._socket is not None:
            self._socket.send(json.dumps({"stream": stream, "payload": payload}))

    # --- What it hears ---

    def _ended(self, code: int) -> None:
        if self._socket is None:
            # It closed the socket itself.
            return
        self._socket = None
        self._book.counts[f"closed {code}" if code > 999 else f"refused {code}"] += 1
        if self._advice is not None:
            wait = self._random.uniform(*self._advice)
        else:
            self._failures += 1
            wait = self._random.uniform(0, min(_AGAIN_MOST, _AGAIN_FIRST * 2**self._failures))
        self._left(wait)

    def _left(self, away: float) -> None:
        self.joined, self._advice = False, None
        self._pushed.clear()
        self._join_at = self._ping_at = self._presence_hole_since = _NEVER
        self._asked_at = 0.0
        self._come_at = monotonic() + away if self.stays else _NEVER

    def _frame(self, text: bytes) -> None:
        frame = json.loads(text)
        stream, payload = frame["stream"], frame["payload"]
        kind = payload["type"]
        if stream == "chat":
            if kind == "message":
                self._message(payload)
            elif kind == "ack":
                self._ack(payload)
            elif kind == "joined":
                self._joined(payload)
            elif kind == "history":
                self._asked_at = 0.0
                self._take(payload["messages"])
            elif kind == "error":
                self._error(payload)
        elif stream == "presence":
            self._presence_event(kind, payload)
        elif stream == "system":
            self._system(kind, payload)

    def _system(self, kind: str, payload: dict[str, Any]) -> None:
        if kind == "welcome":
            self.key, self._heartbeat = payload["identity"]["key"], payload["heartbeat"]
            # Not all at once after a restart.
            self._ping_at = monotonic() + self._heartbeat * self._random.uniform(0.2, 1)
            self._join()
        elif kind == "pong" and self._room.slug in payload["heads"]:
            self._book.counts["pong"] += 1
            head = payload["heads"][self._room.slug]
            self._head, self._head_presence = max(self._head, head["seq"]), max(self._head_presence, head["presence"])
            self._look_for_holes()
        elif kind == "disconnect":
            least, most = payload["after_ms"]
            self._advice = (least / 1000, most / 1000)
        elif kind == "error":
            self._error(payload)

    def _error(self, payload: dict[str, Any]) -> None:
        # What was asked for is asked again in time; a server that restarts may fail once.
        self._book.counts[f"error {payload['code']}"] += 1

    def _message(self, payload: dict[str, Any]) -> None:
        seq = payload["seq"]
        if seq in self._pushed:
            self._book.break_(f"{self.name}: number {seq} was pushed twice on one socket")
        self._pushed.add(seq)
        if seq == self.last + 1 and self.joined and not self._early:
            self._has(seq, payload["id"])
        else:
            self._take([payload])

    def _take(self, messages: list[dict[str, Any]]) -> None:
        for message in messages:
            if message["seq"] > self.last:
                self._early[message["seq"]] = message["id"]
        # Before the first answer it is not known where the numbers begin.
        while self._epoch and self.last + 1 in self._early:
            self._has(self.last + 1, self._early.pop(self.last + 1))
        self._look_for_holes()

    def _has(self, seq: int, uid: str) -> None:
        """See a message: once, and next to the one before."""
        self.last = seq
        self._book.deliveries += 1
        if (known := self._room.uids.setdefault(seq, uid)) != uid:
            self._book.break_(f"{self.name}: number {seq} of {self._room.slug} is {uid}, and {known} for others")

    def _look_for_holes(self) -> None:
        now = monotonic()
        hole = bool(self._early) or self._head > self.last
        self._hole_since = (now if self._hole_since == _NEVER else self._hole_since) if hole else _NEVER
        hole = bool(self._comings) or self._head_presence > self._presence
        since = self._presence_hole_since
        self._presence_hole_since = (now if since == _NEVER else since) if hole else _NEVER
        if hole and self._join_at == _NEVER:
            self._join_at = 0.0

    def _ack(self, payload: dict[str, Any]) -> None:
        uid, where = payload["id"], (payload["room"], payload["seq"])
        if payload["dup"]:
            self._book.counts["dup"] += 1
        if self.unanswered.pop(uid, None) is None:
            return
        self._patience = _ANSWER
        now = monotonic()
        self._book.took.append((now, now - self._book.sent[uid]))
        if (known := self._book.acknowledged.setdefault(uid, where)) != where:
            self._book.break_(f"{uid} was acknowledged as {known} and as {where}")

    def _joined(self, payload: dict[str, Any]) -> None:
        first, again = not self._epoch, self.joined
        if first:
            self.base = self.last = payload["seq"]
            self._early = {seq: uid for seq, uid in self._early.items() if seq > self.last}
        elif not again:
            self._book.counts["recovered" if payload["recovered"] else "began anew"] += 1
        self._epoch = payload["epoch"]
        self._head = max(self._head, payload["seq"])
        self.joined, self._failures, self._join_at = True, 0, _NEVER
        self._people(payload)
        # Who is told to begin anew wants the whole evening all the same, and asks for it page by page.
        self._take(payload["messages"] if payload["recovered"] else [])
        if not again:
            now = monotonic()
            for uid in list(self.unanswered):
                self._send(uid, now)

    def _people(self, payload: dict[str, Any]) -> None:
        number = payload["presence"]
        here = {who["key"] for who in payload["members"]}
        # What was told under a later number comes on top.
        for key, latest in self._latest.items():
            if latest > number:
                (here.add if key in self.here else here.discard)(key)
        self.here = here
        self._presence = max(number, self._presence if self.joined else 0)
        self._head_presence = max(self._head_presence, number)
        self._settle_presence()

    def _presence_event(self, kind: str, payload: dict[str, Any]) -> None:
        key, number = payload["who"]["key"], payload["presence"]
        if number > self._latest.get(key, 0) and number > self._presence:
            self._latest[key] = number
            (self.here.add if kind == "join" else self.here.discard)(key)
        if number > self._presence:
            self._comings.add(number)
        self._settle_presence()
        if self._comings or self._presence_hole_since < _NEVER:
            self._look_for_holes()

    def _settle_presence(self) -> None:
        while self._presence + 1 in self._comings:
            self._presence += 1
        self._comings = {number for number in self._comings if number > self._presence} if self._comings else set()
