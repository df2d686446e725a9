"""How long a WebSocket may take, and how much memory. On real sockets, with a clock that the tests move on."""

from __future__ import annotations

import tracemalloc

import pytest

from channels_lts.interface.websocket import WebSocket
from tests.interface.sockets import KEY, StartServer, frame, text
from tests.services import wait_for

pytest_plugins = ["tests.interface.socket_fixtures"]
pytestmark = pytest.mark.usefixtures("clean_log")


def test_d17_connect_timeout_is_403(socket_server: StartServer) -> None:
    server = socket_server(websocket_connect_timeout=20)
    peer = server.connect()
    server.check(peer, after=19)
    assert peer.channel in server.connections
    server.check(peer, after=21)
    assert peer.read_to_end().startswith(b"HTTP/1.1 403 ")
    assert server.counters == {"connect_timeouts": 1}


def test_d17_connect_timeout_of_minus_one_is_never(socket_server: StartServer) -> None:
    server = socket_server(websocket_connect_timeout=-1)
    peer = server.connect()
    server.check(peer, after=1_000_000)
    server.reply(peer, {"accept": True})
    assert peer.read_head().startswith(b"HTTP/1.1 101 ")


def test_websocket_timeout_closes_with_1000(socket_server: StartServer) -> None:
    server = socket_server(websocket_timeout=100, ping_interval=1000)
    peer = server.opened()
    server.check(peer, after=99)
    assert peer.ours.is_open
    server.check(peer, after=101)
    assert peer.read_close()[0] == 1000


def test_websocket_timeout_of_minus_one_is_never(socket_server: StartServer) -> None:
    server = socket_server(websocket_timeout=-1, ping_interval=10_000_000)
    peer = server.opened()
    server.check(peer, after=1_000_000)
    assert peer.ours.is_open


def test_d27_pings_go_by_what_was_received(socket_server: StartServer) -> None:
    server = socket_server(ping_interval=20)
    peer = server.opened()
    server.check(peer, after=19)
    # What we send says nothing about the peer.
    server.reply(peer, {"text": "sent"})
    server.check(peer, after=21)
    assert peer.read_frame() == (0x81, b"sent")
    assert peer.read_frame() == (0x89, b"")


def test_whatever_the_peer_sends_puts_the_ping_off(socket_server: StartServer) -> None:
    server = socket_server(ping_interval=20)
    peer = server.opened()
    server.call(setattr, peer.ours, "_heard", peer.ours._heard - 1000)
    peer.send(text("in"))
    server.received(1)
    server.check(peer)
    server.reply(peer, {"text": "no ping before this"})
    assert peer.read_frame() == (0x81, b"no ping before this")


def test_d27_peer_that_does_not_answer_a_ping_is_cut(socket_server: StartServer) -> None:
    server = socket_server(ping_interval=20, ping_timeout=30)
    peer = server.opened()
    server.check(peer, after=21)
    server.reply(peer, {"text": "sent"})
    server.check(peer, after=50)
    assert peer.ours.is_open
    server.check(peer, after=52)
    gone = server.wait_closed(peer)
    assert gone is not None
    assert gone["code"] == 1006
    assert server.counters == {"ping_timeouts": 1}


def test_answered_ping_is_forgotten(socket_server: StartServer) -> None:
    server = socket_server(ping_interval=0.01, ping_timeout=30)
    peer = server.opened()
    wait_for(lambda: server.check(peer) or peer.ours._pinged, "a ping is sent")
    assert peer.read_frame() == (0x89, b"")
    peer.send(frame(0x8A))
    wait_for(lambda: peer.ours._heard > peer.ours._pinged, "the pong is here")
    server.check(peer, after=1000)
    assert peer.ours.is_open


# --- Memory ---


def test_idle_socket_takes_little_memory(socket_server: StartServer) -> None:
    """Our own objects, without Twisted's transport: autobahn's protocol takes 12 KB and more."""

    class Transport:
        def unregisterProducer(self) -> None: ...
        def resumeProducing(self) -> None: ...
        def write(self, data: bytes) -> None: ...

    server, transport = socket_server(), Transport()
    server.link.send = lambda *arguments: None  # type: ignore[method-assign]

    def make(number: int) -> None:
        headers = [(b"header-%d" % line, b"x" * 100) for line in range(10)]
        scope = {"path": f"/chat/{number}/", "headers": headers, "client": ["10.0.0.1", number]}
        socket = WebSocket(server, scope, key=KEY)
        socket.makeConnection(transport)
        socket.reply({"accept": True})
        socket.dataReceived(text("hello"))

    make(0)
    tracemalloc.start()
    try:
        for number in range(1, 1001):
            make(number)
        each = tracemalloc.get_traced_memory()[0] / 1000
    finally:
        tracemalloc.stop()
        server.connections.clear()
    assert each < 1500
