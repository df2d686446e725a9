"""The in-memory layer, beyond what the conformance suite asks of any layer."""

from __future__ import annotations

import collections
import re

import pytest

from channels_lts.compat import inmemory
from channels_lts.compat.inmemory import ChannelLayer


class Clock:
    """Stands in for the time module; it goes when told to."""

    def __init__(self) -> None:
        self.now = 1000.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(inmemory, "time", clock)
    return clock


@pytest.fixture
def layer() -> ChannelLayer:
    return ChannelLayer()


# --- Sending and receiving ---


def test_each_receiver_has_its_own_copy(layer):
    inner = {"list": [1, (2, [3])], "odd": collections.OrderedDict(a=[1])}
    for channel in ("a", "b"):
        layer.group_add("group", channel)
    layer.send_group("group", inner)
    first, second = layer.receive(["a"])[1], layer.receive(["b"])[1]
    assert first == second == inner
    assert isinstance(first["odd"], collections.OrderedDict)
    for key in ("list", "odd"):
        assert first[key] is not second[key]
        assert first[key] is not inner[key]
    assert first["list"][1][1] is not second["list"][1][1]


def test_oldest_message_of_all_channels_comes_first(layer):
    for number, channel in enumerate(["b", "a", "c!x", "b", "a"]):
        layer.send(channel, {"number": number})
    received = [layer.receive(["a", "b", "c!"]) for _ in range(5)]
    assert received == [
        ("b", {"number": 0}),
        ("a", {"number": 1}),
        ("c!x", {"number": 2}),
        ("b", {"number": 3}),
        ("a", {"number": 4}),
    ]


def test_receiving_takes_any_iterable_and_nothing_from_nothing(layer):
    layer.send("a", {})
    assert layer.receive(iter(["a"])) == ("a", {})
    assert layer.receive([], block=True) == (None, None)


def test_receive_many_is_receive_without_a_warning(layer, recwarn):
    layer.send("a", {"x": 1})
    assert layer.receive_many(["a"]) == ("a", {"x": 1})
    assert layer.receive_many(["a"], block=False) == (None, None)
    assert not recwarn.list


def test_empty_channels_leave_nothing_behind(layer):
    layer.send("a", {})
    layer.send("b!c", {})
    layer.receive(["a", "b!"])
    layer.receive(["a", "b!"])
    assert not layer._queues


# --- Capacity ---


def test_capacity_by_pattern_the_first_match_counts():
    capacities = {"http.*": 1, re.compile("^http.big$"): 9, "daphne.response*": 3}
    layer = ChannelLayer(capacity=2, channel_capacity=capacities)
    for channel, capacity in (("http.big", 1), ("other", 2)):
        for _ in range(capacity):
            layer.send(channel, {})
        with pytest.raises(ChannelLayer.ChannelFull, match=channel):
            layer.send(channel, {})
    for number in range(3):
        layer.send(f"daphne.response.x!{number}", {})
    with pytest.raises(ChannelLayer.ChannelFull):
        layer.send("daphne.response.x!other", {})


def test_default_capacity_is_the_one_that_projects_tests_know(layer):
    for _ in range(10):
        layer.send("a", {})
    with pytest.raises(layer.ChannelFull):
        layer.send("a", {})


def test_room_is_free_again_after_receiving_and_expiry(clock):
    layer = ChannelLayer(expiry=10, capacity=1)
    layer.send("a", {})
    with pytest.raises(layer.ChannelFull):
        layer.send("a", {})
    layer.receive(["a"])
    layer.send("a", {})
    clock.now += 10
    layer.send("a", {"new": True})
    assert layer.receive(["a"]) == ("a", {"new": True})


def test_full_member_does_not_keep_others_from_hearing():
    layer = ChannelLayer(capacity=1)
    layer.group_add("group", "a")
    layer.group_add("group", "b")
    layer.send("a", {"old": True})
    layer.send_group("group", {"new": True})
    assert layer.receive(["a"]) == ("a", {"old": True})
    assert layer.receive(["b"]) == ("b", {"new": True})


# --- Expiry ---


def test_messages_expire_in_the_order_they_came(clock):
    layer = ChannelLayer(expiry=10)
    layer.send("a", {"number": 1})
    clock.now += 6
    layer.send("a", {"number": 2})
    clock.now += 6
    assert layer.receive(["a"]) == ("a", {"number": 2})
    assert layer.receive(["a"]) == (None, None)


def test_channels_that_nobody_reads_are_forgotten(clock):
    layer = ChannelLayer(expiry=10)
    for number in range(100):
        layer.send(f"http.body?{number}", {"content": "x"})
    clock.now += 10
    layer.send("other", {})
    assert list(layer._queues) == ["other"]


def test_channels_that_nobody_reads_are_forgotten_beside_busy_ones(clock):
    layer = ChannelLayer(expiry=10)
    layer.send("busy", {})
    layer.send("silent", {})
    clock.now += 6
    layer.send("busy", {})
    clock.now += 6
    layer.send("other", {})
    assert list(layer._queues) == ["busy", "other"]


def test_member_leaves_though_others_hear_on_the_same_queue(clock):
    layer = ChannelLayer(expiry=10)
    for channel in ("daphne!gone", "daphne!here"):
        layer.group_add("group", channel)
    layer.send("daphne!gone", {})
    clock.now += 6
    layer.send("daphne!here", {})
    clock.now += 6
    assert layer.receive(["daphne!"]) == ("daphne!here", {})
    assert layer.group_channels("group") == ["daphne!here"]


def test_member_on_whom_a_message_expired_leaves_its_groups(clock):
    layer = ChannelLayer(expiry=10)
    for channel in ("daphne!gone", "daphne!here"):
        layer.group_add("one", channel)
        layer.group_add("two", channel)
    layer.send("daphne!gone", {})
    clock.now += 10
    assert layer.group_channels("one") == layer.group_channels("two") == ["daphne!here"]


def test_members_leave_when_their_time_is_over_unless_added_again(clock):
    layer = ChannelLayer(group_expiry=100)
    layer.group_add("group", "a")
    layer.group_add("group", "b")
    clock.now += 60
    layer.group_add("group", "a")
    clock.now += 60
    assert layer.group_channels("group") == ["a"]
    clock.now += 60
    layer.send_group("group", {})
    assert layer.receive(["a", "b"]) == (None, None)
    assert not layer._groups
    assert not layer._groups_of


# --- Groups ---


def test_members_of_a_group_are_a_copy(layer):
    layer.group_add("group", "a")
    for channel in layer.group_channels("group"):
        layer.group_discard("group", channel)
    assert layer.group_channels("group") == []
    layer.group_discard("group", "a")
    layer.group_discard("no.such.group", "a")


def test_adding_twice_is_being_a_member_once(layer):
    layer.group_add("group", "a")
    layer.group_add("group", "a")
    layer.send_group("group", {})
    assert layer.receive(["a"]) == ("a", {})
    assert layer.receive(["a"]) == (None, None)


def test_flush_forgets_everything(layer):
    layer.send("a", {})
    layer.group_add("group", "a")
    layer.flush()
    assert layer.receive(["a"]) == (None, None)
    assert layer.group_channels("group") == []
