"""Images as bytes: what may be uploaded, and how a thumbnail is made. Nothing here touches database or files."""

from __future__ import annotations

import io
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import IO

from django.utils.translation import gettext as _
from PIL import Image, ImageOps

from channels_lts.exceptions import StreamError
from chat import limits, metadata

#: Pillow's name of each format that may be uploaded -> extension of its files, media type.
FORMATS = {
    "PNG": ("png", "image/png"),
    "JPEG": ("jpg", "image/jpeg"),
    "GIF": ("gif", "image/gif"),
    "WEBP": ("webp", "image/webp"),
}
#: Extension -> media type.
MEDIA_TYPES = dict(FORMATS.values())
_ORIENTATION = 0x0112
# What turns an image on its side.
_SIDEWAYS = range(5, 9)


class Undecodable(Exception):
    """Raised for image data that Pillow cannot decode."""


class TooManyPixels(Undecodable):
    """Raised for an image that would take too much memory; none of it has been decoded."""


@dataclass(frozen=True)
class Picture:
    """An image that was accepted: its bytes without metadata, and its size in pixels as browsers show it."""

    data: bytes
    extension: str
    width: int
    height: int


def accept(upload: IO[bytes], size: int) -> Picture:
    """Return the image in *upload*, of *size* bytes. Its format is judged by what it holds, never by its name.

    Only its header is read: what an image of the right form hides in its pixels is found out by the worker.

    Raises:
        StreamError: ``too_large`` in bytes or pixels, ``unsupported`` format, ``bad_field`` where the header is broken.
    """
    if size > limits.IMAGE_BYTES:
        limit = limits.IMAGE_BYTES // 2**20
        raise StreamError("too_large", _("The image is larger than %(limit)d MiB.") % {"limit": limit})
    data = upload.read(limits.IMAGE_BYTES + 1)
    format = _format(data)
    if format is None:
        raise StreamError("unsupported", _("Images can be PNG, JPEG, GIF or WebP."))
    try:
        width, height, orientation = _measure(data, format)
        stripped = metadata.strip(data, format, orientation)
    except TooManyPixels:
        reason = _("The image has more than %(limit)d million pixels.")
        raise StreamError("too_large", reason % {"limit": limits.IMAGE_PIXELS // 1_000_000}) from None
    except (Undecodable, metadata.Malformed) as error:
        raise StreamError("bad_field", _("The image is broken.")) from error
    if orientation in _SIDEWAYS:
        width, height = height, width
    return Picture(stripped, FORMATS[format][0], width, height)


def thumbnail(data: bytes) -> bytes:
    """Return a WebP image that fits into ``limits.THUMBNAIL_PIXELS``, upright and without metadata.

    Of animations it shows the first picture.

    Raises:
        Undecodable: *data* is not an image, is cut short, or is larger than allowed.
    """
    side = limits.THUMBNAIL_PIXELS
    with _opened(data) as image:
        # Lets the decoder of JPEG scale down by itself, which saves most of the time and memory.
        image.draft("RGB", (side * 2, side * 2))
        upright = ImageOps.exif_transpose(image)
        transparent = "A" in upright.getbands() or "transparency" in upright.info
        small = upright.convert("RGBA" if transparent else "RGB")
        small.thumbnail((side, side))
        colours = image.info.get("icc_profile") or b""
    output = io.BytesIO()
    small.info = {}
    # A profile describes the pixels before they were converted, of which it fits those that were RGB.
    profile = colours if image.mode in ("RGB", "RGBA") else b""
    small.save(output, "WEBP", quality=80, exif=b"", xmp=b"", icc_profile=profile)
    return output.getvalue()


def _measure(data: bytes, format: str) -> tuple[int, int, int]:
    """Return width, height and orientation (EXIF, 1 to 8) as the header says."""
    with _opened(data) as image:
        # Only of JPEG: to look for it in a PNG, Pillow decodes the whole picture.
        orientation = image.getexif().get(_ORIENTATION, 1) if format == "JPEG" else 1
        return image.width, image.height, orientation if orientation in range(1, 9) else 1


@contextmanager
def _opened(data: bytes) -> Iterator[Image.Image]:
    """Open *data* with Pillow, unless it has too many pixels; whatever fails within is :class:`Undecodable`."""
    try:
        with warnings.catch_warnings():
            # Pillow only warns of images between one and two times its own bound.
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(io.BytesIO(data), formats=list(FORMATS)) as image:
                if image.width * image.height > limits.IMAGE_PIXELS:
                    raise TooManyPixels(f"{image.width} x {image.height}")
                yield image
    except Undecodable:
        raise
    except (Image.DecompressionBombWarning, Image.DecompressionBombError) as error:
        raise TooManyPixels(str(error)) from error
    # Its decoders meet broken files with errors of every kind: OSError, SyntaxError, struct.error, ValueError, ...
    except Exception as error:
        raise Undecodable(f"{type(error).__name__}: {error}") from error


def _format(data: bytes) -> str | None:
    # Not Pillow's word for it, which calls the JPEG files of many phones MPO, since they hold a second picture.
    if data.startswith(b"RIFF") and data[8:12] == b"WEBP":
        return "WEBP"
    starts = {b"\x89PNG\r\n\x1a\n": "PNG", b"\xff\xd8\xff": "JPEG", b"GIF87a": "GIF", b"GIF89a": "GIF"}
    return next((name for start, name in starts.items() if data.startswith(start)), None)
