"""A WebSocket opens, and turns what it receives into messages. On real sockets."""

from __future__ import annotations

from typing import Any

import pytest

from tests.interface.sockets import FULL, PROOF, UNAVAILABLE, StartServer, frame, text
from tests.services import wait_for

pytest_plugins = ["tests.interface.socket_fixtures"]


# --- Opening ---


def test_connect_message_is_daphnes(socket_server: StartServer) -> None:
    server = socket_server()
    peer = server.connect()
    assert server.link.sent == [
        (
            "websocket.connect",
            {
                "reply_channel": peer.channel,
                "path": "/chat/é\n",
                "headers": [(b"host", b"a")],
                "query_string": b"",
                "client": ["10.0.0.1", 99],
                "order": 0,
            },
        )
    ]


def test_accept_opens_the_socket_with_the_proof_of_rfc_6455(socket_server: StartServer) -> None:
    server = socket_server()
    peer = server.connect()
    server.reply(peer, {"accept": True})
    head = peer.read_head()
    assert head.startswith(b"HTTP/1.1 101 Switching Protocols\r\n")
    assert b"\r\nSec-WebSocket-Accept: " + PROOF in head
    assert b"Protocol" not in head.replace(b"Switching Protocols", b"")


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        ({"text": "hi"}, (0x81, b"hi")),
        ({"bytes": b"hi"}, (0x82, b"hi")),
        ({"text": ""}, (0x81, b"")),
        ({"bytes": b""}, (0x82, b"")),
    ],
)
def test_data_accepts_too(socket_server: StartServer, message: dict[str, Any], expected: tuple[int, bytes]) -> None:
    server = socket_server()
    peer = server.connect()
    server.reply(peer, message)
    assert peer.read_head().startswith(b"HTTP/1.1 101 ")
    assert peer.read_frame() == expected


def test_accept_with_data_and_close_does_all_three_in_order(socket_server: StartServer) -> None:
    server = socket_server()
    peer = server.connect()
    server.reply(peer, {"accept": True, "text": "hi", "close": 4000, "reason": "that was all"})
    assert peer.read_head().startswith(b"HTTP/1.1 101 ")
    assert peer.read_frame() == (0x81, b"hi")
    assert peer.read_close() == (4000, "that was all")


def test_second_accept_does_nothing(socket_server: StartServer) -> None:
    server = socket_server()
    peer = server.opened()
    server.reply(peer, {"accept": True}, {"accept": False}, {"text": "still here"})
    assert peer.read_frame() == (0x81, b"still here")


def test_answer_names_the_subprotocol(socket_server: StartServer) -> None:
    server = socket_server()
    server.subprotocol = b"chat"
    peer = server.connect()
    server.reply(peer, {"accept": True})
    assert b"\r\nSec-WebSocket-Protocol: chat" in peer.read_head()


@pytest.mark.parametrize(
    "message", [{"accept": False}, {"close": True}, {"close": 4001}, {"accept": False, "text": "a"}]
)
def test_refused_by_a_consumer_is_403(socket_server: StartServer, message: dict[str, Any]) -> None:
    server = socket_server()
    peer = server.connect()
    server.reply(peer, message)
    assert peer.read_to_end().startswith(b"HTTP/1.1 403 Forbidden\r\n")
    peer.close()
    gone = server.wait_closed(peer)
    assert gone is not None
    assert gone["code"] == 1006
    assert [action.split()[1] for action in server.actions] == ["connecting", "rejected", "disconnected"]


def test_refused_socket_that_stays_is_cut(socket_server: StartServer) -> None:
    server = socket_server()
    peer = server.connect()
    server.reply(peer, {"accept": False})
    peer.read_to_end()
    server.check(peer, after=4)
    assert server.is_connected(peer)
    server.check(peer, after=6)
    server.wait_closed(peer)


@pytest.mark.parametrize("refusal", [FULL, UNAVAILABLE])
def test_connect_that_the_layer_refuses_is_503(socket_server: StartServer, refusal: Any) -> None:
    server = socket_server()
    server.link.refuse["websocket.connect"] = refusal
    peer = server.connect()
    answer = peer.read_to_end()
    assert answer.startswith(b"HTTP/1.1 503 Service Unavailable\r\n")
    assert b"\r\nRetry-After: " in answer
    peer.close()
    # Nobody was told that it came: nobody is told that it went.
    assert server.wait_closed(peer) is None
    assert server.counters == {f"connect_{refusal.name.lower()}": 1}


def test_access_log_has_no_line_break_of_a_path(socket_server: StartServer) -> None:
    server = socket_server()
    peer = server.opened()
    peer.close()
    server.wait_closed(peer)
    names = ["connecting", "connected", "disconnected"]
    assert server.actions == [f"websocket {name} /chat/%C3%A9%0A 10.0.0.1:99" for name in names]


# --- Incoming ---


def test_messages_are_daphnes_and_in_order(socket_server: StartServer) -> None:
    server = socket_server()
    peer = server.opened()
    peer.send(text("é"), frame(0x82, b"\xff"), frame(0x01, b"in "), frame(0x89), frame(0x80, b"parts"), text(""))
    common = {"reply_channel": peer.channel, "path": "/chat/é\n"}
    assert server.received(4) == [
        {**common, "order": 1, "text": "é"},
        {**common, "order": 2, "bytes": b"\xff"},
        {**common, "order": 3, "text": "in parts"},
        {**common, "order": 4, "text": ""},
    ]


def test_many_frames_at_once_and_in_pieces(socket_server: StartServer) -> None:
    server = socket_server()
    peer = server.opened()
    sent = [f"message {number}" for number in range(5000)]
    data = b"".join(text(message) for message in sent)
    for position in range(0, len(data), 7919):
        peer.send(data[position : position + 7919])
    received = server.received(len(sent))
    assert [message["text"] for message in received] == sent
    assert [message["order"] for message in received] == list(range(1, len(sent) + 1))


def test_frames_before_the_accept_are_kept(socket_server: StartServer) -> None:
    server = socket_server()
    peer = server.connect()
    third = text("three")
    early = text("one") + text("two") + third[:3]
    peer.send(early)
    wait_for(lambda: len(peer.ours._early or b"") == len(early), "all is here")
    assert server.link.messages("websocket.receive") == []
    server.reply(peer, {"accept": True})
    assert [message["text"] for message in server.received(2)] == ["one", "two"]
    peer.send(third[3:])
    assert [message["text"] for message in server.received(3)] == ["one", "two", "three"]


def test_too_much_before_the_accept_is_400(socket_server: StartServer) -> None:
    server = socket_server(websocket_max_message_size=1000)
    peer = server.connect()
    peer.send(frame(0x82, bytes(1000)))
    assert peer.read_to_end().startswith(b"HTTP/1.1 400 ")


def test_ping_is_answered_with_its_payload(socket_server: StartServer) -> None:
    peer = socket_server().opened()
    peer.send(frame(0x89, b"abc"), frame(0x89), frame(0x8A, b"not asked for"))
    assert peer.read_frame() == (0x8A, b"abc")
    assert peer.read_frame() == (0x8A, b"")
