"""The frames of RFC 6455 that a server sends, and what a consumer's message asks it to send. Pure functions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG = 0x0, 0x1, 0x2, 0x8, 0x9, 0xA
FIN = 0x80
NORMAL, PROTOCOL_ERROR, NO_STATUS, INVALID_DATA, TOO_BIG = 1000, 1002, 1005, 1007, 1009
# Bytes that a control frame may hold; two of a close frame's are its code.
CONTROL_LIMIT = 125
REASON_LIMIT = CONTROL_LIMIT - 2

_SHORT_HEADERS = {
    opcode: tuple(bytes((FIN | opcode, size)) for size in range(CONTROL_LIMIT + 1))
    for opcode in (TEXT, BINARY, CLOSE, PING, PONG)
}
_REPLY_KEYS = frozenset(("accept", "text", "bytes", "close", "reason"))


def valid_close_code(code: int) -> bool:
    """Tell whether *code* may stand in a close frame: 1005, 1006 and 1015 only ever report that there was none."""
    return 3000 <= code <= 4999 or (1000 <= code <= 1014 and code not in (1004, 1005, 1006))


def encode(opcode: int, payload: bytes) -> bytes:
    """Return one whole frame, without a mask, as a server sends it."""
    size = len(payload)
    if size <= CONTROL_LIMIT:
        return _SHORT_HEADERS[opcode][size] + payload
    if size < 0x10000:
        return bytes((FIN | opcode, 126)) + size.to_bytes(2, "big") + payload
    return bytes((FIN | opcode, 127)) + size.to_bytes(8, "big") + payload


def encode_close(code: int = NO_STATUS, reason: str = "") -> bytes:
    """Return a close frame; one of code 1005 is empty. A *reason* beyond 123 bytes of UTF-8 is cut short."""
    if code == NO_STATUS:
        return encode(CLOSE, b"")
    cut = reason.encode("utf-8", "replace")[:REASON_LIMIT].decode("utf-8", "ignore").encode()
    return encode(CLOSE, code.to_bytes(2, "big") + cut)


def encode_reply(message: Mapping[str, Any]) -> bytes:
    """Return the frame that a consumer's *message* asks for, or no bytes where it has neither ``text`` nor ``bytes``.

    An empty text and empty bytes are frames too; a value of None counts as absent. The keys ``accept``, ``close`` and
    ``reason`` are left to the caller.

    Raises:
        ValueError: an unknown key, a value of the wrong type, or both ``text`` and ``bytes``.
    """
    if not _REPLY_KEYS.issuperset(message):
        unknown = sorted(str(key) for key in message if key not in _REPLY_KEYS)
        known = ", ".join(sorted(_REPLY_KEYS))
        raise ValueError(f"unknown keys {', '.join(unknown)} in a WebSocket reply; known are {known}")
    text = message.get("text")
    data = message.get("bytes")
    if text is not None:
        if data is not None:
            raise ValueError("both text and bytes in one WebSocket reply")
        if not isinstance(text, str):
            raise ValueError(f"text of a WebSocket reply must be str, not {type(text).__name__}")
        try:
            return encode(TEXT, text.encode())
        except UnicodeEncodeError as error:
            raise ValueError(f"text of a WebSocket reply cannot be UTF-8: {error}") from error
    if data is None:
        return b""
    if not isinstance(data, (bytes, bytearray, memoryview)):
        raise ValueError(f"bytes of a WebSocket reply must be bytes, not {type(data).__name__}")
    return encode(BINARY, bytes(data))


def close_of(message: Mapping[str, Any]) -> tuple[int, str] | None:
    """Return code and reason of the close that a consumer's *message* asks for, or None.

    ``close`` is True, which means 1000, or a close code; ``reason`` may stand beside it.

    Raises:
        ValueError: the code may not be sent, the reason is no text or too long, or stands without ``close``.
    """
    code = message.get("close")
    reason = message.get("reason")
    if not code:
        if reason is not None:
            raise ValueError("reason without close in a WebSocket reply")
        return None
    if code is True:
        code = NORMAL
    if not isinstance(code, int) or not valid_close_code(code):
        raise ValueError(f"close of a WebSocket reply must be True or a close code like 1000 or 4000, not {code!r}")
    if reason is None:
        return code, ""
    if not isinstance(reason, str):
        raise ValueError(f"reason of a WebSocket reply must be str, not {type(reason).__name__}")
    try:
        size = len(reason.encode())
    except UnicodeEncodeError as error:
        raise ValueError(f"reason of a WebSocket reply cannot be UTF-8: {error}") from error
    if size > REASON_LIMIT:
        raise ValueError(f"reason of a WebSocket reply must be at most {REASON_LIMIT} bytes of UTF-8: {reason!r}")
    return code, reason
