"""Addresses of UDP: listening on one, and one as a part of a channel's name."""

from __future__ import annotations

import ipaddress
import re
import socket

from channels_lts.exceptions import ChannelsLTSError

# Of the kernel's, which may give less.
_KERNEL_BUFFER = 4 * 1024 * 1024
_ADDRESS = re.compile(r"([0-9a-f]{8}|[0-9a-f]{32})-([0-9a-f]{4})")


class CannotListen(ChannelsLTSError):
    """Raised when the server cannot listen on the address that it was given; the message says why."""


def bound(host: str, port: int) -> socket.socket:
    """Return a UDP socket that listens there and does not block.

    Raises:
        CannotListen: the address is taken, or none of ours.
    """
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_DGRAM, flags=socket.AI_PASSIVE | socket.AI_NUMERICHOST
        )[0]
        listening = socket.socket(family, kind, protocol)
    except OSError as problem:
        raise CannotListen(f"cannot listen on UDP {host}: {problem.strerror or problem}") from problem
    try:
        # A burst waits there until we come to it. The kernel may give less.
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _KERNEL_BUFFER)
        listening.setblocking(False)
        listening.bind(address)
    except (OSError, OverflowError) as problem:
        listening.close()
        reason = getattr(problem, "strerror", None) or problem
        raise CannotListen(f"cannot listen on UDP {host} port {port}: {reason}") from problem
    return listening


def packed(host: str, port: int) -> str:
    """Return an address as the last part of a channel's name."""
    # Of a link-local address also the interface, which is only needed to send, and cannot be part of a name.
    return f"{ipaddress.ip_address(host.partition('%')[0]).packed.hex()}-{port:04x}"


def unpacked(text: str) -> tuple[str, int] | None:
    """Return the address that :func:`packed` made *text* of; None where it is none."""
    found = _ADDRESS.fullmatch(text)
    return (str(ipaddress.ip_address(bytes.fromhex(found[1]))), int(found[2], 16)) if found else None
