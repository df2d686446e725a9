"""What a WebSocket puts up with: size, rate, back pressure. On real sockets."""

from __future__ import annotations

from typing import Any

import pytest
from twisted.internet.task import Clock

from channels_lts.interface.pace import Pace
from tests.interface.sockets import FULL, UNAVAILABLE, Harness, Peer, StartServer, close_frame, frame, text
from tests.services import wait_for

pytest_plugins = ["tests.interface.socket_fixtures"]
pytestmark = pytest.mark.usefixtures("clean_log")


def _ended_by(server: Harness, peer: Peer, code: int) -> str:
    """Check that the peer is told *code*, and that the connection then ends; return the reason."""
    told, reason = peer.read_close()
    assert told == code
    assert peer.read_to_end() == b""
    peer.close()
    assert server.wait_closed(peer) is not None
    return reason


# --- Size and form ---


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"\x81\x01a", 1002),
        (frame(0xC1, b"a"), 1002),
        (frame(0x83), 1002),
        (frame(0x80, b"a"), 1002),
        (frame(0x09, b"a"), 1002),
        (frame(0x88, b"\x03"), 1002),
        (close_frame(1005), 1002),
        (frame(0x81, b"\xff"), 1007),
        (frame(0x88, b"\x03\xe8\xff"), 1007),
    ],
    ids=[
        "not masked", "reserved bit", "reserved code", "nothing to continue", "ping in parts", "code of one byte",
        "code that is never sent", "text that is not UTF-8", "reason that is not UTF-8",
    ],
)  # fmt: skip
def test_protocol_errors_close_with_their_code(socket_server: StartServer, data: bytes, code: int) -> None:
    server = socket_server()
    peer = server.opened()
    # What came before the fault counts, what comes after it does not.
    peer.send(text("before"), data, text("after"))
    assert _ended_by(server, peer, code)
    assert [message["text"] for message in server.link.messages("websocket.receive")] == ["before"]
    assert server.counters == {"protocol_errors": 1}


def test_d9_frame_over_the_limit_is_1009_before_it_is_there(socket_server: StartServer) -> None:
    server = socket_server(websocket_max_frame_size=1000)
    peer = server.opened()
    peer.send(frame(0x82, bytes(1000)), frame(0x82, bytes(1001))[:4])
    assert "1000 bytes" in _ended_by(server, peer, 1009)
    assert len(server.link.messages("websocket.receive")) == 1
    assert server.counters == {"too_big": 1}


def test_d9_message_over_the_limit_is_1009(socket_server: StartServer) -> None:
    server = socket_server(websocket_max_message_size=1500, websocket_max_frame_size=1000)
    peer = server.opened()
    peer.send(frame(0x02, bytes(1000)), frame(0x80, bytes(500)), frame(0x02, bytes(1000)), frame(0x80, bytes(501)))
    assert "1500 bytes" in _ended_by(server, peer, 1009)
    assert len(server.link.messages("websocket.receive")) == 1


def test_d9_one_mebibyte_is_the_default(socket_server: StartServer) -> None:
    server = socket_server()
    peer = server.opened()
    peer.send(frame(0x82, bytes(1 << 20)))
    assert server.received(1)[0]["bytes"] == bytes(1 << 20)
    peer.send(frame(0x82, bytes(1 + (1 << 20)))[:14])
    _ended_by(server, peer, 1009)


def test_peer_that_goes_on_sending_still_gets_the_close_frame(socket_server: StartServer) -> None:
    """A connection closed with bytes unread would be reset, and the close frame with it."""
    server = socket_server(websocket_max_frame_size=1000)
    peer = server.opened()
    peer.send(frame(0x82, bytes(500_000)))
    peer.send(bytes(500_000))
    assert peer.read_close()[0] == 1009


# --- Rate ---


def test_messages_above_the_rate_close_with_1008(socket_server: StartServer) -> None:
    server = socket_server(message_rate=10)
    peer = server.opened()
    peer.send(*[text("a")] * 20)
    assert len(server.received(20)) == 20
    peer.send(*[text("b")] * 500)
    assert peer.read_close() == (1008, "more than 10 messages a second")
    peer.send(close_frame(1008))
    assert peer.read_to_end() == b""
    gone = server.wait_closed(peer)
    assert gone is not None
    assert gone["code"] == 1008
    assert len(server.link.messages("websocket.receive")) < 520
    assert server.counters == {"rate_limited": 1}


def test_pings_count_towards_the_rate(socket_server: StartServer) -> None:
    server = socket_server(message_rate=1)
    peer = server.opened()
    peer.send(*[frame(0x89)] * 5)
    assert peer.read_frame() == (0x8A, b"")
    assert peer.read_frame() == (0x8A, b"")
    _ended_by(server, peer, 1008)


def test_pace_is_an_average_with_two_seconds_worth_at_once() -> None:
    pace = Pace(10)
    assert [pace.take(100.0) for _ in range(21)] == [True] * 20 + [False]
    assert [pace.take(100.5) for _ in range(6)] == [True] * 5 + [False]
    assert all(pace.take(101 + second / 10) for second in range(1000))
    assert [pace.take(900.0) for _ in range(21)] == [True] * 20 + [False]
    slow = Pace(0.1)
    assert [slow.take(now) for now in (0, 5, 11)] == [True, False, True]


# --- Back pressure ---


@pytest.mark.parametrize("refusal", [FULL, UNAVAILABLE])
def test_receive_that_the_layer_refuses_is_1013_and_the_disconnect_is_sent(
    socket_server: StartServer, refusal: Any
) -> None:
    server = socket_server()
    peer = server.opened()
    peer.send(text("one"))
    server.received(1)
    server.link.refuse["websocket.receive"] = refusal
    peer.send(text("two"), text("three"))
    assert peer.read_close()[0] == 1013
    server.link.refuse.clear()
    # Muted: what comes after the lost message is not to be taken for what comes after the first.
    peer.send(text("four"), close_frame(1013))
    assert peer.read_to_end() == b""
    gone = server.wait_closed(peer)
    assert gone is not None
    assert (gone["code"], gone["order"]) == (1013, 4)
    assert [message["text"] for message in server.link.messages("websocket.receive")] == ["one"]
    assert server.counters == {f"receive_{refusal.name.lower()}": 2}


def test_disconnect_that_the_layer_refuses_is_sent_again(
    socket_server: StartServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = socket_server()
    clock = Clock()
    monkeypatch.setattr("twisted.internet.reactor", clock, raising=False)
    peer = server.opened()
    server.link.refuse["websocket.disconnect"] = FULL
    peer.close()
    for refusals, delay in enumerate([1, 2, 4, 8, 16, 32], start=1):
        wait_for(lambda: clock.calls, "it is to be sent again")
        assert server.counters == {"disconnect_full": refusals}
        server.call(clock.advance, delay - 0.01)
        assert server.counters == {"disconnect_full": refusals}
        if refusals == 6:
            server.link.refuse.clear()
        server.call(clock.advance, 0.02)
    assert server.wait_closed(peer) == {"reply_channel": peer.channel, "code": 1006, "path": "/chat/é\n", "order": 1}
    assert server.counters == {"disconnect_full": 6}


@pytest.mark.parametrize("wrapped", [False, True])
def test_slow_reader_is_closed_with_1013(socket_server: StartServer, wrapped: bool) -> None:
    server = socket_server(send_buffer_limit=100_000, wrapped=wrapped)
    peer = server.opened(buffer=4096)
    count = 0
    while peer.ours.is_open:
        server.reply(peer, {"bytes": bytes(50_000)})
        count += 1
        assert count < 1000
    below = peer.ours.transport.transport if wrapped else peer.ours.transport
    assert server.call(lambda: len(below.dataBuffer) + below._tempDataLen) < 300_000
    for _ in range(count - 1):
        assert peer.read_frame() == (0x82, bytes(50_000))
    assert _ended_by(server, peer, 1013) == "reads too slowly"
    assert server.counters == {"slow_consumers": 1}


def test_reader_that_never_reads_is_cut_after_the_ping_timeout(socket_server: StartServer) -> None:
    server = socket_server(send_buffer_limit=100_000, ping_timeout=30)
    peer = server.opened(buffer=4096)
    while peer.ours.is_open:
        server.reply(peer, {"bytes": bytes(50_000)})
    server.check(peer, after=29)
    assert server.is_connected(peer)
    server.check(peer, after=31)
    gone = server.wait_closed(peer)
    assert gone is not None
    assert gone["code"] == 1006


def test_one_message_larger_than_the_buffer_limit_is_no_fault(socket_server: StartServer) -> None:
    server = socket_server(send_buffer_limit=9_000_000)
    peer = server.opened(buffer=4096)
    # All at once, so that the second comes while the first waits; neither waits alone for more than is allowed.
    server.reply(peer, {"bytes": bytes(8_000_000)}, {"bytes": bytes(8_000_000)})
    assert peer.read_frame() == (0x82, bytes(8_000_000))
    assert peer.read_frame() == (0x82, bytes(8_000_000))
    server = socket_server(send_buffer_limit=1000)
    peer = server.opened()
    server.reply(peer, {"bytes": bytes(8_000_000)})
    assert peer.read_frame() == (0x82, bytes(8_000_000))
    assert server.counters == {}
