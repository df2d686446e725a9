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


@pytest.fixture(scope="module")
def on_stock(start_interface: Callable[..., Interface]) -> Interface:
    return start_interface(backend=STOCK)


def test_the_stock_layer_works_as_well(on_stock: Interface) -> None:
    message, response = on_stock.get("/stock")
    assert (message["path"], response.body) == ("/stock", b"ok")


def test_a_connection_serves_one_request_after_the_other(interface: Interface) -> None:
    with interface.connect() as client:
        # The second is there before the first is answered; the first must be answered first.
        client.send(request("/1") + request("/2"))
        first = interface.take("http.request")
        assert interface.nothing_on("http.request")
        interface.answer(first, b"one")
        assert client.response().body == b"one"
        interface.answer(interface.take("http.request"), b"two")
        assert client.response().body == b"two"


def test_a_streamed_response_arrives_part_by_part(interface: Interface) -> None:
    with interface.connect() as client:
        client.send(request())
        message = interface.take("http.request")
        interface.reply(message, status=200, headers=[], content=b"a", more_content=True)
        assert client.head().header("Transfer-Encoding") == "chunked"
        assert client.chunk() == b"a"
        interface.reply(message, content=b"", more_content=True)
        interface.reply(message, content=b"b", more_content=True)
        assert client.chunk() == b"b"
        interface.reply(message, content=b"c")
        assert (client.chunk(), client.chunk()) == (b"c", b"")
        # The connection is good for another.
        client.send(request("/next"))
        interface.answer(interface.take("http.request"))
        assert client.response().body == b"ok"


def test_an_old_client_gets_a_stream_that_ends_with_the_connection(interface: Interface) -> None:
    with interface.connect() as client:
        client.send(b"GET / HTTP/1.0\r\n\r\n")
        message = interface.take("http.request")
        assert message["http_version"] == "1.0"
        interface.reply(message, status=200, headers=[], content=b"a", more_content=True)
        interface.reply(message, content=b"b")
        response = client.response()
    assert (response.body, response.header("Transfer-Encoding"), response.header("Connection")) == (
        b"ab",
        None,
        "close",
    )


@pytest.mark.parametrize(("method", "status"), [("HEAD", 200), ("GET", 204), ("GET", 304)])
def test_a_response_without_a_body_has_none(interface: Interface, method: str, status: int) -> None:
    with interface.connect() as client:
        client.send(request(method=method))
        interface.answer(interface.take("http.request"), b"not sent", status=status)
        assert client.response(bodiless=True).status == status
        # What came next would be taken for a body, or the body for a response.
        client.send(request())
        interface.answer(interface.take("http.request"))
        assert client.response().body == b"ok"


@pytest.mark.parametrize(
    ("reply", "named"),
    [
        ({"content": b"x"}, "status"),
        ({"status": "200"}, "status"),
        ({"status": 200, "headers": [(b"X", b"a\r\nSet-Cookie: b")]}, "header"),
        ({"status": 200, "headers": [(b"X Y", b"a")]}, "header"),
        ({"status": 200, "headers": [(b"Content-Length", b"1")], "content": b""}, "Content-Length"),
        ({"status": 200, "content": 5}, "content"),
    ],
)
def test_a_bad_response_is_logged_and_the_client_gets_500(interface: Interface, reply: dict, named: str) -> None:
    with interface.connect() as client:
        client.send(request("/bad"))
        before = interface.log.count("Bad response to GET /bad: ")
        interface.reply(interface.take("http.request"), **reply)
        assert client.response().status == 500
    assert interface.log.count("Bad response to GET /bad: ") == before + 1
    assert named in interface.log.rsplit("Bad response to GET /bad: ", 1)[1]


def test_a_second_status_cuts_the_response_that_has_begun(interface: Interface) -> None:
    with interface.connect() as client:
        client.send(request())
        message = interface.take("http.request")
        interface.reply(message, status=200, headers=[], content=b"a", more_content=True)
        client.head()
        interface.reply(message, status=200, headers=[], content=b"b")
        # No end of the chunks: the client must not take it for whole.
        with pytest.raises((EOFError, ConnectionError)):
            all(iter(client.chunk, b""))


def test_d15_no_header_sets_the_root_path_or_the_visitors_address(interface: Interface) -> None:
    forged = (
        b"Daphne-Root-Path: /forged\r\nScript-Name: /forged\r\nSCRIPT_NAME: /forged\r\n"
        b"X-Forwarded-For: 9.9.9.9\r\nX-Forwarded-Proto: https\r\nX-Forwarded-Port: 9\r\n"
    )
    message, _ = interface.get("/", forged)
    assert (message["root_path"], message["scheme"], message["client"][0]) == ("", "http", "127.0.0.1")
    assert b"script_name" not in [name for name, _ in message["headers"]]


def test_d28_http_disconnect_is_sent_only_where_it_is_consumed(
    interface: Interface, start_interface: Callable[..., Interface]
) -> None:
    interface.get()
    assert interface.nothing_on("http.disconnect")
    listening = start_interface(consumers=("http.request", "http.disconnect"))
    message, _ = listening.get("/p%20q")
    expected = {"reply_channel": message["reply_channel"], "path": "/p q"}
    assert listening.take("http.disconnect") == expected
    with listening.connect() as client:
        client.send(request("/left"))
        message = listening.take("http.request")
    assert listening.take("http.disconnect") == {"reply_channel": message["reply_channel"], "path": "/left"}


def test_a_full_channel_gets_503(start_interface: Callable[..., Interface]) -> None:
    full = start_interface(capacity=1)
    with full.connect() as first, full.connect() as second:
        first.send(request("/first"))
        full.take("http.request")
        full.layer.send("http.request", {"reply_channel": "nobody"})
        second.send(request("/second"))
        response = second.response()
    assert (response.status, response.header("Retry-After")) == (503, "1")
