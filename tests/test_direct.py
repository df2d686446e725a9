from __future__ import annotations

import socket
from typing import Any

from twisted.internet import tcp

from channels_lts import direct


def test_what_has_arrived_unread_is_seen_and_stays() -> None:
    reactor: Any = object()
    ours, theirs = socket.socketpair()
    with ours, theirs:
        transport = tcp.Connection(ours, None, reactor)
        assert not direct.unread(transport)
        theirs.send(b"GET")
        assert direct.unread(transport)
        assert direct.unread(transport)
        assert ours.recv(10) == b"GET"
        theirs.close()
        # An end is nothing to be read.
        assert not direct.unread(transport)
    assert not direct.unread(object())
