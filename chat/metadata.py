"""Image files without what they tell of their maker: where it was taken, with what, by whom.

Works on bytes, without decoding: pixels stay exactly as they were. The orientation is kept, since pictures from phones
lie on their side without it, and so are colour profiles and animation. GIF has no place for a position and stays
as it is.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Callable, Iterator

_JPEG_START = b"\xff\xd8"
_JPEG_END = 0xD9
_JPEG_SCAN = 0xDA
# Markers without a length: TEM, RST0 to RST7, SOI.
_JPEG_BARE = {0x01, *range(0xD0, 0xD9)}
# JFIF, ICC profile, and Adobe's, without which CMYK is shown inverted. All other APPn, and comments, go.
_JPEG_KEPT_APPS = {0xE0: b"JFIF\0", 0xE2: b"ICC_PROFILE\0", 0xEE: b"Adobe"}
_JPEG_APPS = range(0xE0, 0xF0)
_JPEG_COMMENT = 0xFE
# Within a scan 0xFF is followed by 0, by a restart marker, or by fill bytes.
_JPEG_MARKER = re.compile(rb"\xff([^\x00\xd0-\xd7\xff])")

_PNG_START = b"\x89PNG\r\n\x1a\n"
_PNG_DROPPED = {b"eXIf", b"tEXt", b"zTXt", b"iTXt", b"tIME"}

_WEBP_DROPPED = {b"EXIF", b"XMP "}
_WEBP_FLAGS_DROPPED = 0x08 | 0x04


class Malformed(ValueError):
    """Raised for bytes that do not have the structure of their format."""


def strip(data: bytes, format: str, orientation: int = 1) -> bytes:
    """Return *data*, a file in *format* (Pillow's name), without metadata but with its *orientation* (EXIF, 1 to 8).

    PNG and WebP lose the orientation too: browsers honour it there in different ways, and cameras do not write them.

    Raises:
        Malformed: the structure of the file is broken.
    """
    stripper = _STRIPPERS.get(format)
    if stripper is None:
        return data
    try:
        return stripper(data, orientation)
    except (struct.error, IndexError) as error:
        raise Malformed(f"the {format} file ends within its structure") from error


def _strip_jpeg(data: bytes, orientation: int) -> bytes:
    if not data.startswith(_JPEG_START):
        raise Malformed("not a JPEG file")
    kept = [_JPEG_START]
    for marker, segment in _jpeg_segments(data):
        wanted = _JPEG_KEPT_APPS.get(marker)
        if marker == _JPEG_COMMENT or (marker in _JPEG_APPS and (not wanted or segment[4 : 4 + len(wanted)] != wanted)):
            continue
        kept.append(segment)
    if orientation != 1:
        # Behind JFIF, which must be the first.
        kept.insert(2 if len(kept) > 1 and kept[1][1] == 0xE0 else 1, _exif_orientation(orientation))
    return b"".join(kept)


def _jpeg_segments(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield the marker and the bytes of each segment up to the end of the image; what follows that is not part of it.

    Phones append films and second pictures there. An image that is cut short yields all that there is.
    """
    position = len(_JPEG_START)
    while position < len(data):
        if data[position] != 0xFF:
            raise Malformed("no marker where one must be")
        start = position
        while data[position] == 0xFF:
            position += 1
        marker = data[position]
        position += 1
        if marker not in _JPEG_BARE and marker != _JPEG_END:
            position += struct.unpack_from(">H", data, position)[0]
            if marker == _JPEG_SCAN:
                following = _JPEG_MARKER.search(data, position)
                position = following.start() if following else len(data)
            elif position > len(data):
                raise Malformed("a segment ends behind the file")
        yield marker, b"\xff" + data[start:position].lstrip(b"\xff")
        if marker == _JPEG_END:
            return


def _exif_orientation(orientation: int) -> bytes:
    """Return an APP1 segment that says nothing but the orientation: a TIFF directory of one entry, big-endian."""
    entry = struct.pack(">HHIHH", 0x0112, 3, 1, orientation, 0)
    tiff = b"MM\0*" + struct.pack(">IH", 8, 1) + entry + struct.pack(">I", 0)
    body = b"Exif\0\0" + tiff
    return b"\xff\xe1" + struct.pack(">H", len(body) + 2) + body


def _strip_png(data: bytes, orientation: int) -> bytes:
    if not data.startswith(_PNG_START):
        raise Malformed("not a PNG file")
    kept, position = [_PNG_START], len(_PNG_START)
    while position < len(data):
        length, kind = struct.unpack_from(">I4s", data, position)
        end = position + 12 + length
        if kind not in _PNG_DROPPED:
            kept.append(data[position:end])
        position = end
        if kind == b"IEND":
            break
    return b"".join(kept)


def _strip_webp(data: bytes, orientation: int) -> bytes:
    riff, size, webp = struct.unpack_from("<4sI4s", data)
    if riff != b"RIFF" or webp != b"WEBP":
        raise Malformed("not a WebP file")
    kept, position, end = [], 12, min(len(data), 8 + size)
    while position < end:
        kind, length = struct.unpack_from("<4sI", data, position)
        # Chunks are padded to even lengths.
        following = position + 8 + length + length % 2
        chunk = data[position:following]
        position = following
        if kind == b"VP8X":
            chunk = chunk[:8] + bytes([chunk[8] & ~_WEBP_FLAGS_DROPPED]) + chunk[9:]
        if kind not in _WEBP_DROPPED:
            kept.append(chunk)
    body = b"".join(kept)
    return struct.pack("<4sI4s", b"RIFF", 4 + len(body), b"WEBP") + body


_STRIPPERS: dict[str, Callable[[bytes, int], bytes]] = {
    "JPEG": _strip_jpeg,
    "PNG": _strip_png,
    "WEBP": _strip_webp,
}
