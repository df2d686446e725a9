"""A pytest plugin: servers for WebSockets alone, and a look at what the log says of them."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from twisted.internet.epollreactor import EPollReactor
from twisted.logger import LogLevel, globalLogPublisher
from twisted.python import threadable

from tests.interface.sockets import Harness, StartServer
from tests.services import TIMEOUT_SCALE


@pytest.fixture(scope="session")
def socket_reactor() -> Iterator[Any]:
    """A reactor of our own in a thread: the process has but one that is installed, and that one runs but once."""
    main_thread = threadable.ioThread
    reactor = EPollReactor()
    thread = threading.Thread(target=reactor.run, kwargs={"installSignalHandlers": False}, daemon=True)
    thread.start()
    try:
        yield reactor
    finally:
        reactor.callFromThread(reactor.stop)
        thread.join(10 * TIMEOUT_SCALE)
        threadable.ioThread = main_thread


@pytest.fixture
def socket_server(socket_reactor: Any) -> Iterator[StartServer]:
    """A function that starts a server with the given options; each stops with the test.

    *unix* is the path of a socket; *wrapped* puts a protocol between transport and WebSocket, as TLS does.
    """
    running: list[Harness] = []

    def start(*, unix: str | None = None, wrapped: bool = False, **options: Any) -> Harness:
        server = Harness(socket_reactor, **options)
        running.append(server)
        server.listen(unix=unix, wrapped=wrapped)
        return server

    yield start
    for server in running:
        server.stop()


@pytest.fixture
def clean_log(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """The test fails if anything was logged as an error: nothing that a peer does is one, let alone a traceback."""
    caplog.set_level(logging.WARNING)
    failures: list[Any] = []

    def observe(event: Any) -> None:
        if event["log_level"] >= LogLevel.error:
            failures.append(event)

    globalLogPublisher.addObserver(observe)
    yield
    globalLogPublisher.removeObserver(observe)
    assert failures == []
    assert caplog.records == []
