"""WebSockets end to end: `python -m channels_lts.interface`, Redis, and the test as consumer on the other side."""

from __future__ import annotations

import random
import select
import signal
from collections.abc import Callable
from typing import Any

import pytest

from tests.interface.running import Interface, upgrade
from tests.interface.sockets import PROOF, Peer, close_frame, frame, text
from tests.services import Redis, wait_for

pytestmark = pytest.mark.system

Start = Callable[..., Interface]
SOCKET_CHANNELS = ("websocket.connect", "websocket.receive", "websocket.disconnect")


def _connect(interface: Interface, target: str = "/ws", headers: bytes = b"", **options: Any) -> Peer:
    peer = Peer(("127.0.0.1", interface.port), **options)
    peer.send(upgrade(target, headers))
    return peer


def _opened(interface: Interface, **options: Any) -> Peer:
    """A socket that was accepted; its ``channel`` is the reply channel."""
    peer = _connect(interface, **options)
    message = interface.take("websocket.connect")
    peer.channel = message["reply_channel"]
    interface.reply(message, accept=True)
    assert peer.read_head().startswith(b"HTTP/1.1 101 ")
    return peer


def _left(interface: Interface, peer: Peer) -> dict[str, Any]:
    """End the connection; return its disconnect."""
    peer.close()
    message = interface.take("websocket.disconnect")
    assert message["reply_channel"] == peer.channel
    return message


def test_connect_message(interface: Interface) -> None:
    peer = _connect(interface, "/ws/%C3%A9?a=%ff", b"X-Two: 1\r\nX-Two: 2\r\nX_Bad: 3\r\n")
    message = interface.take("websocket.connect")
    channel = message.pop("reply_channel")
    assert channel.startswith("daphne.response.")
    assert "!" in channel
    headers = [tuple(header) for header in message.pop("headers")]
    assert (b"host", b"testserver") in headers
    assert [value for name, value in headers if name == b"x-two"] == [b"1", b"2"]
    assert not [name for name, _ in headers if b"_" in name]
    client = message.pop("client")
    assert list(client) == list(peer.socket.getsockname())
    assert list(message.pop("server")) == ["127.0.0.1", interface.port]
    assert message == {
        "path": "/ws/é", "query_string": b"a=%ff", "order": 0, "root_path": "", "scheme": "ws", "http_version": "1.1",
    }  # fmt: skip
    peer.channel = channel
    assert _left(interface, peer) == {"reply_channel": channel, "code": 1006, "path": "/ws/é", "order": 1}


def test_echo_of_text_and_bytes(interface: Interface) -> None:
    peer = _opened(interface)
    peer.send(text("é"), frame(0x82, b"\xff\x00"), text(""))
    for order in (1, 2, 3):
        message = interface.take("websocket.receive")
        assert (message["reply_channel"], message["path"], message["order"]) == (peer.channel, "/ws", order)
        interface.reply(message, **{key: message[key] for key in ("text", "bytes") if key in message})
    assert [peer.read_frame() for _ in range(3)] == [(0x81, "é".encode()), (0x82, b"\xff\x00"), (0x81, b"")]
    _left(interface, peer)


def test_frames_sent_with_the_request_arrive_after_the_accept(interface: Interface) -> None:
    peer = Peer(("127.0.0.1", interface.port))
    peer.send(upgrade(), text("one"), text("two"))
    message = interface.take("websocket.connect")
    assert interface.nothing_on("websocket.receive")
    interface.reply(message, accept=True)
    peer.channel = message["reply_channel"]
    assert [interface.take("websocket.receive")["text"] for _ in range(2)] == ["one", "two"]
    assert b"Sec-WebSocket-Accept: " + PROOF in peer.read_head()
    _left(interface, peer)


def test_group_reaches_every_member_once_and_in_order(interface: Interface) -> None:
    peers = [_opened(interface) for _ in range(30)]
    for peer in peers:
        interface.layer.group_add("everybody", peer.channel)
    for number in range(20):
        interface.layer.send_group("everybody", {"text": f"message {number}"})
    interface.layer.send_group("everybody", {"bytes": b"end"})
    interface.layer.send_group("everybody", {"text": "bye", "close": 4000, "reason": "all over"})
    for peer in peers:
        for number in range(20):
            assert peer.read_frame() == (0x81, f"message {number}".encode())
        assert peer.read_frame() == (0x82, b"end")
        assert peer.read_frame() == (0x81, b"bye")
        assert peer.read_close() == (4000, "all over")
        peer.send(close_frame(4000))
        assert interface.take("websocket.disconnect")["code"] == 4000


def test_refused_by_the_consumer_is_403(interface: Interface) -> None:
    for answer in ({"accept": False}, {"close": True}):
        peer = _connect(interface)
        message = interface.take("websocket.connect")
        peer.channel = message["reply_channel"]
        interface.reply(message, **answer)
        assert peer.read_to_end().startswith(b"HTTP/1.1 403 ")
        assert _left(interface, peer)["code"] == 1006


@pytest.mark.parametrize(
    ("old", "new", "status", "header"),
    [
        (b"Version: 13", b"Version: 12", 426, b"sec-websocket-version: 13"),
        (b"Sec-WebSocket-Version: 13\r\n", b"", 426, b"sec-websocket-version: 13"),
        (b"Key: dGhl", b"Key: \xffhl", 400, b""),
        (b"Connection: Upgrade", b"Connection: close", 400, b""),
        (b"GET ", b"POST ", 405, b"allow: get"),
        (b"HTTP/1.1", b"HTTP/1.0", 400, b""),
        (b"Host: ", b"Sec-WebSocket-Protocol: caf\xe9\r\nHost: ", 400, b""),
    ],
)
def test_bad_handshakes_are_refused(interface: Interface, old: bytes, new: bytes, status: int, header: bytes) -> None:
    request = upgrade()
    assert old in request
    peer = Peer(("127.0.0.1", interface.port))
    peer.send(request.replace(old, new))
    answer = peer.read_to_end()
    assert int(answer.split()[1]) == status
    assert header in answer.lower()
    peer.close()
    assert interface.nothing_on("websocket.connect")
    assert "Traceback" not in interface.log


def test_limits_are_those_of_the_flags(start_interface: Start) -> None:
    interface = start_interface(
        "--ws-protocol", "json", "chat",
        "--websocket-max-message-size", "2000", "--websocket-max-frame-size", "1000", "--message-rate", "5",
    )  # fmt: skip
    peer = _opened(interface)
    peer.send(frame(0x02, bytes(1000)), frame(0x80, bytes(1000)), frame(0x82, bytes(1001)))
    assert len(interface.take("websocket.receive")["bytes"]) == 2000
    assert peer.read_close()[0] == 1009
    _left(interface, peer)
    peer = _opened(interface)
    peer.send(*[text("a")] * 11)
    assert peer.read_close() == (1008, "more than 5 messages a second")
    assert [interface.take("websocket.receive")["order"] for _ in range(10)] == list(range(1, 11))
    _left(interface, peer)
    peer = _connect(interface, headers=b"Sec-WebSocket-Protocol: other, chat, json\r\n")
    interface.reply(interface.take("websocket.connect"), accept=True)
    assert b"\r\nSec-WebSocket-Protocol: chat" in peer.read_head()


def test_full_layer_closes_sockets_and_refuses_handshakes(start_interface: Start) -> None:
    interface = start_interface(capacity=3)
    peer = _opened(interface)
    peer.send(*[text("a")] * 10)
    assert peer.read_close()[0] == 1013
    peer.send(close_frame(1013))
    assert interface.take("websocket.disconnect")["code"] == 1013
    peers = [_connect(interface) for _ in range(4)]
    refused = wait_for(lambda: next((peer for peer in peers if _readable(peer)), None), "one is refused")
    assert refused.read_to_end().startswith(b"HTTP/1.1 503 ")
    peers.remove(refused)
    for _ in peers:
        interface.reply(interface.take("websocket.connect"), accept=True)
    for peer in peers:
        assert peer.read_head().startswith(b"HTTP/1.1 101 ")


def _readable(peer: Peer) -> bool:
    return bool(select.select([peer.socket], [], [], 0)[0])


def test_d17_connect_timeout_is_the_flags(start_interface: Start) -> None:
    interface = start_interface("--websocket-connect-timeout", "1")
    peer = _connect(interface)
    peer.channel = interface.take("websocket.connect")["reply_channel"]
    assert peer.read_to_end().startswith(b"HTTP/1.1 403 ")
    assert _left(interface, peer)["code"] == 1006


def test_d27_dead_peer_is_noticed_although_it_is_sent_to(start_interface: Start) -> None:
    interface = start_interface("--ping-interval", "1", "--ping-timeout", "1")
    dead, alive = _opened(interface), _opened(interface)

    def gone() -> Any:
        interface.layer.send(dead.channel, {"text": "are you there?"})
        alive.send(frame(0x8A))
        return interface.layer.receive(["websocket.disconnect"], block=False)[1]

    message = wait_for(gone, "the dead peer is noticed")
    assert (message["reply_channel"], message["code"]) == (dead.channel, 1006)
    interface.layer.send(alive.channel, {"text": "still here"})
    while (received := alive.read_frame()) != (0x81, b"still here"):
        assert received == (0x89, b"")


def test_slow_reader_is_closed_and_the_others_get_everything(start_interface: Start) -> None:
    interface = start_interface("--send-buffer-limit", "100000")
    slow, quick = _opened(interface, buffer=4096), _opened(interface)
    for peer in (slow, quick):
        interface.layer.group_add("group", peer.channel)
    for number in range(200):
        interface.layer.send_group("group", {"bytes": bytes([number]) * 50_000})
        assert quick.read_frame() == (0x82, bytes([number]) * 50_000)
    while (received := slow.read_frame())[0] == 0x82:
        pass
    assert received[0] == 0x88
    assert received[1][:2] == (1013).to_bytes(2, "big")


def test_sigterm_closes_with_1012_and_tells_the_consumers(start_interface: Start) -> None:
    interface = start_interface()
    peers = [_opened(interface) for _ in range(5)]
    waiting = _connect(interface)
    channels = {peer.channel for peer in peers} | {interface.take("websocket.connect")["reply_channel"]}
    interface.signal(signal.SIGTERM)
    for peer in peers:
        assert peer.read_close()[0] == 1012
        peer.send(close_frame(1012))
        assert peer.read_to_end() == b""
    assert waiting.read_to_end().startswith(b"HTTP/1.1 503 ")
    waiting.close()
    assert interface.exit_status() == 0
    messages = [interface.take("websocket.disconnect") for _ in channels]
    assert {message["reply_channel"] for message in messages} == channels
    assert sorted(message["code"] for message in messages) == [1006] + [1012] * 5


def test_redis_gone_leaves_sockets_open_and_refuses_handshakes(
    start_interface: Start, tmp_path_factory: pytest.TempPathFactory
) -> None:
    redis = Redis(tmp_path_factory.mktemp("redis")).start()
    try:
        interface = start_interface(redis_url=redis.url)
        talking, leaving = _opened(interface), _opened(interface)
    finally:
        redis.stop()
    refused = _connect(interface)
    assert refused.read_to_end().startswith(b"HTTP/1.1 503 ")
    talking.send(text("one"))
    talking.send(text("two"))
    leaving.close()
    redis.start()
    try:
        # Neither the frames nor the departure are lost; nobody knows of the one refused.
        assert [interface.take("websocket.receive")["text"] for _ in range(2)] == ["one", "two"]
        assert interface.take("websocket.disconnect")["reply_channel"] == leaving.channel
        assert interface.nothing_on("websocket.disconnect")
    finally:
        interface.stop()
        redis.stop()
    assert "Traceback" not in interface.log


def test_garbage_ends_its_own_socket_only(interface: Interface) -> None:
    bystander = _opened(interface)
    chance = random.Random(1)
    for _ in range(50):
        peer = _opened(interface)
        peer.send(text("before"), chance.randbytes(chance.randrange(1, 3000)))
        peer.reset()
        assert interface.take("websocket.receive")["text"] == "before"
        # Some garbage is a message.
        assert interface.take("websocket.disconnect")["reply_channel"] == peer.channel
        while interface.layer.receive(["websocket.receive"], block=False)[0]:
            pass
    assert "Traceback" not in interface.log
    bystander.send(frame(0x89, b"alive"))
    assert bystander.read_frame() == (0x8A, b"alive")
    _left(interface, bystander)
