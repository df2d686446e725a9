"""Requests and responses, end to end: client, interface server, Redis, and the test as worker."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.interface.running import STOCK, Interface, request

pytestmark = pytest.mark.system


def test_a_request_is_the_message_of_the_specification(interface: Interface) -> None:
    body = b"a=1"
    headers = b"X-Twice: 1\r\nX-Twice: 2\r\nContent-Length: 3\r\n"
    with interface.connect() as client:
        client.send(request("/p%C3%A4th?q=%41", headers, body, method="POST"))
        message = interface.take("http.request")
        interface.answer(message, b"done", status=201)
        response = client.response()
        address = list(client.sock.getsockname())
    assert message.pop("reply_channel").startswith("daphne.response.")
    assert [tuple(item) for item in message.pop("headers")] == [
        (b"host", b"testserver"), (b"x-twice", b"1"), (b"x-twice", b"2"), (b"content-length", b"3"),
    ]  # fmt: skip
    assert message == {
        "http_version": "1.1", "method": "POST", "path": "/päth", "root_path": "", "scheme": "http",
        "query_string": b"q=%41", "body": b"a=1", "client": address, "server": ["127.0.0.1", interface.port],
    }  # fmt: skip
    assert (response.status, response.body, response.header("Content-Type")) == (201, b"done", "text/plain")
    assert response.header("Server") is None
