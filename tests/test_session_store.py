"""The store of channel sessions: on our layer, the stock one, and in memory."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import uuid4

import asgi_redis
import pytest
from django.core.exceptions import ImproperlyConfigured

from channels_lts import sessions
from channels_lts.compat.inmemory import ChannelLayer
from channels_lts.exceptions import LayerUnavailable
from channels_lts.layer import RedisChannelLayer, beside, wire
from tests.services import Redis, free_port

SOCKET = "daphne.response.abc!xyz"


@pytest.fixture(params=["ours", "stock", "memory"])
def layer(request: pytest.FixtureRequest) -> Any:
    if request.param == "memory":
        return ChannelLayer()
    server = request.getfixturevalue("redis_server")
    cls = RedisChannelLayer if request.param == "ours" else asgi_redis.RedisChannelLayer
    return cls(hosts=[server.url], prefix=f"{uuid4().hex}:")


@pytest.fixture
def session(layer: Any) -> Callable[..., Any]:
    """A function that reads the session of a socket, as one worker would."""
    return lambda name=SOCKET: sessions.for_reply_channel(name, layer)


@pytest.mark.system
def test_a_session_keeps_what_json_can_hold(session):
    first = session()
    assert first.get("name") is None
    first["name"] = value = {"text": "大厅", "list": [1, None, True], "number": 1.5}
    first.save()
    assert session()["name"] == value
    assert session("daphne.response.abc!other").get("name") is None


@pytest.mark.system
def test_of_many_sessions_some_values_are_read_at_once(layer, session):
    names = [f"daphne.response.abc!{number}" for number in range(5)]
    for number, name in enumerate(names[1:], 1):
        each = session(name)
        each.update({"number": number, "who": {"name": "大厅"}, "other": "x"})
        each.save()
    session(names[4]).delete()
    found = sessions.values_of(names, ("number", "who", "unknown"), layer)
    assert found == [{}, *({"number": number, "who": {"name": "大厅"}} for number in (1, 2, 3)), {}]
    assert sessions.values_of([], ("number",), layer) == []


@pytest.mark.system
def test_many_sessions_cost_one_round_trip(redis_server: Redis, monkeypatch):
    calls = []
    monkeypatch.setattr(beside, "exchange", lambda client, commands: calls.append(commands) or real(client, commands))
    real = wire.exchange
    layer = RedisChannelLayer(hosts=[redis_server.url], prefix=f"{uuid4().hex}:")
    sessions.for_reply_channel(SOCKET, layer).get("x")
    calls.clear()
    sessions.values_of([f"daphne.response.abc!{number}" for number in range(5)], ("x",), layer)
    assert [len(commands) for commands in calls] == [5]


@pytest.mark.system
def test_two_workers_that_write_at_the_same_time_lose_no_key(session):
    one, two = session(), session()
    assert (one.get("x"), two.get("x")) == (None, None)
    one["a"] = 1
    two["b"] = 2
    one.save()
    two.save()
    del one["a"]
    one["c"] = 3
    one.save()
    assert dict(session().items()) == {"b": 2, "c": 3}


@pytest.mark.system
def test_d11_the_name_is_random_and_stays_and_is_not_made_from_the_reply_channel(session):
    first = session()
    first["x"] = 1
    first.save()
    again = session()
    again.get("x")
    assert first.session_key == again.session_key
    assert len(first.session_key) == 32
    other = session("daphne.response.abc!other")
    other["x"] = 1
    other.save()
    assert other.session_key != first.session_key
    # Upstream's is "chn" and a hash.
    assert not first.session_key.startswith("chn")


@pytest.mark.system
def test_a_frame_that_comes_after_the_end_begins_nothing(session):
    first = session()
    first["x"] = 1
    first.save()
    first.delete()
    late = session()
    assert late.ended
    assert late.get("x") is None
    late["x"] = 2
    late.save()
    assert session().get("x") is None


@pytest.mark.system
def test_d22_everything_in_redis_expires_by_itself(redis_server: Redis, settings):
    settings.CHANNELS_LTS = {"CHANNEL_SESSION_EXPIRY": 77}
    layer = RedisChannelLayer(hosts=[redis_server.url], prefix=(prefix := f"{uuid4().hex}:"))
    session = sessions.for_reply_channel(SOCKET, layer)
    session["x"] = 1
    session.save()
    client = layer.connection(0)
    [key] = client.keys(f"{prefix}session:*")
    assert 70 < client.ttl(key) <= 77
    session.delete()
    assert 0 < client.ttl(key) <= 120
    assert client.hgetall(key) == {b"ended": b"1"}


@pytest.mark.system
def test_values_are_encrypted_as_messages_are(redis_server: Redis):
    layer = RedisChannelLayer(
        hosts=[redis_server.url], prefix=(prefix := f"{uuid4().hex}:"), symmetric_encryption_keys=["key"]
    )
    session = sessions.for_reply_channel(SOCKET, layer)
    session["x"] = "secret-value"
    session.save()
    client = layer.connection(0)
    stored = client.hgetall(client.keys(f"{prefix}session:*")[0])
    assert not any(b"secret-value" in value for value in stored.values())
    assert sessions.for_reply_channel(SOCKET, layer)["x"] == "secret-value"


@pytest.mark.system
def test_what_did_not_change_is_not_written(redis_server: Redis):
    layer = RedisChannelLayer(hosts=[redis_server.url], prefix=f"{uuid4().hex}:")
    session = sessions.for_reply_channel(SOCKET, layer)
    session.update({"a": 1, "b": [1]})
    session.save()
    again = sessions.for_reply_channel(SOCKET, layer)
    again["b"].append(2)
    again.modified = True
    # Somebody else, in between.
    session["a"] = 5
    session.save()
    again.save()
    assert dict(sessions.for_reply_channel(SOCKET, layer).items()) == {"a": 5, "b": [1, 2]}


def test_many_sessions_of_a_redis_that_is_away_are_not_empty_ones():
    layer = RedisChannelLayer(hosts=[f"redis://127.0.0.1:{free_port()}"])
    with pytest.raises(LayerUnavailable, match="cannot be reached"):
        sessions.values_of([SOCKET], ("x",), layer)


def test_redis_that_is_away_is_said_with_its_name():
    port = free_port()
    layer = RedisChannelLayer(hosts=[f"redis://127.0.0.1:{port}/0"])
    session = sessions.for_reply_channel(SOCKET, layer)
    with pytest.raises(LayerUnavailable, match=str(port)):
        session.get("x")


def test_d11_no_session_is_found_by_a_key():
    with pytest.raises(ImproperlyConfigured, match="CHANNEL_SESSION_ENGINE"):
        sessions.SessionStore("chn" + "a" * 29)


def test_a_layer_of_many_processes_without_redis_is_refused_with_the_way_out():
    class Elsewhere:
        """As asgi_ipc's."""

    with pytest.raises(ImproperlyConfigured, match=r"Elsewhere.*backends\.db"):
        sessions.for_reply_channel(SOCKET, Elsewhere())
