"""The head of a response, from the first reply message. Pure: no Twisted, no Django."""

from __future__ import annotations

from http.client import responses
from typing import Any, NamedTuple

from channels_lts.interface.headers import FIELDS

_KEYS = frozenset({"status", "status_text", "headers", "content", "more_content"})
_NO_BODY = frozenset({204, 304})
PHRASES = {status: phrase.encode("ascii") for status, phrase in responses.items()}


class ResponseError(ValueError):
    """Raised for a reply message that is not a response, or not one that may come now."""


class Start(NamedTuple):
    """How a response goes out."""

    status: int
    # Header lines, each with its CRLF; without the status line.
    block: bytes
    # Whether the body is left out: HEAD, 204, 304.
    bodiless: bool
    # Bytes of the body, where the worker said so.
    length: int | None
    chunked: bool
    # Whether the end of the body is the end of the connection, or the worker asks for that.
    close: bool


def content_of(message: dict[str, Any]) -> bytes:
    """Return the part of the body in *message*.

    Raises:
        ResponseError: it is neither bytes nor text.
    """
    content = message.get("content", b"")
    if isinstance(content, str):
        content = content.encode()
    if not isinstance(content, bytes):
        raise ResponseError(f"content must be bytes, not {type(content).__name__}")
    return content


def start(message: dict[str, Any], *, method: bytes, version: str, size: int) -> Start:
    """Return the head that *message* asks for, to a request of *method* and HTTP *version*.

    *size* is how many bytes its own content has.

    Raises:
        ResponseError: it has no status, or headers that cannot be sent.
    """
    status = message.get("status")
    if not isinstance(status, int) or not 200 <= status <= 999:
        raise ResponseError(f"the status must be a number from 200 to 999, not {status!r}")
    block, by_name = encode_headers(message.get("headers") or ())
    value = by_name.get(b"content-length")
    if value is not None and not (value.isdigit() and len(value) <= 18):
        raise ResponseError(f"Content-Length must be a number, not {value!r}")
    length = None if value is None else int(value)
    more = bool(message.get("more_content"))
    bodiless = method == b"HEAD" or status in _NO_BODY
    chunked = False
    close = b"close" in by_name.get(b"connection", b"").lower()
    if bodiless:
        if length is None and size and status not in _NO_BODY:
            block += b"Content-Length: %d\r\n" % size
        length = None
    elif length is None and not more:
        length = size
        block += b"Content-Length: %d\r\n" % size
    elif length is None and version == "1.0":
        close = True
    elif length is None:
        chunked = version == "1.1"
        if chunked:
            block += b"Transfer-Encoding: chunked\r\n"
    return Start(status, block, bodiless, length, chunked, close)


def encode_headers(headers: object) -> tuple[bytes, dict[bytes, bytes]]:
    """Return the header lines of a response, and the values by lower-case name, from pairs of bytes or str.

    Raises:
        ResponseError: *headers* are no pairs, or one of them could be taken for something else.
    """
    lines: list[bytes] = []
    by_name: dict[bytes, bytes] = {}
    count = 0
    if isinstance(headers, dict):
        headers = headers.items()
    try:
        for name, value in headers:  # type: ignore[attr-defined]
            if isinstance(name, str):
                name = name.encode("latin-1")
            if isinstance(value, str):
                value = value.encode("latin-1")
            lower = name.lower()
            # The body's framing is ours: a worker's own would contradict it.
            if lower in (b"transfer-encoding", b"keep-alive"):
                continue
            if lower in (b"content-length", b"connection"):
                if lower in by_name:
                    raise ResponseError(f"the header {lower.decode('ascii')} is repeated")
                by_name[lower] = value
                if lower == b"connection":
                    continue
            else:
                by_name[lower] = value
            lines.append(b"%b: %b\r\n" % (name, value))
            count += 1
    except (TypeError, AttributeError, UnicodeEncodeError) as error:
        raise ResponseError(f"headers must be pairs of bytes, not {headers!r:.200}") from error
    block = b"".join(lines)
    if FIELDS.fullmatch(block) is None or block.count(b"\r\n") != count:
        raise ResponseError(f"a header has bytes that must not be in one: {block!r:.300}")
    return block, by_name
