"""Limits on size, time and number, each with a server that has it set low."""

from __future__ import annotations

import signal
import socket
import time
from collections.abc import Callable

import pytest

from channels_lts.interface.limits import Addresses
from tests.interface.running import Client, Interface, elapsed, request, upgrade
from tests.services import wait_for

pytestmark = pytest.mark.system


def test_addresses_count_and_forget() -> None:
    addresses = Addresses(1)
    assert addresses.take("a")
    assert not addresses.take("a")
    assert addresses.take("b")
    addresses.give_back("a")
    assert addresses.take("a")
    assert all(addresses.take(None) for _ in range(3))
    assert all(Addresses(0).take("a") for _ in range(3))


@pytest.fixture(scope="module")
def small(start_interface: Callable[..., Interface]) -> Interface:
    return start_interface("--request-body-limit", "1000")


@pytest.mark.parametrize(
    ("headers", "body"),
    [
        (b"Content-Length: 1001\r\n", b""),
        (b"Content-Length: 1001\r\nExpect: 100-continue\r\n", b""),
        (b"Content-Length: 5000000\r\n", b"x" * 5_000_000),
        (b"Transfer-Encoding: chunked\r\n", b"3e9\r\n" + b"x" * 1001),
        (b"Transfer-Encoding: chunked\r\n", b"1f4\r\n" + b"x" * 500 + b"\r\n1f5\r\n" + b"x" * 501),
    ],
    ids=["announced", "expect", "sent", "one-chunk", "chunks"],
)
def test_d19_a_body_above_the_limit_gets_413_and_goes_nowhere(small: Interface, headers: bytes, body: bytes) -> None:
    with small.connect() as client:
        client.send(request("/upload", headers, method="POST"))
        # A client that reads only when it has sent all must not be reset before.
        client.send(body)
        assert client.response().status == 413
    assert small.nothing_on("http.request")


def test_a_body_up_to_the_limit_is_passed_on(small: Interface) -> None:
    with small.connect() as client:
        client.send(request("/upload", b"Content-Length: 1000\r\nExpect: 100-continue\r\n", method="POST"))
        assert client.until(b"\r\n\r\n") == b"HTTP/1.1 100 Continue"
        client.send(b"x" * 1000)
        message = small.take("http.request")
        small.answer(message)
        assert client.response().status == 200
    assert message["body"] == b"x" * 1000


def test_a_head_above_the_limit_gets_431(small: Interface) -> None:
    assert small.ask(request(headers=b"X: " + b"a" * 70_000)).status == 431


@pytest.fixture(scope="module")
def hasty(start_interface: Callable[..., Interface]) -> Interface:
    return start_interface("--http-timeout", "2", "--request-header-timeout", "1")


def test_a_request_that_nobody_answers_gets_503(hasty: Interface) -> None:
    with hasty.connect() as client, elapsed(1.5, 6):
        client.send(request("/unanswered"))
        assert client.response().status == 503
    late = hasty.take("http.request")
    hasty.answer(late)


def test_d5_a_stream_longer_than_the_timeout_lives_while_it_sends(hasty: Interface) -> None:
    with hasty.connect() as client:
        client.send(request("/stream"))
        message = hasty.take("http.request")
        hasty.reply(message, status=200, headers=[], content=b"0", more_content=True)
        client.head()
        received = [client.chunk()]
        end = time.monotonic() + 4
        while time.monotonic() < end:
            hasty.reply(message, content=b"+", more_content=True)
            received.append(client.chunk())
            time.sleep(0.5)
        hasty.reply(message, content=b"!")
        assert client.chunk() == b"!"
        assert client.chunk() == b""


def test_d5_a_stream_that_stalls_is_cut_and_all_timers_go_on(hasty: Interface) -> None:
    with hasty.connect() as client, elapsed(1.5, 6):
        client.send(request("/stalls"))
        message = hasty.take("http.request")
        hasty.reply(message, status=200, headers=[], content=b"a", more_content=True)
        client.head()
        assert client.chunk() == b"a"
        # Cut, not answered a second time, and without the end of the chunks.
        with pytest.raises((ConnectionError, EOFError)):
            client.chunk()
    test_a_request_that_nobody_answers_gets_503(hasty)
    assert "Traceback" not in hasty.log


@pytest.mark.parametrize(
    "part", [b"GET / HT", request(headers=b"Content-Length: 5\r\n", body=b"a", method="POST")], ids=["head", "body"]
)
def test_a_request_that_comes_too_slowly_gets_408(hasty: Interface, part: bytes) -> None:
    with hasty.connect() as client, elapsed(0.9, 5):
        client.send(part)
        assert client.response().status == 408
        assert client.closed()


def test_a_slow_body_that_goes_on_is_taken(hasty: Interface) -> None:
    with hasty.connect() as client:
        client.send(request("/slow", b"Content-Length: 5\r\n", method="POST"))
        for _ in range(5):
            time.sleep(0.5)
            client.send(b"a")
        hasty.answer(hasty.take("http.request"))
        assert client.response().status == 200


def test_a_client_that_stops_reading_is_cut(hasty: Interface) -> None:
    with hasty.connect() as client:
        client.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        client.send(request("/large"))
        message = hasty.take("http.request")
        for _ in range(20):
            hasty.reply(
                message, **({} if _ else {"status": 200, "headers": []}), content=b"x" * 500_000, more_content=True
            )
        hasty.reply(message, content=b"")
        # All is answered; only the client is slow.
        time.sleep(5)
        with pytest.raises(ConnectionError):
            client.exactly(2_000_000)


def test_more_connections_from_one_address_get_503(start_interface: Callable[..., Interface]) -> None:
    few = start_interface("--max-connections-per-address", "2")
    # The connection that looked whether the server listens counts until the server has seen its end.
    with wait_for(lambda: _admitted(few, request()), "the first is admitted") as first:
        few.answer(few.take("http.request"))
        assert first.response().status == 200
        with wait_for(lambda: _admitted(few, upgrade()), "the second is admitted") as second:
            few.reply(few.take("websocket.connect"), accept=True)
            assert second.head().status == 101
            assert few.ask(request()).status == 503
            assert few.ask(upgrade()).status == 503
        few.take("websocket.disconnect")
        with wait_for(lambda: _admitted(few, request()), "the place of the socket is free again"):
            few.take("http.request")


def _admitted(interface: Interface, data: bytes) -> Client | None:
    """A connection that was sent *data* and not refused at once."""
    client = interface.connect()
    client.send(data)
    if _answered(client):
        client.sock.close()
        return None
    return client


def _answered(client: Client) -> bool:
    client.sock.settimeout(0.5)
    try:
        return bool(client.sock.recv(1, socket.MSG_PEEK))
    except TimeoutError:
        return False


def test_a_client_that_reads_too_slowly_is_cut_off_and_a_large_part_alone_is_none(
    start_interface: Callable[..., Interface],
) -> None:
    interface = start_interface("--response-buffer-limit", "100000", "--http-timeout", "600")
    with _slow(interface) as whole, _slow(interface) as parts, _slow(interface) as quick:
        whole.send(request("/whole"))
        interface.answer(interface.take("http.request"), bytes(9_000_000))
        for client, path in ((parts, "/parts"), (quick, "/quick")):
            client.send(request(path))
            begun = interface.take("http.request")
            interface.reply(begun, status=200, headers=[], content=b"a", more_content=True)
            client.head()
            for _ in range(60):
                interface.reply(begun, content=bytes(150_000), more_content=True)
                if client is quick:
                    assert len(client.chunk()) in (1, 150_000)
            interface.reply(begun)
        # Far more than the buffers of the kernel hold.
        assert len(whole.response().body) == 9_000_000
        assert len(quick.chunk()) == 150_000
        assert quick.chunk() == b""
        with pytest.raises((ConnectionError, EOFError)):
            parts.exactly(60 * 150_000)
    interface.signal()
    assert interface.exit_status() == 0
    assert "slow_clients=1" in interface.log
    assert "/parts too slowly" in interface.log


def _slow(interface: Interface) -> Client:
    sock = socket.socket()
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    sock.connect(("127.0.0.1", interface.port))
    return Client(sock)


def test_behind_a_proxy_each_visitor_is_counted(start_interface: Callable[..., Interface]) -> None:
    few = start_interface("--max-connections-per-address", "1", "--proxy-headers")
    with few.connect() as first, few.connect() as second:
        first.send(request(headers=b"X-Forwarded-For: 192.0.2.1\r\n"))
        waiting = few.take("http.request")
        second.send(request(headers=b"X-Forwarded-For: 192.0.2.2\r\n"))
        few.answer(few.take("http.request"))
        assert second.response().status == 200
        assert few.ask(request(headers=b"X-Forwarded-For: 192.0.2.1\r\n")).status == 503
        assert few.ask(upgrade(headers=b"X-Forwarded-For: 192.0.2.1\r\n")).status == 503
        few.answer(waiting)
        assert first.response().status == 200
        first.send(request(headers=b"X-Forwarded-For: 192.0.2.1\r\n"))
        few.answer(few.take("http.request"))
        assert first.response().status == 200


def test_redis_away_gets_503_and_its_return_is_noticed(
    start_interface: Callable[..., Interface], tmp_path_factory: pytest.TempPathFactory
) -> None:
    from tests.services import Redis

    redis = Redis(tmp_path_factory.mktemp("redis")).start()
    try:
        interface = start_interface(redis_url=redis.url)
        interface.get()
        redis.process.send_signal(signal.SIGSTOP)  # type: ignore[union-attr]
        redis.process.send_signal(signal.SIGKILL)  # type: ignore[union-attr]
        redis.process.wait()  # type: ignore[union-attr]
        response = interface.ask(request())
        assert (response.status, response.header("Retry-After")) == (503, "1")
        redis.start()
        wait_for(lambda: _is_served(interface), "the interface uses the Redis that is back")
    finally:
        redis.stop()


def _is_served(interface: Interface) -> bool:
    with interface.connect() as client:
        client.send(request("/again"))
        if _answered(client):
            return client.response().status == 200
        message = interface.take("http.request")
        interface.answer(message)
        return client.response().status == 200
