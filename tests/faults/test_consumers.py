"""Consumers that misbehave: each is named where an operator looks, and costs nobody else anything."""

from __future__ import annotations

import os
import signal
import time

import pytest
import redis

from tests.faults import consumers
from tests.faults.fault import Fault
from tests.faults.load import Load
from tests.faults.site import Site
from tests.services import wait_for

pytestmark = pytest.mark.system

_FRAMES = "chat:websocket.receive"


@pytest.mark.parametrize(
    "fault",
    [
        consumers.ConsumerHangs(1),
        consumers.ConsumerLeaks(),
        consumers.ConsumerFails("raises", "a consumer raises"),
        consumers.ConsumerFails("exits", "a consumer calls sys.exit"),
        consumers.ConsumerKills(),
    ],
    ids=lambda fault: fault.name,
)
def test_a_bad_consumer_is_named_and_harms_nobody_else(site: Site, fault: Fault) -> None:
    with Load(site) as load:
        load.strike(fault)
        load.finish()


def test_a_hanging_consumer_holds_nobody_elses_message(site: Site) -> None:
    """One that was quick so far shares its batch. When it hangs, the rest of the batch has to go elsewhere."""
    waiting = redis.StrictRedis(port=site.redis.port)
    pids = list(site.pids("workers:socket").values())
    with site.stack.visitor().connect("/ws/bad/") as socket, site.stack.visitor().connect("/ws/bad/") as other:
        for _ in range(40):
            # Every worker knows it as a quick one by then.
            assert consumers.ask(socket, "behaves")["type"] == "behaved"
        try:
            for pid in pids:
                os.kill(pid, signal.SIGSTOP)
            # Redis gives each of them what it waits for, though it is stopped: until nobody waits any more.
            while not waiting.llen(_FRAMES):
                other.send_stream("bad", type="behaves", id=0)
                time.sleep(0.1)
            socket.send_stream("bad", type="hangs")
            wait_for(lambda: waiting.llen(_FRAMES) == 2, "it waits for a worker")
            for number in range(1, 40):
                other.send_stream("bad", type="behaves", id=number)
            wait_for(lambda: waiting.llen(_FRAMES) == 41, "all wait for a worker")
            os.kill(pids.pop(), signal.SIGCONT)
            wait_for(lambda: waiting.llen(_FRAMES) < 41, "one takes a batch")
            os.kill(pids.pop(), signal.SIGCONT)
            answered = set()
            while len(answered) < 40:
                answered.add(other.receive()["payload"]["id"])
        finally:
            for pid in pids:
                os.kill(pid, signal.SIGCONT)
            consumers.release(site, lambda: socket.receive_stream("bad", "released"))
