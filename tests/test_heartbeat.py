"""What workers and interface servers say of themselves, and who notices when one of them falls silent."""

from __future__ import annotations

import json
import logging
import socket
import threading
import time
import uuid
from types import SimpleNamespace

import pytest
import redis
from asgi_redis import RedisChannelLayer as StockLayer
from asgiref.inmemory import ChannelLayer
from channels.asgi import ChannelLayerWrapper
from channels.routing import route
from channels.worker import Worker as StockWorker

from channels_lts import beating, conf, heartbeat
from channels_lts.activity import Activity
from channels_lts.layer import RedisChannelLayer
from channels_lts.memory import resident
from channels_lts.worker import Worker
from tests.services import TIMEOUT_SCALE, wait_for


def consumer(message):
    """Never called."""


ROUTING = [route("http.request", consumer), route("thumbnail", consumer)]


@pytest.fixture
def prefix():
    return f"{uuid.uuid4().hex}:"


@pytest.fixture
def make_beat(redis_server, prefix):
    """A function that makes the heartbeat of a worker whose thread is not started: the test calls each beat."""

    def make(routing=ROUTING, name="", layer=RedisChannelLayer, worker=Worker, **options):
        wrapper = ChannelLayerWrapper(layer(hosts=[redis_server.url], prefix=prefix), "default", routing)
        beat = beating.WorkerHeartbeat(worker(wrapper, **options))
        beat._field = name or beat._field
        return beat

    return make


@pytest.fixture
def beat(make_beat):
    return make_beat()


@pytest.fixture
def layer(beat):
    return beat._layer


@pytest.fixture
def quick(settings):
    settings.CHANNELS_LTS = {"HEARTBEAT_INTERVAL": 0.1, "HEARTBEAT_EXPIRY": 1, "PROCESS_EXPIRY": 1}


class InterfaceBeat(beating.Heartbeat):
    """The heartbeat of an interface server, without the server."""

    kind = "interfaces"

    def describe(self):
        return {"channel": self._field, "sockets": 3}


def gone_messages(layer):
    messages = []
    while (message := layer.receive([beating.GONE], block=False)[1]) is not None:
        messages.append(message)
    return messages


@pytest.mark.system
def test_worker_is_known_with_its_channels_and_serves_them(layer, beat):
    assert heartbeat.unserved(heartbeat.workers(layer), ["http.request", "new"]) == ["http.request", "new"]
    beat._beat()
    (worker,) = heartbeat.workers(layer)
    assert worker.channels == ("http.request", "thumbnail")
    assert heartbeat.unserved(heartbeat.workers(layer), ["http.request", "new"]) == ["new"]


@pytest.mark.system
def test_record_says_what_the_worker_does(make_beat, monkeypatch):
    monkeypatch.setenv("SUPERVISOR_PROCESS_NAME", "web_00")
    beat = make_beat(only_channels=["http.*"])
    beat._worker.activity = activity = Activity()
    activity.count("messages", 3)
    beat._beat()
    (idle,) = heartbeat.workers(beat._layer)
    assert (idle.pool, idle.process, idle.channels, idle.threads) == ("http.*", "web_00", ("http.request",), 1)
    assert (idle.running, idle.busy_since, idle.counts, idle.ending) == (0, None, {"messages": 3}, False)
    assert abs(idle.memory - resident()) < 50_000_000
    began = time.monotonic()
    activity.begin("http.request", consumer, "reply!1")
    beat._layer.drops.count("unreadable items")
    wait_for(lambda: time.monotonic() - began > 0.2, "it is busy for a while")
    beat._beat()
    (busy,) = heartbeat.workers(beat._layer)
    assert (busy.running, busy.consumer, busy.channel) == (1, "tests.test_heartbeat.consumer", "http.request")
    assert 0.2 <= busy.seen - busy.busy_since < time.monotonic() - began + 0.05
    assert (busy.drops, busy.dropped_lately) == ({"unreadable items": 1}, 1)
    assert abs(busy.started - idle.started) < 0.05
    # Small, whatever happens: these are written every two seconds, and read by many.
    assert len(json.dumps(beat._record())) < 1500


@pytest.mark.system
@pytest.mark.parametrize("layer_class", [StockLayer, RedisChannelLayer])
def test_stock_worker_says_less(make_beat, layer_class):
    beat = make_beat(layer=layer_class, worker=StockWorker, exclude_channels=["http.*", "websocket.*"])
    beat._beat()
    (worker,) = heartbeat.workers(beat._layer)
    assert (worker.pool, worker.running) == ("not http.*, websocket.*", None)


@pytest.mark.system
def test_busy_consumer_does_not_stop_the_beat(make_beat, quick):
    """The record of a worker whose one thread hangs stays fresh, and says for how long it hangs."""
    release = threading.Event()
    beat = make_beat()
    layer, beat._worker.activity = beat._layer, Activity()

    def run():
        beat._worker.activity.begin("hang", release.wait, "")
        release.wait(20)

    threading.Thread(target=run).start()
    beat.start()
    try:
        first = wait_for(lambda: heartbeat.workers(layer), "the record")[0]
        later = wait_for(
            lambda: [one for one in heartbeat.workers(layer) if one.seen - first.seen > 0.5], "it goes on beating"
        )[0]
        # The name of a method of an instance, too.
        assert later.consumer == "Event.wait"
        assert later.busy_since == pytest.approx(first.busy_since, abs=0.1)
    finally:
        release.set()
        beat.retire()


@pytest.mark.system
def test_worker_that_was_told_to_end_serves_nothing_and_says_so_soon(make_beat):
    beat = make_beat()
    layer = beat._layer
    beat.start()
    try:
        wait_for(lambda: heartbeat.workers(layer), "the record")
        assert heartbeat.unserved(heartbeat.workers(layer), ["thumbnail"]) == []
        beat._worker.termed = True
        # Less than the interval between two beats.
        wait_for(lambda: heartbeat.workers(layer)[0].ending, "it is said that it ends", 1.5)
        assert heartbeat.unserved(heartbeat.workers(layer), ["thumbnail"]) == ["thumbnail"]
    finally:
        beat.retire()


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
    wait_for(lambda: heartbeat.workers(layer), "the record")
    beat.retire()
    assert heartbeat.workers(layer) == []
    assert not beat.is_alive()


@pytest.mark.system
def test_layers_with_other_prefixes_do_not_see_each_other(layer, beat, redis_server):
    beat._beat()
    assert heartbeat.workers(StockLayer(hosts=[redis_server.url], prefix="other:")) == []


@pytest.mark.system
def test_records_of_other_versions_are_read(layer, redis_server):
    now = time.time()
    said = {"host": "h", "pid": 1, "channels": ["a"], "started": 5.0, "seen": now}
    client = redis.StrictRedis.from_url(redis_server.url)
    name = heartbeat.key(layer, "workers")
    client.hset(name, "old", json.dumps(said))
    client.hset(name, "new", json.dumps({**said, "pid": 2, "up": 3, "mood": "good"}))
    client.hset(name, "broken", "[]")
    old, new = heartbeat.workers(layer)
    assert (old.pid, old.started, old.running) == (1, 5.0, None)
    assert (new.pid, new.started) == (2, pytest.approx(now - 3))


def test_redis_away_is_logged_once_and_its_return_once(caplog, monkeypatch):
    caplog.set_level(logging.INFO, "channels_lts.beating")
    away = ChannelLayerWrapper(StockLayer(hosts=["redis://127.0.0.1:1/0"]), "default", ROUTING)
    beat = beating.WorkerHeartbeat(StockWorker(away))
    beat._try_beat()
    beat._try_beat()
    monkeypatch.setattr(beat, "_beat", lambda: None)
    beat._try_beat()
    beat._try_beat()
    assert [record.levelname for record in caplog.records] == ["WARNING", "INFO"]


def test_redis_that_is_silent_holds_up_nobodys_end(monkeypatch):
    silent = socket.create_server(("127.0.0.1", 0))
    layer = StockLayer(hosts=[f"redis://127.0.0.1:{silent.getsockname()[1]}/0"])
    beat = beating.WorkerHeartbeat(StockWorker(ChannelLayerWrapper(layer, "default", ROUTING)))
    beat.start()
    with silent, silent.accept()[0] as connection:
        assert connection.recv(10)
        began = time.monotonic()
        beat.retire()
        assert time.monotonic() - began < 1.5 * TIMEOUT_SCALE


def test_fault_of_our_own_does_not_end_the_beat(caplog, monkeypatch):
    away = ChannelLayerWrapper(StockLayer(hosts=["redis://127.0.0.1:1/0"]), "default", ROUTING)
    beat = beating.WorkerHeartbeat(StockWorker(away))
    monkeypatch.setattr(beat, "describe", lambda: 1 // 0)
    beat._try_beat()
    assert "ZeroDivisionError" in caplog.text


def test_layer_without_redis_keeps_no_records():
    layer = ChannelLayer()
    assert heartbeat.workers(layer) is None
    assert heartbeat.interfaces(layer) is None
    assert heartbeat.unserved(heartbeat.workers(layer), ["anything"]) == []


def test_pools_are_named_by_their_filters():
    assert beating.pool(None, None) == "all"
    assert beating.pool(["http.*", "a"], []) == "http.*, a"
    assert beating.pool(["http.*"], ["http.disconnect"]) == "http.* not http.disconnect"


def test_drops_of_the_last_minute(monkeypatch):
    clock = SimpleNamespace(now=1000.0)
    monkeypatch.setattr(beating.time, "monotonic", lambda: clock.now)
    lately = beating._Lately()
    seen = []
    for total, seconds in [(0, 2), (5, 30), (5, 29), (5, 2), (5, 0), (6, 0)]:
        seen.append(lately.since_a_minute(total))
        clock.now += seconds
    assert seen == [0, 5, 5, 5, 0, 1]


@pytest.mark.system
def test_exactly_one_worker_tells_of_an_interface_server_that_fell_silent(make_beat, quick):
    routing = [*ROUTING, route(beating.GONE, consumer)]
    beats = [make_beat(routing, name=f"host:{number}") for number in range(4)]
    layer = beats[0]._layer
    for name in ("daphne.response.dead!", "daphne.response.alive!"):
        InterfaceBeat(layer, name)._beat()
    assert [interface.channel for interface in heartbeat.interfaces(layer)]
    alive = InterfaceBeat(layer, "daphne.response.alive!")
    messages = []

    def told():
        alive._beat()
        threads = [threading.Thread(target=beat._beat) for beat in beats]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        messages.extend(gone_messages(layer))
        return messages

    began = time.monotonic()
    wait_for(told, "the project is told")
    assert time.monotonic() - began < 2 * TIMEOUT_SCALE
    for _ in range(5):
        told()
    assert messages == [{"process": "daphne.response.dead!"}]
    assert [interface.channel for interface in heartbeat.interfaces(layer)] == ["daphne.response.alive!"]


@pytest.mark.system
def test_nobody_is_gone_when_redis_or_everything_stood_still(make_beat, quick):
    """After a pause every record is old. That says nothing: they have a time of silence to beat again."""
    routing = [*ROUTING, route(beating.GONE, consumer)]
    beat = make_beat(routing)
    interface = InterfaceBeat(beat._layer, "daphne.response.x!")
    interface._beat()
    beat._beat()
    began = time.monotonic()
    wait_for(lambda: time.monotonic() - began > 1.2, "longer than PROCESS_EXPIRY")
    beat._beat()
    assert gone_messages(beat._layer) == []
    interface._beat()
    assert [one.channel for one in heartbeat.interfaces(beat._layer)] == ["daphne.response.x!"]


@pytest.mark.system
def test_server_that_was_silent_at_the_first_beat_is_found_then(make_beat, quick, redis_server):
    """A site that has just started need not run for long before it notices."""
    beat = make_beat([*ROUTING, route(beating.GONE, consumer)])
    client = redis.StrictRedis.from_url(redis_server.url)
    said = {"host": "h", "pid": 1, "channel": "x!", "seen": time.time() - 2}
    client.hset(heartbeat.key(beat._layer, "interfaces"), "x!", json.dumps(said))
    beat._beat()
    assert gone_messages(beat._layer) == [{"process": "x!"}]


def test_by_default_a_killed_server_is_found_within_ten_seconds():
    # It beat just before, is silent for long enough just after a worker looked, and has a second to be told of.
    defaults = conf.DEFAULTS
    assert defaults["PROCESS_EXPIRY"] + defaults["HEARTBEAT_INTERVAL"] <= 9
    # A beat or two may be late.
    assert defaults["PROCESS_EXPIRY"] >= 3 * max(defaults["HEARTBEAT_INTERVAL"], defaults["ANNOUNCE_INTERVAL"])


@pytest.mark.system
def test_project_without_a_consumer_is_not_told(make_beat, quick, caplog):
    beat = make_beat()
    beat.heard([("daphne.response.x!", b'{"host": "h", "pid": 7, "channel": "x!", "seen": 5, "up": 1, "sockets": 3}')])
    assert gone_messages(beat._layer) == []
    assert "process 7 on h, 3 sockets" in caplog.text


@pytest.mark.system
def test_project_is_told_later_where_the_channel_is_full(make_beat, monkeypatch):
    beat = make_beat([*ROUTING, route(beating.GONE, consumer)])
    layer = beat._layer.channel_layer
    with monkeypatch.context() as patch:
        patch.setattr(layer, "get_capacity", lambda channel: 0)
        beat.heard([("daphne.response.x!", b"")])
    assert gone_messages(layer) == []
    beat.heard([])
    assert gone_messages(layer) == [{"process": "daphne.response.x!"}]
