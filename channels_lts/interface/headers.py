"""The head of an HTTP/1 request, parsed strictly. Pure: bytes in, values out; no Twisted, no Django.

Whatever two parsers could read in two ways is refused, because a proxy in front is such a second parser: control bytes,
folded lines, repeated lengths, a name that is no token. Nothing here is ever written out again for another parser.
"""

from __future__ import annotations

import re
from typing import NamedTuple
from urllib.parse import unquote_to_bytes

# A head that is longer is refused with 431.
MAX_HEAD_SIZE = 65_536
MAXFIELDS = 500

TOKEN = rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]+"
_REQUEST_LINE = re.compile(rb"(" + TOKEN + rb") ([\x21-\x7e]+) HTTP/(1\.[01])\r\n")
# RFC 9110, 5.5: visible characters, space, tab and obs-text. All control bytes are out, 0x0b, 0x0c and 0x1c-0x1e among
# them, at which str.splitlines() breaks a line.
FIELDS = re.compile(rb"(?:" + TOKEN + rb":[\t\x20-\x7e\x80-\xff]*\r\n)*")
_BAD_ESCAPE = re.compile(rb"%(?![0-9A-Fa-f]{2})")
_ABSOLUTE = re.compile(rb"https?://([^/?#]+)", re.IGNORECASE)
# Repeated, these contradict themselves: which one counts differs between servers.
_SINGLE = (
    b"host",
    b"content-length",
    b"transfer-encoding",
    b"upgrade",
    b"sec-websocket-key",
    b"sec-websocket-version",
    b"origin",
)

Headers = list[tuple[bytes, bytes]]


class BadRequest(Exception):
    """Raised for a request that gets *status*; *reason* is for the answer and the log."""

    def __init__(self, reason: str, status: int = 400) -> None:
        super().__init__(reason)
        self.reason = reason
        self.status = status


class Head(NamedTuple):
    method: bytes
    target: bytes
    version: str
    headers: Headers
    by_name: dict[bytes, bytes]
    # Bytes of the body; None where it comes in chunks.
    length: int | None


def parse_head(head: bytes) -> Head:
    """Parse *head*: request line and header lines, each with its CRLF, without the empty line after them.

    Header names come out in lower case, in the order of the wire, repeated ones kept. Names with an underscore are
    left out, as Daphne does: WSGI-style names make ``X_Y`` and ``X-Y`` the same, so one could pose as the other.

    Raises:
        BadRequest: the head is not beyond doubt.
    """
    line = _REQUEST_LINE.match(head)
    if line is None:
        raise BadRequest("the request line is malformed")
    start = line.end()
    if FIELDS.fullmatch(head, start) is None:
        raise BadRequest("a header line is malformed")
    headers: Headers = []
    for field in head[start:-2].split(b"\r\n") if len(head) > start else ():
        name, _, value = field.partition(b":")
        headers.append((name.lower(), value.strip(b" \t")))
    if len(headers) > MAXFIELDS:
        raise BadRequest("there are too many headers", 431)
    if b"\x85" in head:
        _refuse_next_line(headers)
    by_name = dict(headers)
    if len(by_name) != len(headers):
        _refuse_repeated([name for name, _ in headers])
    if b"_" in head:
        headers = [item for item in headers if b"_" not in item[0]]
    version = line[3].decode("ascii")
    if version == "1.1" and b"host" not in by_name:
        raise BadRequest("the Host header is missing")
    return Head(line[1], line[2], version, headers, by_name, _body_length(by_name, version))


def _refuse_next_line(headers: Headers) -> None:
    # Read as Latin-1, as Django does, 0x85 is a line break to str.splitlines(). In UTF-8 it is part of "光" and "Å".
    for _, value in headers:
        if b"\x85" in value:
            try:
                value.decode("utf-8")
            except UnicodeDecodeError:
                raise BadRequest("a header line is malformed") from None


def _refuse_repeated(names: list[bytes]) -> None:
    for name in _SINGLE:
        if names.count(name) > 1:
            raise BadRequest(f"the header {name.decode('ascii')} is repeated")


def _body_length(by_name: dict[bytes, bytes], version: str) -> int | None:
    length, encoding = by_name.get(b"content-length"), by_name.get(b"transfer-encoding")
    if encoding is not None:
        if length is not None:
            raise BadRequest("Content-Length and Transfer-Encoding exclude each other")
        if encoding.lower() != b"chunked" or version == "1.0":
            raise BadRequest("this Transfer-Encoding is not understood")
        return None
    if length is None:
        return 0
    # Eighteen digits: int() itself refuses thousands of them with another error.
    if not length.isdigit() or len(length) > 18:
        raise BadRequest("Content-Length must be a number")
    return int(length)


def split_target(target: bytes, host: bytes | None) -> tuple[bytes, bytes]:
    """Return path and query string of a request target, both as they came.

    Raises:
        BadRequest: it is neither a path, nor ``*``, nor a URL of this very *host*.
    """
    if not target.startswith(b"/") and target != b"*":
        absolute = _ABSOLUTE.match(target)
        if absolute is None or (host is not None and absolute[1].lower() != host.lower()):
            raise BadRequest("the request target is malformed")
        target = target[absolute.end() :]
        if not target.startswith(b"/"):
            target = b"/" + target
    path, _, query = target.partition(b"?")
    return path, query


def decode_path(path: bytes) -> str:
    """Return *path* without its percent signs.

    Raises:
        BadRequest: a percent sign is not followed by two hexadecimal digits, or the result is not UTF-8.
    """
    if b"%" in path:
        if _BAD_ESCAPE.search(path):
            raise BadRequest("the path has a malformed escape")
        path = unquote_to_bytes(path)
    try:
        return path.decode("utf-8")
    except UnicodeDecodeError:
        raise BadRequest("the path is not UTF-8") from None
