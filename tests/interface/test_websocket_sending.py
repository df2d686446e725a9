"""A WebSocket sends what consumers reply, in order and at once. On real sockets."""

from __future__ import annotations

import contextlib
import select
from pathlib import Path
from typing import Any

import pytest

from tests.interface.sockets import Peer, StartServer, close_frame, text
from tests.services import wait_for

pytest_plugins = ["tests.interface.socket_fixtures"]


def test_d30_empty_messages_are_sent(socket_server: StartServer) -> None:
    server = socket_server()
    peer = server.opened()
    server.reply(peer, {"text": ""}, {"bytes": b""}, {"text": "end"})
    assert [peer.read_frame() for _ in range(3)] == [(0x81, b""), (0x82, b""), (0x81, b"end")]


def test_d30_close_has_a_reason(socket_server: StartServer) -> None:
    server = socket_server()
    peer = server.opened()
    server.reply(peer, {"text": "last", "close": True, "reason": "goodnight"})
    assert peer.read_frame() == (0x81, b"last")
    assert peer.read_close() == (1000, "goodnight")


@pytest.mark.parametrize(
    "message",
    [
        {"txt": "a"},
        {"text": "a", "bytes": b"a"},
        {"text": b"a"},
        {"text": "a", "close": 1006},
        {"text": "a", "accept": 1},
    ],
)
def test_bad_reply_is_logged_and_changes_nothing(
    socket_server: StartServer, message: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    server = socket_server()
    peer = server.connect()
    server.reply(peer, message)
    server.reply(peer, {"accept": True})
    assert peer.read_head().startswith(b"HTTP/1.1 101 ")
    server.reply(peer, message)
    server.reply(peer, {"text": "still here"})
    assert peer.read_frame() == (0x81, b"still here")
    assert server.counters == {"bad_replies": 2}
    assert [record.levelname for record in caplog.records] == ["ERROR", "ERROR"]
    assert peer.channel in caplog.records[0].getMessage()
    assert "\n" not in caplog.records[0].getMessage()


def test_writes_keep_their_order_past_a_full_socket(socket_server: StartServer) -> None:
    """Direct sends, a partial one, and what Twisted then keeps: the peer sees one stream."""
    server = socket_server(send_buffer_limit=1 << 30)
    peer = server.opened(buffer=4096)
    sizes = [10, 300_000, 20, 3_000_000, 30] * 3
    server.call(lambda: [peer.ours.reply({"bytes": bytes([number]) * size}) for number, size in enumerate(sizes)])
    for number, size in enumerate(sizes):
        assert peer.read_frame() == (0x82, bytes([number]) * size)
    server.reply(peer, {"text": "direct again"})
    assert peer.read_frame() == (0x81, b"direct again")


def test_nothing_overtakes_what_twisted_has_begun_to_send(socket_server: StartServer) -> None:
    server = socket_server(send_buffer_limit=1 << 30)
    peer = server.opened(buffer=4096)
    server.reply(peer, {"bytes": bytes(9_000_000)})
    transport = peer.ours.transport
    while not transport.dataBuffer:
        peer.gather()
    assert not transport._tempDataBuffer
    # Room for a small frame, before the reactor notices.
    wait_for(lambda: server.call(lambda: _write_into_room(peer)), "there is room")
    for expected in ((0x82, bytes(9_000_000)), (0x81, b"after")):
        assert peer.read_frame() == expected


def _write_into_room(peer: Peer) -> bool:
    peer.socket.setblocking(False)
    for _ in range(100):
        with contextlib.suppress(BlockingIOError):
            peer.gather()
    peer.socket.settimeout(10)
    if not select.select([], [peer.ours.transport.socket], [], 0)[1]:
        return False
    peer.ours.reply({"text": "after"})
    return True


def test_idle_socket_is_sent_to_at_once(socket_server: StartServer) -> None:
    """Without a turn of the reactor in between: nothing is left in Twisted's buffers after the call."""
    server = socket_server()
    peer = server.opened()

    def reply() -> Any:
        peer.ours.reply({"text": "a"})
        return peer.ours.transport._tempDataBuffer, peer.ours.transport.dataBuffer

    assert server.call(reply) == ([], b"")
    assert peer.read_frame() == (0x81, b"a")


def test_unix_socket(socket_server: StartServer, tmp_path: Path) -> None:
    server = socket_server(unix=str(tmp_path / "socket"))
    peer = server.opened()
    peer.send(text("in"))
    assert server.received(1)[0]["text"] == "in"
    server.reply(peer, {"text": "out"})
    assert peer.read_frame() == (0x81, b"out")


def test_write_to_a_socket_that_is_not_open_does_nothing(socket_server: StartServer) -> None:
    server = socket_server()
    peer = server.connect()
    server.call(peer.ours.write, b"too early")
    server.reply(peer, {"accept": True})
    peer.read_head()
    server.reply(peer, {"close": True})
    server.call(peer.ours.write, b"too late")
    assert peer.read_close() == (1000, "")
    peer.close()
    server.wait_closed(peer)
    server.call(peer.ours.write, b"much too late")
    server.reply(peer, {"text": "much too late"}, {"close": True}, {"accept": True})


def test_transport_that_is_wrapped_as_by_tls(socket_server: StartServer) -> None:
    server = socket_server(wrapped=True)
    peer = server.opened()
    peer.send(text("in"))
    assert server.received(1)[0]["text"] == "in"
    server.reply(peer, {"text": "out"}, {"close": True})
    assert peer.read_frame() == (0x81, b"out")
    assert peer.read_close() == (1000, "")
    peer.send(close_frame(1000))
    assert peer.read_to_end() == b""
    refused = server.connect()
    server.reply(refused, {"accept": False})
    assert refused.read_to_end().startswith(b"HTTP/1.1 403 ")
    for ended in (peer, refused):
        assert server.wait_closed(ended) is not None
