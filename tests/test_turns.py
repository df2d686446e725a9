"""Whose turn it is on a socket: on our layer, the stock one, and in memory."""

from __future__ import annotations

import time
from typing import Any
from uuid import uuid4

import asgi_redis
import pytest

from channels_lts import turns
from channels_lts.compat.inmemory import ChannelLayer
from channels_lts.layer import RedisChannelLayer
from channels_lts.turns import LATE, RUN, WAIT, Gap
from tests.services import TIMEOUT_SCALE, Redis, wait_for

pytestmark = pytest.mark.system

SOCKET = "daphne.response.abc!xyz"


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


def test_frames_wait_until_the_turn_before_ends(queue):
    assert enter(queue, 0) == RUN
    assert [enter(queue, order) for order in (2, 1, 4)] == [WAIT] * 3
    assert queue.leave(SOCKET, 0, ends=False) == [frame(1), frame(2)]
    assert [enter(queue, order) for order in (1,)] == [RUN]
    assert queue.leave(SOCKET, 1, ends=False) == []
    assert enter(queue, 0) == LATE
    # Another socket has its own.
    assert enter(queue, 0, "daphne.response.abc!other") == RUN


def test_socket_that_begins_or_has_ended_begins_at_nought(queue):
    assert enter(queue, 0) == RUN
    queue.leave(SOCKET, 0, ends=False)
    assert enter(queue, 0, begins=True) == RUN
    queue.leave(SOCKET, 0, ends=True)
    assert enter(queue, 0) == RUN


def test_d18_a_gap_is_given_up_when_nobody_serves_it(queue, monkeypatch):
    monkeypatch.setattr(turns, "PATIENCE", 0.05)
    assert enter(queue, 3) == WAIT
    gap = wait_for(lambda: (found := queue.check(SOCKET)) is not True and found, "the gap is given up")
    assert gap
    assert enter(queue, 2) == LATE
    assert enter(queue, 3) == RUN


def test_d18_the_gap_is_named(queue, monkeypatch):
    monkeypatch.setattr(turns, "PATIENCE", 0)
    assert not queue.check(SOCKET)
    assert enter(queue, 3) == WAIT
    time.sleep(0.01)
    assert queue.check(SOCKET) == Gap(0, 3, frame(3))
    assert not queue.check(SOCKET)


def test_a_consumer_that_takes_long_is_waited_for(queue, monkeypatch):
    monkeypatch.setattr(turns, "PATIENCE", 0)
    # Long enough that a busy machine does not let it pass between two lines.
    monkeypatch.setattr(turns, "LEASE", 0.5 * TIMEOUT_SCALE)
    assert enter(queue, 0) == RUN
    assert enter(queue, 1) == WAIT
    until = time.monotonic() + 0.8 * TIMEOUT_SCALE
    while time.monotonic() < until:
        queue.renew(SOCKET, 0)
        assert queue.check(SOCKET) is True
    assert wait_for(lambda: queue.check(SOCKET) is not True, "its worker died")
    # Should it live after all, it changes nothing any more.
    assert queue.leave(SOCKET, 0, ends=False) == []
    assert enter(queue, 1) == RUN


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
