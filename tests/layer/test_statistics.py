"""What the layer counts, in Redis and in the process."""

from __future__ import annotations

import logging
import threading

import pytest
import redis

from channels_lts.drops import Drops
from tests.services import wait_for


@pytest.mark.system
def test_statistics_of_a_channel(make_layer):
    layer = make_layer(capacity=2)
    for _ in range(2):
        layer.send("work", {})
    with pytest.raises(layer.ChannelFull):
        layer.send("work", {})
    statistics = layer.channel_statistics("work")
    assert 0 <= statistics.pop("messages_max_age") < 30
    assert statistics == {"messages_count": 2, "channel_full_count": 1, "messages_pending": 2}
    assert layer.global_statistics() == {"messages_count": 2, "channel_full_count": 1}


@pytest.mark.system
def test_statistics_of_all_shards_are_added_up(make_layer, redis_server):
    layer = make_layer(hosts=[redis_server.url.replace("/0", f"/{number}") for number in (2, 3)])
    for n in range(6):
        layer.send("work", {})
        layer.send(f"x{n}!1", {})
    assert layer.channel_statistics("work")["messages_count"] == 6
    assert layer.channel_statistics("work")["messages_pending"] == 6
    assert layer.global_statistics()["messages_count"] == 12
    # Also by the name of one of its channels.
    assert layer.channel_statistics("x1!whatever")["messages_pending"] == 1


@pytest.mark.system
def test_statistics_expire(make_layer, redis_server):
    layer = make_layer(channel_capacity={"*!*": 1})
    layer.group_add("room", "x!1")
    layer.send_group("room", {})
    client = redis.StrictRedis.from_url(redis_server.url)
    # Counted for the first time when the queue is full: that must not stay for ever.
    client.delete(layer.statistics_key(layer.global_stats_key))
    layer.send_group("room", {})
    keys = list(client.scan_iter(match=layer.stats_prefix + "*"))
    assert len(keys) == 2
    assert all(client.ttl(key) > 0 for key in keys)


def of(caplog):
    # Other layers of this test run may have something left to say.
    return [record.getMessage() for record in caplog.records if record.name == "drops"]


def test_drops_are_counted_at_once_and_logged_once_a_second(caplog):
    drops = Drops(logging.getLogger("drops"))
    for n in range(1000):
        drops.add("messages", f"number {n}")
    assert drops.totals() == {"messages": 1000}
    assert len(of(caplog)) == 1
    # The rest of the burst is not kept until something else is dropped.
    wait_for(lambda: len(of(caplog)) == 2, "the second line")
    assert of(caplog) == [
        "dropped: 1 messages (last: number 0)",
        "dropped: 999 messages (last: number 999)",
    ]


def test_drops_of_several_threads_are_all_counted():
    drops = Drops(logging.getLogger("drops"))
    threads = [threading.Thread(target=lambda: [drops.add("m", "") for _ in range(1000)]) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert drops.totals() == {"m": 4000}


@pytest.mark.system
def test_every_key_expires(make_layer, redis_server):
    from channels_lts.layer.process import Process

    layer = make_layer(capacity=1, channel_capacity={"y!": 1})
    layer.send("work", {})
    with pytest.raises(layer.ChannelFull):
        layer.send("work", {})
    for channel in ("ordinary", "x!1", "y!1"):
        layer.group_add("room", channel)
    layer.send_group("room", {})
    layer.put_back(layer.pop(["x!"], 10))
    process = Process(layer, "z!")
    process.membership.join("room", "z!1", 0)
    for call in [process.announcement(), *process.everything()]:
        layer._run(0, call)
    layer.group_discard("room", "y!1")
    client = redis.StrictRedis.from_url(redis_server.url)
    keys = list(client.scan_iter(match=f"*{layer.prefix}*"))
    assert len(keys) > 10
    assert [key for key in keys if client.ttl(key) <= 0] == []
