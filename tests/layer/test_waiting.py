"""Waiting for messages: on one shard and two, woken, told to end, and with Redis away."""

from __future__ import annotations

import os
import resource
import signal
import threading
import time

import pytest

from channels_lts.layer import RedisChannelLayer
from channels_lts.layer.waiting import Popped
from tests.services import TIMEOUT_SCALE, free_port, wait_for

pytestmark = pytest.mark.system


@pytest.fixture
def two_shards(make_layer, redis_server):
    return make_layer(hosts=[redis_server.url.replace("/0", f"/{number}") for number in (6, 7)])


def send_to(layer, index, name, message):
    _, item = layer.encode(name, message)
    assert layer._run(index, layer.send_call({name: [item]})) == [1]


def later(function, *arguments):
    timer = threading.Timer(0.2, function, arguments)
    timer.start()
    return timer


def taken(layer, popped):
    return [(channel, message["n"]) for each in popped for channel, message in layer.open(each)]


@pytest.mark.parametrize("shard", [0, 1])
def test_a_message_on_either_shard_ends_the_wait_at_once(two_shards, shard):
    waiter = two_shards.waiter(["work"])
    later(send_to, two_shards, shard, "work", {"n": 1})
    began = time.monotonic()
    assert taken(two_shards, waiter.wait()) == [("work", 1)]
    assert time.monotonic() - began < 1 * TIMEOUT_SCALE
    waiter.close()


def test_no_pop_stays_open_on_the_other_shard(two_shards):
    busy, idle = two_shards.waiter(["work"]), two_shards.waiter(["work"])
    later(send_to, two_shards, 0, "work", {"n": 1})
    assert taken(two_shards, busy.wait()) == [("work", 1)]
    # The first one works on its message now; what comes meanwhile is for the other one, whatever the shard.
    send_to(two_shards, 1, "work", {"n": 2})
    assert taken(two_shards, idle.wait()) == [("work", 2)]
    busy.close()
    idle.close()


def test_what_comes_between_two_waits_is_not_overtaken(quick, layer):
    assert layer.receive(["work"], block=True) == (None, None)
    layer.send("work", {"n": 1})
    layer.send("work", {"n": 2})
    assert [layer.receive(["work"], block=True)[1]["n"] for _ in range(2)] == [1, 2]


def test_nothing_comes_after_the_time_of_a_wait(quick, layer):
    began = time.monotonic()
    waiter = layer.waiter(["work"])
    assert waiter.wait() == []
    assert 0.4 < time.monotonic() - began < 2 * TIMEOUT_SCALE
    waiter.close()


def test_another_thread_ends_a_wait(layer):
    waiter = layer.waiter(["work"])
    later(waiter.wake)
    began = time.monotonic()
    assert waiter.wait() == []
    assert time.monotonic() - began < 1 * TIMEOUT_SCALE
    # Also one that has not begun.
    waiter.wake()
    assert waiter.wait() == []
    assert time.monotonic() - began < 1.5 * TIMEOUT_SCALE
    waiter.close()


def test_a_signal_handler_ends_a_wait(layer):
    waiter = layer.waiter(["work"])
    before = signal.signal(signal.SIGUSR1, lambda *_: waiter.wake())
    try:
        later(os.kill, os.getpid(), signal.SIGUSR1)
        began = time.monotonic()
        assert waiter.wait() == []
        assert time.monotonic() - began < 1 * TIMEOUT_SCALE
    finally:
        signal.signal(signal.SIGUSR1, before)
        waiter.close()


def test_a_signal_that_ends_the_process_loses_no_message(two_shards):
    waiter = two_shards.waiter(["work"])

    def exit_with_messages(*_):
        # As stock `runworker` does, at the moment when the pop has its message already.
        send_to(two_shards, 0, "work", {"n": 1})
        send_to(two_shards, 1, "work", {"n": 2})
        raise SystemExit

    before = signal.signal(signal.SIGUSR1, exit_with_messages)
    try:
        later(os.kill, os.getpid(), signal.SIGUSR1)
        with pytest.raises(SystemExit):
            waiter.wait()
    finally:
        signal.signal(signal.SIGUSR1, before)
        waiter.close()
    assert sorted(two_shards.receive(["work"])[1]["n"] for _ in range(2)) == [1, 2]


def test_release_hands_back_what_was_popped_in_the_last_moment(layer):
    waiter = layer.waiter(["work"])
    [shard] = waiter._shards
    assert shard.arm(1)
    # Told before Redis has even read the pop, it ends all the same.
    assert shard.release() == []
    assert shard.arm(1)
    wait_for(lambda: layer.connection(0).client_list(), "Redis answers")
    layer.send("work", {"n": 1})
    assert taken(layer, [Popped(queue, 0, raw) for queue, raw in shard.release()]) == [("work", 1)]
    waiter.close()
    assert layer.receive(["work"]) == (None, None)


def test_put_back_restores_the_order(two_shards):
    for n in range(4):
        send_to(two_shards, n % 2, "work", {"n": n})
        send_to(two_shards, n % 2, "other", {"n": n})
    popped = two_shards.pop(["work", "other"], 100)
    assert len(popped) == 8
    two_shards.put_back(popped)
    again = two_shards.pop(["work", "other"], 100)
    for queue in ("work", "other"):
        for shard in (0, 1):
            here = [each for each in popped if (each.queue, each.shard) == (queue, shard)]
            assert here == [each for each in again if (each.queue, each.shard) == (queue, shard)]
    two_shards.put_back([Popped("work", 0, b"last")], last=True)
    two_shards.put_back([Popped("work", 0, b"first")])
    assert [each.raw for each in two_shards.pop(["work"], 10)] == [b"first", b"last"]


def test_descriptors_above_1023_are_waited_for(layer):
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(4096, hard), hard))
    spare = []
    try:
        while not spare or spare[-1] < 1100:
            spare.append(os.dup(0))
        waiter = layer.waiter(["work"])
        layer.send("work", {"n": 1})
        assert taken(layer, waiter.wait()) == [("work", 1)]
        waiter.close()
    finally:
        for descriptor in spare:
            os.close(descriptor)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_a_waiter_leaves_no_descriptor_open(layer):
    layer.send("work", {})
    layer.receive(["work"])
    before = len(os.listdir("/proc/self/fd"))

    def wait_once():
        waiter = layer.waiter(["work"])
        waiter.wake()
        waiter.wait()

    thread = threading.Thread(target=wait_once)
    thread.start()
    thread.join()
    assert len(os.listdir("/proc/self/fd")) <= before


def test_receive_waits_with_pauses_while_redis_is_away(quick, monkeypatch):
    # A port that refuses: each attempt ends at once, so that only pauses keep this from spinning.
    layer = RedisChannelLayer(hosts=[("127.0.0.1", free_port())])
    attempts = []
    connect = layer.connection(0).connection_pool.connection_class.connect
    monkeypatch.setattr(
        layer.connection(0).connection_pool.connection_class,
        "connect",
        lambda connection: attempts.append(connection) or connect(connection),
    )
    began, used = time.monotonic(), time.process_time()
    while time.monotonic() - began < 2:
        assert layer.receive(["work"], block=True) == (None, None)
    assert 4 <= len(attempts) < 20
    assert time.process_time() - used < 0.5


def test_messages_of_all_threads_arrive_once(layer):
    received: list[int] = []

    def work():
        while True:
            _, message = layer.receive(["work"], block=True)
            if message is not None:
                if message["n"] < 0:
                    return
                received.append(message["n"])

    threads = [threading.Thread(target=work, daemon=True) for _ in range(4)]
    for thread in threads:
        thread.start()
    for n in [*range(90), -1, -1, -1, -1]:
        layer.send("work", {"n": n})
    for thread in threads:
        thread.join(20 * TIMEOUT_SCALE)
    assert sorted(received) == list(range(90))


def test_what_is_there_comes_along_up_to_the_limit(make_layer):
    layer = make_layer()
    waiter = layer.waiter(["work", "other"])
    for n in range(5):
        layer.send("work" if n % 2 else "other", {"n": n})
    first, second = waiter.wait(3), waiter.wait(3)
    assert (len(first), len(second)) == (3, 2)
    found = sorted(number for _, number in taken(layer, [*first, *second]))
    assert found == list(range(5))
    waiter.close()


def test_a_missing_script_costs_the_batch_and_no_message(make_layer, redis_server):
    layer = make_layer()
    waiter = layer.waiter(["work"])
    for n in range(3):
        layer.send("work", {"n": n})
    layer.connection(0).script_flush()
    assert taken(layer, waiter.wait(16)) == [("work", 0)]
    assert taken(layer, waiter.wait(16)) == [("work", 1), ("work", 2)]
    waiter.close()


def test_no_queue_starves_behind_a_backlog_of_another(make_layer):
    layer = make_layer()
    waiter = layer.waiter(["a", "b"])
    for n in range(20):
        layer.send("a", {"n": n})
    layer.send("b", {"n": 99})
    assert ("b", 99) in taken(layer, [*waiter.wait(1), *waiter.wait(1), *waiter.wait(1)])
    waiter.close()
