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
PROTOCOL_ERROR = CloseCode(1002, "a frame that RFC 6455 does not allow", False)
ABNORMAL = CloseCode(1006, "the connection broke; never sent, only reported by browsers", True)
INVALID_DATA = CloseCode(1007, "text that is not UTF-8", False)
POLICY_VIOLATION = CloseCode(1008, "more messages a second than the server takes", True)
MESSAGE_TOO_BIG = CloseCode(1009, "a frame or a message larger than the server takes", True)
INTERNAL_ERROR = CloseCode(1011, "the server failed", True)
SERVICE_RESTART = CloseCode(1012, "the interface server is ending; another one is there", True)
TRY_AGAIN_LATER = CloseCode(1013, "the queue of frames is full, the browser reads too slowly, or Redis is away", True)
DISCONNECTED = CloseCode(4001, "disconnected by an administrator", False)
NOT_ALLOWED = CloseCode(4003, "no longer allowed", False)

ALL = (
    NORMAL,
    GOING_AWAY,
    PROTOCOL_ERROR,
    ABNORMAL,
    INVALID_DATA,
    POLICY_VIOLATION,
    MESSAGE_TOO_BIG,
    INTERNAL_ERROR,
    SERVICE_RESTART,
    TRY_AGAIN_LATER,
    DISCONNECTED,
    NOT_ALLOWED,
)
