"""What is refused before anybody sees it. The first half is pure; the second looks at the wire."""

from __future__ import annotations

import pytest

from channels_lts.interface.headers import BadRequest, decode_path, parse_head, split_target
from tests.interface.running import Interface, request, upgrade

START = b"GET / HTTP/1.1\r\nHost: a\r\n"
SMUGGLED = [bytes([number]) for number in (0x00, 0x0B, 0x0C, 0x1C, 0x1D, 0x1E, 0x7F, 0x85, 0x0A, 0x0D)]


def test_names_are_lower_case_in_the_order_of_the_wire() -> None:
    head = parse_head(START + b"X-B: 1\r\nx-a:\t2 \r\nX-B:3\r\n")
    assert head.headers == [(b"host", b"a"), (b"x-b", b"1"), (b"x-a", b"2"), (b"x-b", b"3")]


def test_names_with_an_underscore_are_left_out() -> None:
    assert parse_head(START + b"X_Real_IP: 1\r\nX-Real-IP: 2\r\n").headers == [(b"host", b"a"), (b"x-real-ip", b"2")]


@pytest.mark.parametrize("value", ["光".encode(), "Å".encode(), b"caf\xe9", b"a\tb"])
def test_letters_beyond_ascii_are_values(value: bytes) -> None:
    assert parse_head(START + b"Cookie: " + value + b"\r\n").headers[1] == (b"cookie", value)


@pytest.mark.parametrize(
    "fields",
    [
        b"X: a\r\n folded\r\n", b"X : a\r\n", b": a\r\n", b"X\r\n", b"X-\xe9: a\r\n", b"Host: b\r\n",
        b"Content-Length: 1\r\nContent-Length: 1\r\n", b"Content-Length: 1, 1\r\n", b"Content-Length: +1\r\n",
        b"Content-Length: -1\r\n", b"Content-Length: \r\n", b"Content-Length: " + b"9" * 5000 + b"\r\n",
        b"Content-Length: 1\r\nTransfer-Encoding: chunked\r\n", b"Transfer-Encoding: identity\r\n",
        b"Transfer-Encoding: gzip, chunked\r\n", b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n",
        b"Origin: http://a\r\nOrigin: http://b\r\n",
    ],
)  # fmt: skip
def test_doubtful_headers_are_refused(fields: bytes) -> None:
    with pytest.raises(BadRequest):
        parse_head(START + fields)


@pytest.mark.parametrize(
    "line",
    [
        b"GET /",
        b"GET / HTTP/2.0",
        b"GET  / HTTP/1.1",
        b"GET /a b HTTP/1.1",
        b"G(T / HTTP/1.1",
        b"GET /\x85 HTTP/1.1",
        b"",
    ],
)
def test_doubtful_request_lines_are_refused(line: bytes) -> None:
    with pytest.raises(BadRequest):
        parse_head(line + b"\r\nHost: a\r\n")


def test_http_1_1_needs_a_host_and_1_0_does_not() -> None:
    with pytest.raises(BadRequest, match="Host"):
        parse_head(b"GET / HTTP/1.1\r\n")
    assert parse_head(b"GET / HTTP/1.0\r\n").headers == []


def test_too_many_headers_get_431() -> None:
    with pytest.raises(BadRequest) as caught:
        parse_head(START + b"X: 1\r\n" * 500)
    assert caught.value.status == 431


def test_a_target_may_be_a_url_of_this_host_only() -> None:
    assert split_target(b"/a?b?c", b"h") == (b"/a", b"b?c")
    assert split_target(b"http://H:80/a?b", b"h:80") == (b"/a", b"b")
    assert split_target(b"http://h?b", b"h") == (b"/", b"b")
    assert split_target(b"*", b"h") == (b"*", b"")
    for target in (b"http://other/a", b"a", b"ftp://h/"):
        with pytest.raises(BadRequest):
            split_target(target, b"h")


def test_paths_are_utf8_or_refused() -> None:
    assert decode_path(b"/%E5%85%89/%2F") == "/光//"
    for path in (b"/%ff", b"/%", b"/%4", b"/%zz"):
        with pytest.raises(BadRequest):
            decode_path(path)


@pytest.mark.system
@pytest.mark.parametrize("make", [request, upgrade], ids=["request", "upgrade"])
@pytest.mark.parametrize("byte", SMUGGLED, ids=lambda byte: byte.hex())
def test_d10_a_smuggled_byte_gets_400(interface: Interface, make: object, byte: bytes) -> None:
    response = interface.ask(make(headers=b"X-A: b" + byte + b"Origin: http://forged\r\n"))  # type: ignore[operator]
    assert response.status == 400
    assert interface.nothing_on("http.request", "websocket.connect")
    assert "Traceback" not in interface.log


@pytest.mark.system
@pytest.mark.parametrize("target", ["/?q=é", "/é", "/%ff", "/?q=\x85", "/\x7f"])
def test_d31_a_target_beyond_ascii_gets_400_and_never_500(interface: Interface, target: str) -> None:
    assert interface.ask(request(target)).status == 400
    assert "Traceback" not in interface.log


@pytest.mark.system
def test_d31_an_escaped_query_is_passed_on_as_it_is(interface: Interface) -> None:
    message, _ = interface.get("/?q=%FF%E5%85%89")
    assert message["query_string"] == b"q=%FF%E5%85%89"


@pytest.mark.system
def test_what_follows_a_refused_request_is_not_read_as_another(interface: Interface) -> None:
    with interface.connect() as client:
        client.send(request(headers=b"X: a\x0bb\r\n") + request("/smuggled"))
        assert client.response().status == 400
        client.send(request("/smuggled"))
        assert client.closed()
        # The next message is this one's, and no other.
        assert interface.get("/next")[0]["path"] == "/next"


@pytest.mark.system
@pytest.mark.parametrize("chunks", [b"x\r\n", b"-1\r\n", b"1\r\nab\r\n0\r\n\r\n", b"1;\x00\r\na\r\n0\r\n\r\n"])
def test_bad_chunks_get_400(interface: Interface, chunks: bytes) -> None:
    assert interface.ask(request(headers=b"Transfer-Encoding: chunked\r\n", body=chunks, method="POST")).status == 400
    assert interface.nothing_on("http.request")


@pytest.mark.system
@pytest.mark.parametrize("size", [1, 3, 7, 1000])
def test_a_request_may_come_in_any_pieces(interface: Interface, size: int) -> None:
    data = request("/pieces", b"Transfer-Encoding: chunked\r\n", b"3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n", method="POST")
    with interface.connect() as client:
        for start in range(0, len(data), size):
            client.send(data[start : start + size])
        message = interface.take("http.request")
        interface.answer(message)
        assert client.response().status == 200
    assert (message["path"], message["body"]) == ("/pieces", b"abcde")
