"""Frames of sockets outlast a short outage of Redis, in the interface server."""

from __future__ import annotations

import pytest

from channels_lts.interface.link import Refusal
from channels_lts.layer import RedisChannelLayer
from tests.layer.in_reactor import call
from tests.services import wait_for

pytestmark = pytest.mark.system


@pytest.fixture
def link(quick, server, make_sockets):
    return make_sockets(RedisChannelLayer(hosts=[server.url])).link


def send(link, channel: str, *numbers: int) -> list[tuple[int, Refusal]]:
    """Send a message for each of *numbers*; returns the list to which refusals are added."""
    refusals: list[tuple[int, Refusal]] = []
    for number in numbers:
        call(link.send, channel, {"n": number}, lambda why, number=number: refusals.append((number, why)))
    return refusals


def take_all(server, channel: str = "websocket.receive") -> list[int]:
    layer, found = RedisChannelLayer(hosts=[server.url]), []
    while (message := layer.receive([channel])[1]) is not None:
        found.append(message["n"])
    return found


def test_frames_wait_for_redis_and_keep_their_order(link, server):
    send(link, "websocket.receive", 1)
    wait_for(lambda: take_all(server) == [1], "the first")
    server.stop()
    wait_for(lambda: not link.available, "it is known to be away")
    refusals = send(link, "websocket.receive", *range(2, 20))
    wait_for(lambda: len(link._backend._held) == 18, "all are held")
    server.start()
    wait_for(lambda: link.available, "it is back")
    late = send(link, "websocket.receive", *range(20, 25))
    found: list[int] = []

    def all_there() -> bool:
        found.extend(take_all(server))
        return len(found) == 23

    wait_for(all_there, "the frames")
    assert found == list(range(2, 25))
    assert refusals == late == []


def test_requests_and_handshakes_are_refused_at_once(link, server):
    server.stop()
    wait_for(lambda: not link.available, "it is known to be away")
    request, connect = send(link, "http.request", 1), send(link, "websocket.connect", 2)
    wait_for(lambda: request and connect, "the refusals")
    assert (request, connect) == ([(1, Refusal.UNAVAILABLE)], [(2, Refusal.UNAVAILABLE)])


@pytest.mark.parametrize("seconds", [0, 0.5])
def test_what_waits_for_too_long_is_refused(seconds, quick, settings, server, make_sockets):
    settings.CHANNELS_LTS = {**settings.CHANNELS_LTS, "HOLD_FRAMES": seconds}
    layer = RedisChannelLayer(hosts=[server.url])
    link = make_sockets(layer).link
    server.stop()
    wait_for(lambda: not link.available, "it is known to be away")
    refusals = send(link, "websocket.receive", 1)
    wait_for(lambda: refusals == [(1, Refusal.UNAVAILABLE)], "the refusal")
    assert layer.drops.totals()["messages while Redis was away"] == 1
    server.start()
    wait_for(lambda: link.available, "it is back")
    assert take_all(server) == []


def test_an_end_refuses_what_still_waits(quick, server, make_sockets):
    sockets = make_sockets(RedisChannelLayer(hosts=[server.url]))
    server.stop()
    wait_for(lambda: not sockets.link.available, "it is known to be away")
    refusals = send(sockets.link, "websocket.receive", 1)
    wait_for(lambda: len(sockets.link._backend._held) == 1, "it is held")
    sockets.stop()
    assert refusals == [(1, Refusal.UNAVAILABLE)]
