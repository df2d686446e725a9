"""The same loop on a layer that is not ours: asgi_redis's own, as with CHANNEL_LAYER=stock."""

from __future__ import annotations

import logging
import signal
import threading
import time
from uuid import uuid4

import asgi_redis
import pytest
from channels.channel import Channel
from channels.exceptions import DenyConnection
from channels.routing import route

from channels_lts.worker_group import WorkerGroup
from tests.services import TIMEOUT_SCALE, Redis, wait_for
from tests.worker.loops import OUT, collect, echo

pytestmark = pytest.mark.system


@pytest.fixture
def layer(redis_server):
    return asgi_redis.RedisChannelLayer(hosts=[redis_server.url], prefix=f"{uuid4().hex}:", capacity=100)


def test_errors_full_channels_and_threads_are_as_on_ours(layer, start, caplog, monkeypatch):
    monkeypatch.setattr("channels_lts.replies._RETRY_FOR", 0.1)
    layer.channel_capacity = layer.compile_capacities({"narrow": 1})

    def fails(message):
        echo(message)
        raise SystemExit

    def refuses(message):
        raise DenyConnection

    def overflows(message):
        for value in range(3):
            Channel("narrow", channel_layer=message.channel_layer).send({"value": value})
        echo(message)

    routing = [route("bad", fails), route("refused", refuses), route("full", overflows), route("in", echo)]
    worker = start(routing, cls=WorkerGroup, n_threads=2)
    layer.send("bad", {"value": "never"})
    layer.send("refused", {"reply_channel": "daphne.response.x!1"})
    layer.send("full", {"value": "full"})
    assert collect(layer, 1) == ["full"]
    layer.send("in", {"value": "in"})
    assert collect(layer, 1) == ["in"]
    wait_for(lambda: "dropped 2 replies" in caplog.text, "what did not fit is logged")
    assert layer.receive(["narrow"])[1] == {"value": 0}
    wait_for(lambda: layer.receive(["daphne.response.x!"])[1] == {"close": True}, "the socket is refused")
    counts = worker.activity.counts()
    assert (counts["consumer_errors"], counts["connections_denied"], counts["replies_dropped"]) == (1, 1, 2)


def test_d1_redis_that_goes_and_comes_back_ends_no_worker(tmp_path, start, caplog):
    server = Redis(tmp_path).start()
    layer = asgi_redis.RedisChannelLayer(hosts=[server.url], prefix="stock:")
    # In the fixture's place, which makes the wrapper.
    try:
        from channels.asgi import ChannelLayerWrapper

        from channels_lts.worker import Worker

        wrapper = ChannelLayerWrapper(layer, "default", [route("in", echo)])
        worker = Worker(channel_layer=wrapper, signal_handlers=False)
        thread = threading.Thread(target=worker.run)
        thread.start()
        with caplog.at_level(logging.INFO):
            server.stop()
            wait_for(lambda: "cannot receive from" in caplog.text, "the loss is logged")
            server.start()
            wait_for(lambda: "receiving from RedisChannelLayer again" in caplog.text, "its return is logged")
        layer.send("in", {"value": 1})
        assert collect(layer, 1) == [1]
        assert caplog.text.count("cannot receive from") == 1
    finally:
        worker.stop()
        thread.join(10 * TIMEOUT_SCALE)
        server.stop()
    assert not thread.is_alive()


def test_a_process_finishes_what_it_began_and_ends_soon(make_process):
    worker = make_process(backend="asgi_redis.RedisChannelLayer")
    layer = asgi_redis.RedisChannelLayer(hosts=worker.layer.hosts, prefix=worker.layer.prefix)
    worker.start()
    layer.send("in", {"value": "sleep"})
    wait_for(lambda: layer.receive(["said"])[1], "it runs")
    worker.signal(signal.SIGTERM)
    wait_for(lambda: "ending after what was begun" in worker.log(), "it is told")
    layer.send("release", {})
    assert worker.ends() == 0
    assert layer.receive([OUT])[1] == {"value": "sleep"}
    worker.start()
    began = time.monotonic()
    worker.signal(signal.SIGTERM)
    assert worker.ends() == 0
    # As long as asgi_redis waits in Redis by itself: it knows five seconds.
    assert time.monotonic() - began < 3 * TIMEOUT_SCALE
