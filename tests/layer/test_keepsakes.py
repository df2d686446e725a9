"""What a process keeps of its channels, and brings back to a Redis that has lost it."""

from __future__ import annotations

from uuid import uuid4

import pytest
from django.test import override_settings

from channels_lts import sessions
from channels_lts.layer import RedisChannelLayer
from channels_lts.layer.keepsakes import Keepsakes

PROCESS = "daphne.response.abc!"
SOCKET = PROCESS + "xyz"


def test_fields_are_set_and_taken_away():
    keepsakes = Keepsakes()
    keepsakes.keep("a", {"x": b"1", "y": b"2"}, [], 0)
    keepsakes.keep("a", {"x": b"3"}, ["y"], 1)
    assert dict(keepsakes.items()) == {"a": {"x": b"3"}}
    keepsakes.forget("a")
    keepsakes.forget("never there")
    assert len(keepsakes) == 0


def test_what_was_not_written_for_long_goes():
    keepsakes = Keepsakes()
    keepsakes.keep("old", {}, [], 0)
    keepsakes.keep("new", {}, [], 0)
    keepsakes.keep("new", {}, [], 10)
    keepsakes.forget_before(5)
    assert [channel for channel, _ in keepsakes.items()] == ["new"]


@pytest.fixture
def layer(redis_server):
    return RedisChannelLayer(hosts=[redis_server.url], prefix=f"{uuid4().hex}:")


def lose_everything(layer: RedisChannelLayer) -> None:
    connection = layer.connection(0)
    keys = list(connection.scan_iter(match=f"{layer.prefix}*"))
    assert keys
    connection.delete(*keys)


def receive_as_server(layer: RedisChannelLayer) -> None:
    """Read the queue of the process to its end, and announce it."""
    with override_settings(CHANNELS_LTS={"ANNOUNCE_INTERVAL": 1e-9}):
        for _ in range(3):
            assert layer.receive([PROCESS]) == (None, None)


def session(layer):
    return sessions.for_reply_channel(SOCKET, layer)


def write(layer, **values) -> None:
    found = session(layer)
    for name, value in values.items():
        found[name] = value
    found.save()


@pytest.mark.system
@pytest.mark.parametrize("keys", [None, ["secret"]])
def test_sessions_come_back_to_a_redis_that_has_lost_them(redis_server, keys):
    layer = RedisChannelLayer(
        hosts=[redis_server.url], prefix=f"{uuid4().hex}:", symmetric_encryption_keys=keys, group_expiry=60
    )
    write(layer, user=7, room="大厅")
    found = session(layer)
    del found["room"]
    found["language"] = "zh"
    found.save()
    receive_as_server(layer)
    lose_everything(layer)
    assert not session(layer).found
    receive_as_server(layer)
    assert dict(session(layer).items()) == {"user": 7, "language": "zh"}
    assert layer.connection(0).ttl(f"{layer.prefix}session:{SOCKET}") > 80_000


@pytest.mark.system
def test_a_session_that_was_written_since_is_left_alone(layer):
    write(layer, user=7)
    receive_as_server(layer)
    lose_everything(layer)
    write(layer, user=8)
    receive_as_server(layer)
    assert session(layer)["user"] == 8


@pytest.mark.system
def test_a_session_that_ended_does_not_come_back(layer):
    write(layer, user=7)
    receive_as_server(layer)
    session(layer).delete()
    receive_as_server(layer)
    lose_everything(layer)
    receive_as_server(layer)
    assert not session(layer).found


@pytest.mark.system
def test_a_channel_that_is_gone_keeps_nothing(layer):
    write(layer, user=7)
    receive_as_server(layer)
    process = layer._process(PROCESS)
    assert len(process.keepsakes) == 1
    process.forget([SOCKET])
    assert len(process.keepsakes) == 0
