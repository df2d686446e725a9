"""The layer on a real Redis: sending, receiving, capacity, expiry, encryption, prefixes, flush."""

from __future__ import annotations

import time

import pytest
import redis

from channels_lts.layer import RedisChannelLayer
from tests.services import wait_for

pytestmark = pytest.mark.system


def numbers(layer, *names):
    """Take everything off the channels; returns (channel, n) of each message."""
    received = []
    while True:
        channel, message = layer.receive(names)
        if channel is None:
            return received
        received.append((channel, message["n"]))


def test_messages_of_one_sender_keep_their_order(layer):
    for n in range(5):
        layer.send("work", {"n": n})
    assert numbers(layer, "work") == [("work", n) for n in range(5)]


def test_receiving_goes_by_turns_over_its_channels(layer):
    for n in range(50):
        layer.send("a", {"n": n})
        layer.send("b", {"n": n})
    first = [layer.receive(["a", "b"])[0] for _ in range(10)]
    assert set(first) == {"a", "b"}


@pytest.mark.parametrize("value", ["中文", b"\x00\xff", 1.5, None, [1, {"a": [True]}], 2**40])
def test_values_come_back_as_they_were(layer, value):
    layer.send("work", {"value": value})
    assert layer.receive(["work"]) == ("work", {"value": value})


def test_one_message_is_one_item_and_one_script_call(server):
    layer = RedisChannelLayer(hosts=[server.url])
    layer.send("work", {"n": 0})
    server.client.config_resetstat()
    for _ in range(10):
        layer.send("work", {"n": 1})
    commands = server.commands()
    assert commands["cmdstat_evalsha"] == 10
    assert commands["cmdstat_rpush"] == 10
    assert "cmdstat_set" not in commands
    assert server.client.llen("asgi:work") == 11


def test_capacity_goes_by_pattern(make_layer):
    layer = make_layer(capacity=3, channel_capacity={"http.*": 1, "websocket.receive": 2})
    for name, capacity in {"http.request": 1, "websocket.receive": 2, "other": 3}.items():
        for n in range(capacity):
            layer.send(name, {"n": n})
        with pytest.raises(layer.ChannelFull, match=f"{name} is full: {capacity}"):
            layer.send(name, {})


def test_queue_of_a_process_has_room_for_process_capacity(make_layer, settings):
    settings.CHANNELS_LTS = {"PROCESS_CAPACITY": 7}
    layer = make_layer(capacity=2)
    assert layer.get_capacity("daphne.response.a!") == 7
    for n in range(7):
        layer.send(f"daphne.response.a!{n}", {})
    with pytest.raises(layer.ChannelFull):
        layer.send("daphne.response.a!x", {})


def test_an_expired_message_is_not_received_and_counted(make_layer):
    layer = make_layer(expiry=0.1)
    layer.send("work", {"n": 1})
    deadline = time.time() + 0.1
    wait_for(lambda: time.time() > deadline, "the message expires")
    assert layer.receive(["work"]) == (None, None)
    assert layer.drops.totals() == {"expired messages": 1}


def test_a_queue_that_nobody_reads_expires(make_layer, redis_server):
    layer = make_layer(expiry=5)
    layer.send("work", {})
    assert 0 < redis.StrictRedis.from_url(redis_server.url).ttl(layer.queue_key("work")) <= 6


def test_prefixes_keep_layers_apart(make_layer):
    one, other = make_layer(), make_layer()
    one.send("work", {"n": 1})
    one.group_add("room", "x!1")
    assert other.receive(["work"]) == (None, None)
    assert other.group_channels("room") == []


@pytest.mark.parametrize("prefix", ["a*:", "a?:", "[ab]:", "a\\:", "a[:", "]:", "^a-z:", "中文:"])
def test_flush_takes_what_has_the_prefix_and_nothing_else(make_layer, prefix):
    ours, other = make_layer(prefix=prefix, stats_prefix=f"s{prefix}"), make_layer(prefix="ab:", stats_prefix="sab:")
    for layer in (ours, other):
        layer.send("work", {"n": 1})
        layer.group_add("room", "x!1")
    ours.flush()
    assert ours.receive(["work"]) == (None, None)
    assert ours.group_channels("room") == []
    assert ours.global_statistics()["messages_count"] == 0
    assert other.receive(["work"]) == ("work", {"n": 1})
    assert other.group_channels("room") == ["x!1"]
    other.flush()


def test_encrypted_messages_are_not_readable_in_redis(make_layer, redis_server):
    layer = make_layer(symmetric_encryption_keys=["key"])
    layer.send("work", {"text": "a secret"})
    [raw] = redis.StrictRedis.from_url(redis_server.url).lrange(layer.queue_key("work"), 0, -1)
    assert b"a secret" not in raw
    assert layer.receive(["work"]) == ("work", {"text": "a secret"})


def test_keys_are_changed_without_losing_messages(make_layer):
    old = make_layer(symmetric_encryption_keys=["old"], prefix="rotated:")
    both = make_layer(symmetric_encryption_keys=["new", "old"], prefix="rotated:")
    new = make_layer(symmetric_encryption_keys=["new"], prefix="rotated:")
    old.send("work", {"n": 1})
    both.send("work", {"n": 2})
    assert both.receive(["work"]) == ("work", {"n": 1})
    assert new.receive(["work"]) == ("work", {"n": 2})


def test_a_message_of_another_key_is_counted_and_ends_nothing(make_layer, caplog):
    make_layer(symmetric_encryption_keys=["one"], prefix="keys:").send("work", {"n": 1})
    make_layer(symmetric_encryption_keys=["two"], prefix="keys:").send("work", {"n": 2})
    reader = make_layer(symmetric_encryption_keys=["two"], prefix="keys:")
    # The one that cannot be read is passed over.
    assert reader.receive(["work"]) == ("work", {"n": 2})
    assert reader.drops.totals() == {"unreadable messages": 1}
    assert "unreadable messages" in caplog.text


@pytest.mark.parametrize("raw", [b"", b"garbage", b"\xc1", b"\xc1\x01\x01\xff\x00" + b"\x41" * 9, b"\x00" * 50])
def test_bytes_that_are_no_item_are_counted_and_end_nothing(layer, redis_server, raw, caplog):
    client = redis.StrictRedis.from_url(redis_server.url)
    for name in ("work", "daphne.response.a!"):
        client.rpush(layer.queue_key(name), raw)
        layer.send(name if name == "work" else name + "b", {"n": 1})
        assert layer.receive([name])[1] == {"n": 1}
    assert layer.drops.totals() == {"unreadable items": 2}
    assert "unreadable items" in caplog.text


def test_a_body_that_is_no_message_is_counted_and_ends_nothing(layer, redis_server):
    from channels_lts.layer import items

    client = redis.StrictRedis.from_url(redis_server.url)
    for body in (b"\xc1", b"\x81", b"\x01", b"\x93abc"):
        client.rpush(layer.queue_key("work"), items.encode(items.MESSAGE, "", time.time() + 60, body))
    assert layer.receive(["work"]) == (None, None)
    assert layer.drops.totals() == {"unreadable messages": 4}


def test_messages_that_the_stock_layer_left_are_read(make_layer, redis_server):
    from asgi_redis import RedisChannelLayer as Stock

    stock = Stock(hosts=[redis_server.url], prefix="switched:", symmetric_encryption_keys=["key"])
    for n in range(3):
        stock.send("work", {"n": n})
    ours = make_layer(prefix="switched:", symmetric_encryption_keys=["key"])
    ours.send("work", {"n": 3})
    assert numbers(ours, "work") == [("work", n) for n in range(4)]
    assert ours.drops.totals() == {}
    assert not redis.StrictRedis.from_url(redis_server.url).keys("switched:" + "[0-9a-f]" * 32)


def test_the_layer_does_not_show_passwords():
    layer = RedisChannelLayer(hosts=["redis://:hidden@127.0.0.1:6379/0", "unix://:hidden@/run/redis.sock"])
    assert str(layer) == "RedisChannelLayer(Redis at 127.0.0.1:6379, Redis at /run/redis.sock)"


@pytest.mark.parametrize("name", ["", "with space", "a:b", "x" * 200, "a!b!c"])
def test_a_name_that_is_not_valid_is_refused(layer, name):
    with pytest.raises(TypeError):
        layer.send(name, {})
    with pytest.raises(TypeError):
        layer.group_add("room", name)


def test_a_message_that_is_no_dict_is_refused(layer):
    with pytest.raises(TypeError, match="a message is a dict, not str"):
        layer.send("work", "text")
