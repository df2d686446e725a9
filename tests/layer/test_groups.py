"""Groups on a real Redis: what a group message costs, who gets it, and when a member is none any more."""

from __future__ import annotations

import time

import pytest
import redis
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from channels_lts.layer import RedisChannelLayer
from tests.services import wait_for

pytestmark = pytest.mark.system


def drain(layer, process):
    """Take everything off the queue of a process; returns (channel, n) of each message."""
    received = []
    while True:
        channel, message = layer.receive([process])
        if channel is None:
            return received
        received.append((channel, message["n"]))


def cost(server, layer, group, messages=10):
    before = server.commands()
    for n in range(messages):
        layer.send_group(group, {"n": n})
    after = server.commands()
    return {name: calls - before.get(name, 0) for name, calls in after.items() if name != "cmdstat_info"}


def test_a_group_message_costs_the_same_for_10_and_for_5000_members(server):
    layer = RedisChannelLayer(hosts=[server.url])
    for n in range(5000):
        layer.group_add("large", f"daphne.response.a!{n}")
        if n < 10:
            layer.group_add("small", f"daphne.response.b!{n}")
    layer.send_group("small", {"n": 0})
    small, large = cost(server, layer, "small"), cost(server, layer, "large")
    assert {name: calls for name, calls in small.items() if calls} == {
        name: calls for name, calls in large.items() if calls
    }
    assert small["cmdstat_evalsha"] == 10
    # The script call, and in it: expired ones out, the processes, a life, room, the item, its expiry, the counts.
    assert sum(small.values()) == 10 * 9


def test_d4_a_group_of_5000_in_one_process_gets_each_of_1000_messages(layer):
    members = [f"daphne.response.a!{n}" for n in range(5000)]
    for member in members:
        layer.group_add("room", member)
    for n in range(1000):
        layer.send_group("room", {"n": n})
    # The members are told by the process, so what counts is that each message came, with all members behind it.
    process = layer._process("daphne.response.a!")
    received = []
    while popped := layer.pop(["daphne.response.a!"], 100):
        for taken in popped:
            opened = process.open(taken.raw)
            if not hasattr(opened, "group"):
                process.note(opened)
            else:
                assert list(process.receivers(opened)) == members
                received.append(opened.message["n"])
    assert received == list(range(1000))
    assert layer.drops.totals() == {}


def test_d4_overflow_of_a_process_is_counted_logged_once_and_not_raised(make_layer, caplog):
    layer = make_layer(channel_capacity={"daphne.response*": 3})
    layer.group_add("flood", "daphne.response.a!1")
    layer.group_add("flood", "daphne.response.b!1")
    layer.receive(["daphne.response.b!"])
    for n in range(100):
        layer.send_group("flood", {"n": n})
    # A member that joins is always told: one place was taken by it.
    assert [n for _, n in drain(layer, "daphne.response.a!")] == [0, 1]
    assert [n for _, n in drain(layer, "daphne.response.b!")] == [0, 1, 2]
    assert layer.drops.totals() == {"group messages to full processes": 98 + 97}
    assert layer.global_statistics()["channel_full_count"] == 98 + 97
    lines = [line for line in caplog.messages if "full processes" in line and "flood" in line]
    assert 1 <= len(lines) <= 2


def test_who_joined_before_gets_it_and_who_left_does_not(layer):
    layer.group_add("room", "x!1")
    layer.send_group("room", {"n": 1})
    layer.group_add("room", "x!2")
    layer.send_group("room", {"n": 2})
    layer.group_discard("room", "x!1")
    layer.send_group("room", {"n": 3})
    layer.send("x!1", {"n": 4})
    assert drain(layer, "x!") == [("x!1", 1), ("x!1", 2), ("x!2", 2), ("x!2", 3), ("x!1", 4)]


def test_members_outside_of_processes_get_it_too(layer):
    layer.group_add("room", "ordinary")
    layer.group_add("room", "single?reader")
    layer.group_add("room", "x!1")
    assert sorted(layer.group_channels("room")) == ["ordinary", "single?reader", "x!1"]
    layer.send_group("room", {"n": 1})
    for name, channel in {"ordinary": "ordinary", "single?reader": "single?reader", "x!": "x!1"}.items():
        assert layer.receive([name]) == (channel, {"n": 1})
    layer.group_discard("room", "ordinary")
    layer.group_discard("room", "single?reader")
    assert layer.group_channels("room") == ["x!1"]


def test_a_full_ordinary_member_is_counted_and_not_raised(make_layer):
    layer = make_layer(capacity=1)
    layer.group_add("room", "ordinary")
    for n in range(3):
        layer.send_group("room", {"n": n})
    assert layer.drops.totals() == {"group messages to full channels": 2}


def test_members_outside_of_processes_expire(make_layer):
    layer = make_layer(group_expiry=1)
    layer.group_add("room", "ordinary")
    wait_for(lambda: layer.group_channels("room") == [], "the membership expires")
    layer.send_group("room", {"n": 1})
    assert layer.receive(["ordinary"]) == (None, None)


def test_d21_a_process_that_stops_announcing_is_forgotten_with_its_members(quick, make_layer, redis_server):
    layer, client = make_layer(), redis.StrictRedis.from_url(redis_server.url)
    layer.group_add("room", "x!1")
    began = time.monotonic()
    deadline = began + 2
    while time.monotonic() < deadline:
        layer.receive(["x!"])
        assert layer.group_channels("room") == ["x!1"]
        time.sleep(0.05)
    # It ends without a word.
    wait_for(lambda: layer.group_channels("room") == [], "it is forgotten", 2)
    layer.send_group("room", {"n": 1})
    assert client.llen(layer.queue_key("x!")) == 0
    assert client.zcard(layer.group_key("room")) == 0
    assert not client.exists(layer.members_key("room", "x!"))


def test_d21_groups_live_beyond_their_expiry_while_their_process_lives(quick, make_layer, make_sockets, redis_server):
    layer, client = make_layer(group_expiry=1), redis.StrictRedis.from_url(redis_server.url)
    sockets = make_sockets(layer)
    channels = [sockets.open() for _ in range(3)]
    for number, channel in enumerate(channels):
        layer.group_add(f"room{number}", channel)
    deadline = time.monotonic() + 3
    while time.monotonic() < deadline:
        for number, channel in enumerate(channels):
            assert layer.group_channels(f"room{number}") == [channel]
            assert client.zcard(layer.group_key(f"room{number}")) == 1
        time.sleep(0.1)
    layer.send_group("room2", {"n": 1})
    wait_for(lambda: sockets.of(channels[2]) == [1], "the group lives")


def test_d8_flushed_groups_are_whole_within_two_announcements(quick, make_server, make_sockets):
    server = make_server()
    layer = RedisChannelLayer(hosts=[server.url])
    sockets = make_sockets(layer)
    channels = [sockets.open() for _ in range(30)]
    for number, channel in enumerate(channels):
        layer.group_add(f"room{number % 7}", channel)
    wait_for(lambda: len(sockets.link._backend._process.membership) == 7, "the process knows")
    server.client.flushall()
    wait_for(
        lambda: (
            sorted(each for number in range(7) for each in layer.group_channels(f"room{number}")) == sorted(channels)
        ),
        "all members are announced again",
        2 * 0.2 + 1,
    )


STEPS = st.lists(
    st.tuples(
        st.sampled_from(["add", "discard", "send", "receive", "flushed scripts"]),
        st.sampled_from(["a", "b"]),
        st.sampled_from(["x!1", "x!2", "y!1"]),
    ),
    max_size=30,
)


@pytest.mark.parametrize("shards", [1, 2])
@hypothesis_settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=STEPS)
def test_any_order_of_joining_leaving_sending_and_receiving(steps, shards, make_layer, redis_server):
    layer = make_layer(hosts=[redis_server.url.replace("/0", f"/{number}") for number in range(4, 4 + shards)])
    members: dict[str, list[str]] = {"a": [], "b": []}
    expected: dict[str, list[tuple[str, int]]] = {"x!": [], "y!": []}
    received: dict[str, list[tuple[str, int]]] = {"x!": [], "y!": []}
    for n, (step, group, channel) in enumerate(steps):
        if step == "add":
            layer.group_add(group, channel)
            if channel not in members[group]:
                members[group].append(channel)
        elif step == "discard":
            layer.group_discard(group, channel)
            members[group] = [member for member in members[group] if member != channel]
        elif step == "send":
            layer.send_group(group, {"n": n})
            for member in members[group]:
                expected[member[:2]].append((member, n))
        elif step == "receive":
            name, message = layer.receive([channel[:2]])
            if name is not None:
                received[channel[:2]].append((name, message["n"]))
        else:
            layer.connection(0).script_flush()
        for name in members:
            assert sorted(layer.group_channels(name)) == sorted(members[name])
    for process in expected:
        assert received[process] + drain(layer, process) == expected[process]
    layer.flush()
