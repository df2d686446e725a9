from __future__ import annotations

import logging
import uuid

import pytest
from asgi_redis import RedisChannelLayer
from asgiref.inmemory import ChannelLayer

from channels_lts import heartbeat


@pytest.fixture
def layer(redis_server):
    return RedisChannelLayer(hosts=[redis_server.url], prefix=f"{uuid.uuid4().hex}:")


@pytest.fixture
def beat(layer):
    """A heartbeat whose thread is not started: each beat is called by the test."""
    return heartbeat.Heartbeat(layer, ["http.request", "thumbnail"])


@pytest.mark.system
def test_worker_is_known_with_its_channels_and_serves_them(layer, beat):
    assert heartbeat.unserved(heartbeat.workers(layer), ["http.request", "new"]) == ["http.request", "new"]
    beat._beat()
    (worker,) = heartbeat.workers(layer)
    assert worker.channels == ("http.request", "thumbnail")
    assert heartbeat.unserved(heartbeat.workers(layer), ["http.request", "new"]) == ["new"]


@pytest.mark.system
def test_silent_worker_is_forgotten(layer, beat, settings):
    beat._beat()
    settings.CHANNELS_LTS = {"HEARTBEAT_EXPIRY": -1}
    assert heartbeat.workers(layer) == []
    settings.CHANNELS_LTS = {}
    assert heartbeat.workers(layer) == [], "the record itself must be gone"


@pytest.mark.system
def test_worker_that_ends_is_forgotten_at_once(layer, beat):
    beat.start()
    while not heartbeat.workers(layer):
        beat.join(0.01)
    beat.retire()
    assert heartbeat.workers(layer) == []
    assert not beat.is_alive()


@pytest.mark.system
def test_layers_with_other_prefixes_do_not_see_each_other(layer, beat, redis_server):
    beat._beat()
    assert heartbeat.workers(RedisChannelLayer(hosts=[redis_server.url], prefix="other:")) == []


def test_redis_away_is_logged_once_and_its_return_once(caplog, monkeypatch):
    caplog.set_level(logging.INFO, "channels_lts.heartbeat")
    away = RedisChannelLayer(hosts=["redis://127.0.0.1:1/0"])
    beat = heartbeat.Heartbeat(away, ["x"])
    beat._try_beat()
    beat._try_beat()
    monkeypatch.setattr(beat, "_beat", lambda: None)
    beat._try_beat()
    beat._try_beat()
    assert [record.levelname for record in caplog.records] == ["WARNING", "INFO"]


def test_layer_without_redis_keeps_no_records():
    assert heartbeat.workers(ChannelLayer()) is None
    assert heartbeat.unserved(heartbeat.workers(ChannelLayer()), ["anything"]) == []
