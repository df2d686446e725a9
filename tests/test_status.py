"""The state of a channel layer, read from real Redis servers."""

from __future__ import annotations

import time
import uuid
from dataclasses import replace

import pytest
import redis
from asgi_redis import RedisChannelLayer as StockLayer
from asgiref.inmemory import ChannelLayer
from channels.asgi import ChannelLayerWrapper
from channels.routing import route

from channels_lts import status, status_problems
from channels_lts.heartbeat import InterfaceRecord, WorkerRecord
from channels_lts.layer import RedisChannelLayer
from channels_lts.layer.sending import time as sending_time
from channels_lts.status import Queue, Redis, Status

ROUTED = ["http.request", "thumbnail", "websocket.connect", "websocket.receive"]


@pytest.fixture
def make(redis_server):
    """A function that makes a layer as `channel_layers` holds it, on databases of the Redis of the test run."""
    prefix = f"{uuid.uuid4().hex}:"

    def make_layer(kind=RedisChannelLayer, databases=(0,), **options):
        hosts = [redis_server.url.replace("/0", f"/{number}") for number in databases]
        options = {"hosts": hosts, "prefix": prefix, "stats_prefix": f"stats-{prefix}", "capacity": 100, **options}
        return ChannelLayerWrapper(kind(**options), "default", [route("thumbnail", print)])

    return make_layer


@pytest.fixture
def sent_before(monkeypatch):
    """A function that sends a message as if it were some seconds ago."""

    def send(layer, channel, seconds):
        now = time.time()
        with monkeypatch.context() as patch:
            patch.setattr(sending_time, "time", lambda: now - seconds)
            layer.send(channel, {"a": 1})

    return send


def queue(found: Status, channel: str) -> Queue:
    (one,) = [queue for queue in (*found.queues, *found.single) if queue.channel == channel]
    return one


def kinds(found: Status) -> set[str]:
    return {problem.kind for problem in found.problems}


@pytest.mark.system
@pytest.mark.parametrize("options", [{}, {"symmetric_encryption_keys": ["secret"]}], ids=["plain", "encrypted"])
def test_queues_have_length_room_and_age_of_what_is_next(make, sent_before, options):
    layer = make(**options)
    for age in (30, 20, 0):
        sent_before(layer, "thumbnail", age)
    found = status.read(layer)
    assert [queue.channel for queue in found.queues] == ROUTED
    waiting = queue(found, "thumbnail")
    assert (waiting.length, waiting.capacity, waiting.sent, waiting.workers) == (3, 100, 3, 0)
    assert waiting.oldest == pytest.approx(30, abs=2)
    assert queue(found, "http.request").oldest is None
    # Read, and nothing taken.
    assert queue(status.read(layer), "thumbnail").length == 3


@pytest.mark.system
def test_age_of_an_item_that_only_a_newer_version_can_read(make, sent_before, redis_server):
    layer = make()
    sent_before(layer, "thumbnail", 25)
    client = redis.StrictRedis.from_url(redis_server.url)
    raw = bytearray(client.lindex(layer.queue_key("thumbnail"), 0))
    raw[1] = raw[2] = 99
    client.lset(layer.queue_key("thumbnail"), 0, bytes(raw))
    assert queue(status.read(layer), "thumbnail").oldest == pytest.approx(25, abs=2)


@pytest.mark.system
def test_stock_layers_have_queues_too(make):
    layer = make(StockLayer)
    layer.send("thumbnail", {})
    layer.send("new?abc", {})
    first = status.read(layer)
    assert (queue(first, "thumbnail").length, queue(first, "new?abc").length) == (1, 1)
    layer.send("thumbnail", {})
    assert queue(status.read(layer, replace(first, at=first.at - 2)), "thumbnail").sent_per_second == pytest.approx(0.5)
    # Who is there that tells nobody, such as stock Daphne, is not missed.
    assert "no_interfaces" not in kinds(first)


@pytest.mark.system
def test_shards_are_added_up_and_one_that_is_away_is_named(make):
    layer = make(databases=(2, 3))
    for _ in range(6):
        layer.send("thumbnail", {})
    found = status.read(layer)
    assert (queue(found, "thumbnail").length, queue(found, "thumbnail").capacity) == (6, 200)
    assert [one.reachable for one in found.redis] == [True, True]
    half = make(hosts=[layer.channel_layer.hosts[0], "redis://127.0.0.1:1/0"])
    found = status.read(half)
    assert [one.reachable for one in found.redis] == [True, False]
    assert queue(found, "thumbnail").length == 3
    assert [problem.subject for problem in found.problems if problem.kind == "redis"] == ["Redis at 127.0.0.1:1"]
    # Without the server that keeps the records nothing is said of processes, rather than that there are none.
    other_half = status.read(make(hosts=["redis://127.0.0.1:1/0", layer.channel_layer.hosts[1]]))
    assert (other_half.workers, other_half.interfaces) == (None, None)
    assert kinds(other_half) == {"redis"}


@pytest.mark.system
def test_rates_are_differences_between_two_looks(make):
    layer = make(capacity=5)
    earlier = status.read(layer)
    assert earlier.sent_per_second is None
    for _ in range(5):
        layer.send("thumbnail", {})
    for _ in range(3):
        with pytest.raises(layer.ChannelFull):
            layer.send("thumbnail", {})
    found = status.read(layer, replace(earlier, at=earlier.at - 10))
    assert queue(found, "thumbnail").sent_per_second == pytest.approx(0.5, abs=0.1)
    assert queue(found, "thumbnail").refused_per_second == pytest.approx(0.3, abs=0.1)
    assert found.sent_per_second == pytest.approx(0.5, abs=0.1)
    assert {"full", "refused"} <= kinds(found)


@pytest.mark.system
def test_counters_that_expired_begin_again_and_no_rate_is_negative(make):
    layer = make()
    before = status.read(layer)
    layer.send("thumbnail", {})
    high = [replace(queue, sent=1000) for queue in before.queues]
    found = status.read(layer, replace(before, at=before.at - 1, sent=1000, queues=high))
    assert 0 < queue(found, "thumbnail").sent_per_second <= 1
    assert 0 < found.sent_per_second <= 1


@pytest.mark.system
def test_processes_that_only_announce_themselves_are_known(make):
    """Stock Daphne on our layer: it keeps no record, and its queue is looked at all the same."""
    layer = make()
    name = "daphne.response.stock!"
    layer.receive([name], block=False)
    layer.send(f"{name}abc", {})
    found = status.read(layer)
    assert found.others == [name]
    assert queue(found, name).length == 1
    assert "no_interfaces" not in kinds(found)


@pytest.mark.system
def test_hundreds_of_queues_with_one_reader_are_counted_by_length(make, redis_server):
    layer = make()
    for number in range(300):
        layer.send(f"someone?{number}", {})
    layer.send("someone?7", {})
    before = redis.StrictRedis.from_url(redis_server.url).info("commandstats")
    found = status.read(layer)
    after = redis.StrictRedis.from_url(redis_server.url).info("commandstats")
    assert len(found.single) == 300
    assert (found.single[0].channel, found.single[0].length) == ("someone?7", 2)
    assert found.single[0].oldest is not None
    assert found.single[-1].oldest is None
    assert before.get("cmdstat_keys") == after.get("cmdstat_keys"), "KEYS stops Redis for everybody"
    calls = {name: after[name]["calls"] - before.get(name, {"calls": 0})["calls"] for name in after}
    assert calls["cmdstat_lindex"] < 50


@pytest.mark.system
def test_no_look_passes_more_than_so_many_keys(make, monkeypatch):
    layer = make(databases=(4,))
    monkeypatch.setattr(status, "_KEYS", 100)
    monkeypatch.setattr(status, "_KEYS_AT_ONCE", 50)
    for number in range(1000):
        layer.send(f"someone?{number}", {})
    layer.send("thumbnail", {})
    found = status.read(layer)
    assert not found.complete
    assert len(found.single) < 500
    # What has a route is looked up by name.
    assert queue(found, "thumbnail").length == 1


def test_layers_without_records_and_redis_away_are_said_so():
    memory = ChannelLayerWrapper(ChannelLayer(), "default", [])
    with pytest.raises(status.StatusUnknown, match="keeps no records"):
        status.read(memory)
    away = ChannelLayerWrapper(RedisChannelLayer(hosts=["redis://:hunter2@127.0.0.1:1/0"]), "default", [])
    with pytest.raises(status.StatusUnknown, match=r"127\.0\.0\.1:1 cannot be reached") as error:
        status.read(away)
    assert "hunter2" not in str(error.value)


# --- Problems ---

NOW = 1000.0
WORKER = WorkerRecord("host", 1, ("a", "b"), NOW - 60, process="web_00", running=0, seen=NOW)
INTERFACE = InterfaceRecord("host", 2, "daphne.response.x!", NOW - 60, seen=NOW)
WELL = Status(
    layer="default", at=NOW, redis=[Redis("Redis", True)], interfaces=[INTERFACE], workers=[WORKER], others=[],
    queues=[Queue("a", 0, 100), Queue("b", 0, 100)], single=[], complete=True, sent=0, refused=0, routed=["a", "b"],
)  # fmt: skip


def found(**changes) -> list[tuple[str, str]]:
    return [(problem.kind, problem.text) for problem in status_problems.problems(replace(WELL, **changes))]


def test_nothing_is_wrong_where_nothing_is():
    assert found() == []
    assert found(interfaces=None, workers=None) == []
    assert found(workers=[replace(WORKER, running=1, busy_since=NOW - 59, consumer="c")]) == []
    assert found(queues=[Queue("a", 79, 100, oldest=9.9)]) == []


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"redis": [Redis("Redis at x:1", False)]}, ("redis", "Redis at x:1 cannot be reached")),
        ({"workers": []}, ("no_workers", "no worker is running")),
        ({"workers": [replace(WORKER, ending=True)]}, ("no_workers", "no worker is running")),
        ({"workers": [replace(WORKER, channels=("a",))]}, ("unserved", "no worker listens on b")),
        ({"interfaces": []}, ("no_interfaces", "no interface server is running")),
        ({"workers": [replace(WORKER, seen=NOW - 6)]}, ("silent", "web_00 (host:1) has been silent for 6 s")),
        (
            {
                "workers": [
                    replace(WORKER, running=1, busy_since=NOW - 312, consumer="chat.jobs.make_thumbnail", channel="a")
                ]
            },
            ("busy", "web_00 (host:1) is busy for 312 s with chat.jobs.make_thumbnail on a"),
        ),
        (
            {"interfaces": [replace(INTERFACE, stalled=12.0)]},
            ("stalled", "the reactor of host:2 has stood still for 12 s"),
        ),
        (
            {"interfaces": [replace(INTERFACE, draining=True, sockets=3, requests=1)]},
            ("draining", "host:2 is draining: 3 sockets and 1 requests are left"),
        ),
        ({"queues": [Queue("a", 80, 100)]}, ("full", "a is full to 80 %: 80 messages wait")),
        ({"single": [Queue("x!", 9, 10)]}, ("full", "x! is full to 90 %: 9 messages wait")),
        (
            {"queues": [Queue("a", 0, 100, refused_per_second=1.5)]},
            ("refused", "a refuses 1.5 messages a second"),
        ),
        ({"queues": [Queue("a", 1, 100, oldest=10.0)]}, ("late", "the next message on a has waited for 10 s")),
        (
            {"interfaces": [replace(INTERFACE, drops={"expired messages": 9}, dropped_lately=2)]},
            ("drops", "host:2 dropped 2 messages in the last minute; since it began: 9 expired messages"),
        ),
    ],
    ids=lambda value: value[0] if isinstance(value, tuple) else None,
)  # fmt: skip
def test_each_kind_of_problem_is_named_in_one_line(changes, expected):
    assert found(**changes) == [expected]
    assert expected[0] in status_problems.KINDS


def test_limits_are_settings(settings):
    settings.CHANNELS_LTS = {"STATUS_FULL": 50, "STATUS_LATE": 2, "STATUS_BUSY": 5}
    assert [kind for kind, _ in found(queues=[Queue("a", 50, 100, oldest=2.0)])] == ["full", "late"]
    assert [kind for kind, _ in found(workers=[replace(WORKER, running=1, busy_since=NOW - 5)])] == ["busy"]
