"""SIGTERM: what is under way ends, sockets are sent away, and the process leaves with status 0 in time."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable

import pytest

from tests.interface.running import Interface, elapsed, request, upgrade
from tests.services import listening, wait_for

pytestmark = pytest.mark.system


def test_requests_under_way_are_answered_and_idle_connections_close(start_interface: Callable[..., Interface]) -> None:
    interface = start_interface()
    with interface.connect() as idle, interface.connect() as busy, interface.connect() as stream:
        idle.send(request("/idle"))
        interface.answer(interface.take("http.request"))
        idle.response()
        busy.send(request("/busy"))
        waiting = interface.take("http.request")
        stream.send(request("/stream"))
        begun = interface.take("http.request")
        interface.reply(begun, status=200, headers=[], content=b"a", more_content=True)
        stream.head()
        with elapsed(1.5, 4):
            interface.signal()
            assert idle.closed()
        assert not listening(interface.port)
        interface.answer(waiting, b"late")
        response = busy.response()
        assert (response.body, response.header("Connection")) == (b"late", "close")
        interface.reply(begun, content=b"b")
        assert [stream.chunk() for _ in range(3)] == [b"a", b"b", b""]
        assert stream.closed()
    with elapsed(0, 5):
        assert interface.exit_status() == 0
    assert interface.log.count("draining") == 1
    assert interface.log.count("Drained: ") == 1
    assert "requests=3 responses=3" in interface.log


def test_sockets_get_1012_and_their_consumers_hear_of_it(start_interface: Callable[..., Interface]) -> None:
    interface = start_interface()
    with interface.connect() as client:
        client.send(upgrade())
        message = interface.take("websocket.connect")
        interface.reply(message, accept=True)
        assert client.head().status == 101
        interface.signal()
        frame = client.exactly(2)
        assert frame[0] == 0x88
        assert int.from_bytes(client.exactly(frame[1])[:2], "big") == 1012
        # The client's answer, masked with zeros.
        client.send(b"\x88\x82\0\0\0\0\x03\xf4")
        assert client.closed()
    assert interface.take("websocket.disconnect")["reply_channel"] == message["reply_channel"]
    assert interface.exit_status() == 0


def test_what_does_not_end_is_cut_off_in_time(start_interface: Callable[..., Interface]) -> None:
    interface = start_interface("--drain-timeout", "3")
    with interface.connect() as unanswered, interface.connect() as stream, interface.connect() as deaf:
        unanswered.send(request("/unanswered"))
        interface.take("http.request")
        stream.send(request("/stream"))
        interface.reply(interface.take("http.request"), status=200, headers=[], content=b"a", more_content=True)
        stream.head()
        assert stream.chunk() == b"a"
        deaf.send(upgrade())
        interface.reply(interface.take("websocket.connect"), accept=True)
        deaf.head()
        with elapsed(1, 4):
            interface.signal()
            response = unanswered.response()
            assert (response.status, response.header("Retry-After")) == (503, "1")
            with pytest.raises((ConnectionError, EOFError)):
                stream.chunk()
            assert interface.exit_status() == 0
    assert interface.take("websocket.disconnect")


def test_a_second_signal_ends_at_once(start_interface: Callable[..., Interface]) -> None:
    interface = start_interface()
    with interface.connect() as client:
        client.send(request())
        interface.take("http.request")
        interface.signal(signal.SIGINT)
        wait_for(lambda: "draining" in interface.log, "the first signal came")
        with elapsed(0, 5):
            interface.signal(signal.SIGINT)
            assert interface.exit_status() == 1


def test_an_idle_server_ends_at_once(start_interface: Callable[..., Interface]) -> None:
    interface = start_interface()
    with elapsed(0, 3):
        interface.signal()
        assert interface.exit_status() == 0


def test_many_sockets_are_sent_away_in_batches(start_interface: Callable[..., Interface]) -> None:
    interface = start_interface("--drain-timeout", "10", "-v", "0")
    clients = [interface.connect() for _ in range(250)]
    try:
        for client in clients:
            client.send(upgrade())
        for _ in clients:
            interface.reply(interface.take("websocket.connect"), accept=True)
        for client in clients:
            client.head()
        interface.signal()
        told = []
        for client in clients:
            client.exactly(4)
            told.append(time.monotonic())
            client.send(b"\x88\x82\0\0\0\0\x03\xf4")
        # 100 a step of 0.1 s.
        assert told[-1] - told[0] > 0.15
        assert interface.exit_status() == 0
    finally:
        for client in clients:
            client.sock.close()
