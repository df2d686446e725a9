"""Redis and the database that go and come back."""

from __future__ import annotations

import logging
import threading
from unittest.mock import Mock

import pytest
from channels.asgi import ChannelLayerWrapper
from channels.routing import route

from channels_lts.layer import RedisChannelLayer
from channels_lts.worker import Worker
from tests.services import TIMEOUT_SCALE, Redis, wait_for
from tests.worker.loops import collect, echo

pytestmark = pytest.mark.system


def test_redis_that_goes_and_comes_back_ends_no_worker(tmp_path, caplog, monkeypatch):
    """Row D1, as far as the worker's loop goes; what the layer does is in tests/layer."""
    server = Redis(tmp_path).start()
    layer = RedisChannelLayer(hosts=[server.url], prefix="d1:")
    # Shorter than the outage, so that the worker comes out of its wait and tries to pop.
    layer.blpop_timeout = 0.1
    wrapper = ChannelLayerWrapper(layer, "default", [route("in", echo)])
    worker = Worker(channel_layer=wrapper, signal_handlers=False)
    thread = threading.Thread(target=worker.run)
    thread.start()
    try:
        layer.send("in", {"value": 1})
        assert collect(layer, 1) == [1]
        with caplog.at_level(logging.INFO):
            server.stop()
            wait_for(lambda: "lost Redis" in caplog.text, "the loss is logged")
            tries = Mock(wraps=worker._intake._waiter.wait)
            monkeypatch.setattr(worker._intake._waiter, "wait", tries)
            wait_for(lambda: tries.call_count > 2, "the worker tries again and again")
            server.start()
            wait_for(lambda: "is back" in caplog.text, "its return is logged")
        layer.send("in", {"value": 2})
        assert collect(layer, 1) == [2]
        assert caplog.text.count("lost Redis") == 1
    finally:
        worker.stop()
        thread.join(10 * TIMEOUT_SCALE)
        server.stop()
    assert not thread.is_alive()
