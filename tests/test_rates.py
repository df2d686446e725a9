"""Token buckets: on our layer, the stock one, and in memory."""

from __future__ import annotations

import logging
import threading
import time
from typing import Any
from uuid import uuid4

import asgi_redis
import pytest
from channels.asgi import ChannelLayerWrapper

from channels_lts import rates, status, status_rows
from channels_lts.compat.inmemory import ChannelLayer
from channels_lts.layer import RedisChannelLayer
from channels_lts.rates import Rate
from tests.services import Redis, free_port, wait_for

pytestmark = pytest.mark.system

# What comes back in the time of a test is less than one.
SLOW = Rate(1, per=60, burst=3)


@pytest.fixture(params=["ours", "stock", "memory"])
def layer(request: pytest.FixtureRequest) -> Any:
    if request.param == "memory":
        return ChannelLayer()
    server = request.getfixturevalue("redis_server")
    cls = RedisChannelLayer if request.param == "ours" else asgi_redis.RedisChannelLayer
    return cls(hosts=[server.url], prefix=f"{uuid4().hex}:")


@pytest.fixture
def take(layer: Any) -> Any:
    return lambda *buckets, **options: rates.take(buckets, layer=layer, **options)


def test_as_many_as_the_burst_at_once_and_then_evenly(take):
    assert [take(("ann", SLOW)) for _ in range(3)] == [0, 0, 0]
    assert 59_000 < take(("ann", SLOW)) <= 60_000
    # Refusals cost nothing, and another name has a bucket of its own.
    assert 59_000 < take(("ann", SLOW)) <= 60_000
    assert take(("ben", SLOW)) == 0


def test_several_ask_at_once_each_for_itself_and_in_order(layer):
    asked = [[("ann", SLOW)]] * 4 + [[], [("ann", SLOW), ("ben", SLOW)], [("ben", SLOW)]]
    waits = rates.take_each(asked, layer=layer)
    assert [wait > 0 for wait in waits] == [False, False, False, True, False, True, False]
    assert 59_000 < waits[3] <= 60_000
    assert rates.take_each([], layer=layer) == []
    with pytest.raises(ValueError, match="'cy' holds 3, and is asked for 4"):
        rates.take_each([[("ann", SLOW)], [("cy", SLOW, 4)]], layer=layer)
    # Without a kind nothing is counted.
    assert rates.refusals(layer) == {}


def test_what_is_told_is_when_it_is_granted(take):
    quick = Rate(20, burst=1)
    assert take(("ann", quick)) == 0
    wait = take(("ann", quick))
    assert 0 < wait <= 50
    time.sleep(wait / 1000)
    assert take(("ann", quick)) == 0


def test_all_buckets_or_none(take):
    full = Rate(1, per=60, burst=100)
    assert [take(("ann", full), ("room", SLOW)) for _ in range(3)] == [0, 0, 0]
    assert [take(("ann", full), ("room", SLOW)) > 0 for _ in range(200)] == [True] * 200
    # Ann lost nothing by what the room refused.
    assert take(("ann", full, 97)) == 0
    assert take(("ann", full)) > 0


def test_one_name_twice_counts_twice(take):
    assert take(("ann", SLOW), ("ann", SLOW), ("ann", SLOW), ("ann", SLOW)) > 0
    assert take(("ann", SLOW), ("ann", SLOW), ("ann", SLOW)) == 0


def test_amounts_such_as_bytes(take):
    hourly = Rate(1000, per=3600, burst=1000)
    assert take(("ann", hourly, 600)) == 0
    assert 700_000 < take(("ann", hourly, 600)) <= 720_000
    assert take(("ann", hourly, 400)) == 0
    with pytest.raises(ValueError, match="holds 1000, and is asked for 1001"):
        take(("ann", hourly, 1001))


def test_settings_that_change_never_lock_anybody_out_for_longer(take):
    assert take(("ann", Rate(1, per=86_400, burst=30), 30)) == 0
    assert take(("ann", Rate(1, per=1, burst=3))) <= 1000


def test_refusals_are_counted_by_kind(layer, take):
    for _ in range(5):
        take(("ann", SLOW), kind="send")
    take(("room", SLOW, 3), kind="join")
    take(("room", SLOW), kind="join")
    assert rates.refusals(layer) == {"send": 2, "join": 1}


def test_threads_and_processes_share_what_there_is(take):
    granted = []

    def run():
        granted.extend(take(("ann", Rate(1, per=60, burst=50))) == 0 for _ in range(20))

    threads = [threading.Thread(target=run) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(granted) == 50


def test_one_round_trip_and_keys_that_expire(redis_server, monkeypatch):
    layer = RedisChannelLayer(hosts=[redis_server.url], prefix=f"{uuid4().hex}:")
    rates.take([("warm", SLOW)], layer=layer)
    client = layer.connection(0)
    before = client.info("commandstats")
    names = [(f"name{number}", SLOW) for number in range(4)]
    rates.take(names, layer=layer)
    after = client.info("commandstats")
    assert after["cmdstat_evalsha"]["calls"] - before["cmdstat_evalsha"]["calls"] == 1
    assert "cmdstat_eval" not in after or after["cmdstat_eval"]["calls"] == before["cmdstat_eval"]["calls"]
    keys = client.keys(layer.prefix + "*")
    assert len(keys) == 5
    assert all(0 < client.pttl(key) <= 60_000 for key in keys)


def test_shards_keep_the_buckets_of_all_calls_together(redis_server, tmp_path):
    other = Redis(tmp_path).start()
    try:
        layer = RedisChannelLayer(hosts=[redis_server.url, other.url], prefix=f"{uuid4().hex}:")
        granted = [rates.take([(f"person{number}", SLOW), ("room", SLOW)], layer=layer) == 0 for number in range(40)]
        assert sum(granted) == 3
    finally:
        other.stop()


def test_without_redis_everything_is_granted_and_said_once(caplog, monkeypatch):
    monkeypatch.setattr(rates, "_guard", rates._Guard())
    monkeypatch.setattr(rates, "_AWAY", 0.05)
    layer = RedisChannelLayer(hosts=[f"redis://127.0.0.1:{free_port()}/0"], prefix="away:")
    with caplog.at_level(logging.INFO, "channels_lts.rates"):
        assert [rates.take([("ann", SLOW)], layer=layer) for _ in range(20)] == [0] * 20
        time.sleep(0.06)
        assert rates.take([("ann", SLOW)], layer=layer) == 0
        assert len(caplog.records) == 1
        assert "nobody is refused" in caplog.text
        here = ChannelLayer()
        assert wait_for(lambda: [rates.take([("ann", SLOW)], layer=here) for _ in range(4)][-1], "rates count again")
        assert caplog.records[-1].getMessage() == "rates count again"


def test_layer_of_several_processes_without_redis_grants_everything_and_says_it_once(caplog, monkeypatch):
    monkeypatch.setattr(rates, "_guard", rates._Guard())

    class Shared:
        """As IPC: neither Redis nor of one process."""

    layer = Shared()
    assert [rates.take([("ann", SLOW)], layer=layer) for _ in range(5)] == [0] * 5
    assert [record.getMessage() for record in caplog.records] == [
        "rates do not count, and nobody is refused: Shared has no Redis"
    ]


def test_channelstatus_tells_of_refusals(redis_server):
    layer = RedisChannelLayer(hosts=[redis_server.url], prefix=f"{uuid4().hex}:")
    for _ in range(5):
        rates.take([("ann", SLOW)], kind="send", layer=layer)
    found = status.read(ChannelLayerWrapper(layer, "default", []))
    assert found.as_json()["throttled"] == {"send": 2}
    assert status_rows.notes(found) == ["Too fast in the last day: 2 send."]
