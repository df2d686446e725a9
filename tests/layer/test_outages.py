"""Redis gone, silent, slow, empty, full, a replica: and what the layer makes of it."""

from __future__ import annotations

import threading
import time

import pytest

from channels_lts.exceptions import LayerUnavailable
from channels_lts.interface.link import Refusal
from channels_lts.layer import RedisChannelLayer
from tests.layer.in_reactor import call
from tests.services import TIMEOUT_SCALE, wait_for

pytestmark = pytest.mark.system


def lines(caplog, server):
    return [
        record.getMessage()
        for record in caplog.records
        if record.name == "channels_lts.layer.shards" and str(server.port) in record.getMessage()
    ]


@pytest.mark.parametrize("flush", ["script flush", "restart"])
def test_scripts_come_back_by_themselves(server, flush):
    layer = RedisChannelLayer(hosts=[server.url])
    layer.send("work", {"n": 0})
    server.client.script_flush() if flush == "script flush" else server.restart()
    # Also over a connection that Redis has closed meanwhile.
    layer.send("work", {"n": 1})
    layer.group_add("room", "x!1")
    layer.send_group("room", {"n": 2})
    assert layer.group_channels("room") == ["x!1"]
    assert layer.receive(["x!"]) == ("x!1", {"n": 2})
    layer.group_discard("room", "x!1")


def test_d8_groups_are_whole_within_10_s_of_a_restart(make_server, make_sockets, caplog):
    caplog.set_level("INFO", logger="channels_lts.layer.shards")
    server = make_server()
    layer = RedisChannelLayer(hosts=[server.url])
    processes = [make_sockets(layer) for _ in range(2)]
    channels = [sockets.open() for sockets in processes for _ in range(50)]
    for number, channel in enumerate(channels):
        layer.group_add("all", channel)
        layer.group_add(f"room{number}", channel)
    wait_for(lambda: all(len(each.link._backend._process.membership) == 51 for each in processes), "both know")
    server.stop()
    with pytest.raises(LayerUnavailable, match=f"Redis at 127.0.0.1:{server.port} cannot be reached"):
        layer.send_group("all", {"n": 0})
    server.start()
    began = time.monotonic()
    wait_for(lambda: set(layer.group_channels("all")) == set(channels), "the large group is whole", 10)
    wait_for(
        lambda: all(layer.group_channels(f"room{number}") == [channel] for number, channel in enumerate(channels)),
        "all groups are whole",
        10,
    )
    assert time.monotonic() - began < 10 * TIMEOUT_SCALE
    layer.send_group("all", {"n": 1})
    for sockets in processes:
        wait_for(lambda sockets=sockets: len(sockets.received) == 50, "each member gets the message")
    # One line for the loss and one for the return, however many parts of the process saw them.
    assert len(lines(caplog, server)) == 2


def test_sends_fail_and_receives_wait_while_redis_is_away(quick, server, caplog):
    caplog.set_level("INFO", logger="channels_lts.layer.shards")
    layer = RedisChannelLayer(hosts=[server.url])
    layer.send("work", {})
    layer.receive(["work"])
    server.stop()
    for attempt in (
        lambda: layer.send("work", {}),
        lambda: layer.send_group("room", {}),
        lambda: layer.group_add("room", "x!1"),
        lambda: layer.group_add("room", "ordinary"),
        lambda: layer.group_discard("room", "x!1"),
        lambda: layer.group_channels("room"),
        lambda: layer.receive(["work"]),
        lambda: layer.receive(["x!"]),
        layer.global_statistics,
        lambda: layer.channel_statistics("work"),
        layer.flush,
    ):
        with pytest.raises(LayerUnavailable, match=str(server.port)):
            attempt()
    began = time.monotonic()
    assert layer.receive(["work"], block=True) == (None, None)
    assert time.monotonic() - began >= 0.4
    received: list[object] = []
    thread = threading.Thread(target=lambda: received.append(receive_one(layer)), daemon=True)
    thread.start()
    server.start()
    wait_for(lambda: layer.send("work", {"n": 1}) is None, "sending works again")
    thread.join(10 * TIMEOUT_SCALE)
    assert received == [{"n": 1}]
    assert len(lines(caplog, server)) == 2


def receive_one(layer):
    while True:
        channel, message = layer.receive(["work"], block=True)
        if channel is not None:
            return message


def test_d32_a_half_open_connection_is_noticed_by_who_waits(quick, server, make_proxy):
    proxy = make_proxy(server.port)
    layer, direct = RedisChannelLayer(hosts=[proxy.url]), RedisChannelLayer(hosts=[server.url])
    layer.receive(["work"], block=True)
    proxy.freeze()
    began = time.monotonic()
    # What waits now is popped for nobody; what is sent after it is noticed is received.
    wait_for(lambda: layer.receive(["work"], block=True) == (None, None) and not layer.shards[0].reachable, "noticed")
    assert time.monotonic() - began < (0.5 + 1 + 1.5) * TIMEOUT_SCALE
    direct.send("work", {"n": 1})
    assert receive_one(layer) == {"n": 1}


def test_d32_a_half_open_connection_is_noticed_by_who_sends(quick, server, make_proxy):
    proxy = make_proxy(server.port)
    layer = RedisChannelLayer(hosts=[proxy.url])
    layer.send("work", {})
    proxy.freeze()
    began = time.monotonic()
    with pytest.raises(LayerUnavailable):
        layer.send("work", {})
    assert time.monotonic() - began < 2 * TIMEOUT_SCALE
    layer.send("work", {})


def test_one_connection_that_falls_silent_is_enough_to_doubt_the_others(quick, server, make_proxy):
    proxy = make_proxy(server.port)
    layer = RedisChannelLayer(hosts=[proxy.url])
    pool = layer.connection(0).connection_pool
    # Two that send, as in a process with several threads, and one that waits.
    busy = pool.get_connection("PING")
    busy.connect()
    layer.send("replies", {"n": 0})
    pool.release(busy)
    layer.receive(["work"], block=True)
    proxy.freeze()
    wait_for(lambda: layer.receive(["work"], block=True) == (None, None) and not layer.shards[0].reachable, "noticed")
    busy = pool.get_connection("PING")
    # Over the other one, which nobody has used since.
    layer.send("replies", {"n": 1})
    pool.release(busy)
    assert [layer.receive(["replies"])[1] for _ in range(2)] == [{"n": 0}, {"n": 1}]


def test_d32_a_half_open_connection_is_noticed_by_the_interface_server(quick, server, make_proxy, make_sockets):
    proxy = make_proxy(server.port)
    direct = RedisChannelLayer(hosts=[server.url])
    sockets = make_sockets(RedisChannelLayer(hosts=[proxy.url]))
    channel = sockets.open()
    direct.group_add("room", channel)
    wait_for(lambda: len(sockets.link._backend._process.membership) == 1, "the process knows")
    proxy.freeze()
    began = time.monotonic()
    accepted = proxy.accepted
    wait_for(lambda: proxy.accepted >= accepted + 2, "both connections are made anew", 10)
    # blpop_timeout + REDIS_TIMEOUT, and the second in which it is looked at.
    assert time.monotonic() - began < (0.5 + 1 + 1 + 1) * TIMEOUT_SCALE
    wait_for(lambda: direct.group_channels("room") == [channel], "announced again")
    direct.send_group("room", {"n": 1})
    wait_for(lambda: sockets.of(channel) == [1], "the message")


def test_a_paused_redis_is_away_and_then_back(quick, server, make_sockets):
    layer = RedisChannelLayer(hosts=[server.url])
    sockets = make_sockets(layer)
    channel = sockets.open()
    layer.group_add("room", channel)
    wait_for(lambda: len(sockets.link._backend._process.membership) == 1, "the process knows")
    server.pause()
    refusals: list[Refusal] = []
    call(lambda: sockets.link.send("work", {}, refusals.append))
    wait_for(lambda: refusals == [Refusal.UNAVAILABLE], "the refusal")
    server.go_on()
    wait_for(lambda: sockets.link.available, "it is back")
    wait_for(lambda: layer.group_channels("room") == [channel], "announced again")
    layer.send_group("room", {"n": 1})
    wait_for(lambda: sockets.of(channel) == [1], "the message")


def test_a_busy_reactor_is_not_a_dead_redis(quick, server, make_sockets, caplog):
    layer = RedisChannelLayer(hosts=[server.url])
    sockets = make_sockets(layer)
    channel = sockets.open()
    for n in range(3):
        busy = threading.Event()
        # Longer than an answer may take. What is popped meanwhile waits to be read.
        thread = threading.Thread(target=call, args=[lambda busy=busy: busy.set() or time.sleep(2.5)], daemon=True)
        thread.start()
        busy.wait()
        layer.send(channel, {"n": n})
        thread.join()
    wait_for(lambda: sockets.of(channel) == [0, 1, 2], "all messages")
    assert lines(caplog, server) == []


def test_a_replica_is_away_until_it_is_master(quick, make_server, make_sockets, caplog):
    caplog.set_level("INFO", logger="channels_lts.layer.shards")
    master, server = make_server(), make_server()
    layer = RedisChannelLayer(hosts=[server.url])
    sockets = make_sockets(layer)
    channel = sockets.open()
    layer.group_add("room", channel)
    wait_for(lambda: len(sockets.link._backend._process.membership) == 1, "the process knows")
    server.client.slaveof("127.0.0.1", master.port)
    with pytest.raises(LayerUnavailable, match=r"READONLY|read only"):
        layer.send("work", {})
    wait_for(lambda: not sockets.link.available, "the interface notices")
    deadline = time.monotonic() + 3
    connections = server.client.info("stats")["total_connections_received"]
    while time.monotonic() < deadline:
        assert layer.receive(["work"], block=True) == (None, None)
    assert server.client.info("stats")["total_connections_received"] - connections < 30
    assert len(lines(caplog, server)) == 1
    server.client.slaveof()
    wait_for(lambda: sockets.link.available, "it is back", 15)
    wait_for(lambda: layer.group_channels("room") == [channel], "announced again")
    layer.send("work", {"n": 1})
    assert receive_one(layer) == {"n": 1}
    assert len(lines(caplog, server)) == 2


def test_a_redis_that_loads_its_data_is_away_until_it_has(quick, make_server, make_sockets, caplog):
    server = make_server("--save", "", "--enable-debug-command", "yes")
    for n in range(300):
        server.client.set(f"key{n}", "x" * 10)
    server.client.save()
    server._command = [*server._command, "--key-load-delay", "10000", "--loading-process-events-interval-bytes", "1024"]
    layer = RedisChannelLayer(hosts=[server.url])
    sockets = make_sockets(layer)
    server.restart()
    wait_for(lambda: server.client.info("persistence")["loading"], "it loads")
    with pytest.raises(LayerUnavailable):
        layer.send("work", {})
    assert layer.receive(["work"], block=True) == (None, None)
    assert not sockets.link.available
    wait_for(lambda: sockets.link.available, "it has loaded", 20)
    layer.send("work", {"n": 1})
    assert receive_one(layer) == {"n": 1}


def test_a_full_memory_refuses_messages_and_the_interface_says_so(quick, server, make_sockets):
    layer = RedisChannelLayer(hosts=[server.url])
    sockets = make_sockets(layer)
    layer.send("work", {"n": 1})
    server.client.config_set("maxmemory", "1")
    with pytest.raises(LayerUnavailable, match="used memory > 'maxmemory'"):
        layer.send("work", {})
    refusals: list[Refusal] = []
    call(lambda: sockets.link.send("work", {}, refusals.append))
    wait_for(lambda: refusals == [Refusal.UNAVAILABLE], "the refusal")
    # What is there can be taken, which is what makes room.
    assert layer.receive(["work"]) == ("work", {"n": 1})
    server.client.config_set("maxmemory", "0")
    layer.send("work", {"n": 2})
