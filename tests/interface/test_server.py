"""The server object: what it takes, how it hands messages on, and that nothing ends its timers."""

from __future__ import annotations

import logging
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured
from twisted.internet import defer, task

from channels_lts import conf
from channels_lts.exceptions import UnsupportedRedis
from channels_lts.interface import server as module
from channels_lts.interface.options import OptionError
from channels_lts.interface.server import Server
from channels_lts.interface.websocket import OPEN


class Socket:
    """An open WebSocket, as the server sees it."""

    state: Any = OPEN

    def __init__(self) -> None:
        self.written: list[bytes] = []
        self.replies: list[dict[str, Any]] = []
        self.checks = 0

    def write(self, data: bytes) -> None:
        self.written.append(data)

    def reply(self, message: dict[str, Any]) -> None:
        self.replies.append(message)

    def check(self, now: float) -> None:
        self.checks += 1


class Broken(Socket):
    def reply(self, message: dict[str, Any]) -> None:
        raise RuntimeError("broken")

    def check(self, now: float) -> None:
        raise RuntimeError("broken")


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> task.Clock:
    clock = task.Clock()
    monkeypatch.setattr(module, "reactor", clock)
    return clock


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch, clock: task.Clock) -> Server:
    monkeypatch.setattr(module, "WebSocket", Socket)
    return Server(None, endpoints=["tcp:port=1"])


def test_a_group_message_is_encoded_once_and_written_once_to_each(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    encoded: list[dict[str, Any]] = []

    def encode(message: dict[str, Any]) -> bytes:
        encoded.append(message)
        return message["text"].encode()

    monkeypatch.setattr(module, "encode_reply", encode)
    sockets = {name: Socket() for name in "abc"}
    server.connections.update(sockets)  # type: ignore[arg-type]
    messages = [{"text": "1"}, {"text": "2"}]
    server.deliver_group(["a", "gone", "b", "c"], messages)
    assert encoded == messages
    assert [socket.written for socket in sockets.values()] == [[b"12"]] * 3


def test_whoever_is_no_open_socket_gets_each_message(server: Server) -> None:
    request, connecting = _Request(), Socket()
    connecting.state = "connecting"
    server.connections.update(a=request, b=connecting)  # type: ignore[arg-type]
    messages = [{"text": "1"}, {"text": "2"}]
    server.deliver_group(["a", "b"], messages)
    assert request.replies == connecting.replies == messages


class _Request(Socket):
    pass


def test_accept_and_close_go_the_way_of_single_messages(server: Server) -> None:
    socket = Socket()
    server.connections["a"] = socket  # type: ignore[assignment]
    server.deliver_group(["a"], [{"text": "1", "close": True}])
    assert (socket.written, socket.replies) == ([], [{"text": "1", "close": True}])


def test_one_members_error_does_not_stop_the_others(server: Server, caplog: pytest.LogCaptureFixture) -> None:
    last = Socket()
    broken = Broken()
    server.connections.update(a=broken, b=last)  # type: ignore[arg-type]
    server.deliver_group(["a", "b"], [{"text": "1"}])
    server.deliver("a", {"text": "1"})
    assert len(last.written) == 1
    assert server.counters["errors"] == 2
    assert len(caplog.records) == 2


def test_a_message_that_is_none_for_sockets_is_logged_once(server: Server, caplog: pytest.LogCaptureFixture) -> None:
    sockets = {name: Socket() for name in "abc"}
    server.connections.update(sockets)  # type: ignore[arg-type]
    server.deliver_group("abc", [{"text": "1", "bytes": b"2"}, {"text": "3"}])
    assert len(caplog.records) == 1
    assert [len(socket.written) for socket in sockets.values()] == [1, 1, 1]


def test_d5_no_error_ends_the_timers(server: Server, clock: task.Clock, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.ERROR)
    broken, other = Broken(), Socket()
    server.connections.update(a=broken, b=other)  # type: ignore[arg-type]
    server._check()
    clock.advance(module.CHECK_INTERVAL)
    clock.advance(module.CHECK_INTERVAL)
    assert other.checks == 3
    server.connections = None  # type: ignore[assignment]
    with pytest.raises(AttributeError):
        clock.advance(module.CHECK_INTERVAL)
    assert clock.getDelayedCalls()


def test_it_is_built_like_daphnes() -> None:
    made = Server(
        channel_layer=None, host="127.0.0.1", port=1, http_timeout=5, websocket_timeout=6, ping_interval=7,
        ping_timeout=8, websocket_connect_timeout=-1, ws_protocols=["a"], root_path="/r", force_sync=True, verbosity=0,
        proxy_forwarded_address_header="X-Real-For", websocket_handshake_timeout=5, drain_timeout=9,
    )  # fmt: skip
    options = made.options
    assert made.endpoints == ["tcp:port=1:interface=127.0.0.1:backlog=4096"]
    assert (options.http_timeout, options.websocket_timeout, options.websocket_connect_timeout) == (5, 6, -1)
    assert (options.ping_interval, options.ping_timeout, options.drain_timeout) == (7, 8, 9)
    assert (options.ws_protocols, options.root_path, options.trusted_proxies) == (("a",), "/r", 1)
    assert made.forwarded_headers.address == b"x-real-for"
    assert options.send_buffer_limit == conf.DEFAULTS["SEND_BUFFER_LIMIT"]


def test_wrong_options_are_refused() -> None:
    with pytest.raises(OptionError, match="ping_interval must be a positive number of seconds, not 0"):
        Server(None, endpoints=["x"], ping_interval=0)
    with pytest.raises(TypeError, match="no option nonsense"):
        Server(None, endpoints=["x"], nonsense=1)


def test_without_settings_the_defaults_hold(monkeypatch: pytest.MonkeyPatch) -> None:
    def unconfigured(name: str) -> Any:
        raise ImproperlyConfigured

    monkeypatch.setattr(conf, "get", unconfigured)
    assert Server(None, endpoints=["x"]).options.ping_interval == conf.DEFAULTS["PING_INTERVAL"]


def test_a_layer_that_cannot_start_ends_the_server(
    server: Server, clock: task.Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Link:
        stopped = False

        def start(self) -> defer.Deferred[None]:
            return defer.fail(UnsupportedRedis("Redis 5 is too old"))

        def stop(self) -> defer.Deferred[None]:
            self.stopped = True
            return defer.succeed(None)

    ended: list[bool] = []
    clock.running = True  # type: ignore[attr-defined]
    clock.stop = lambda: ended.append(True)  # type: ignore[attr-defined]
    server.link = Link()  # type: ignore[assignment]
    server._begin()
    assert (ended, server.link.stopped, server.exit_status) == ([True], True, 1)  # type: ignore[attr-defined]
    assert str(server._failure) == "Redis 5 is too old"
