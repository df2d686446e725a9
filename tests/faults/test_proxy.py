"""The proxy itself: what it does to a network has to be what the tests of outages take it for."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator

import pytest

from tests.faults.proxy import Proxy
from tests.services import TIMEOUT_SCALE, wait_for

_SILENCE = 0.2


@pytest.fixture
def proxy() -> Iterator[Proxy]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        threading.Thread(target=echo, args=[server], daemon=True).start()
        with Proxy(server.getsockname()[1]) as proxy:
            yield proxy


def echo(server: socket.socket) -> None:
    while True:
        try:
            connection, _address = server.accept()
        except OSError:
            return
        threading.Thread(target=echo_one, args=[connection], daemon=True).start()


def echo_one(connection: socket.socket) -> None:
    with connection:
        while data := connection.recv(65_536):
            connection.sendall(data)


def connect(proxy: Proxy) -> socket.socket:
    return socket.create_connection(("127.0.0.1", proxy.port), timeout=5 * TIMEOUT_SCALE)


def says(connection: socket.socket, text: bytes) -> bytes:
    connection.sendall(text)
    return connection.recv(1000)


def is_silent(connection: socket.socket) -> bool:
    connection.settimeout(_SILENCE)
    try:
        connection.sendall(b"anybody?")
        connection.recv(1000)
    except TimeoutError:
        return True
    return False


def is_cut(connection: socket.socket) -> bool:
    try:
        return connection.recv(1000) == b""
    except ConnectionResetError:
        return True


def test_bytes_and_ends_pass(proxy: Proxy) -> None:
    with connect(proxy) as connection:
        assert says(connection, b"hello") == b"hello"
        connection.shutdown(socket.SHUT_WR)
        assert connection.recv(1000) == b""
    wait_for(lambda: proxy.connections == 0, "the connection is closed on both sides")


def test_a_reader_that_is_slow_gets_everything(proxy: Proxy) -> None:
    sent = bytes(range(256)) * 40_000
    with connect(proxy) as connection:
        threading.Thread(target=connection.sendall, args=[sent], daemon=True).start()
        time.sleep(_SILENCE)
        received = bytearray()
        while len(received) < len(sent):
            received += connection.recv(65_536)
    assert bytes(received) == sent


def test_dropped_connections_stay_open_and_silent_and_new_ones_pass_again(proxy: Proxy) -> None:
    with connect(proxy) as old, connect(proxy) as idle:
        assert (says(old, b"before"), says(idle, b"before")) == (b"before", b"before")
        proxy.drop()
        assert is_silent(old)
        with connect(proxy) as new:
            assert is_silent(new)
        proxy.pass_()
        # What was lost leaves a hole in the stream; who lost nothing goes on.
        assert is_silent(old)
        assert says(idle, b"after") == b"after"
        with connect(proxy) as new:
            assert says(new, b"after") == b"after"


def test_delay_is_each_way_and_keeps_the_order(proxy: Proxy) -> None:
    proxy.delay(0.1)
    with connect(proxy) as connection:
        began = time.monotonic()
        for number in range(5):
            connection.sendall(b"%d" % number)
        received = b""
        while len(received) < 5:
            received += connection.recv(1000)
        assert received == b"01234"
        assert 0.2 <= time.monotonic() - began < 1 * TIMEOUT_SCALE
        proxy.pass_()
        assert says(connection, b"quick") == b"quick"


def test_refused_connections_are_cut_and_new_ones_not_made(proxy: Proxy) -> None:
    with connect(proxy) as connection:
        assert says(connection, b"hello") == b"hello"
        proxy.refuse()
        assert is_cut(connection)
    with pytest.raises(ConnectionRefusedError):
        connect(proxy)
    proxy.pass_()
    with connect(proxy) as connection:
        assert says(connection, b"again") == b"again"
