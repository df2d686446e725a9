"""People who come and go at random, on two workers at once, against a ledger of who is where."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from typing import Any

import pytest

from channels_lts.layer import RedisChannelLayer
from channels_lts.ready import pid_in
from tests import services
from tests.services import ROOT, TIMEOUT_SCALE, Service

pytestmark = pytest.mark.system

# Few people with many tabs each.
ROOMS, PEOPLE, PROCESSES = 3, 4, 3
ROUNDS, STEPS = 3, 50
_PREPARE = f"""
import django, json; django.setup()
from django.contrib.sessions.backends.db import SessionStore
from chat.identity import GUEST_SESSION_KEY
from chat.models import Room
for number in range({ROOMS}):
    Room.objects.create(name=f"Room {{number}}", slug=f"room-{{number}}")
cookies = []
for number in range({PEOPLE}):
    session = SessionStore()
    session[GUEST_SESSION_KEY] = {{"key": f"g{{number}}", "name": f"Guest {{number}}"}}
    session.save()
    cookies.append(session.session_key)
print(json.dumps(cookies))
"""


class Reader:
    """What one socket knows of one room: by the rule of docs/streams.md."""

    def __init__(self) -> None:
        self.people: dict[str, Any] = {}
        self.told: dict[str, dict[str, Any]] = {}
        self.number: float = float("inf")
        self.count = self.counted = 0

    def joined(self, answer: dict[str, Any]) -> None:
        self.people = {who["key"]: who for who in answer["members"]}
        self.number = self.counted = answer["presence"]
        self.count = answer["people"]
        self.told = {key: payload for key, payload in self.told.items() if payload["presence"] > self.number}
        for payload in self.told.values():
            self._apply(payload)

    def hear(self, payload: dict[str, Any]) -> None:
        key = payload["who"]["key"]
        if payload["presence"] > self.told.get(key, {"presence": 0})["presence"]:
            self.told[key] = payload
            if payload["presence"] > self.number:
                self._apply(payload)

    def _apply(self, payload: dict[str, Any]) -> None:
        who = payload["who"]
        if payload["type"] == "join":
            self.people[who["key"]] = who
        else:
            self.people.pop(who["key"], None)
        if payload["presence"] > self.counted:
            self.counted, self.count = payload["presence"], payload["people"]


class Socket:
    """A tab: the interface server that holds it is played by :class:`Crowd`."""

    def __init__(self, crowd: Crowd, process: str, person: int) -> None:
        self.crowd, self.process, self.person = crowd, process, person
        self.name = f"{process}{random.getrandbits(48):x}"
        self.order = 0
        #: Waits for an answer: True until it came.
        self.busy = True
        self.rooms: dict[str, Reader] = {}
        self.readers: dict[str, Reader] = {}
        cookie = f"sessionid={crowd.cookies[person]}".encode()
        self._send("websocket.connect", headers=[(b"host", b"localhost"), (b"cookie", cookie)], query_string=b"")

    def ask(self, kind: str, room: str) -> None:
        self.busy = True
        if kind == "join":
            self.readers.setdefault(room, Reader())
        payload = {"type": kind, "room": room, "id": 1}
        self._send("websocket.receive", text=json.dumps({"stream": "chat", "payload": payload}))

    def close(self) -> None:
        """Close the tab, whatever is under way."""
        self._send("websocket.disconnect", code=1001)

    def hear(self, stream: str, payload: dict[str, Any]) -> None:
        kind, room = payload["type"], payload.get("room", "")
        if kind == "welcome":
            self.busy = False
        elif stream == "presence":
            self.readers.setdefault(room, Reader()).hear(payload)
        elif kind == "joined":
            self.readers[room].joined(payload)
            self.rooms[room] = self.readers[room]
            self.busy = False
        elif kind == "left":
            self.rooms.pop(room, None)
            self.readers.pop(room, None)
            self.busy = False
        else:
            raise AssertionError(f"unexpected: {payload}")

    def _send(self, channel: str, **content: Any) -> None:
        self.crowd.layer.send(channel, {"reply_channel": self.name, "path": "/ws/", "order": self.order, **content})
        self.order += 1


class Crowd:
    """Everybody's tabs, on three interface servers that are played here."""

    def __init__(self, layer: RedisChannelLayer, cookies: list[str], seed: int) -> None:
        self.layer, self.cookies = layer, cookies
        self.random = random.Random(seed)
        self.processes = [self._process() for _ in range(PROCESSES)]
        self.sockets: dict[str, Socket] = {}
        self.did: Counter[str] = Counter()

    def _process(self) -> str:
        return f"churn.response.{random.getrandbits(48):x}!"

    def step(self) -> None:
        """Let one tab, or one interface server, do something; wait for nothing but that some tab is not busy."""
        self.until(lambda: not self.sockets or not all(tab.busy for tab in self.sockets.values()), "an answer")
        free = [socket for socket in self.sockets.values() if not socket.busy]
        kinds = ["open"] * 3 + ["join"] * 12 + ["leave"] * 4 + ["close"] * 2 + ["vanish"] * (self.random.random() < 0.2)
        kind = self.random.choice(kinds)
        if kind == "open" and len(self.sockets) < 15:
            socket = Socket(self, self.random.choice(self.processes), self.random.randrange(PEOPLE))
            self.sockets[socket.name] = socket
        elif kind == "join" and free:
            self.random.choice(free).ask("join", f"room-{self.random.randrange(ROOMS)}")
        elif kind == "leave" and (inside := [socket for socket in free if socket.rooms]):
            socket = self.random.choice(inside)
            socket.ask("leave", self.random.choice(sorted(socket.rooms)))
        elif kind == "close" and self.sockets:
            # Also of tabs that wait for an answer.
            self.sockets.pop(self.random.choice(sorted(self.sockets))).close()
        elif kind == "vanish":
            self._kill(self.random.choice(self.processes))
        else:
            return self.step()
        self.did[kind] += 1

    def _kill(self, process: str) -> None:
        """End an interface server without a word; its frames have been served when that is found out."""
        own = [socket for socket in self.sockets.values() if socket.process == process]
        self.until(lambda: not any(socket.busy for socket in own), "frames of a killed interface server are served")
        for socket in own:
            del self.sockets[socket.name]
        self.processes[self.processes.index(process)] = self._process()
        self.layer.send("interface.gone", {"process": process})

    def pump(self) -> None:
        """Hand on what came for the tabs."""
        while True:
            channel, message = self.layer.receive(self.processes)
            if channel is None:
                return
            assert message is not None
            socket = self.sockets.get(channel)
            if socket is not None and message.get("text"):
                frame = json.loads(message["text"])
                socket.hear(frame["stream"], frame["payload"])

    def until(self, condition: Any, what: str) -> None:
        deadline = time.monotonic() + 15 * TIMEOUT_SCALE
        while True:
            self.pump()
            if condition():
                return
            assert time.monotonic() < deadline, f"in vain: {what}; {self.report()}"
            time.sleep(0.005)

    def ledger(self) -> dict[str, set[str]]:
        there: dict[str, set[str]] = {f"room-{number}": set() for number in range(ROOMS)}
        for socket in self.sockets.values():
            for room in socket.rooms:
                there[room].add(f"g{socket.person}")
        return there

    def agrees(self) -> bool:
        """Whether every tab knows who is in its rooms, and how many, and nobody else."""
        if any(socket.busy for socket in self.sockets.values()):
            return False
        there = self.ledger()
        return all(
            set(reader.people) == there[room] and reader.count == len(there[room])
            for socket in self.sockets.values()
            for room, reader in socket.rooms.items()
        )

    def report(self) -> str:
        known = [
            (socket.name, room, sorted(reader.people), reader.count)
            for socket in self.sockets.values()
            for room, reader in socket.rooms.items()
        ]
        busy = sum(socket.busy for socket in self.sockets.values())
        return f"{busy} busy, the ledger has {self.ledger()}, the tabs know {known}"


@pytest.fixture
def redis(tmp_path):
    directory = tmp_path / "redis"
    directory.mkdir()
    server = services.Redis(directory)
    yield server.start()
    server.stop()


@pytest.mark.parametrize("database", ["sqlite", "postgresql"])
def test_every_list_agrees_with_the_ledger(database, redis, request, tmp_path):
    url = f"sqlite:///{tmp_path / 'db.sqlite3'}"
    if database == "postgresql":
        url = request.getfixturevalue("postgres").database("churn")
    environment = {
        **os.environ, "DJANGO_SETTINGS_MODULE": "my_project.settings", "DATABASE_URL": url, "REDIS_URL": redis.url,
        "CHANNEL_LAYER": "redis", "CHAT_RATES": "off", "PYTHONPATH": str(ROOT), "PYTHONWARNINGS": "ignore",
        "DEBUG": "off",
    }  # fmt: skip

    def python(*arguments: str) -> str:
        command = [sys.executable, *arguments]
        return subprocess.run(command, cwd=ROOT, env=environment, check=True, capture_output=True, text=True).stdout

    python("manage.py", "migrate", "-v0")
    cookies = json.loads(python("-c", _PREPARE))
    seed = int(os.environ.get("CHURN_SEED", "0")) or random.randrange(1, 10_000)
    print(f"CHURN_SEED={seed}")
    workers = []
    try:
        for number in range(2):
            directory = tmp_path / f"worker{number}"
            directory.mkdir()
            ready = directory / "ready"
            command = [sys.executable, "manage.py", "runworker", "--only-channels=websocket.*"]
            command += ["--only-channels=interface.*", f"--ready-file={ready}"]
            workers.append((Service(directory, command, cwd=ROOT, env=environment), ready))
            workers[-1][0].launch()
        for worker, ready in workers:
            worker.wait_until(lambda worker=worker, ready=ready: pid_in(ready) == worker.process.pid)
        crowd = Crowd(RedisChannelLayer(hosts=[redis.url], prefix="chat:"), cookies, seed)
        for _ in range(ROUNDS):
            for _ in range(STEPS):
                crowd.step()
            crowd.until(crowd.agrees, "all tabs agree with the ledger")
            _look(crowd)
        assert crowd.did["join"] > 20, crowd.did
        for worker, _ in workers:
            said = worker.output.read_text()
            assert "Traceback" not in said, said
    finally:
        for worker, _ in workers:
            worker.stop(signal.SIGTERM)


def _look(crowd: Crowd) -> None:
    """Let somebody new look into each room: what is stored must agree too."""
    before = crowd.ledger()
    looker = Socket(crowd, crowd.processes[0], 0)
    crowd.sockets[looker.name] = looker
    crowd.until(lambda: not looker.busy, "the looker is welcome")
    for room, there in before.items():
        looker.ask("join", room)
        crowd.until(lambda: not looker.busy, "the looker has joined")
        reader = looker.rooms[room]
        assert set(reader.people) == there | {"g0"}, (room, crowd.report())
        assert reader.count == len(there | {"g0"})
    crowd.sockets.pop(looker.name).close()
    crowd.until(crowd.agrees, "the looker has gone")
