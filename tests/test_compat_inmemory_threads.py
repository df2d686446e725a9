"""The in-memory layer between threads, and what it costs."""

from __future__ import annotations

import threading
import time
from typing import Any

import pytest

from channels_lts.compat.inmemory import ChannelLayer
from tests.services import TIMEOUT_SCALE, wait_for


@pytest.fixture
def layer() -> ChannelLayer:
    return ChannelLayer()


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
