"""The in-memory layer, beyond what the conformance suite asks of any layer."""

from __future__ import annotations

import collections
import re
import threading
import time
from typing import Any

import pytest

from channels_lts.compat import base_layer, inmemory
from channels_lts.compat.base_layer import BaseChannelLayer
from channels_lts.compat.inmemory import ChannelLayer
from tests.services import TIMEOUT_SCALE, wait_for


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


# --- Names and messages ---


@pytest.mark.parametrize(
    "name",
    ["", "with space", "中文", "a" * 100, "a\n", "two!marks!", "a?b!c", "!", "?", "٣", "a!é", b"bytes", None, 1, ["a"]],
)
def test_invalid_channel_names_are_type_errors(layer, name):
    for call in (
        lambda: layer.send(name, {}),
        lambda: layer.receive([name]),
        lambda: layer.group_add("group", name),
        lambda: layer.group_discard("group", name),
    ):
        with pytest.raises(TypeError):
            call()


@pytest.mark.parametrize("name", ["", "a!b", "a?b", "中", "a" * 100, "a\n", b"a", None])
def test_invalid_group_names_are_type_errors(layer, name):
    for call in (
        lambda: layer.group_add(name, "channel"),
        lambda: layer.group_discard(name, "channel"),
        lambda: layer.group_channels(name),
        lambda: layer.send_group(name, {}),
    ):
        with pytest.raises(TypeError):
            call()


@pytest.mark.parametrize("name", ["a", "A-b_c.9", "a" * 99, "http.response!abc", "body?xyz", "process!"])
def test_valid_channel_names(layer, name):
    assert layer.valid_channel_name(name) is True


def test_names_of_a_process_are_received_together_only(layer):
    assert layer.valid_channel_name("process!a") is True
    with pytest.raises(TypeError, match="end with its !"):
        layer.valid_channel_name("process!a", receive=True)


def test_lists_of_names(layer):
    assert layer.valid_channel_names(["a", "b!"], receive=True) is True
    for names in ([], ("a",), "a", ["a", "b c"]):
        with pytest.raises(TypeError):
            layer.valid_channel_names(names)


@pytest.mark.parametrize("message", [None, "text", [("a", 1)], 1])
def test_messages_that_are_no_dict_are_type_errors(layer, message):
    with pytest.raises(TypeError, match="must be a dict"):
        layer.send("channel", message)
    with pytest.raises(TypeError, match="must be a dict"):
        layer.send_group("group", message)


def test_reserved_key_is_refused(layer):
    with pytest.raises(TypeError, match="__asgi_channel__"):
        layer.send("channel", {"__asgi_channel__": "other"})


@pytest.mark.parametrize("pattern", [None, b"a?", "a", "a!", "", "?", "a" * 95 + "?"])
def test_invalid_patterns_of_new_channels(layer, pattern):
    with pytest.raises(TypeError):
        layer.new_channel(pattern)


def test_new_channels_differ(layer):
    names = {layer.new_channel("body?") for _ in range(1000)}
    assert len(names) == 1000
    assert all(name.startswith("body?") for name in names)


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


# --- Blocking ---


def test_blocking_receive_gets_a_message_at_once(layer):
    received: list[Any] = []
    thread = threading.Thread(target=lambda: received.append(layer.receive(["a", "b"], block=True)))
    thread.start()
    wait_for(lambda: layer._waiting, "the thread waits")
    layer.send("other", {})
    assert layer._waiting, "woken by a message for somebody else"
    started = time.monotonic()
    layer.send("b", {"x": 1})
    thread.join(5)
    assert received == [("b", {"x": 1})]
    assert time.monotonic() - started < layer.block_timeout / 2 * TIMEOUT_SCALE


def test_blocking_receive_gives_up_in_the_end_without_spinning(layer, monkeypatch):
    monkeypatch.setattr(layer, "block_timeout", 0.3)
    started, used = time.monotonic(), time.thread_time()
    assert layer.receive(["a"], block=True) == (None, None)
    assert time.monotonic() - started >= 0.3
    assert time.thread_time() - used < 0.1
    assert not layer._waiting


def test_receive_without_block_returns_at_once(layer):
    started = time.monotonic()
    assert layer.receive(["a"]) == (None, None)
    assert time.monotonic() - started < 0.2 * TIMEOUT_SCALE


def test_one_message_wakes_one_thread(layer, monkeypatch):
    monkeypatch.setattr(layer, "block_timeout", 30 * TIMEOUT_SCALE)
    received: list[Any] = []
    threads = [
        threading.Thread(target=lambda: received.append(layer.receive(["a"], block=True)), daemon=True)
        for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    wait_for(lambda: len(layer._waiting) == 4, "all threads wait")
    with layer._lock:
        layer._push("a", {})
        assert len(layer._waiting) == 3
    for _ in range(3):
        layer.send("a", {})
    for thread in threads:
        thread.join(5)
    assert received == [("a", {})] * 4


def test_threads_lose_and_double_nothing():
    layer = ChannelLayer(capacity=100_000)
    count, senders, receivers = 2000, 4, 4
    received: list[int] = []
    done = threading.Event()

    def send(base: int) -> None:
        for number in range(count):
            layer.send(f"channel.{number % 3}", {"number": base + number})

    def receive() -> None:
        while True:
            finished = done.is_set()
            channel, message = layer.receive_many([f"channel.{number}" for number in range(3)], block=not finished)
            if channel is not None:
                received.append(message["number"])
            elif finished:
                return

    consumers = [threading.Thread(target=receive) for _ in range(receivers)]
    producers = [threading.Thread(target=send, args=(number * count,)) for number in range(senders)]
    for thread in (*consumers, *producers):
        thread.start()
    for thread in producers:
        thread.join()
    done.set()
    for thread in consumers:
        thread.join(20)
    assert sorted(received) == list(range(senders * count))


def test_cost_does_not_grow_with_what_waits_elsewhere():
    def cost(waiting: int) -> float:
        layer = ChannelLayer(capacity=10**9)
        for number in range(waiting):
            layer.send(f"elsewhere.{number}", {})
            layer.send("same", {})
            layer.group_add("group", f"member.{number}")
        best = float("inf")
        for _ in range(5):
            started = time.perf_counter()
            for _ in range(200):
                layer.send("busy", {"a": 1})
                layer.receive(["busy", "idle"])
            best = min(best, time.perf_counter() - started)
        return best

    assert cost(5000) < 10 * cost(10)


# --- The base ---


def test_base_leaves_the_work_to_layers():
    layer = BaseChannelLayer()
    for call in (
        lambda: layer.send("a", {}),
        lambda: layer.receive(["a"]),
        lambda: layer.receive_many(["a"]),
        lambda: layer.new_channel("a?"),
        lambda: layer.group_add("a", "b"),
        lambda: layer.group_discard("a", "b"),
        lambda: layer.group_channels("a"),
        lambda: layer.send_group("a", {}),
        layer.flush,
    ):
        with pytest.raises(NotImplementedError):
            call()
    assert (layer.expiry, layer.group_expiry, layer.capacity, layer.extensions) == (60, 86400, 100, [])


def test_names_that_layers_built_on_the_old_base_use():
    layer = BaseChannelLayer(channel_capacity={"a*": 1})
    assert layer.match_type_and_length("a")
    assert not layer.match_type_and_length(b"a")
    assert not layer.match_type_and_length("a" * base_layer.NAME_LIMIT)
    assert layer.channel_name_regex.match("a!b")
    assert layer.group_name_regex.match("a")
    assert "Channel name" in layer.invalid_name_error.format("Channel")
    assert [layer.non_local_name(name) for name in ("a!b", "a!", "a?b", "a")] == ["a!", "a!", "a?b", "a"]
    assert (layer.get_capacity("abc"), layer.get_capacity("b")) == (1, 100)
    assert layer.compile_capacities({}) == []
