"""The WebSocket close codes that a client of this deployment meets, and whether it should come back.

Codes below 4000 are RFC 6455's and IANA's; 4000 to 4999 are free for applications, and ours are chosen here.
"""

from __future__ import annotations

from typing import NamedTuple


class CloseCode(NamedTuple):
    code: int
    reason: str
    reconnect: bool


NORMAL = CloseCode(1000, "closed by either side on purpose", False)
GOING_AWAY = CloseCode(1001, "the server stops or the page is left", True)
ABNORMAL = CloseCode(1006, "the connection broke; never sent, only reported by browsers", True)
INTERNAL_ERROR = CloseCode(1011, "the server failed", True)
TRY_AGAIN_LATER = CloseCode(1013, "the queue of incoming frames is full", True)
DISCONNECTED = CloseCode(4001, "disconnected by an administrator", False)
NOT_ALLOWED = CloseCode(4003, "no longer allowed", False)

ALL = (NORMAL, GOING_AWAY, ABNORMAL, INTERNAL_ERROR, TRY_AGAIN_LATER, DISCONNECTED, NOT_ALLOWED)
