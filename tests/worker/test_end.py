"""Its end: at once where it is idle, after its work where it is busy, and nothing is lost."""

from __future__ import annotations

import signal
import subprocess
import sys
import textwrap
import threading
import time

import pytest
from channels.asgi import ChannelLayerWrapper
from channels.routing import route

from channels_lts.layer import RedisChannelLayer
from channels_lts.layer.batch import Outgoing
from channels_lts.worker_group import WorkerGroup
from tests.services import ROOT, TIMEOUT_SCALE, wait_for
from tests.worker.loops import OUT, collect, echo

pytestmark = pytest.mark.system


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
    """Three workers, one after the other, are ended in the middle of a backlog; each message is answered once."""
    layer = RedisChannelLayer(hosts=[redis_server.url], prefix=f"d6-{number}:", capacity=100_000)
    total = 12_000
    layer.send_batch([Outgoing("in", "", {"value": value}) for value in range(total)])
    command = [sys.executable, "-c", textwrap.dedent(PROCESS), redis_server.url, layer.prefix]
    for _ in range(3):
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
