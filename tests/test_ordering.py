"""Frames of one socket in their order, by Channels' test helpers, and by workers on a real Redis."""

from __future__ import annotations

import subprocess
import sys
import textwrap
import time
from typing import Any
from uuid import uuid4

import asgi_redis
import pytest
from channels import route
from channels.asgi import channel_layers
from channels.exceptions import ConsumeLater
from channels.generic.websockets import WebsocketConsumer
from channels.sessions import enforce_ordering
from channels.test import ChannelTestCase, WSClient, apply_routes
from channels.worker import Worker as UpstreamWorker

from channels_lts import ordering, turns
from channels_lts.compat.inmemory import ChannelLayer
from channels_lts.layer import RedisChannelLayer
from channels_lts.turns import LATE, RUN, WAIT, Gap
from tests.services import ROOT, TIMEOUT_SCALE, Redis, wait_for

SOCKET = "daphne.response.abc!xyz"
OUT = "results"


# --- Turns ---


@pytest.fixture(params=["ours", "stock", "memory"])
def any_layer(request: pytest.FixtureRequest) -> Any:
    if request.param == "memory":
        return ChannelLayer()
    server = request.getfixturevalue("redis_server")
    cls = RedisChannelLayer if request.param == "ours" else asgi_redis.RedisChannelLayer
    return cls(hosts=[server.url], prefix=f"{uuid4().hex}:")


@pytest.fixture
def queue(any_layer: Any) -> Any:
    return turns.turns(any_layer)


def frame(order: int) -> Any:
    return "websocket.receive", {"order": order, "bytes": b"\x00\xff", "text": "大厅"}


def enter(queue: Any, order: int, socket: str = SOCKET, **options: Any) -> str:
    return queue.enter(socket, order, frame(order), **{"begins": False, **options})


@pytest.mark.system
def test_frames_wait_until_the_turn_before_ends(queue):
    assert enter(queue, 0) == RUN
    assert [enter(queue, order) for order in (2, 1, 4)] == [WAIT] * 3
    assert queue.leave(SOCKET, 0, ends=False) == [frame(1), frame(2)]
    assert [enter(queue, order) for order in (1,)] == [RUN]
    assert queue.leave(SOCKET, 1, ends=False) == []
    assert enter(queue, 0) == LATE
    # Another socket has its own.
    assert enter(queue, 0, "daphne.response.abc!other") == RUN


@pytest.mark.system
def test_socket_that_begins_or_has_ended_begins_at_nought(queue):
    assert enter(queue, 0) == RUN
    queue.leave(SOCKET, 0, ends=False)
    assert enter(queue, 0, begins=True) == RUN
    queue.leave(SOCKET, 0, ends=True)
    assert enter(queue, 0) == RUN


@pytest.mark.system
def test_d18_a_gap_is_given_up_when_nobody_serves_it(queue, monkeypatch):
    monkeypatch.setattr(turns, "PATIENCE", 0.05)
    assert enter(queue, 3) == WAIT
    gap = wait_for(lambda: (found := queue.check(SOCKET)) is not True and found, "the gap is given up")
    assert gap
    assert enter(queue, 2) == LATE
    assert enter(queue, 3) == RUN


@pytest.mark.system
def test_d18_the_gap_is_named(queue, monkeypatch):
    monkeypatch.setattr(turns, "PATIENCE", 0)
    assert not queue.check(SOCKET)
    assert enter(queue, 3) == WAIT
    time.sleep(0.01)
    assert queue.check(SOCKET) == Gap(0, 3, frame(3))
    assert not queue.check(SOCKET)


@pytest.mark.system
def test_a_consumer_that_takes_long_is_waited_for(queue, monkeypatch):
    monkeypatch.setattr(turns, "PATIENCE", 0)
    monkeypatch.setattr(turns, "LEASE", 0.1)
    assert enter(queue, 0) == RUN
    assert enter(queue, 1) == WAIT
    until = time.monotonic() + 0.5
    while time.monotonic() < until:
        queue.renew(SOCKET, 0)
        assert queue.check(SOCKET) is True
    assert wait_for(lambda: queue.check(SOCKET) is not True, "its worker died")
    # Should it live after all, it changes nothing any more.
    assert queue.leave(SOCKET, 0, ends=False) == []
    assert enter(queue, 1) == RUN


@pytest.mark.system
def test_everything_in_redis_expires_by_itself(redis_server: Redis):
    layer = RedisChannelLayer(hosts=[redis_server.url], prefix=(prefix := f"{uuid4().hex}:"))
    queue = turns.turns(layer)
    for order in (0, 5):
        enter(queue, order)
    queue.leave(SOCKET, 0, ends=False)
    client = layer.connection(0)
    keys = client.keys(f"{prefix}*")
    assert len(keys) == 2
    assert all(client.ttl(key) > 0 for key in keys)
    queue.leave(SOCKET, 1, ends=True)
    assert client.keys(f"{prefix}*") == []


# --- Consumers, with Channels' test helpers ---


class Ordered(WebsocketConsumer):
    strict_ordering = True
    seen: list[Any] = []

    def receive(self, text: str | None = None, bytes: bytes | None = None, **kwargs: Any) -> None:
        self.seen.append(text)
        if text == "fail":
            raise RuntimeError("a fault")
        if text == "later" and "__retries__" not in self.message:
            raise ConsumeLater
        self.send(text=text)

    def disconnect(self, message: Any, **kwargs: Any) -> None:
        self.seen.append("bye")


class ConsumerTests(ChannelTestCase):
    def setUp(self):
        Ordered.seen = []
        routes = apply_routes([Ordered.as_route(path="^/$")])
        routes.enter()
        self.addCleanup(routes.exit)
        self.client = WSClient(ordered=True)
        self.client.send_and_consume("websocket.connect")

    def send(self, *texts):
        for text in texts:
            self.client.send("websocket.receive", {"text": text})

    def run_worker(self):
        """Run Channels' own worker until nothing is left to do."""
        layer = channel_layers["default"]
        worker = UpstreamWorker(layer, signal_handlers=False)

        class UntilIdle:
            def __getattr__(self, name):
                return getattr(layer, name)

            def receive_many(self, channels, block):
                found = layer.receive(channels, block=False)
                worker.termed = block and found == (None, None)
                return found

        worker.channel_layer = UntilIdle()
        worker.run()

    def received(self):
        found = []
        while (text := self.client.receive(json=False)) is not None:
            found.append(text)
        return found

    def take(self):
        """Take a frame off the channel: its worker died with it, or has not come to it yet."""
        return channel_layers["default"].receive(["websocket.receive"])[1]

    def test_frames_run_in_their_order(self):
        self.send("a", "b", "c")
        first = self.take()
        self.run_worker()
        assert Ordered.seen == []
        channel_layers["default"].send("websocket.receive", first)
        self.run_worker()
        assert Ordered.seen == self.received() == ["a", "b", "c"]

    def test_d18_an_exception_ends_the_turn(self):
        self.send("a", "fail", "b")
        self.run_worker()
        assert Ordered.seen == ["a", "fail", "b"]

    def test_a_frame_that_is_consumed_later_keeps_its_turn(self):
        self.send("later", "a", "b")
        self.run_worker()
        assert Ordered.seen == ["later", "later", "a", "b"]

    def test_d18_a_lost_frame_stops_nothing_for_good(self):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(turns, "PATIENCE", 0.1)
            patch.setattr(ordering, "_TICK", 0.05)
            self.send("lost", "a", "b")
            lost = self.take()

            def both():
                self.run_worker()
                return Ordered.seen == ["a", "b"]

            wait_for(both, "the frames behind it")
            # It was only late: it does not run, and its socket is told.
            channel_layers["default"].send("websocket.receive", lost)
            self.received()
            with self.assertLogs("channels_lts.ordering", "ERROR"):
                self.run_worker()
        assert Ordered.seen == ["a", "b"]
        assert self.received() == [{"close": 1013}]

    def test_the_end_waits_for_its_turn_and_keeps_the_session_until_then(self):
        self.send("a")
        first = self.take()
        self.client.send("websocket.disconnect", {"code": 1000})
        self.run_worker()
        assert Ordered.seen == []
        channel_layers["default"].send("websocket.receive", first)
        self.run_worker()
        assert Ordered.seen == ["a", "bye"]

    def test_messages_without_order_are_refused(self):
        @enforce_ordering
        def consume(message):
            """Needs one."""

        with apply_routes([route("x", consume)]):
            client = WSClient()
            client.send("x", {})
            with pytest.raises(ValueError, match="order"):
                client.consume("x")

    def test_upstreams_own_serves_where_neither_redis_nor_memory_is(self):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(turns, "turns", lambda layer: None)
            self.send("a", "b")
            first = self.take()
            channel_layers["default"].send("websocket.receive", first)
            client = WSClient(ordered=True)
            client.send("websocket.connect")
            client.send("websocket.receive", {"text": "c"})
            self.run_worker()
        assert "c" in Ordered.seen


# --- Workers on Redis ---

WORKER = """
import os, random, sys, time
from channels_lts import compat
compat.install()
from django.conf import settings
settings.configure(
    CHANNEL_SESSION_ENGINE="channels_lts.sessions", SECRET_KEY="x", INSTALLED_APPS=[],
    CHANNEL_LAYERS={"default": {
        "BACKEND": os.environ["BACKEND"], "ROUTING": "ordered_worker.routing",
        "CONFIG": {"hosts": [os.environ["URL"]], "prefix": os.environ["PREFIX"], "capacity": 100000},
    }},
)
import django
django.setup()
from channels import Channel, route
from channels.asgi import channel_layers
from channels.sessions import enforce_ordering

@enforce_ordering
def receive(message):
    order = message["order"]
    if order % 7 == 3:
        time.sleep(random.random() * 0.01)
    if order == 50:
        raise RuntimeError("a fault in the middle")
    Channel("results").send({"socket": message.reply_channel.name, "order": order})

routing = [route("websocket.receive", receive)]

if __name__ == "__main__":
    sys.modules["ordered_worker"] = sys.modules["__main__"]
    from channels_lts.worker import Worker
    Worker(channel_layers["default"]).run()
"""


@pytest.mark.system
@pytest.mark.parametrize("backend", ["channels_lts.layer.RedisChannelLayer", "asgi_redis.RedisChannelLayer"])
def test_d18_two_worker_processes_keep_the_order_of_many_frames(redis_server: Redis, tmp_path, backend):
    prefix = f"{uuid4().hex}:"
    environment = {"URL": redis_server.url, "PREFIX": prefix, "BACKEND": backend, "PYTHONPATH": str(ROOT)}
    script = tmp_path / "ordered_worker.py"
    script.write_text(textwrap.dedent(WORKER))
    cls = RedisChannelLayer if backend.startswith("channels_lts") else asgi_redis.RedisChannelLayer
    layer = cls(hosts=[redis_server.url], prefix=prefix, capacity=100_000)
    sockets = [f"daphne.response.abc!{name}" for name in "pqrst"]
    count = 200
    for order in range(count):
        for socket in sockets:
            layer.send("websocket.receive", {"reply_channel": socket, "order": order, "text": "x"})
    with (tmp_path / "log").open("wb") as log:
        workers = [
            subprocess.Popen([sys.executable, script], env=environment, cwd=tmp_path, stdout=log, stderr=log)
            for _ in range(2)
        ]
        try:
            got: dict[str, list[int]] = {socket: [] for socket in sockets}

            def all_there():
                while (message := layer.receive(["results"])[1]) is not None:
                    got[message["socket"]].append(message["order"])
                return sum(map(len, got.values())) == len(sockets) * (count - 1)

            wait_for(all_there, "all frames are answered", 60)
        finally:
            for worker in workers:
                worker.terminate()
            for worker in workers:
                worker.wait(20 * TIMEOUT_SCALE)
    expected = [order for order in range(count) if order != 50]
    assert all(orders == expected for orders in got.values())
    assert (tmp_path / "log").read_text().count("RuntimeError: a fault") == len(sockets)
