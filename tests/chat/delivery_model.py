"""People who follow the rules of docs/streams.md, and workers that die in the middle.

Everything on the server is real: the demultiplexer, the database, the layer in memory. What gets lost, dies and
overtakes is decided by whoever calls.
"""

from __future__ import annotations

import contextlib
import itertools
import json
from collections.abc import Callable, Iterator
from typing import Any

from channels import DEFAULT_CHANNEL_LAYER, channel_layers
from django.db import connection

from chat import messages
from chat.models import Message, Room
from tests.chat.base import Page, guest

#: Where a worker can die: before it writes the message; before the commit; before it tells anybody; when it has told
#: one group; before what it answers leaves.
POINTS = ("write", "commit", "tell", "told", "answer")

_runs = itertools.count()


class Died(BaseException):
    """The worker is gone: nothing that it would do now happens. No ``except Exception`` holds it up."""


class Worker:
    """The seams between the chat and the rest of the world, at which its worker can die."""

    def __init__(self, layer: Any) -> None:
        self.deaths = 0
        #: Called before and after the next socket is added to a room's group.
        self.meanwhile: Callable[[], None] | None = None
        self._point: str | None = None
        self._dead = False
        self._layer = layer
        self._send, self._send_group, self._group_add = layer.send, layer.send_group, layer.group_add
        self._commit = connection.commit

    @contextlib.contextmanager
    def at_work(self) -> Iterator[Worker]:
        self._layer.send, self._layer.send_group, self._layer.group_add = self._sends, self._tells, self._adds
        connection.commit = self._commits
        try:
            with connection.execute_wrapper(self._executes):
                yield self
        finally:
            del self._layer.send, self._layer.send_group, self._layer.group_add, connection.commit

    @contextlib.contextmanager
    def dies(self, point: str | None) -> Iterator[None]:
        """Within, it dies when it comes to *point*, if it does."""
        self._point = point
        try:
            yield
        except Died:
            pass
        finally:
            self._point, self._dead = None, False

    def _die(self) -> None:
        self._point, self._dead = None, True
        self.deaths += 1
        raise Died

    def _executes(self, execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        if self._point == "write" and sql.lstrip().startswith(("INSERT", "UPDATE", "WITH")) and "chat_message" in sql:
            self._die()
        return execute(sql, params, many, context)

    def _commits(self) -> None:
        if self._point == "commit":
            connection.rollback()
            self._die()
        self._commit()

    def _tells(self, group: str, message: Any) -> None:
        if self._dead:
            return
        if self._point == "tell":
            self._die()
        self._send_group(group, message)
        if self._point == "told":
            self._die()

    def _sends(self, channel: str, message: Any) -> None:
        if self._dead:
            return
        if self._point == "answer" and not channel.startswith("websocket."):
            # It is past raising: the consumer has ended.
            self._point, self._dead = None, True
            self.deaths += 1
            return
        self._send(channel, message)

    def _adds(self, group: str, channel: str) -> None:
        meanwhile = None
        if group.startswith("room-"):
            meanwhile, self.meanwhile = self.meanwhile, None
        if meanwhile is not None:
            meanwhile()
        self._group_add(group, channel)
        if meanwhile is not None:
            meanwhile()


class Talk:
    """A room of its own with people in it."""

    def __init__(self, names: list[str]) -> None:
        run = next(_runs)
        self.room = Room.objects.create(name=f"Talk {run}")
        layer = channel_layers[DEFAULT_CHANNEL_LAYER].channel_layer
        # Those of the run before are in the groups of everybody.
        layer.flush()
        self.worker = Worker(layer)
        self.people = [Person(self, f"{name}-{run}") for name in names]
        self._bot = guest(f"bot-{run}")

    def post_in_between(self) -> None:
        """Have somebody else post, on another worker, right before and after this one adds a socket to a group."""
        self.worker.meanwhile = lambda: messages.post(self.room, self._bot, "in between") and None

    def serve(self, person: Person, frame: dict[str, Any], point: str | None) -> None:
        """Let a worker serve *frame* of *person*, and hand out what leaves."""
        assert person.page is not None
        content = {"text": json.dumps(frame)}
        with self.worker.dies(point):
            person.page.client.send_and_consume("websocket.receive", content, path="/ws/")
        for each in self.people:
            each.collect()

    def stored(self) -> dict[int, Message]:
        return {message.seq: message for message in self.room.messages.all()}


class Person:
    """Sends and reads in one room. What comes waits in ``inbox`` until it is taken, in whatever order."""

    def __init__(self, talk: Talk, name: str) -> None:
        self.name = name
        self.page: Page | None = None
        self.inbox: list[dict[str, Any]] = []
        #: What was sent and not acknowledged: id -> text. And what was: id -> number.
        self.unanswered: dict[str, str] = {}
        self.acknowledged: dict[str, int] = {}
        self.epoch = ""
        #: From after which number it reads, up to which it has all, and up to which revision it knows all changes.
        self.base = self.last = self.revision = 0
        #: The newest version of each message, also of those that came early.
        self.messages: dict[int, dict[str, Any]] = {}
        self.joined = False
        self._talk = talk
        self._ids = itertools.count()
        self._joins: dict[str, dict[str, Any] | None] = {}
        self._asked: dict[str, int] = {}
        self._pushed: set[int] = set()
        self._changes: set[int] = set()
        self._heads = (0, 0)
        self._deaths_at_join = -1

    # --- What somebody does ---

    def come(self, point: str | None = None) -> None:
        """Open a socket in place of the one before, and join with what is known."""
        self.lose()
        page = Page(guest=self.name)
        # Hypothesis gives every run the same chance, and so the same name.
        page.client.reply_channel = f"{self.name}-{next(self._ids)}"
        self.page = page.open()
        self._pushed.clear()
        self.join(point)

    def lose(self) -> None:
        """The socket breaks, with all that was on its way; the server does not hear of it for now."""
        self.page, self.joined = None, False
        self._joins.clear()
        self._asked.clear()
        self.inbox.clear()

    def miss(self) -> None:
        """What is on its way gets lost, and the socket stays."""
        if self.inbox:
            self.inbox.clear()
            self._deaths_at_join = -1

    def send(self, text: str, point: str | None = None) -> None:
        uid = f"{self.name}.{next(self._ids)}"
        self.unanswered[uid] = text
        self._say(uid, point)

    def resend(self, point: str | None = None) -> None:
        for uid in list(self.unanswered)[:1]:
            self._say(uid, point)

    def change(self, kind: str, text: str, point: str | None = None) -> None:
        """Edit or remove the oldest of one's own messages that can be."""
        own = (seq for seq, message in sorted(self.messages.items()) if message["id"].startswith(f"{self.name}."))
        seq = next((seq for seq in own if seq <= self.last and not self.messages[seq]["removed"]), None)
        if seq is not None:
            self._speak("chat", point, type=kind, seq=seq, **({"body": text} if kind == "edit" else {}))

    def ping(self, point: str | None = None) -> None:
        self._speak("system", point, type="ping")

    def join(self, point: str | None = None) -> None:
        name = f"join{next(self._ids)}"
        since = {"epoch": self.epoch, "seq": self.last, "revision": self.revision} if self.epoch else None
        # Only the answer to the latest counts.
        self._joins = {name: since}
        self._deaths_at_join = self._talk.worker.deaths
        self._speak("chat", point, type="join", id=name, since=since)

    def wait(self, point: str | None = None) -> bool:
        """Time passes: do what is due by now, and say whether anything was."""
        if self.page is None:
            self.come(point)
        elif not self.joined or max(self._changes | {self._heads[1]}) > self.revision:
            self.join(point)
        elif max(self.messages.keys() | {self._heads[0]}) > self.last:
            name = f"history{next(self._ids)}"
            self._asked = {name: self.last}
            self._speak("chat", point, type="history", id=name, after=self.last, limit=2)
        elif self.unanswered:
            self.resend(point)
        else:
            return False
        return True

    def take(self, index: int = 0) -> None:
        """Take what came as number *index*."""
        if self.inbox:
            payload = self.inbox.pop(index % len(self.inbox))
            take = getattr(self, f"_take_{payload['type']}", None)
            if take is not None:
                take(payload)

    def take_all(self) -> None:
        while self.inbox:
            self.take()

    def collect(self) -> None:
        if self.page is not None:
            self.inbox += [frame["payload"] for frame in self.page.received() if frame["stream"] in ("chat", "system")]

    def lacks_nothing(self) -> bool:
        """Whether nothing that was told since it joined can have been lost."""
        return self.joined and not self.inbox and self._deaths_at_join == self._talk.worker.deaths

    # --- What it hears ---

    def _take_error(self, payload: dict[str, Any]) -> None:
        raise AssertionError(f"{self.name} is told {payload}")

    def _take_joined(self, payload: dict[str, Any]) -> None:
        if payload["id"] not in self._joins:
            return
        since = self._joins.pop(payload["id"])
        numbers = [message["seq"] for message in payload["messages"]]
        if payload["recovered"]:
            assert since is not None
            assert numbers == list(range(since["seq"] + 1, since["seq"] + 1 + len(numbers))), (since, payload)
            assert since["seq"] + len(numbers) >= payload["seq"], (since, payload)
            changed = [message["seq"] for message in payload["changed"]]
            assert len(set(changed)) == len(changed)
            assert all(seq <= since["seq"] for seq in changed)
        else:
            assert numbers == list(range(numbers[0], numbers[0] + len(numbers))) if numbers else payload["seq"] == 0
            # Begin anew; but what came since it asked is newer than the answer.
            self.messages = {seq: each for seq, each in self.messages.items() if seq in self._pushed}
            self.base = self.last = numbers[0] - 1 if numbers else payload["seq"]
            self.messages = {seq: each for seq, each in self.messages.items() if seq > self.base}
            self.revision = 0
        self.epoch, self.joined = payload["epoch"], True
        self.revision = max(self.revision, payload["revision"])
        self._learn(payload["messages"] + payload["changed"])

    def _take_message(self, payload: dict[str, Any]) -> None:
        assert payload["seq"] not in self._pushed, f"number {payload['seq']} came twice on one socket"
        self._pushed.add(payload["seq"])
        self._learn([payload])

    def _take_changed(self, payload: dict[str, Any]) -> None:
        self._changes.add(payload["revision"])
        message = payload["message"]
        # Of a message that is not here yet it is no news that it exists: that came, or comes, with its number.
        if message["seq"] in self.messages or message["seq"] > self.last:
            self._learn([message])
        self._settle()

    def _take_history(self, payload: dict[str, Any]) -> None:
        if payload["id"] not in self._asked:
            return
        after = self._asked.pop(payload["id"])
        numbers = [message["seq"] for message in payload["messages"]]
        assert numbers == list(range(after + 1, after + 1 + len(numbers))), (after, payload)
        assert numbers or not payload["newer"]
        self._learn(payload["messages"])

    def _take_ack(self, payload: dict[str, Any]) -> None:
        known = self.acknowledged.setdefault(payload["id"], payload["seq"])
        assert known == payload["seq"], f"{payload['id']} was acknowledged as {known} and as {payload['seq']}"
        self.unanswered.pop(payload["id"], None)

    def _take_pong(self, payload: dict[str, Any]) -> None:
        head = payload["heads"].get(self._talk.room.slug, {"seq": 0, "revision": 0})
        self._heads = (max(self._heads[0], head["seq"]), max(self._heads[1], head["revision"]))

    def _learn(self, learned: list[dict[str, Any]]) -> None:
        for message in learned:
            known = self.messages.get(message["seq"])
            # Of two that claim one number the first stays: that the other is not stored shows in the end.
            if known is None or (known["id"] == message["id"] and known["revision"] < message["revision"]):
                self.messages[message["seq"]] = message
        self._settle()

    def _settle(self) -> None:
        # Before the first answer it is not known where the numbers begin.
        while self.epoch and self.last + 1 in self.messages:
            self.last += 1
        while self.revision + 1 in self._changes:
            self.revision += 1
        self._changes = {revision for revision in self._changes if revision > self.revision}

    def _say(self, uid: str, point: str | None) -> None:
        self._speak("chat", point, type="send", id=uid, body=self.unanswered[uid])

    def _speak(self, stream: str, point: str | None, **payload: Any) -> None:
        if self.page is not None:
            self._talk.serve(self, {"stream": stream, "payload": {"room": self._talk.room.slug, **payload}}, point)
