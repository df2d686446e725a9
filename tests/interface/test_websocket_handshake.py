"""The opening handshake, on bytes."""

from __future__ import annotations

import pytest

from channels_lts.interface import handshake
from tests.interface.sockets import KEY, PROOF

GOOD = {
    b"host": b"example.com",
    b"upgrade": b"websocket",
    b"connection": b"keep-alive, Upgrade",
    b"sec-websocket-key": KEY,
    b"sec-websocket-version": b"13",
}


def _read(
    *, method: bytes = b"GET", version: str = "1.1", protocols: tuple[str, ...] = (), **changes: bytes | None
) -> handshake.Handshake:
    headers = {**GOOD, **{name.replace("_", "-").encode(): value for name, value in changes.items()}}
    lines = [(name, value) for name, value in headers.items() if value is not None]
    return handshake.read(method, lines, http_version=version, subprotocols=protocols)


def test_example_of_rfc_6455() -> None:
    assert _read() == (KEY, None)
    assert b"\r\nSec-WebSocket-Accept: " + PROOF + b"\r\n\r\n" in handshake.accept(KEY, None)


@pytest.mark.parametrize(
    ("offered", "chosen"),
    [(b"json, chat", b"json"), (b"other,chat", b"chat"), (b"other", None), (b"", None), (None, None), (b"CHAT", None)],
)
def test_subprotocol_is_the_clients_first_that_the_server_has(offered: bytes | None, chosen: bytes | None) -> None:
    assert _read(protocols=("chat", "json"), sec_websocket_protocol=offered).subprotocol == chosen


def test_subprotocols_may_come_in_several_headers() -> None:
    headers = [*GOOD.items(), (b"sec-websocket-protocol", b"a, b"), (b"sec-websocket-protocol", b"c")]
    assert handshake.read(b"GET", headers, http_version="1.1", subprotocols=["c"]).subprotocol == b"c"


def test_subprotocol_that_is_not_ascii_is_400() -> None:
    with pytest.raises(handshake.BadHandshake, match="not ASCII") as caught:
        _read(protocols=("chat",), sec_websocket_protocol="café".encode())
    assert caught.value.status == 400


@pytest.mark.parametrize("version", [None, b"12", b"8", b"13, 8", b"", b"x"])
def test_other_versions_get_426_with_the_version_that_is_spoken(version: bytes | None) -> None:
    with pytest.raises(handshake.BadHandshake) as caught:
        _read(sec_websocket_version=version)
    assert caught.value.status == 426
    assert (b"Sec-WebSocket-Version", b"13") in caught.value.headers


@pytest.mark.parametrize("key", [None, b"", b"short", KEY[:-2], KEY + b"=", b"!" * 24, b"A" * 24, b"\xff" * 24])
def test_bad_key_is_400(key: bytes | None) -> None:
    with pytest.raises(handshake.BadHandshake, match="Sec-WebSocket-Key") as caught:
        _read(sec_websocket_key=key)
    assert caught.value.status == 400


def test_two_keys_are_400() -> None:
    with pytest.raises(handshake.BadHandshake, match="Sec-WebSocket-Key"):
        handshake.read(b"GET", [*GOOD.items(), (b"sec-websocket-key", KEY)], http_version="1.1")


@pytest.mark.parametrize("connection", [None, b"keep-alive", b"upgraded"])
def test_connection_must_say_upgrade(connection: bytes | None) -> None:
    with pytest.raises(handshake.BadHandshake, match="Connection") as caught:
        _read(connection=connection)
    assert caught.value.status == 400


def test_only_get_over_http_1_1() -> None:
    with pytest.raises(handshake.BadHandshake) as caught:
        _read(method=b"POST")
    assert (caught.value.status, caught.value.headers) == (405, ((b"Allow", b"GET"),))
    with pytest.raises(handshake.BadHandshake) as caught:
        _read(version="1.0")
    assert caught.value.status == 400


def test_refusal_is_a_whole_response() -> None:
    head, body = handshake.refusal(503, "later", [(b"Retry-After", b"1")]).split(b"\r\n\r\n")
    assert head.split(b"\r\n")[0] == b"HTTP/1.1 503 Service Unavailable"
    assert {b"Content-Length: 6", b"Connection: close", b"Retry-After: 1"} < set(head.split(b"\r\n"))
    assert body == b"later\n"
