"""A restart that costs no request: connections that are kept alive, those in the queue, and requests that are held."""

from __future__ import annotations

import http.client
import random
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Callable

import pytest

from tests.interface.running import Client, Interface, elapsed, request, upgrade
from tests.services import TIMEOUT_SCALE, listening, wait_for

pytestmark = pytest.mark.system


def _used(interface: Interface) -> Client:
    """A connection that has had an answer, and waits for the next request."""
    client = interface.connect()
    client.send(request("/first"))
    interface.answer(interface.take("http.request"))
    assert client.response().header("Connection") is None
    return client


def _draining(interface: Interface) -> None:
    interface.signal()
    wait_for(lambda: not listening(interface.port), "it listens no more")


def test_a_request_on_a_kept_connection_is_answered_and_told_to_go(start_interface: Callable[..., Interface]) -> None:
    interface = start_interface()
    with _used(interface) as client, interface.connect() as fresh:
        _draining(interface)
        for connection in (client, fresh):
            connection.send(request("/last"))
            interface.answer(interface.take("http.request"), b"served")
            response = connection.response()
            assert (response.status, response.body, response.header("Connection")) == (200, b"served", "close")
            assert connection.closed()
    assert interface.exit_status() == 0


def test_after_an_answer_that_had_begun_the_connection_takes_another_request(
    start_interface: Callable[..., Interface],
) -> None:
    interface = start_interface()
    with interface.connect() as client:
        client.send(request("/long"))
        begun = interface.take("http.request")
        interface.reply(begun, status=200, headers=[], content=b"a", more_content=True)
        # It did not say that it is the last one here.
        assert client.head().header("Connection") is None
        _draining(interface)
        interface.reply(begun, content=b"b")
        assert [client.chunk() for _ in range(3)] == [b"a", b"b", b""]
        client.send(request("/next"))
        interface.answer(interface.take("http.request"), b"next")
        response = client.response()
        assert (response.body, response.header("Connection")) == (b"next", "close")
    assert interface.exit_status() == 0


def test_half_a_request_may_be_finished(start_interface: Callable[..., Interface]) -> None:
    interface = start_interface()
    with interface.connect() as client:
        client.send(b"GET /slow HTTP/1.1\r\n")
        bystander = _used(interface)
        _draining(interface)
        # Silent for longer than a connection without a request may be.
        assert bystander.closed()
        client.send(b"Host: testserver\r\n\r\n")
        interface.answer(interface.take("http.request"), b"slow")
        assert client.response().body == b"slow"
    assert interface.exit_status() == 0


def test_who_waits_in_the_queue_of_our_own_socket_is_served(start_interface: Callable[..., Interface]) -> None:
    interface = start_interface("-v", "0")
    # So that it is used to few connections at once.
    for _ in range(5):
        interface.get()
    interface.signal(signal.SIGSTOP)
    clients = [interface.connect() for _ in range(300)]
    for client in clients:
        client.send(request("/queued"))
    interface.signal()
    interface.signal(signal.SIGCONT)
    for _ in clients:
        interface.answer(interface.take("http.request"))
    assert {client.response().status for client in clients} == {200}
    assert interface.exit_status() == 0


def test_a_handshake_on_a_kept_connection_is_refused_for_now(start_interface: Callable[..., Interface]) -> None:
    interface = start_interface()
    with _used(interface) as client:
        _draining(interface)
        client.send(upgrade())
        response = client.response()
        assert (response.status, response.header("Retry-After")) == (503, "1")
    assert interface.exit_status() == 0
    assert interface.nothing_on("websocket.connect", "websocket.disconnect")


def test_held_requests_are_ended_by_the_project(start_interface: Callable[..., Interface]) -> None:
    interface = start_interface(streams=True)
    with interface.connect() as held, interface.connect() as busy, _used(interface) as late:
        held.send(request("/held"))
        waiting = interface.take("http.request")
        busy.send(request("/busy"))
        working = interface.take("http.request")
        _draining(interface)
        late.send(request("/held/too"))
        arrived = interface.take("http.request")
        for message, path, client in ((waiting, "/held", held), (arrived, "/held/too", late)):
            assert interface.take("http.drain") == {"reply_channel": message["reply_channel"], "path": path}
            interface.answer(message, b"nothing yet")
            response = client.response()
            assert (response.status, response.body) == (200, b"nothing yet")
        # Nobody holds this one: a worker is at it.
        interface.answer(working, b"done")
        assert busy.response().body == b"done"
    assert interface.exit_status() == 0
    assert interface.nothing_on("http.drain")


def test_the_end_of_a_held_request_is_asked_for_again_while_the_channel_is_full(
    start_interface: Callable[..., Interface],
) -> None:
    interface = start_interface(streams=True, capacity=1)
    clients = [interface.connect() for _ in range(3)]
    for client in clients:
        client.send(request("/held"))
        interface.take("http.request")
    interface.signal()
    for _ in clients:
        interface.answer(interface.take("http.drain"), b"nothing yet")
    assert {client.response().status for client in clients} == {200}
    assert interface.exit_status() == 0


class _Shared(Interface):
    """One of several on the same listening socket, as supervisor's ``fcgi-program`` starts them."""

    listener: socket.socket

    def launch(self) -> None:
        with self.output.open("ab") as output:
            self.process = subprocess.Popen(
                self._command, stdin=self.listener.fileno(), stdout=output, stderr=output, **self._options
            )

    def wait_until(self, ready: Callable[[], object], timeout: float = 20) -> None:
        wait_for(lambda: self.log.count("Listening on fd") == self.starts, "it listens", timeout)

    starts = 1


def test_a_rolling_restart_costs_a_client_that_retries_nothing_no_request(
    start_interface: Callable[..., Interface],
) -> None:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(1024)

        class Shared(_Shared):
            pass

        Shared.listener = listener
        flags = {"kind": Shared, "listen": ("--fd", "0"), "prefix": f"roll-{random.randrange(10**9)}:"}
        servers = [start_interface(**flags) for _ in range(2)]
        over, left = threading.Event(), threading.Event()
        failures: list[str] = []
        served = [0] * 8

        def work() -> None:
            while not left.is_set():
                channel, message = servers[0].layer.receive(["http.request"], block=False)
                if channel is None:
                    time.sleep(0.002)
                else:
                    servers[0].answer(message)

        def visit(number: int) -> None:
            chance = random.Random(number)
            connection = http.client.HTTPConnection(*listener.getsockname(), timeout=10 * TIMEOUT_SCALE)
            while not over.is_set():
                try:
                    # It neither looks whether the connection is still open, nor tries again.
                    connection.request("POST", "/", body=b"once")
                    response = connection.getresponse()
                    response.read()
                    if response.status != 200:
                        failures.append(f"status {response.status}")
                    served[number] += 1
                except (OSError, http.client.HTTPException) as error:
                    failures.append(repr(error))
                    connection.close()
                over.wait(chance.uniform(0, 0.3))

        worker = threading.Thread(target=work)
        visitors = [threading.Thread(target=visit, args=(number,)) for number in range(len(served))]
        for thread in (worker, *visitors):
            thread.start()
        try:
            for server in servers * 2:
                server.signal()
                assert server.exit_status() == 0
                server.starts += 1
                server.start()
        finally:
            over.set()
            for thread in visitors:
                thread.join(20 * TIMEOUT_SCALE)
            # The last requests want an answer, too.
            left.set()
            worker.join(20 * TIMEOUT_SCALE)
        assert failures == []
        assert min(served) > 5


def test_an_idle_connection_does_not_keep_the_process_for_long(start_interface: Callable[..., Interface]) -> None:
    interface = start_interface("--drain-timeout", "2")
    with _used(interface) as client:
        with elapsed(0.4, 1.5):
            interface.signal()
            # A quarter of the limit.
            assert client.closed()
        assert interface.exit_status() == 0
