"""What a socket is told when its server ends. Pure."""

from __future__ import annotations

import json

from channels_lts.interface import frames

# Sockets a second that one ending process sends back at most, on average: a handshake costs whoever is left a login, a
# join and a query or two, beside what is going on anyway.
RETURNS_PER_SECOND = 2000


def window(configured: tuple[int, int], sockets: int) -> tuple[int, int]:
    """Return from and to in milliseconds over which *sockets* spread their return.

    That is *configured*, ``RECONNECT_AFTER``, and longer where so many sockets would come faster than
    ``RETURNS_PER_SECOND``.
    """
    least, most = configured
    return least, max(most, least + sockets * 1000 // RETURNS_PER_SECOND)


def frame(after_ms: tuple[int, int]) -> bytes:
    """Return the frame that tells a browser to come back, at a time of its own choice within *after_ms*."""
    payload = {"type": "disconnect", "reconnect": True, "after_ms": after_ms}
    text = json.dumps({"stream": "system", "payload": payload}, separators=(",", ":"))
    return frames.encode(frames.TEXT, text.encode())
