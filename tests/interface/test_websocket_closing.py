"""Every way in which a WebSocket ends: one disconnect, nothing left behind, nothing in the log."""

from __future__ import annotations

import socket

import pytest

from tests.interface.sockets import Peer, StartServer, close_frame, frame, text
from tests.services import wait_for

pytest_plugins = ["tests.interface.socket_fixtures"]
pytestmark = pytest.mark.usefixtures("clean_log")


@pytest.mark.parametrize(
    ("sent", "answer", "code"),
    [
        (close_frame(1000), (0x88, b"\x03\xe8"), 1000),
        (close_frame(4321, "bye"), (0x88, b"\x10\xe1"), 4321),
        (frame(0x88), (0x88, b""), 1005),
    ],
    ids=["with a code", "with a reason", "empty"],
)
def test_peers_close_is_answered_and_reported(
    socket_server: StartServer, sent: bytes, answer: tuple[int, bytes], code: int
) -> None:
    server = socket_server()
    peer = server.opened()
    peer.send(text("last"), sent, text("too late"))
    assert peer.read_frame() == answer
    assert peer.read_to_end() == b""
    expected = {"reply_channel": peer.channel, "code": code, "path": "/chat/é\n", "order": 2}
    assert server.wait_closed(peer) == expected
    assert [message["text"] for message in server.link.messages("websocket.receive")] == ["last"]


def test_our_close_ends_with_the_peers_answer(socket_server: StartServer) -> None:
    server = socket_server()
    peer = server.opened()
    server.reply(peer, {"close": 4001})
    assert peer.read_close() == (4001, "")
    peer.send(text("ignored"), close_frame(4001))
    assert peer.read_to_end() == b""
    gone = server.wait_closed(peer)
    assert gone is not None
    assert (gone["code"], gone["order"]) == (4001, 1)


def test_close_that_is_not_answered_is_cut_after_five_seconds(socket_server: StartServer) -> None:
    server = socket_server()
    peer = server.opened()
    server.reply(peer, {"close": True})
    peer.read_close()
    server.check(peer, after=4)
    assert server.is_connected(peer)
    server.check(peer, after=6)
    gone = server.wait_closed(peer)
    assert gone is not None
    assert gone["code"] == 1006


def test_peer_that_sends_on_after_our_close_is_cut_too(socket_server: StartServer) -> None:
    server = socket_server()
    peer = server.opened()
    server.reply(peer, {"close": True})
    peer.read_close()
    peer.send(frame(0x83), text("a"))
    assert peer.read_to_end() == b""
    server.wait_closed(peer)


def test_peer_that_does_not_read_the_answer_to_its_close_is_cut(socket_server: StartServer) -> None:
    server = socket_server(send_buffer_limit=10_000_000)
    peer = server.opened(buffer=4096)
    server.reply(peer, {"bytes": bytes(9_000_000)})
    peer.send(close_frame(1000))
    wait_for(lambda: not peer.ours.is_open, "the close frame is here")
    server.check(peer, after=6)
    gone = server.wait_closed(peer)
    assert gone is not None
    assert gone["code"] == 1000


def test_reset_is_1006_once(socket_server: StartServer) -> None:
    server = socket_server()
    peer = server.opened()
    peer.send(text("in"))
    server.received(1)
    peer.reset()
    expected = {"reply_channel": peer.channel, "code": 1006, "path": "/chat/é\n", "order": 2}
    assert server.wait_closed(peer) == expected


def test_reset_while_we_write_is_1006_once(socket_server: StartServer) -> None:
    server = socket_server()
    peers = [server.opened() for _ in range(20)]

    def break_and_write(peer: Peer) -> None:
        # In the reactor's thread: our write finds the connection broken, before Twisted does.
        peer.reset()
        for _ in range(3):
            peer.ours.write(frame(0x81, b"a" * 1000))

    for peer in peers:
        server.call(break_and_write, peer)
    for peer in peers:
        gone = server.wait_closed(peer)
        assert gone is not None
        assert gone["code"] == 1006


def test_end_without_a_close_frame_is_1006(socket_server: StartServer) -> None:
    server = socket_server()
    peer = server.opened()
    peer.send(text("half a frame")[:5])
    peer.socket.shutdown(socket.SHUT_WR)
    assert peer.read_to_end() == b""
    gone = server.wait_closed(peer)
    assert gone is not None
    assert gone["code"] == 1006


def test_peer_that_leaves_before_the_accept_is_1006(socket_server: StartServer) -> None:
    server = socket_server()
    peer = server.connect()
    peer.reset()
    gone = server.wait_closed(peer)
    assert gone is not None
    assert (gone["code"], gone["order"]) == (1006, 1)
    # The accept that comes too late.
    server.reply(peer, {"accept": True, "text": "hello?"})


def test_drain_closes_with_1012(socket_server: StartServer) -> None:
    server = socket_server()
    peer = server.opened()
    server.call(peer.ours.drain)
    assert peer.read_close()[0] == 1012
    peer.send(close_frame(1012))
    assert peer.read_to_end() == b""
    gone = server.wait_closed(peer)
    assert gone is not None
    assert gone["code"] == 1012


def test_drain_refuses_a_handshake_with_503(socket_server: StartServer) -> None:
    server = socket_server()
    peer = server.connect()
    server.call(peer.ours.drain)
    assert peer.read_to_end().startswith(b"HTTP/1.1 503 ")
    peer.close()
    assert server.wait_closed(peer) is not None


def test_abort_cuts_at_once(socket_server: StartServer) -> None:
    server = socket_server()
    for peer in (server.opened(), server.connect()):
        server.call(peer.ours.abort)
        gone = server.wait_closed(peer)
        assert gone is not None
        assert gone["code"] == 1006
        server.call(peer.ours.abort)
