"""Whose address counts, behind how many proxies (D15)."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from channels_lts.interface.forwarded import ForwardedHeaders, visitor
from tests.interface.running import Interface, upgrade

NAMES = ForwardedHeaders()


def told(proxies: int, *headers: tuple[str, str]) -> tuple:
    return visitor([(name.encode(), value.encode("latin-1")) for name, value in headers], proxies=proxies, names=NAMES)


@pytest.mark.parametrize(
    ("proxies", "value", "address"),
    [
        (1, "192.0.2.1", "192.0.2.1"),
        (1, "6.6.6.6, 192.0.2.1", "192.0.2.1"),
        (2, "6.6.6.6, 192.0.2.1, 10.0.0.1", "192.0.2.1"),
        (2, "192.0.2.1", None),
        (1, "6.6.6.6, nonsense", None),
        (1, "6.6.6.6,", None),
        (1, "", None),
        (1, "\xe9", None),
        (1, "192.0.2.1:1234", "192.0.2.1"),
        (1, "2001:db8::1", "2001:db8::1"),
        (1, "[2001:DB8::1]:1234", "2001:db8::1"),
    ],
)
def test_d15_the_address_is_counted_from_the_right(proxies: int, value: str, address: str | None) -> None:
    client, _ = told(proxies, ("x-forwarded-for", value))
    assert client == (None if address is None else [address, 0])


def test_several_headers_are_one_list() -> None:
    assert told(2, ("x-forwarded-for", "192.0.2.1"), ("x-forwarded-for", "10.0.0.1"))[0] == ["192.0.2.1", 0]


@pytest.mark.parametrize(("port", "expected"), [("443", 443), ("x", 0), ("70000", 0), ("²", 0), ("", 0)])
def test_a_port_that_is_none_counts_as_unknown(port: str, expected: int) -> None:
    assert told(1, ("x-forwarded-for", "192.0.2.1"), ("x-forwarded-port", port))[0] == ["192.0.2.1", expected]


@pytest.mark.parametrize(
    ("value", "scheme"),
    [("https", "https"), ("HTTP", "http"), ("wss", "https"), ("http, https", "https"), ("javascript", None)],
)
def test_the_scheme_is_http_or_https(value: str, scheme: str | None) -> None:
    assert told(1, ("x-forwarded-proto", value)) == (None, scheme)


@pytest.mark.system
def test_d15_one_proxy_and_two_over_the_wire(start_interface: Callable[..., Interface]) -> None:
    headers = (
        b"X-Forwarded-For: 6.6.6.6, 192.0.2.1, 192.0.2.2\r\nX-Forwarded-Proto: https\r\nX-Forwarded-Port: 4711\r\n"
    )
    one = start_interface("--proxy-headers", "--root-path", "/mounted")
    message, _ = one.get("/", headers)
    assert (message["client"], message["scheme"], message["root_path"]) == (["192.0.2.2", 4711], "https", "/mounted")
    with one.connect() as client:
        client.send(upgrade(headers=headers))
        message = one.take("websocket.connect")
        assert (message["client"], message["scheme"], message["root_path"]) == (["192.0.2.2", 4711], "wss", "/mounted")
        one.reply(message, accept=False)
        assert client.response().status == 403
    assert one.take("websocket.disconnect")["reply_channel"] == message["reply_channel"]
    two = start_interface("--trusted-proxies", "2")
    assert two.get("/", headers)[0]["client"] == ["192.0.2.1", 4711]
    assert two.get("/", b"X-Forwarded-For: nonsense, x, y\r\n")[0]["client"][0] == "127.0.0.1"
    assert "Traceback" not in two.log
