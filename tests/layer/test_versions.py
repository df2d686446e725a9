"""Versions of the format of items, and of Redis."""

from __future__ import annotations

import threading
import time

import pytest

from channels_lts.exceptions import UnsupportedRedis
from channels_lts.layer import RedisChannelLayer
from tests.layer.in_reactor import call
from tests.layer.servers import OldRedis
from tests.services import wait_for

pytestmark = pytest.mark.system


def test_items_of_a_newer_version_go_back_until_they_expire(make_layer, caplog):
    layer = make_layer(expiry=2)
    newer = bytearray(layer.encode("newer", {"n": 1})[1])
    newer[1] = newer[2] = 2
    longer = bytearray(layer.encode("newer", {"n": 2})[1])
    longer[1], longer[3] = 2, longer[3] + 4
    longer[14:14] = b"more"
    layer.connection(0).rpush(layer.queue_key("newer"), bytes(newer), bytes(longer))
    # Of version 2, and readable for version 1.
    assert layer.receive(["newer"]) == ("newer", {"n": 2})
    used, began = time.process_time(), time.monotonic()
    done = threading.Event()
    timer = threading.Timer(1, done.set)
    timer.start()
    layer.send("other", {})
    while not done.is_set():
        layer.open(layer.pop(["newer"], 1)[0])
    assert time.process_time() - used < 0.3
    assert time.monotonic() - began > 0.9
    [raw] = layer.connection(0).lrange(layer.queue_key("newer"), 0, -1)
    assert raw == bytes(newer)
    assert 5 < layer.drops.totals()["items left to a newer reader"] < 40
    assert len([line for line in caplog.messages if "newer reader" in line]) == 1
    wait_for(lambda: layer.receive(["newer"]) == (None, None), "it expires")
    assert layer.drops.totals()["items of a newer version"] == 1


def test_a_redis_that_is_too_old_is_refused_with_a_clear_message(quick, make_sockets, caplog):
    server = OldRedis()
    layer = RedisChannelLayer(hosts=[("127.0.0.1", server.port)])
    message = f"Redis at 127.0.0.1:{server.port} is version 5.0.14; the channel layer needs 6.2 or later"
    with pytest.raises(UnsupportedRedis) as raised:
        layer.check_version()
    assert str(raised.value) == message
    make_sockets(layer, started=False)
    sockets = make_sockets(layer, started=False)
    call(lambda: [sockets.link.start()])
    wait_for(lambda: server.accepted >= 5, "some attempts")
    assert len([line for line in caplog.messages if message in line]) == 1


def test_a_redis_that_is_away_does_not_keep_the_check_of_versions(quick, server):
    layer = RedisChannelLayer(hosts=[server.url])
    layer.check_version()
    server.stop()
    layer.check_version()
