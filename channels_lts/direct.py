"""Writing to a socket without the reactor's detour, and how much waits to be written.

Twisted collects what is written and sends it when epoll says that the socket is ready: for a frame to a browser that
keeps up, or a command to Redis, that is an ``epoll_ctl`` to begin, a turn of the reactor, and an ``epoll_ctl`` to end,
around the one ``send`` that was needed. What stands here relies on how Twisted keeps its buffers; where it does so
otherwise, `transport.write` is used, and nothing else changes.
"""

from __future__ import annotations

import socket
from typing import Any

from twisted.internet import abstract, tcp, unix
from twisted.protocols.policies import ProtocolWrapper

_PLAIN = (tcp.Server, unix.Server, tcp.Client, unix.Client)
_BUFFERS = ("_tempDataBuffer", "_tempDataLen", "dataBuffer", "offset")
_PROBE = abstract.FileDescriptor(reactor=object())
_SUPPORTED = all(hasattr(_PROBE, name) for name in _BUFFERS)


def descriptor(transport: Any) -> Any:
    """Return the transport below TLS that holds the bytes that wait, or None where that cannot be known."""
    while isinstance(transport, ProtocolWrapper):
        transport = transport.transport
    return transport if _SUPPORTED and isinstance(transport, abstract.FileDescriptor) else None


def is_direct(transport: Any) -> bool:
    """Tell whether :func:`write` may send on the socket of *transport*: it is a plain one, without TLS."""
    return _SUPPORTED and type(transport) in _PLAIN and not getattr(transport, "TLS", False)


def waiting(below: Any) -> int:
    """Return how many bytes wait in *below*, a :func:`descriptor`."""
    return len(below.dataBuffer) - below.offset + below._tempDataLen


def unread(transport: Any) -> bool:
    """Tell whether bytes have arrived that the reactor has not read yet; False where that cannot be known."""
    below = descriptor(transport)
    try:
        return below is not None and bool(below.socket.recv(1, socket.MSG_PEEK))
    except (OSError, AttributeError):
        # Most often: it would block.
        return False


def write(transport: Any, data: bytes) -> bool:
    """Send *data* on a transport that :func:`is_direct`, now if nothing waits before it.

    Returns False, and has done nothing, where something waits, or the connection is gone: then it is the caller's to
    decide.
    """
    if transport.dataBuffer or transport._tempDataBuffer or not transport.connected or transport.disconnecting:
        return False
    try:
        sent = transport.socket.send(data)
    except OSError:
        # Full, or broken: both are Twisted's to handle, as for all other transports.
        sent = 0
    if sent < len(data):
        transport.write(data[sent:] if sent else data)
    return True
