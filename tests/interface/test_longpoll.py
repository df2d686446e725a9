"""HTTP requests that wait without a worker, and are answered by a group."""

from __future__ import annotations

import resource
import selectors
from collections.abc import Callable

import pytest

from tests.interface.running import Client, Interface, request
from tests.services import TIMEOUT_SCALE, wait_for

pytestmark = pytest.mark.system


def test_a_group_answers_requests_and_each_only_once(interface: Interface) -> None:
    with interface.connect() as first, interface.connect() as second:
        for client in (first, second):
            client.send(request("/poll"))
            interface.layer.group_add("poll", interface.take("http.request")["reply_channel"])
        interface.layer.send_group("poll", {"status": 200, "headers": [], "content": b"news"})
        interface.layer.send_group("poll", {"status": 200, "headers": [], "content": b"more"})
        for client in (first, second):
            assert client.response().body == b"news"
            client.send(request("/next"))
            interface.answer(interface.take("http.request"), b"next")
            assert client.response().body == b"next"
    assert "Traceback" not in interface.log


def test_a_client_that_leaves_is_forgotten(interface: Interface) -> None:
    with interface.connect() as client:
        client.send(request("/leaves"))
        channel = interface.take("http.request")["reply_channel"]
        interface.layer.group_add("leaves", channel)
        wait_for(lambda: channel in interface.layer.group_channels("leaves"), "it is a member")
    wait_for(lambda: channel not in interface.layer.group_channels("leaves"), "it is none any more")


def test_five_thousand_clients_wait_and_are_answered(start_interface: Callable[..., Interface]) -> None:
    count = 5000
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    assert hard == resource.RLIM_INFINITY or hard > count + 500
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, count + 500), hard))
    interface = start_interface("-v", "0", capacity=count)
    clients: list[Client] = []
    try:
        for _ in range(count):
            clients.append(interface.connect())
            clients[-1].send(request("/poll"))
        for _ in range(count):
            interface.layer.group_add("all", interface.take("http.request", timeout=30)["reply_channel"])
        # No worker is held, and others are served meanwhile.
        assert interface.get("/other")[1].body == b"ok"
        interface.layer.send_group("all", {"status": 200, "headers": [], "content": b"news"})
        with selectors.DefaultSelector() as selector:
            for client in clients:
                selector.register(client.sock, selectors.EVENT_READ, client)
            answered = 0
            while answered < count:
                events = selector.select(20 * TIMEOUT_SCALE)
                assert events, f"{answered} of {count} were answered"
                for key, _ in events:
                    selector.unregister(key.fileobj)
                    answered += key.data.response().body == b"news"
    finally:
        for client in clients:
            client.sock.close()
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    assert interface.log == ""
