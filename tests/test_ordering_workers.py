"""Frames of one socket in their order, by several workers on a real Redis."""

from __future__ import annotations

import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any
from uuid import uuid4

import asgi_redis
import pytest
from channels import route
from channels.asgi import ChannelLayerWrapper
from channels.sessions import enforce_ordering

from channels_lts import ordering, turns
from channels_lts.layer import RedisChannelLayer
from channels_lts.worker import Worker
from tests.services import ROOT, TIMEOUT_SCALE, Redis, wait_for

pytestmark = pytest.mark.system

SOCKET = "daphne.response.abc!xyz"


@pytest.fixture
def layer(redis_server: Redis) -> RedisChannelLayer:
    return RedisChannelLayer(hosts=[redis_server.url], prefix=f"{uuid4().hex}:")


@pytest.fixture
def start(layer: RedisChannelLayer) -> Iterator[Callable[[Any], None]]:
    """A function that runs a worker in a thread, with one consumer of frames."""
    running = []

    def begin(consumer: Any) -> None:
        wrapper = ChannelLayerWrapper(layer, "default", [route("websocket.receive", consumer)])
        worker = Worker(channel_layer=wrapper, signal_handlers=False)
        running.append((worker, threading.Thread(target=worker.run)))
        running[-1][1].start()

    yield begin
    for worker, _ in running:
        worker.stop()
    for _, thread in running:
        thread.join(10 * TIMEOUT_SCALE)


def test_a_consumer_that_takes_longer_than_anybody_waits_for_a_lost_frame_keeps_its_turn(layer, start, monkeypatch):
    for name, value in (("LEASE", 0.3), ("PATIENCE", 0.1)):
        monkeypatch.setattr(turns, name, value)
    monkeypatch.setattr(ordering, "_TICK", 0.05)
    seen: list[str] = []

    @enforce_ordering
    def consume(message: Any) -> None:
        seen.append(f"begin {message['order']}")
        if message["order"] == 0:
            time.sleep(1.5)
        seen.append(f"end {message['order']}")

    for order in (0, 1):
        layer.send("websocket.receive", {"reply_channel": SOCKET, "order": order})
    start(consume)
    start(consume)
    wait_for(lambda: len(seen) == 4, "both have run")
    assert seen == ["begin 0", "end 0", "begin 1", "end 1"]


def test_answers_of_a_frame_leave_before_the_next_begins(layer, start):
    there: list[bool] = []
    answer = "daphne.response.abc!xyz"

    @enforce_ordering
    def consume(message: Any) -> None:
        there.append(layer.connection(0).llen(layer.queue_key("daphne.response.abc!")) == message["order"])
        message.reply_channel.send({"text": str(message["order"])})

    for order in range(50):
        layer.send("websocket.receive", {"reply_channel": answer, "order": order})
    start(consume)
    start(consume)
    wait_for(lambda: len(there) == 50, "all have run")
    assert all(there)


def test_frames_that_waited_overtake_a_backlog(layer):
    for number in range(3):
        layer.send("websocket.receive", {"backlog": number})
    ordering.send_again(layer, [("websocket.receive", {"n": 1}), ("websocket.receive", {"n": 2})])
    assert [layer.receive(["websocket.receive"])[1] for _ in range(3)] == [{"n": 1}, {"n": 2}, {"backlog": 0}]


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
