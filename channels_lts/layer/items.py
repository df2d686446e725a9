"""One message as one item of a Redis list. Pure: bytes in, bytes out.

An item is a header, a name and a body. The first five fields keep their place in every version of the format, so that
each reader can tell what it must leave to a newer one, and until when::

    byte 0      0xC1, which begins no msgpack value, so that items of other layers are told apart
    byte 1      version of the writer
    byte 2      the oldest version whose readers understand it
    byte 3      length of the header with the name; what a newer version adds stands at its end
    byte 4      kind
    bytes 5-12  when it expires, seconds since 1970, float64 big-endian
    byte 13     length of the name
    then        the name: the channel, or the group for a group message and for what concerns a membership
    then        the body: the serialised message, the channel that joins or leaves a group, or what is kept of a channel
"""

from __future__ import annotations

import struct
from enum import IntEnum
from typing import NamedTuple

MAGIC = 0xC1
VERSION = 1
_OLDEST_READER = 1
_HEADER = struct.Struct(">BBBBBdB")


class Kind(IntEnum):
    """What an item carries."""

    MESSAGE = 0
    GROUP = 1
    JOIN = 2
    LEAVE = 3
    KEEP = 4


_KINDS = frozenset(Kind)
# Looked up once: these stand in the way of every message.
MESSAGE, GROUP, JOIN, LEAVE, KEEP = (int(kind) for kind in Kind)


class Item(NamedTuple):
    kind: int
    name: str
    expires: float
    body: bytes


class UnreadableItem(ValueError):
    """Raised for bytes that are no item of any version."""


class NewerItem(UnreadableItem):
    """Raised for an item that only a newer version can read; it counts until *expires*, seconds since 1970."""

    def __init__(self, version: int, expires: float) -> None:
        super().__init__(f"item of format version {version}; this side reads up to version {VERSION}")
        self.expires = expires


def encode(kind: int, name: str, expires: float, body: bytes) -> bytes:
    """Return the item. *name* is a valid channel or group name, or empty where the queue says it."""
    encoded = name.encode("ascii")
    length = len(encoded)
    return _HEADER.pack(MAGIC, VERSION, _OLDEST_READER, _HEADER.size + length, kind, expires, length) + encoded + body


def decode(raw: bytes) -> Item:
    """Return the item in *raw*.

    Raises:
        NewerItem: it was written for newer readers.
        UnreadableItem: it is no item at all.
    """
    try:
        magic, version, oldest_reader, header, kind, expires, length = _HEADER.unpack_from(raw)
    except struct.error:
        raise UnreadableItem(f"not an item: {raw[:40]!r}") from None
    if magic != MAGIC:
        raise UnreadableItem(f"not an item: {raw[:40]!r}")
    if oldest_reader > VERSION or kind not in _KINDS:
        raise NewerItem(version, expires)
    end = _HEADER.size + length
    if not end <= header <= len(raw):
        raise UnreadableItem(f"item with a broken header: {raw[:40]!r}")
    return Item(kind, raw[_HEADER.size : end].decode("ascii", "replace"), expires, raw[header:])
