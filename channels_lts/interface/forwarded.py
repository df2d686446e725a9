"""The address of the visitor behind trusted proxies. Pure: headers in, values out.

Each proxy appends to ``X-Forwarded-For`` the address that it was called from. So with N proxies of ours in front, the
Nth value from the right is the first that no visitor can forge; everything left of it is the visitor's own invention.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Sequence
from typing import NamedTuple

_WITH_PORT = re.compile(r"\[([^\]]+)\](?::\d+)?|(\d+\.\d+\.\d+\.\d+):\d+")


class ForwardedHeaders(NamedTuple):
    """Names of the headers to read, in lower case; None: that one is never read."""

    address: bytes = b"x-forwarded-for"
    port: bytes | None = b"x-forwarded-port"
    scheme: bytes | None = b"x-forwarded-proto"


def visitor(
    headers: Sequence[tuple[bytes, bytes]],
    *,
    proxies: int,
    names: ForwardedHeaders,
) -> tuple[list[str | int] | None, str | None]:
    """Return ``[address, port]`` and the scheme (``http`` or ``https``) that *proxies* trusted proxies tell of.

    What is missing or is not an address, a port, a scheme counts as not told: None, or port 0.
    """
    for name, _ in headers:
        if name == names.address:
            break
    else:
        return None, _scheme(headers, names, proxies)
    values = _values(headers, names.address)
    # Fewer than our proxies would have written: it did not come through all of them.
    address = _address(values[-proxies]) if len(values) >= proxies else None
    if address is None:
        return None, None
    return [address, _port(headers, names, proxies)], _scheme(headers, names, proxies)


def _values(headers: Sequence[tuple[bytes, bytes]], name: bytes) -> list[str]:
    values: list[str] = []
    for key, value in headers:
        if key == name:
            values += [part.strip() for part in value.decode("latin-1").split(",")]
    return values


def _address(value: str) -> str | None:
    with_port = _WITH_PORT.fullmatch(value)
    if with_port:
        value = with_port[1] or with_port[2]
    try:
        return str(ipaddress.ip_address(value))
    except ValueError:
        return None


def _told(headers: Sequence[tuple[bytes, bytes]], name: bytes | None, proxies: int) -> str:
    # Proxies overwrite these as often as they append to them, so there may be fewer than proxies.
    values = _values(headers, name) if name else []
    return values[-min(proxies, len(values))] if values else ""


def _port(headers: Sequence[tuple[bytes, bytes]], names: ForwardedHeaders, proxies: int) -> int:
    port = _told(headers, names.port, proxies)
    return int(port) if port.isascii() and port.isdigit() and len(port) < 6 and int(port) < 65_536 else 0


def _scheme(headers: Sequence[tuple[bytes, bytes]], names: ForwardedHeaders, proxies: int) -> str | None:
    return {"http": "http", "https": "https", "ws": "http", "wss": "https"}.get(
        _told(headers, names.scheme, proxies).lower()
    )
