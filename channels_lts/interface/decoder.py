"""The frames of RFC 6455 that a browser sends, as a function of bytes: no sockets, no reactor, no Django."""

from __future__ import annotations

from typing import NamedTuple, TypeAlias

from channels_lts.interface.frames import (
    BINARY,
    CONTINUATION,
    CONTROL_LIMIT,
    FIN,
    INVALID_DATA,
    NO_STATUS,
    PING,
    PONG,
    PROTOCOL_ERROR,
    TEXT,
    TOO_BIG,
    valid_close_code,
)

_RSV = 0x70
_OPCODE = 0x0F
_CONTROL = 0x08
_MASKED = 0x80
_MASK_SIZE = 4
_FIN_TEXT = FIN | TEXT
_FIN_BINARY = FIN | BINARY


class Ping(NamedTuple):
    """A ping, to be answered with a pong of the same *payload*."""

    payload: bytes


class Pong(NamedTuple):
    """A pong, asked for or not."""

    payload: bytes


class Close(NamedTuple):
    """The peer's close frame: no event follows. *code* is 1005 where the frame has none."""

    code: int
    reason: str


class Violation(NamedTuple):
    """The peer broke the protocol or a limit: no event follows, and the connection is to be closed with *code*."""

    code: int
    reason: str


# A str is a text message, bytes are a binary message; both whole.
Event: TypeAlias = str | bytes | Ping | Pong | Close | Violation


class Decoder:
    """Makes events of a peer's bytes, however those are cut.

    Every byte is copied a bounded number of times, and what is held never exceeds one message and one frame: a frame
    that is too large is refused by its header, before its payload is taken in. UTF-8 is checked for whole messages.
    """

    __slots__ = ("_buffer", "_fragments", "_fragments_opcode", "_max_frame", "_max_message", "_needed", "_over")

    def __init__(self, *, max_frame_size: int, max_message_size: int) -> None:
        """Limits are in bytes of payload."""
        self._max_frame = min(max_frame_size, max_message_size)
        self._max_message = max_message_size
        # The beginning of a frame, and the size it must reach before a look at it can tell more.
        self._buffer: bytearray | None = None
        self._needed = 0
        # A bytearray and not a list of fragments: empty ones take no room in it, tiny ones no more than their size.
        self._fragments: bytearray | None = None
        self._fragments_opcode = 0
        self._over = False

    def feed(self, data: bytes) -> list[Event]:
        """Return the events that *data* completes, in order. After :class:`Close` or :class:`Violation`: none."""
        events: list[Event] = []
        if self._over:
            return events
        if self._buffer is not None:
            self._buffer += data
            if len(self._buffer) < self._needed:
                return events
            data, self._buffer = bytes(self._buffer), None
        position, size = 0, len(data)
        while True:
            start = position + 2
            if start > size:
                needed = start
                break
            first = data[position]
            # Never below 0 once the mask bit is known to be set.
            length = data[position + 1] - _MASKED
            if (first != _FIN_TEXT and first != _FIN_BINARY) or length < 0 or self._fragments is not None:
                fault = self._fault(first, length)
                if fault:
                    return self._violation(events, PROTOCOL_ERROR, fault)
            if length > CONTROL_LIMIT:
                start += 2 if length == 126 else 8
                if start > size:
                    needed = start
                    break
                extended = int.from_bytes(data[position + 2 : start], "big")
                if extended < (126 if length == 126 else 0x10000):
                    return self._violation(events, PROTOCOL_ERROR, "length not in its shortest form")
                if extended >> 63:
                    return self._violation(events, PROTOCOL_ERROR, "length with its highest bit set")
                length = extended
            if length > self._max_frame:
                return self._violation(events, TOO_BIG, f"frame of more than {self._max_frame} bytes")
            if (
                self._fragments is not None
                and not first & _CONTROL
                and len(self._fragments) + length > self._max_message
            ):
                return self._violation(events, TOO_BIG, f"message of more than {self._max_message} bytes")
            payload_start = start + _MASK_SIZE
            end = payload_start + length
            if end > size:
                needed = end
                break
            payload = unmask(data[payload_start:end], data[start:payload_start])
            position = end
            if first == _FIN_TEXT:
                try:
                    events.append(payload.decode())
                except UnicodeDecodeError:
                    return self._violation(events, INVALID_DATA, "text is not UTF-8")
            elif first == _FIN_BINARY:
                events.append(payload)
            else:
                event = self._control(first, payload) if first & _CONTROL else self._fragment(first, payload)
                if event is not None:
                    events.append(event)
                    if type(event) is Close or type(event) is Violation:
                        return self._end(events)
        if position < size:
            self._buffer = bytearray(data[position:] if position else data)
            self._needed = needed - position
        return events

    def _fault(self, first: int, length: int) -> str | None:
        """Say what is wrong with a header of first byte *first* and 7-bit *length*, negative without a mask."""
        opcode = first & _OPCODE
        if first & _RSV:
            return "reserved bit set"
        if length < 0:
            return "frame without a mask"
        if opcode & _CONTROL:
            if opcode > PONG:
                return f"unknown opcode {opcode}"
            if not first & FIN:
                return "fragmented control frame"
            if length > CONTROL_LIMIT:
                return f"control frame of more than {CONTROL_LIMIT} bytes"
        elif opcode == CONTINUATION:
            if self._fragments is None:
                return "continuation without a beginning"
        elif opcode > BINARY:
            return f"unknown opcode {opcode}"
        elif self._fragments is not None:
            return "new message inside a fragmented one"
        return None

    def _fragment(self, first: int, payload: bytes) -> Event | None:
        """Take in one part of a fragmented message, and return the message if it is the last."""
        if self._fragments is None:
            self._fragments = bytearray()
            self._fragments_opcode = first & _OPCODE
        self._fragments += payload
        if not first & FIN:
            return None
        message, self._fragments = self._fragments, None
        if self._fragments_opcode == BINARY:
            return bytes(message)
        try:
            return message.decode()
        except UnicodeDecodeError:
            return Violation(INVALID_DATA, "text is not UTF-8")

    def _control(self, first: int, payload: bytes) -> Event:
        opcode = first & _OPCODE
        if opcode == PING:
            return Ping(payload)
        if opcode == PONG:
            return Pong(payload)
        if not payload:
            return Close(NO_STATUS, "")
        if len(payload) == 1:
            return Violation(PROTOCOL_ERROR, "close frame of one byte")
        code = int.from_bytes(payload[:2], "big")
        if not valid_close_code(code):
            return Violation(PROTOCOL_ERROR, f"close code {code}")
        try:
            return Close(code, payload[2:].decode())
        except UnicodeDecodeError:
            return Violation(INVALID_DATA, "close reason is not UTF-8")

    def _violation(self, events: list[Event], code: int, reason: str) -> list[Event]:
        events.append(Violation(code, reason))
        return self._end(events)

    def _end(self, events: list[Event]) -> list[Event]:
        self._over = True
        self._fragments = None
        return events


# Above this size four passes by bytes.translate beat one pass over integers as long as the payload (measured).
_TRANSLATE_FROM = 8192
_XOR_TABLES: list[bytes] = []


def unmask(payload: bytes, mask: bytes) -> bytes:
    """Return *payload* xor the four bytes of *mask*, repeated. Doing it twice gives the payload back."""
    size = len(payload)
    if size < _TRANSLATE_FROM:
        pad = (mask * ((size >> 2) + 1))[:size]
        return (int.from_bytes(payload, "little") ^ int.from_bytes(pad, "little")).to_bytes(size, "little")
    if not _XOR_TABLES:
        _XOR_TABLES.extend(bytes(value ^ key for value in range(256)) for key in range(256))
    result = bytearray(size)
    for offset, key in enumerate(mask):
        result[offset::4] = payload[offset::4].translate(_XOR_TABLES[key])
    return bytes(result)
