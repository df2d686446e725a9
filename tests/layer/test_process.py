"""What a process announces, and the calls that it makes of it."""

from __future__ import annotations

import time

import pytest

from channels_lts.layer import RedisChannelLayer, items, scripts
from channels_lts.layer.process import Delivery, Process

NAME = "daphne.response.a!"


def make(**options):
    layer = RedisChannelLayer(hosts=["redis://127.0.0.1:1/0"], **options)
    return layer, Process(layer, NAME)


def announced(calls):
    """Return the (group, channel) pairs of ANNOUNCE_GROUPS calls."""
    pairs = []
    for call in calls:
        assert call.script is scripts.ANNOUNCE_GROUPS
        assert call.arguments[0] == NAME
        rest = list(call.arguments[4:])
        for key in call.keys[::2]:
            _, count = rest.pop(0), rest.pop(0)
            pairs += [(key.rpartition(":")[2], rest.pop(0)) for _ in range(count)]
        assert rest == []
    return pairs


def test_all_groups_are_announced_in_calls_that_lua_can_take():
    _, process = make()
    pairs = [("large", f"{NAME}{n}") for n in range(3500)] + [(f"g{n}", f"{NAME}{n}") for n in range(1200)]
    for group, channel in pairs:
        process.membership.join(group, channel, 0)
    calls = process.everything()
    assert sorted(announced(calls)) == sorted(pairs)
    assert max(len(call.arguments) + len(call.keys) for call in calls) < 4000
    assert all(call.arguments[3] == 0 for call in calls)


def test_each_group_has_its_turn_within_20_announcements():
    _, process = make()
    pairs = {(f"g{n}", f"{NAME}{n}") for n in range(105)}
    for group, channel in pairs:
        process.membership.join(group, channel, 0)
    turns = [announced(process.some_groups()) for _ in range(20)]
    assert {pair for turn in turns for pair in turn} == pairs
    assert max(map(len, turns)) == 6


def test_groups_that_live_shortly_are_announced_before_they_expire():
    _, process = make(group_expiry=8)
    # An announcement every 2 s: half of the groups each time, so each of them every 4 s.
    for n in range(10):
        process.membership.join(f"g{n}", f"{NAME}{n}", 0)
    assert len({pair for _ in range(2) for pair in announced(process.some_groups())}) == 10


def test_nothing_to_announce_makes_no_call():
    _, process = make()
    assert process.everything() == process.some_groups() == process.forget([NAME + "1"]) == []


def test_a_channel_that_is_gone_leaves_all_its_groups():
    layer, process = make()
    for group in ("a", "b"):
        process.membership.join(group, NAME + "1", 0)
    process.membership.join("b", NAME + "2", 0)
    [call] = process.forget([NAME + "1"])
    assert call.script is scripts.LEAVE
    assert sorted(call.keys[::2]) == [layer.group_key("a"), layer.group_key("b")]
    assert call.arguments == [NAME, NAME + "1", NAME + "1"]
    assert process.membership.groups() == ["b"]


def test_who_joined_too_long_ago_is_taken_out_where_nobody_says_who_is_gone():
    _, process = make(group_expiry=100)
    process.membership.join("a", NAME + "1", time.time() - 101)
    process.membership.join("a", NAME + "2", time.time() - 99)
    [call] = process.expire()
    assert call.arguments == [NAME, NAME + "1"]
    assert list(process.membership.members("a")) == [NAME + "2"]


def test_opening_changes_nothing_and_noting_does():
    _, process = make()
    join = items.encode(items.JOIN, "room", time.time() + 60, (NAME + "1").encode())
    leave = items.encode(items.LEAVE, "room", time.time() + 60, (NAME + "1").encode())
    joined, left = process.open(join), process.open(leave)
    assert list(process.membership.members("room")) == []
    process.note(joined)
    assert list(process.receivers(Delivery("", "room", {}))) == [NAME + "1"]
    process.note(left)
    assert list(process.receivers(Delivery("", "room", {}))) == []


def test_who_joined_long_ago_is_a_member_all_the_same():
    # A process that stood still has to know its members, while messages of that time are of no use any more.
    layer, process = make()
    old = time.time() - 1
    assert process.open(items.encode(items.JOIN, "room", old, (NAME + "1").encode())) is not None
    assert process.open(items.encode(items.GROUP, "room", old, layer.serialize({}))) is None
    assert layer.drops.totals() == {"expired messages": 1}


def test_each_announcer_has_a_sign_of_its_own():
    layer, process = make()
    other = Process(layer, NAME)
    assert process.announcement().arguments[0] != other.announcement().arguments[0]
    assert process.announcement().arguments[0] == process.announcement().arguments[0]
    assert process.announcement().arguments[0].startswith("20000 ")


@pytest.mark.system
def test_announcing_tells_whether_redis_has_forgotten(layer):
    one, other = Process(layer, NAME), Process(layer, NAME)

    def announce(process):
        return layer._run(0, process.announcement())

    assert announce(one) == 0
    assert announce(one) == announce(one) == 1
    # Somebody else of this name, or the benefit of the doubt that a group_add gave: not what we said.
    assert announce(other) == 0
    assert announce(one) == 0
    layer.flush()
    layer.group_add("room", NAME + "1")
    assert announce(one) == 0
    assert 0 < layer.connection(0).pttl(layer.process_key(NAME)) <= 10_000


@pytest.mark.system
def test_a_process_that_is_known_does_not_announce_everything_each_time(server, quick):
    layer = RedisChannelLayer(hosts=[server.url])
    channels = [f"{NAME}{n}" for n in range(400)]
    for number, channel in enumerate(channels):
        layer.group_add(f"room{number}", channel)
    while layer.receive([NAME])[0] or layer.connection(0).llen(layer.queue_key(NAME)):
        pass
    layer._announced_at.clear()
    layer.receive([NAME])
    before = server.commands()
    layer._announced_at.clear()
    layer.receive([NAME])
    after = server.commands()
    # A group expires after a day: 1/20 of them is announced.
    assert after["cmdstat_zadd"] - before["cmdstat_zadd"] == 20
    assert after.get("cmdstat_sadd", 0) == before.get("cmdstat_sadd", 0)
