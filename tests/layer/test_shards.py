"""Several Redis servers, one of them down."""

from __future__ import annotations

import time

import pytest

from channels_lts.exceptions import LayerUnavailable
from channels_lts.interface import batching
from channels_lts.layer import RedisChannelLayer
from channels_lts.layer.batch import Outgoing
from tests.layer.in_reactor import call
from tests.services import TIMEOUT_SCALE, wait_for

pytestmark = pytest.mark.system


@pytest.fixture
def pair(make_server):
    """A layer on two servers, and these."""
    servers = [make_server(), make_server()]
    return RedisChannelLayer(hosts=[server.url for server in servers], capacity=1000), servers


def process_on(layer, shard):
    """Return the name of a process that lives on *shard*."""
    return next(name for name in (f"daphne.response.{n}!" for n in range(100)) if layer.consistent_hash(name) == shard)


def test_ordinary_channels_are_spread_and_read_from_all(pair):
    layer, servers = pair
    for n in range(10):
        layer.send("work", {"n": n})
    assert [server.client.llen("asgi:work") for server in servers] == [5, 5]
    assert sorted(layer.receive(["work"])[1]["n"] for _ in range(10)) == list(range(10))


def test_popping_and_sending_by_turns_serves_both_shards(pair):
    layer, servers = pair
    for _ in range(5):
        layer.send("in", {})
        layer.send("in", {})
    for _ in range(10):
        assert layer.receive(["in"])[0] == "in"
        layer.send("out", {})
    assert [server.client.llen("asgi:out") for server in servers] == [5, 5]


def test_sending_and_receiving_go_on_when_one_is_down(quick, pair):
    layer, servers = pair
    layer.send("work", {"n": -1})
    layer.send("work", {"n": -2})
    servers[0].stop()
    received = []
    for n in range(50):
        layer.send("work", {"n": n})
        received.append(layer.receive(["work"], block=True)[1]["n"])
    # What waited on the one that is down is lost with it.
    assert [n for n in received if n >= 0] == list(range(49 if min(received) < 0 else 50))
    servers[0].start()
    # It is used again when it is back.
    wait_for(
        lambda: (layer.send("again", {}), servers[0].client.llen("asgi:again"))[1], "the first shard is used again", 20
    )


def test_a_batch_to_ordinary_channels_goes_to_the_shard_that_is_there(quick, pair):
    layer, servers = pair
    servers[0].stop()
    for n in range(4):
        assert layer.send_batch([Outgoing("work", "", {"n": n})]) == []
    assert servers[1].client.llen("asgi:work") == 4


def test_what_lives_on_the_shard_that_is_down_is_refused_by_its_name(quick, pair):
    layer, servers = pair
    servers[0].stop()
    with pytest.raises(LayerUnavailable, match=f"Redis at 127.0.0.1:{servers[0].port} cannot be reached") as raised:
        layer.send(process_on(layer, 0) + "1", {})
    assert str(servers[1].port) not in str(raised.value)
    layer.send(process_on(layer, 1) + "1", {})


def test_a_group_message_reaches_the_members_on_the_other_shard(quick, pair):
    layer, servers = pair
    here, there = (process_on(layer, shard) for shard in (1, 0))
    for process in (here, there):
        layer.group_add("room", process + "1")
    servers[0].stop()
    with pytest.raises(LayerUnavailable, match=str(servers[0].port)):
        layer.send_group("room", {"n": 1})
    with pytest.raises(LayerUnavailable) as raised:
        layer.send_batch([Outgoing("", "room", {"n": 2})])
    # Half of the members got it, so it is not to be sent again.
    assert list(raised.value.unsent) == []
    assert [layer.receive([here])[1]["n"] for _ in range(2)] == [1, 2]


def test_all_down_is_said_of_all(quick, pair):
    layer, servers = pair
    for server in servers:
        server.stop()
    with pytest.raises(LayerUnavailable) as raised:
        layer.send("work", {})
    assert all(str(server.port) in str(raised.value) for server in servers)
    with pytest.raises(LayerUnavailable):
        layer.receive(["work"])
    assert layer.receive(["work"], block=True) == (None, None)


def test_a_message_whose_fate_is_unknown_is_not_sent_to_the_other_shard(quick, pair):
    layer, servers = pair
    for _ in range(2):
        layer.send("work", {})
    for server in servers:
        server.client.delete("asgi:work")
    servers[0].pause()
    problems = 0
    for _ in range(4):
        try:
            layer.send("work", {})
        except LayerUnavailable:
            problems += 1
    servers[0].go_on()
    assert problems == 1
    # The one that got no answer was done after all: it must not be on both.
    wait_for(lambda: servers[0].client.llen("asgi:work") == 1, "it goes on")
    assert servers[1].client.llen("asgi:work") == 3


def test_a_silent_shard_does_not_hold_up_the_waiter(quick, pair):
    layer, servers = pair
    waiter = layer.waiter(["work"])
    servers[0].pause()
    longest, received = 0.0, 0
    deadline = time.monotonic() + 8 * TIMEOUT_SCALE
    number = layer.ring_size - 1
    while time.monotonic() < deadline:
        began = time.monotonic()
        _, item = layer.encode("work", {})
        layer._run(number, layer.send_call({"work": [item]}))
        while not waiter.wait():
            pass
        received += 1
        # The time it takes to see that the other one is silent counts once.
        longest = max(longest, time.monotonic() - began) if received > 10 else 0.0
    servers[0].go_on()
    waiter.close()
    assert received > 100
    assert longest < 0.5 * TIMEOUT_SCALE


def test_the_interface_goes_on_when_the_other_shard_is_down(quick, pair, make_sockets):
    layer, servers = pair
    sockets = make_sockets(layer)
    own = sockets.link._backend._process.shard
    servers[1 - own].stop()
    wait_for(lambda: not layer.shards[1 - own].reachable, "the loss")
    refusals: list[object] = []
    for n in range(4):
        call(lambda n=n: sockets.link.send("work", {"n": n}, refusals.append))
        wait_for(lambda n=n: servers[own].client.llen("asgi:work") == n + 1, "it is on the other one")
    channel = sockets.open()
    layer.group_add("room", channel)
    with pytest.raises(LayerUnavailable):
        layer.send_group("room", {"n": 1})
    wait_for(lambda: sockets.of(channel) == [1], "the group message")
    assert refusals == []


def test_stopping_waits_for_what_is_under_way_to_the_other_shard(pair, make_sockets, monkeypatch):
    monkeypatch.setattr(batching, "FAREWELL", 60)
    layer, servers = pair
    sockets = make_sockets(layer)
    other = 1 - sockets.link._backend._process.shard
    wait_for(lambda: sockets.link._backend._shards[other].up, "both are connected")
    servers[other].pause()
    ended: list[object] = []

    def send_and_stop():
        sockets.link.send(process_on(layer, other) + "1", {"n": 1})
        sockets.link.stop().addCallback(ended.append)

    call(send_and_stop)
    own = servers[1 - other].client
    wait_for(lambda: not own.exists(layer.process_key(sockets.link.process_channel)), "it is retired")
    deadline = time.monotonic() + 0.5
    wait_for(lambda: time.monotonic() > deadline, "half a second")
    assert not ended
    servers[other].go_on()
    wait_for(lambda: ended, "it has ended")
    assert servers[other].client.llen(layer.queue_key(process_on(layer, other))) == 1
