"""The interface server's link on our layer, with sockets that are a list."""

from __future__ import annotations

import contextlib
import time

import pytest
import redis

from channels_lts.interface.link import Refusal
from channels_lts.layer import RedisChannelLayer
from channels_lts.layer.batch import Outgoing
from tests.layer.in_reactor import call
from tests.services import free_port, wait_for

pytestmark = pytest.mark.system


def test_one_turn_of_the_reactor_sends_in_one_call(server, make_sockets):
    layer = RedisChannelLayer(hosts=[server.url], capacity=1000)
    sockets = make_sockets(layer)
    server.client.config_resetstat()
    call(lambda: [sockets.link.send(f"channel.{n % 3}", {"n": n}) for n in range(300)])
    wait_for(lambda: layer.channel_statistics("channel.0")["messages_pending"] == 100, "all messages")
    assert server.commands()["cmdstat_rpush"] == 3
    assert [layer.receive(["channel.1"])[1]["n"] for _ in range(100)] == list(range(1, 300, 3))


def test_a_message_for_one_channel_and_one_for_a_group_are_delivered(layer, make_sockets):
    sockets = make_sockets(layer)
    one, other = sockets.open(), sockets.open()
    layer.send(one, {"n": 1})
    for channel in (one, other):
        layer.group_add("room", channel)
    layer.send_group("room", {"n": 2})
    layer.send(other, {"n": 3})
    wait_for(lambda: len(sockets.received) == 4, "all messages")
    assert sockets.of(one) == [1, 2]
    assert sockets.of(other) == [2, 3]


def test_messages_of_one_group_arrive_together_and_joins_keep_their_place(layer, make_sockets):
    sockets = make_sockets(layer, started=False)
    one, other = sockets.open(), sockets.open()
    layer.group_add("room", one)
    for n in range(10):
        layer.send_group("room", {"n": n})
    layer.group_add("room", other)
    layer.send_group("room", {"n": 10})
    layer.group_discard("room", one)
    layer.send_group("room", {"n": 11})
    call(sockets.link.start)
    wait_for(lambda: 11 in sockets.of(other), "all messages")
    assert sockets.of(one) == list(range(11))
    assert sockets.of(other) == [10, 11]
    assert sockets.batches == [10, 1, 1]


def test_full_channels_refuse_what_has_no_room(make_layer, make_sockets):
    layer = make_layer(capacity=2)
    sockets = make_sockets(layer)
    refusals: list[tuple[int, Refusal]] = []
    call(lambda: [sockets.link.send("work", {"n": n}, lambda why, n=n: refusals.append((n, why))) for n in range(5)])
    wait_for(lambda: len(refusals) == 3, "the refusals")
    assert refusals == [(n, Refusal.FULL) for n in (2, 3, 4)]
    assert layer.drops.totals() == {"messages to full channels": 3}


def test_while_redis_is_away_everything_is_refused_and_nothing_blocks(make_sockets):
    layer = RedisChannelLayer(hosts=[("127.0.0.1", free_port())])
    sockets = make_sockets(layer, started=False)
    started = call(lambda: [sockets.link.start()])[0]
    refusals: list[Refusal] = []
    call(lambda: sockets.link.send("work", {}, refusals.append))
    wait_for(lambda: refusals == [Refusal.UNAVAILABLE], "the refusal")
    assert not sockets.link.available
    assert not started.called
    assert layer.drops.totals() == {"messages while Redis was away": 1}


def test_a_closed_channel_leaves_its_groups_in_redis_too(layer, make_sockets, redis_server):
    sockets = make_sockets(layer)
    gone, stays = sockets.open(), sockets.open()
    for group in ("a", "b"):
        layer.group_add(group, gone)
    layer.group_add("a", stays)
    wait_for(lambda: len(sockets.link._backend._process.membership) == 2, "the process knows")
    sockets.close(gone)
    wait_for(lambda: layer.group_channels("a") == [stays] and layer.group_channels("b") == [], "it is forgotten")
    client = redis.StrictRedis.from_url(redis_server.url)
    assert client.zcard(layer.group_key("b")) == 0


def test_a_channel_that_is_gone_already_does_not_become_a_member(layer, make_sockets):
    sockets = make_sockets(layer)
    gone = sockets.open()
    sockets.close(gone)
    layer.group_add("room", gone)
    wait_for(lambda: layer.group_channels("room") == [], "the membership is disowned")
    assert list(sockets.link._backend._process.membership.groups()) == []


def test_who_left_while_redis_was_away_is_out_when_it_is_back(quick, server, make_proxy, make_sockets):
    proxy = make_proxy(server.port)
    direct = RedisChannelLayer(hosts=[server.url])
    sockets = make_sockets(RedisChannelLayer(hosts=[proxy.url]))
    gone, stays = sockets.open(), sockets.open()
    for channel in (gone, stays):
        direct.group_add("room", channel)
    wait_for(lambda: len(sockets.link._backend._process.membership.members("room")) == 2, "the process knows")
    # Said on a connection that is dead already, and not known to be.
    proxy.freeze()
    sockets.close(gone)
    wait_for(lambda: direct.group_channels("room") == [stays], "it is out", 15)


def test_a_member_that_leaves_while_it_is_announced_does_not_come_back(server, make_sockets, settings):
    layer = RedisChannelLayer(hosts=[server.url])
    sockets = make_sockets(layer)
    one, other = sockets.open(), sockets.open()
    for channel in (one, other):
        layer.group_add("room", channel)
    process = sockets.link._backend._process
    wait_for(lambda: len(process.membership.members("room")) == 2, "the process knows")
    late = process.some_groups()
    layer.group_discard("room", one)
    for each in late:
        layer._run(0, each)
    assert layer.group_channels("room") == [other]


@pytest.mark.parametrize("members", [1, 999, 1001, 2500])
def test_a_lost_group_comes_back_whole_whatever_its_size(server, members):
    from channels_lts.layer.process import Process

    layer = RedisChannelLayer(hosts=[server.url])
    process = Process(layer, "daphne.response.a!")
    channels = {f"daphne.response.a!{n}" for n in range(members)}
    for channel in channels:
        process.membership.join("room", channel, time.time())
    process.membership.join("small", "daphne.response.a!0", time.time())
    layer._run(0, process.announcement())
    for calls in (process.everything, lambda: process.some_groups() + process.some_groups()):
        server.client.delete(layer.members_key("room", process.name), layer.group_key("room"))
        for each in calls():
            layer._run(0, each)
        assert set(layer.group_channels("room")) == channels
        assert layer.group_channels("small") == ["daphne.response.a!0"]


def test_stopping_sends_what_is_queued_and_retires_the_process(make_layer, make_sockets, redis_server):
    layer = make_layer(hosts=[redis_server.url.replace("/0", f"/{number}") for number in (8, 9)], capacity=1000)
    for _ in range(5):
        sockets = make_sockets(layer)
        channel = sockets.open()
        layer.group_add("room", channel)
        call(lambda sockets=sockets: [sockets.link.send("work", {"n": n}) for n in range(100)])
        sockets.stop()
        assert layer.group_channels("room") == []
        # In two turns, of which each goes to a shard of its own.
        assert layer.channel_statistics("work")["messages_pending"] == 100
        while layer.receive(["work"])[0]:
            pass


def test_an_error_for_one_socket_costs_the_others_nothing(layer, make_sockets, caplog):
    sockets = make_sockets(layer)
    broken, fine = sockets.open(), sockets.open()
    deliver = sockets.deliver

    def fail_for_one(channel, message):
        if channel == broken:
            raise ValueError("a broken socket")
        deliver(channel, message)

    sockets.deliver = fail_for_one
    layer.send_batch([Outgoing(broken, "", {"n": 1}), Outgoing(fine, "", {"n": 2})])
    wait_for(lambda: sockets.of(fine) == [2], "the other one")
    assert "a broken socket" in caplog.text


def test_items_of_a_newer_version_on_the_own_queue_are_dropped_and_counted(layer, make_sockets, redis_server):
    sockets = make_sockets(layer)
    channel = sockets.open()
    client = redis.StrictRedis.from_url(redis_server.url)
    newer = bytearray(client.dump and layer.encode(channel, {"n": 1})[1])
    newer[1] = newer[2] = 2
    client.rpush(layer.queue_key(sockets.link.process_channel), bytes(newer), b"garbage")
    layer.send(channel, {"n": 2})
    wait_for(lambda: sockets.of(channel) == [2], "what can be read")
    assert layer.drops.totals() == {"items of a newer version": 1, "unreadable items": 1}


def test_a_slow_process_finds_its_members_when_it_is_back(quick, layer, make_sockets):
    sockets = make_sockets(layer)
    channel = sockets.open()
    layer.group_add("room", channel)
    wait_for(lambda: len(sockets.link._backend._process.membership) == 1, "the process knows")
    # Longer than its sign of life counts.
    call(lambda: time.sleep(1.5))
    with contextlib.suppress(AssertionError):
        wait_for(lambda: layer.group_channels("room") == [], "forgotten meanwhile", 0.5)
    wait_for(lambda: layer.group_channels("room") == [channel], "announced again", 2)
    layer.send_group("room", {"n": 1})
    wait_for(lambda: sockets.of(channel) == [1], "the message")


def test_announcements_go_on_after_an_error(quick, layer, make_sockets, monkeypatch, caplog):
    sockets = make_sockets(layer)
    process = sockets.link._backend._process
    announcement, failed = process.announcement, []

    def fail_once():
        if not failed:
            failed.append(True)
            raise ValueError("once")
        return announcement()

    monkeypatch.setattr(process, "announcement", fail_once)
    wait_for(lambda: failed, "the error")
    layer.connection(0).delete(layer.process_key(process.name))
    wait_for(lambda: layer.connection(0).exists(layer.process_key(process.name)), "the next announcement", 2)
    assert "was announced" in caplog.text
