"""Somebody with the chat open, as the page has it: joins, talks, sends again, comes back, asks for what they lack."""

from __future__ import annotations

import asyncio
import json
import random
import uuid
from time import monotonic
from typing import Any

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake

from tests.faults.ledger import Away, Ledger
from tests.services import TIMEOUT_SCALE

# Seconds: for a welcome and an answer to `join`; until a message or a request without an answer is sent again;
# that a message may come after a later one before it is asked for; between two pings.
_WELCOME = 20.0
_ANSWER = 6.0
_OVERTAKEN = 0.5
_PING = 20.0
_TICK = 0.05
# Bounds of the wait before coming back where the server gave no advice: full jitter below the second, which doubles.
_AGAIN_FIRST, _AGAIN_MOST = 0.5, 4.0
# Messages of one answer to `history`, at most.
_PAGE = 100
# Messages under way, at most: nobody types on for ever while no answer comes.
_UNANSWERED = 20


class Person:
    """A guest in *room* who sends a message every so many seconds (0: only reads). Lives in one asyncio task.

    *returns*: comes back after the socket closed, unless for good. All that happens is in the *ledger*.
    """

    def __init__(
        self, ledger: Ledger, name: str, url: str, cookie: str, *, room: str = "lobby", every: float = 0,
        returns: bool = True, seed: int = 0,
    ) -> None:  # fmt: skip
        self.name = name
        self.talks = every > 0
        self.joined = False
        # Number of the last message of which all before are known too.
        self.last = 0
        self.here: set[str] = set()
        self.left: dict[str, float] = {}
        self.local_port = 0
        self._ledger = ledger
        self._url, self._cookie, self._room, self._every, self._returns = url, cookie, room, every, returns
        self._random = random.Random(f"{seed} {name}")
        self._socket: ClientConnection | None = None
        self._stopped = False
        self._count = self._failures = 0
        # Of this load alone: others on this site may have the same names.
        self._run = uuid.uuid4().hex[:6]
        self._epoch = ""
        # Messages that came before earlier ones, and since when that is so; numbers up to which asking is no surprise.
        self._early: dict[int, str] = {}
        self._hole_since = self._asked_at = self._join_at = 0.0
        self._expected_hole = 0
        self._pending: dict[str, tuple[float, str]] = {}
        self._pushed: set[int] = set()
        self._got: list[int] = []
        self._advice: tuple[float, float] | None = None
        self._away: Away | None = None

    @property
    def unanswered_since(self) -> float:
        """When the oldest message that is not acknowledged was sent first; infinity where there is none."""
        return min((self._ledger.sent[uid] for uid in list(self._pending)), default=float("inf"))

    def stop(self) -> None:
        """Leave for good. Call it in the loop of :meth:`live`."""
        self._stopped = True
        if self._socket is not None:
            self._socket.transport.abort()

    async def catch_up(self, last: int) -> None:
        """Ask for what is missing up to number *last*, which had the time to come by itself."""
        self._early.setdefault(last + 1, "")
        self._hole_since = 0.0
        try:
            await asyncio.wait_for(self._until(last), 30 * TIMEOUT_SCALE)
        except TimeoutError:
            self._ledger.trouble("missed", self.name, f"stands at {self.last} of {last} and gets no further")

    async def live(self) -> None:
        while not self._stopped:
            code = 1006
            try:
                # The server pings, as it does browsers; they do not.
                async with connect(
                    self._url, additional_headers={"Cookie": self._cookie}, origin=_origin(self._url),
                    open_timeout=_WELCOME * TIMEOUT_SCALE, close_timeout=2, ping_interval=None, compression=None,
                    proxy=None,
                ) as socket:  # fmt: skip
                    self._socket = socket
                    self.local_port = socket.local_address[1]
                    await self._converse(socket)
            except ConnectionClosed as error:
                code = error.rcvd.code if error.rcvd else 1006
            except (OSError, InvalidHandshake, TimeoutError) as error:
                if not self._stopped and self._socket is None:
                    self._ledger.trouble("refused", self.name, f"{type(error).__name__}: {error}")
            was_open, self._socket, self.joined = self._socket is not None, None, False
            if self._stopped:
                return
            if was_open:
                if self._away is not None:
                    # It was back, if not for long enough to join.
                    self._ledger.come_back(self._away)
                self._away = self._ledger.close(self.name, self.local_port, code, self._advice)
            if not self._returns or code in (4001, 4003):
                return
            await asyncio.sleep(self._wait())

    def _wait(self) -> float:
        advice, self._advice = self._advice, None
        if advice:
            return self._random.uniform(*advice)
        self._failures += 1
        return self._random.uniform(0, min(_AGAIN_MOST, _AGAIN_FIRST * 2**self._failures))

    async def _converse(self, socket: ClientConnection) -> None:
        self._pushed.clear()
        self._asked_at = self._join_at = 0.0
        ticking = asyncio.create_task(self._tick(socket))
        try:
            async for text in socket:
                await self._frame(socket, json.loads(text))
            # Closed as agreed: tell the code as for every other end.
            raise ConnectionClosed(socket.protocol.close_rcvd, socket.protocol.close_sent)
        finally:
            ticking.cancel()

    async def _tick(self, socket: ClientConnection) -> None:
        """Send what is due, and again what got no answer."""
        opened = pinged = monotonic()
        due = opened + self._random.random() * self._every
        while True:
            await asyncio.sleep(_TICK)
            now = monotonic()
            if not self.joined:
                if now > opened + _WELCOME * TIMEOUT_SCALE:
                    socket.transport.abort()
                elif self._join_at and now > self._join_at + _ANSWER * TIMEOUT_SCALE:
                    self._ledger.trouble("resent", self.name, "join")
                    await self._join(socket)
                continue
            if self.talks and now >= due and len(self._pending) < _UNANSWERED:
                due = max(due + self._every, now)
                self._count += 1
                await self._send(socket, f"{self.name}-{self._run}-{self._count}")
            for uid, (at, kind) in list(self._pending.items()):
                if kind == "sent" and now > at + _ANSWER * TIMEOUT_SCALE:
                    await self._send(socket, uid, again=True)
            if self._early and now > self._hole_since + _OVERTAKEN and now > self._asked_at + _ANSWER:
                await self._ask(socket)
            if now > pinged + _PING:
                pinged = now
                await self._speak(socket, "system", type="ping")

    async def _join(self, socket: ClientConnection) -> None:
        self._join_at = monotonic()
        since = {"epoch": self._epoch, "seq": self.last} if self._epoch else None
        await self._speak(socket, "chat", type="join", room=self._room, since=since)

    async def _send(self, socket: ClientConnection, uid: str, *, again: bool = False) -> None:
        self._ledger.send(uid, self.name, again=again)
        self._pending[uid] = (monotonic(), "sent")
        await self._speak(socket, "chat", type="send", room=self._room, body=uid, id=uid)

    async def _ask(self, socket: ClientConnection) -> None:
        """Ask for the messages before the first that came early."""
        self._asked_at = monotonic()
        before = min(self._early)
        limit = min(_PAGE, before - self.last - 1)
        await self._speak(socket, "chat", type="history", room=self._room, before=before, limit=limit)

    async def _speak(self, socket: ClientConnection, stream: str, **payload: Any) -> None:
        await socket.send(json.dumps({"stream": stream, "payload": payload}))

    async def _frame(self, socket: ClientConnection, frame: dict[str, Any]) -> None:
        stream, payload = frame["stream"], frame["payload"]
        kind = payload.get("type")
        if kind == "error":
            self._ledger.trouble("error", self.name, f"{stream}: {payload}")
        elif (stream, kind) == ("system", "welcome"):
            await self._join(socket)
        elif (stream, kind) == ("system", "disconnect"):
            least, most = payload["after_ms"]
            self._advice = (least / 1000, most / 1000) if payload["reconnect"] else None
        elif (stream, kind) == ("chat", "joined"):
            await self._joined(socket, payload)
        elif (stream, kind) == ("chat", "message"):
            if payload["seq"] in self._pushed:
                self._ledger.trouble("twice", self.name, f"number {payload['seq']} came twice on one socket")
            self._pushed.add(payload["seq"])
            self._take([payload], pushed=True)
        elif (stream, kind) == ("chat", "history"):
            self._asked_at = 0.0
            self._take(payload["messages"], pushed=False)
        elif (stream, kind) == ("chat", "ack"):
            if self._pending.pop(payload["id"], None):
                self._ledger.acknowledge(payload["id"], payload["seq"], self.name)
        elif stream == "presence" and kind in ("join", "leave"):
            self._presence(kind, payload["who"]["name"])

    async def _joined(self, socket: ClientConnection, payload: dict[str, Any]) -> None:
        self.here = {who["name"] for who in payload["members"]}
        self._expected_hole = payload["seq"]
        if not self._epoch:
            self.last = payload["seq"]
            self._ledger.received[self.name] = (self.last, self._got)
            self._early = {seq: uid for seq, uid in self._early.items() if seq > self.last}
        self._epoch = payload["epoch"]
        if payload["seq"] > self.last and not payload["recovered"]:
            # More than one answer holds: page by page.
            self._early.setdefault(payload["seq"] + 1, "")
            self._hole_since = 0.0
        self._take(payload["messages"] if payload["recovered"] else [], pushed=False)
        for uid in list(self._pending):
            await self._send(socket, uid)
        self._failures = 0
        self._advice = None
        self.joined = True
        if self._away is not None:
            self._ledger.come_back(self._away)
            self._away = None

    def _presence(self, kind: str, name: str) -> None:
        if kind == "join":
            self.here.add(name)
        else:
            self.here.discard(name)
            self.left[name] = monotonic()

    def _take(self, messages: list[dict[str, Any]], *, pushed: bool) -> None:
        """Take messages in, in the order of their numbers; one that is known already is nothing new."""
        had_hole = bool(self._early)
        missed = []
        for message in messages:
            seq = message["seq"]
            if seq > self.last and not self._early.get(seq):
                self._early[seq] = message["id"] or "?"
                if not pushed and seq > self._expected_hole:
                    missed.append(seq)
        # Before the first join it is not known where the numbers begin for us.
        while self._epoch and self._early.get(self.last + 1):
            self.last += 1
            del self._early[self.last]
            self._got.append(self.last)
        # A mark without a message, which told only up to where to ask.
        for seq in [seq for seq, uid in self._early.items() if not uid and seq <= self.last + 1]:
            del self._early[seq]
        if self._early and not had_hole:
            self._hole_since = monotonic()
        if missed:
            self._ledger.trouble("missed", self.name, f"numbers {missed[:5]} had to be asked for", count=len(missed))

    async def _until(self, last: int) -> None:
        while self.last < last:
            await asyncio.sleep(_TICK)


def _origin(url: str) -> Any:
    return url.replace("ws", "http", 1).rpartition("/ws/")[0]
