"""What sockets are told at the end, and that everybody hears of their end."""

from __future__ import annotations

import json
import signal
from collections.abc import Callable
from typing import Any

import pytest

from channels_lts.interface import advice
from tests.interface.running import STOCK, Client, Interface, elapsed, upgrade
from tests.services import Redis, wait_for

# The client's answer to a close with 1012, masked with zeros.
_CLOSE = b"\x88\x82\0\0\0\0\x03\xf4"


def test_the_window_grows_so_that_not_too_many_come_back_at_once() -> None:
    assert advice.window((500, 5000), 1) == (500, 5000)
    assert advice.window((500, 5000), 9000) == (500, 5000)
    assert advice.window((500, 5000), 100_000) == (500, 50_500)
    assert advice.window((0, 0), 1000) == (0, 500)


def _opened(interface: Interface, path: str = "/ws") -> Client:
    client = interface.connect()
    client.send(upgrade(path))
    client.channel = interface.take("websocket.connect")["reply_channel"]  # type: ignore[attr-defined]
    interface.layer.send(client.channel, {"accept": True})  # type: ignore[attr-defined]
    assert client.head().status == 101
    return client


def _frame(client: Client) -> tuple[int, bytes]:
    opcode, size = client.exactly(2)
    if size == 126:
        size = int.from_bytes(client.exactly(2), "big")
    return opcode, client.exactly(size)


def _told(client: Client) -> dict[str, Any] | None:
    """Return the advice, if there is one, before the close."""
    opcode, payload = _frame(client)
    said = None
    if opcode == 0x81:
        said = json.loads(payload)
        opcode, payload = _frame(client)
    assert (opcode, int.from_bytes(payload[:2], "big")) == (0x88, 1012)
    client.send(_CLOSE)
    return said


@pytest.mark.system
def test_sockets_of_streams_are_told_when_to_come_back_and_no_others(
    start_interface: Callable[..., Interface],
) -> None:
    interface = start_interface("--reconnect-after", "1000-3000", streams=True)
    streams = [_opened(interface, path) for path in ("/streams/", "/streams/", "/streams/a/?b=c")]
    plain, unrouted = _opened(interface, "/ws"), _opened(interface, "/broken")
    interface.signal()
    payload = {"type": "disconnect", "reconnect": True, "after_ms": [1000, 3000]}
    assert [_told(client) for client in streams] == [{"stream": "system", "payload": payload}] * 3
    assert _told(plain) is None
    # The project's routing fails on this one.
    assert _told(unrouted) is None
    for client in (*streams, plain, unrouted):
        assert client.closed()
        assert interface.take("websocket.disconnect")["code"] == 1012
    assert interface.exit_status() == 0
    assert interface.log.count("Traceback") == 1


@pytest.mark.system
def test_on_another_layer_too(start_interface: Callable[..., Interface]) -> None:
    interface = start_interface(streams=True, backend=STOCK)
    streams, plain = _opened(interface, "/streams/"), _opened(interface)
    interface.signal()
    assert _told(plain) is None
    assert _told(streams) is not None
    assert interface.exit_status() == 0
    assert len({interface.take("websocket.disconnect")["reply_channel"] for _ in range(2)}) == 2


@pytest.mark.system
def test_departures_that_the_layer_refuses_are_sent_again_until_they_are_taken(
    start_interface: Callable[..., Interface],
) -> None:
    interface = start_interface(capacity=2)
    clients = [_opened(interface) for _ in range(12)]
    interface.signal()
    for client in clients:
        _told(client)
        assert client.closed()
    gone = {interface.take("websocket.disconnect")["reply_channel"] for _ in clients}
    assert gone == {client.channel for client in clients}  # type: ignore[attr-defined]
    assert interface.exit_status() == 0
    assert "disconnects_lost" not in interface.log
    assert interface.nothing_on("websocket.disconnect")


@pytest.mark.system
def test_departures_that_nobody_takes_are_counted_and_the_end_is_in_time(
    start_interface: Callable[..., Interface],
) -> None:
    interface = start_interface("--drain-timeout", "3", capacity=2)
    clients = [_opened(interface) for _ in range(5)]
    with elapsed(1, 5):
        interface.signal()
        for client in clients:
            _told(client)
            client.sock.close()
        assert interface.exit_status() == 0
    assert "3 websocket.disconnect messages could not be sent" in interface.log
    assert "disconnects_lost=3" in interface.log


@pytest.mark.system
@pytest.mark.parametrize("silent", [False, True], ids=["gone", "silent"])
def test_without_redis_it_ends_in_time_all_the_same(
    start_interface: Callable[..., Interface], tmp_path_factory: pytest.TempPathFactory, silent: bool
) -> None:
    redis = Redis(tmp_path_factory.mktemp("redis")).start()
    try:
        interface = start_interface("--drain-timeout", "3", redis_url=redis.url)
        client = _opened(interface)
        assert redis.process is not None
        if silent:
            redis.process.send_signal(signal.SIGSTOP)
        else:
            redis.stop()
            wait_for(lambda: "cannot be" in interface.log or "lost" in interface.log, "it has noticed")
        # And what a busy machine takes to end a process.
        with elapsed(0, 5):
            interface.signal()
            _told(client)
            assert interface.exit_status() == 0
        if silent:
            assert "Redis does not answer: what was sent last may be lost" in interface.log
        else:
            assert "disconnects_lost=1" in interface.log
        assert "Traceback" not in interface.log
    finally:
        if redis.process is not None:
            redis.process.send_signal(signal.SIGCONT)
            redis.stop()
