"""Many messages in few calls."""

from __future__ import annotations

import pytest

from channels_lts.exceptions import LayerUnavailable
from channels_lts.layer import RedisChannelLayer
from channels_lts.layer.batch import Outgoing
from tests.services import free_port

pytestmark = pytest.mark.system


def everything(layer, name):
    received = []
    while (taken := layer.receive([name]))[0]:
        received.append((taken[0], taken[1]["n"]))
    return received


def test_a_batch_is_one_call_where_it_goes_to_channels(server):
    layer = RedisChannelLayer(hosts=[server.url])
    layer.send("work", {})
    server.client.config_resetstat()
    assert layer.send_batch([Outgoing(name, "", {"n": n}) for n in range(50) for name in ("work", "x!1", "x!2")]) == []
    assert server.commands()["cmdstat_evalsha"] == 1
    assert everything(layer, "x!") == [(name, n) for n in range(50) for name in ("x!1", "x!2")]


def test_what_goes_to_groups_is_one_call_and_comes_in_order(server):
    layer = RedisChannelLayer(hosts=[server.url])
    for group, channel in (("room", "x!1"), ("room", "y!1"), ("board", "x!2")):
        layer.group_add(group, channel)
    server.client.config_resetstat()
    groups = ["room", "board", "nobody"]
    assert layer.send_batch([Outgoing("", groups[n % 3], {"n": n}) for n in range(30)]) == []
    commands = server.commands()
    assert commands["cmdstat_evalsha"] == 1
    # One push for each process, and not for each message.
    assert commands["cmdstat_rpush"] == 2
    wanted = [(["x!1", "x!2"][n % 3], n) for n in range(30) if n % 3 < 2]
    assert everything(layer, "x!") == wanted
    assert everything(layer, "y!") == [("y!1", n) for n in range(0, 30, 3)]
    assert layer.global_statistics()["messages_count"] == 10 + 10 + 10


def test_a_process_that_fills_up_in_the_middle_gets_the_first_ones(make_layer, settings):
    settings.CHANNELS_LTS = {"PROCESS_CAPACITY": 3}
    layer = make_layer(capacity=3)
    for group in ("room", "board"):
        layer.group_add(group, "x!1")
    everything(layer, "x!")
    assert layer.send_batch([Outgoing("", ("room", "board")[n % 2], {"n": n}) for n in range(5)]) == []
    assert [n for _, n in everything(layer, "x!")] == [0, 1, 2]
    assert layer.drops.totals() == {"group messages to full processes": 2}
    assert layer.global_statistics() == {"messages_count": 3, "channel_full_count": 2}


def test_a_batch_to_groups_may_be_larger_than_luas_stack(make_layer):
    layer = make_layer()
    layer.group_add("room", "x!1")
    assert layer.send_batch([Outgoing("", "room", {"n": n}) for n in range(10_000)]) == []
    assert [n for _, n in everything(layer, "x!")] == list(range(10_000))


def test_order_between_channels_and_groups_is_kept(layer):
    layer.group_add("room", "x!1")
    batch = [Outgoing("x!1", "", {"n": n}) if n % 3 else Outgoing("", "room", {"n": n}) for n in range(20)]
    assert layer.send_batch(batch) == []
    assert everything(layer, "x!") == [("x!1", n) for n in range(20)]


def test_order_is_kept_where_redis_knows_only_some_of_the_scripts(server):
    layer = RedisChannelLayer(hosts=[server.url])
    layer.group_add("room", "x!1")
    server.client.script_flush()
    layer.send("x!1", {"n": -1})
    batch = [Outgoing("x!1", "", {"n": n}) if n % 3 else Outgoing("", "room", {"n": n}) for n in range(20)]
    layer.send_batch(batch)
    assert everything(layer, "x!") == [("x!1", n) for n in range(-1, 20)]


def test_what_full_channels_refused_is_returned_and_the_rest_sent(make_layer):
    layer = make_layer(capacity=2)
    batch = [Outgoing(name, "", {"n": n}) for n in range(3) for name in ("a", "b")]
    assert layer.send_batch(batch) == batch[4:]
    assert everything(layer, "a") == [("a", 0), ("a", 1)]
    assert everything(layer, "b") == [("b", 0), ("b", 1)]
    assert layer.global_statistics() == {"messages_count": 4, "channel_full_count": 2}


def test_a_batch_may_be_larger_than_luas_stack(make_layer):
    layer = make_layer(capacity=100_000)
    assert layer.send_batch([Outgoing("work", "", {"n": n}) for n in range(20_000)]) == []
    assert [n for _, n in everything(layer, "work")] == list(range(20_000))


def test_a_batch_to_a_redis_that_is_away_says_what_was_not_sent():
    layer = RedisChannelLayer(hosts=[("127.0.0.1", free_port())])
    batch = [Outgoing("work", "", {"n": 1}), Outgoing("", "room", {"n": 2}), Outgoing("x!1", "", {"n": 3})]
    with pytest.raises(LayerUnavailable) as raised:
        layer.send_batch(batch)
    assert sorted(raised.value.unsent) == sorted(batch)
    assert raised.value.not_done


def test_a_batch_that_may_have_been_sent_is_not_said_to_be_unsent(server, make_proxy, quick):
    proxy = make_proxy(server.port)
    layer = RedisChannelLayer(hosts=[proxy.url])
    layer.send("work", {"n": 0})
    server.pause()
    batch = [Outgoing("work", "", {"n": 1}), Outgoing("", "room", {"n": 2})]
    with pytest.raises(LayerUnavailable) as raised:
        layer.send_batch(batch)
    server.go_on()
    # It was in Redis's hands: sent again it would be there twice.
    assert list(raised.value.unsent) == []
    assert layer.drops.totals() == {"messages while Redis went away": 2}
    assert everything(layer, "work") == [("work", 0), ("work", 1)]


def test_nothing_is_sent_of_a_batch_with_a_fault(layer):
    with pytest.raises(TypeError):
        layer.send_batch([Outgoing("work", "", {"n": 1}), Outgoing("not valid", "", {"n": 2})])
    assert layer.receive(["work"]) == (None, None)


def test_the_replies_of_a_worker_are_not_sent_twice(server, quick):
    from channels_lts.worker import Replies

    layer = RedisChannelLayer(hosts=[server.url])
    layer.send("work", {"n": 0})
    replies = Replies(layer)
    server.pause()
    replies.add(Outgoing("work", "", {"n": 1}))
    replies.flush()
    server.go_on()
    replies.add(Outgoing("work", "", {"n": 2}))
    replies.flush()
    assert everything(layer, "work") == [("work", 0), ("work", 1), ("work", 2)]
    assert layer.drops.totals() == {"messages while Redis went away": 1}
