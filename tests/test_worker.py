"""The worker on our channel layer: batches, replies, errors, and its end."""

from __future__ import annotations

import logging
import signal
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any
from unittest.mock import Mock
from uuid import uuid4

import pytest
from channels.asgi import ChannelLayerWrapper
from channels.channel import Channel, Group
from channels.exceptions import ConsumeLater, DenyConnection, WebsocketCloseException
from channels.routing import route

from channels_lts.layer import RedisChannelLayer
from channels_lts.layer.batch import Outgoing
from channels_lts.worker import Worker
from channels_lts.worker_group import WorkerGroup
from tests.services import ROOT, TIMEOUT_SCALE, Redis, wait_for

pytestmark = pytest.mark.system

OUT = "results"


@pytest.fixture
def layer(redis_server: Redis) -> RedisChannelLayer:
    return RedisChannelLayer(hosts=[redis_server.url], prefix=f"{uuid4().hex}:", capacity=1000)


@pytest.fixture
def start(layer: RedisChannelLayer) -> Iterator[Callable[..., Any]]:
    """A function that starts a worker in a thread: ``start([route(…)])``. It returns the worker."""
    running = []

    def begin(routing: list[Any], cls: type[Worker] = Worker, **options: Any) -> Worker:
        wrapper = ChannelLayerWrapper(layer, "default", routing)
        worker = cls(channel_layer=wrapper, signal_handlers=False, **options)
        thread = threading.Thread(target=worker.run)
        running.append((worker, thread))
        thread.start()
        return worker

    yield begin
    for worker, _ in running:
        worker.stop()
    for _, thread in running:
        thread.join(10 * TIMEOUT_SCALE)
        assert not thread.is_alive(), "the worker did not end"


def collect(layer: RedisChannelLayer, count: int, channel: str = OUT) -> list[Any]:
    """Return the *count* messages that arrive on *channel*, as their ``value``."""
    got: list[Any] = []

    def enough() -> bool:
        while len(got) < count:
            _, message = layer.receive([channel])
            if message is None:
                return False
            got.append(message["value"])
        return True

    wait_for(enough, f"{count} messages on {channel}; there are {len(got)}")
    return got


def echo(message: Any) -> None:
    Channel(OUT, channel_layer=message.channel_layer).send({"value": message["value"]})


def test_messages_are_handled_in_order_and_answered(layer, start):
    for value in range(100):
        layer.send("in", {"value": value})
    start([route("in", echo)])
    assert collect(layer, 100) == list(range(100))


def test_a_backlog_is_taken_and_answered_in_batches(layer, start, redis_server):
    for value in range(320):
        layer.send("in", {"value": value})
    connection = layer.connection(0)
    connection.config_resetstat()
    start([route("in", echo)])
    wait_for(lambda: layer.connection(0).llen(layer.queue_key(OUT)) == 320, "everything is answered")
    calls = connection.info("commandstats")
    # One by one it would be 320 pops and 320 sends.
    assert sum(calls.get(f"cmdstat_{name}", {"calls": 0})["calls"] for name in ("evalsha", "eval")) < 160


def test_replies_do_not_wait_for_a_slow_consumer_behind_them(layer, start, monkeypatch):
    """Two quick ones and one not known are popped together; the answers of the quick ones are there while it runs."""
    for limit in ("_SLOW", "_LONGEST_BATCH"):
        monkeypatch.setattr(f"channels_lts.worker.{limit}", 60)
    gate, entered, release = threading.Event(), threading.Event(), threading.Event()

    def slow(message):
        entered.set()
        release.wait(60 * TIMEOUT_SCALE)

    def wait(message):
        gate.wait(10 * TIMEOUT_SCALE)

    start([route("in", wait, kind="gate"), route("in", slow, kind="slow"), route("in", echo)])
    for value in range(10):
        layer.send("in", {"value": value})
    collect(layer, 10)
    layer.send("in", {"kind": "gate"})
    wait_for(lambda: layer.connection(0).llen(layer.queue_key("in")) == 0, "the worker waits at the gate")
    for message in ({"value": "a"}, {"value": "b"}, {"kind": "slow"}):
        layer.send("in", message)
    gate.set()
    try:
        wait_for(entered.is_set, "the slow one runs")
        assert collect(layer, 2) == ["a", "b"]
    finally:
        release.set()


def test_what_waits_behind_a_slow_consumer_goes_back_to_other_workers(layer, start):
    """Every message of the backlog but the slow one is answered while that one runs."""
    release = threading.Event()
    entered = threading.Event()

    def mixed(message):
        if message["value"] == 50:
            entered.set()
            release.wait(10 * TIMEOUT_SCALE)
        echo(message)

    for value in range(100):
        layer.send("in", {"value": value})
    start([route("in", mixed)])
    wait_for(entered.is_set, "the slow one runs")
    start([route("in", mixed)])
    try:
        # What the first worker has taken and cannot give back while it runs: at most the batch that it is in.
        answered = collect(layer, 99 - 15)
        assert 50 not in answered
    finally:
        release.set()
    assert sorted(answered + collect(layer, 100 - len(answered))) == list(range(100))


def test_a_consumer_that_was_slow_gives_the_rest_of_its_batch_back(layer, start, monkeypatch):
    """Known to be slow, it runs alone: what it was popped with is there for others while it runs."""
    monkeypatch.setattr("channels_lts.worker._SLOW", 0)
    entered, release = threading.Semaphore(0), threading.Semaphore(0)

    def slow(message):
        entered.release()
        release.acquire(timeout=10 * TIMEOUT_SCALE)
        echo(message)

    worker = start([route("in", slow), route("quick", echo)])
    layer.send("in", {"value": 0})
    assert entered.acquire(timeout=10 * TIMEOUT_SCALE)
    for value in range(1, 30):
        layer.send("in", {"value": value})
    release.release()
    try:
        assert entered.acquire(timeout=10 * TIMEOUT_SCALE)
        wait_for(lambda: layer.connection(0).llen(layer.queue_key("in")) == 28, "the others are back in the queue")
    finally:
        worker.stop()
        for _ in range(30):
            release.release()


def test_d24_nothing_leaves_after_an_error_and_the_loop_goes_on(layer, start, caplog):
    def fails(message):
        echo(message)
        raise RuntimeError("no good")

    start([route("in", fails, value="never"), route("in", echo)])
    layer.send("in", {"value": "never"})
    layer.send("in", {"value": "after"})
    assert collect(layer, 1) == ["after"]
    assert "error in consumer" in caplog.text
    assert "no good" in caplog.text


@pytest.mark.parametrize(
    ("error", "close"),
    [(DenyConnection(), True), (WebsocketCloseException(), True), (WebsocketCloseException(4001), 4001)],
    ids=["deny", "close", "close with a code"],
)
@pytest.mark.parametrize("channel", ["websocket.connect", "websocket.receive"])
def test_d2_exceptions_that_close_a_socket_close_it(layer, start, error, close, channel):
    def refuses(message):
        message.reply_channel.send({"text": "before"})
        raise error

    start([route(channel, refuses), route("in", echo)])
    layer.send(channel, {"reply_channel": "daphne.response.x!1", "path": "/"})
    wait_for(lambda: layer.connection(0).llen(layer.queue_key("daphne.response.x!")) == 2, "two replies")
    assert layer.receive(["daphne.response.x!"]) == ("daphne.response.x!1", {"text": "before"})
    assert layer.receive(["daphne.response.x!"]) == ("daphne.response.x!1", {"close": close})
    layer.send("in", {"value": 1})
    assert collect(layer, 1) == [1], "the loop goes on"


def test_d2_a_close_without_a_reply_channel_is_logged(layer, start, caplog):
    def refuses(message):
        raise DenyConnection

    start([route("in", refuses, value="^1$"), route("in", echo)])
    layer.send("in", {"value": "1"})
    layer.send("in", {"value": "2"})
    assert collect(layer, 1) == ["2"]
    assert "no reply channel" in caplog.text


def test_d3_a_full_channel_costs_its_own_messages_only(layer, start, caplog, monkeypatch):
    monkeypatch.setattr("channels_lts.replies._RETRY_FOR", 0.1)
    layer.channel_capacity = layer.compile_capacities({"narrow": 1})

    def sends(message):
        for _ in range(3):
            Channel("narrow", channel_layer=message.channel_layer).send({"value": 1})
        echo(message)

    start([route("in", sends)])
    layer.send("in", {"value": "first"})
    assert collect(layer, 1) == ["first"]
    wait_for(lambda: "dropped 2 replies" in caplog.text, "what did not fit is logged")
    layer.send("in", {"value": "second"})
    assert collect(layer, 1) == ["second"]


def test_a_full_channel_is_tried_again(layer, start):
    layer.channel_capacity = layer.compile_capacities({"narrow": 1})

    def sends(message):
        for value in range(3):
            Channel("narrow", channel_layer=message.channel_layer).send({"value": value})

    start([route("in", sends)])
    layer.send("in", {"value": 1})
    assert collect(layer, 3, "narrow") == [0, 1, 2]


def test_a_reply_that_cannot_be_sent_does_not_take_others_along(layer, start, caplog):
    def sends(message):
        Channel("not a name", channel_layer=message.channel_layer).send({"value": 1})
        Channel("object", channel_layer=message.channel_layer).send({"value": object()})
        Group("not a name", channel_layer=message.channel_layer).send({"value": 1})
        echo(message)

    start([route("in", sends)])
    layer.send("in", {"value": 1})
    assert collect(layer, 1) == [1]
    for name in ("to not a name", "to object", "to group not a name"):
        assert f"could not send {name}" in caplog.text


def test_consume_later_tries_again_and_gives_up(layer, start, caplog):
    tries = []

    def later(message):
        tries.append(bool(getattr(message, "__doomed__", False)))
        Channel(OUT, channel_layer=message.channel_layer).send({"value": "never"})
        raise ConsumeLater

    start([route("in", later)])
    layer.send("in", {"value": 1})
    wait_for(lambda: "gave up" in caplog.text, "it gives up")
    assert tries == [False] * 10 + [True]
    assert layer.receive([OUT]) == (None, None)


def test_a_message_without_a_route_is_logged(layer, start, caplog):
    start([route("in", echo, path="^/here$")])
    layer.send("in", {"path": "/there", "value": 1})
    layer.send("in", {"path": "/here", "value": 2})
    assert collect(layer, 1) == [2]
    assert "no route for a message on in" in caplog.text


def test_a_message_that_the_routing_cannot_match_ends_no_worker(layer, start, caplog):
    start([route("in", echo, value="^text$")])
    for value in (1, "text"):
        layer.send("in", {"value": value})
    assert collect(layer, 1) == ["text"]
    assert "cannot match a message on in" in caplog.text


def test_an_idle_worker_ends_at_once(layer, start):
    worker = start([route("in", echo)])
    [thread] = [each for each in threading.enumerate() if getattr(each, "_target", None) == worker.run]
    wait_for(lambda: layer.connection(0).info("clients")["blocked_clients"], "the worker waits")
    began = time.monotonic()
    worker.stop()
    wait_for(lambda: not thread.is_alive(), "it ends")
    assert time.monotonic() - began < layer.blpop_timeout * TIMEOUT_SCALE


def test_d7_threads_finish_their_work_and_end(layer):
    entered = threading.Semaphore(0)
    release = threading.Event()

    def slow(message):
        entered.release()
        release.wait(10 * TIMEOUT_SCALE)
        echo(message)

    wrapper = ChannelLayerWrapper(layer, "default", [route("in", slow)])
    group = WorkerGroup(channel_layer=wrapper, signal_handlers=False, n_threads=3)
    main = threading.Thread(target=group.run)
    main.start()
    try:
        for value in range(3):
            layer.send("in", {"value": value})
        for _ in range(3):
            assert entered.acquire(timeout=10 * TIMEOUT_SCALE), "three threads run at once"
    finally:
        group.stop()
        threading.Timer(0.2, release.set).start()
        main.join(10 * TIMEOUT_SCALE)
    assert not any(thread.name.startswith("worker-") for thread in threading.enumerate()), "run() outlasts its threads"
    assert sorted(collect(layer, 3)) == [0, 1, 2]


PROCESS = """
    import sys
    import my_project, django
    django.setup()
    from channels.asgi import ChannelLayerWrapper
    from channels.channel import Channel
    from channels.routing import route
    from channels_lts.layer import RedisChannelLayer
    from channels_lts.worker import Worker

    def echo(message):
        Channel("results", channel_layer=message.channel_layer).send({"value": message["value"]})

    layer = RedisChannelLayer(hosts=[sys.argv[1]], prefix=sys.argv[2], capacity=100000)
    wrapper = ChannelLayerWrapper(layer, "default", [route("in", echo)])
    print("ready", flush=True)
    Worker(channel_layer=wrapper).run()
"""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT], ids=["SIGTERM", "SIGINT"])
def test_d6_a_signal_under_load_loses_nothing(redis_server, number):
    """Five workers, one after the other, are ended in the middle of a backlog; each message is answered once."""
    layer = RedisChannelLayer(hosts=[redis_server.url], prefix=f"d6-{number}:", capacity=100_000)
    total = 30_000
    layer.send_batch([Outgoing("in", "", {"value": value}) for value in range(total)])
    command = [sys.executable, "-c", textwrap.dedent(PROCESS), redis_server.url, layer.prefix]
    for _ in range(5):
        goal = layer.connection(0).llen(layer.queue_key(OUT)) + 200
        worker = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE)
        try:
            wait_for(lambda goal=goal: layer.connection(0).llen(layer.queue_key(OUT)) > goal, f"{goal} answers", 30)
            worker.send_signal(number)
            assert worker.wait(10 * TIMEOUT_SCALE) == 0
        finally:
            worker.kill()
            worker.wait()
            worker.stdout.close()
    waiting = layer.connection(0).llen(layer.queue_key("in"))
    answered = layer.connection(0).llen(layer.queue_key(OUT))
    assert waiting > 0, "the signals came under load"
    assert waiting + answered == total
    assert len(set(collect(layer, answered))) == answered


def test_d29_runworker_leaves_the_logging_of_the_project_alone():
    code = """
        import logging, os, my_project, django
        os.environ["DJANGO_SETTINGS_MODULE"] = "my_project.settings"
        django.setup()
        before = {name: list(logging.getLogger(name).handlers) for name in ("", "django", "django.channels")}
        from unittest import mock
        from django.core.management import call_command
        with mock.patch("channels_lts.worker.Worker.run"):
            call_command("runworker")
        for name, handlers in before.items():
            assert logging.getLogger(name).handlers == handlers, name
            assert logging.getLogger(name).propagate, name
    """
    environment = {"ENVIRONMENT": "embedded", "SECRET_KEY": "x" * 60, "REDIS_URL": "redis://127.0.0.1:1/0"}
    ran = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", textwrap.dedent(code)],
        cwd=ROOT, env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert ran.returncode == 0, ran.stderr
    [line] = [line for line in ran.stderr.splitlines() if "worker on channel layer" in line]
    assert " channels_lts.worker[" in line, "the project's format"


def test_runworker_refuses_a_number_of_threads_that_is_none(caplog):
    from django.core.management import CommandError, call_command

    with pytest.raises(CommandError, match="--threads must be a whole number, 1 or more, not 0"):
        call_command("runworker", threads=0)


def test_redis_that_goes_and_comes_back_ends_no_worker(tmp_path, caplog, monkeypatch):
    """Row D1, as far as the worker's loop goes; what the layer does is in tests/layer."""
    server = Redis(tmp_path).start()
    layer = RedisChannelLayer(hosts=[server.url], prefix="d1:")
    # Shorter than the outage, so that the worker comes out of its wait and tries to pop.
    layer.blpop_timeout = 0.1
    wrapper = ChannelLayerWrapper(layer, "default", [route("in", echo)])
    worker = Worker(channel_layer=wrapper, signal_handlers=False)
    thread = threading.Thread(target=worker.run)
    thread.start()
    try:
        layer.send("in", {"value": 1})
        assert collect(layer, 1) == [1]
        with caplog.at_level(logging.INFO):
            server.stop()
            wait_for(lambda: "lost Redis" in caplog.text, "the loss is logged")
            tries = Mock(wraps=worker._intake._waiter.wait)
            monkeypatch.setattr(worker._intake._waiter, "wait", tries)
            wait_for(lambda: tries.call_count > 2, "the worker tries again and again")
            server.start()
            wait_for(lambda: "is back" in caplog.text, "its return is logged")
        layer.send("in", {"value": 2})
        assert collect(layer, 1) == [2]
        assert caplog.text.count("lost Redis") == 1
    finally:
        worker.stop()
        thread.join(10 * TIMEOUT_SCALE)
        server.stop()
    assert not thread.is_alive()
