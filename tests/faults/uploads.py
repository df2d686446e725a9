"""Images and their files: what a disk or a Redis that is full must leave whole."""

from __future__ import annotations

import io
import os
from dataclasses import dataclass
from typing import Any

import psycopg
from PIL import Image

from tests.faults.site import Site
from tests.visitor import Response, Visitor

PATH = "/rooms/lobby/images/"


def picture(side: int = 120) -> bytes:
    """Return a PNG of noise, which takes about three bytes a pixel; *side* in pixels."""
    output = io.BytesIO()
    Image.frombytes("RGB", (side, side), os.urandom(3 * side * side)).save(output, "PNG")
    return output.getvalue()


# More than what Django keeps in memory unless told otherwise.
SMALL, LARGE = picture(), picture(1100)


def upload(visitor: Visitor, image: bytes = SMALL) -> Response:
    return visitor.upload(PATH, "image", image)


def post(visitor: Visitor, image: bytes = SMALL) -> dict[str, Any] | None:
    """Post an image; returns what was answered, or None where it was refused."""
    answer = upload(visitor, image)
    return answer.json() if answer.status == 201 else None


@dataclass(frozen=True)
class Stored:
    """What there is: names of files, and of those that messages name."""

    files: frozenset[str]
    named: frozenset[str]

    @classmethod
    def at(cls, site: Site) -> Stored:
        """Look at the disk, and then into the database, which has to be a PostgreSQL."""
        files = {str(path.relative_to(site.media)) for path in site.media.rglob("*") if path.is_file()}
        with psycopg.connect(site.stack.env["DATABASE_URL"]) as connection:
            rows = connection.execute("SELECT image, thumbnail FROM chat_message WHERE image <> ''").fetchall()
        return cls(frozenset(files), frozenset(name for row in rows for name in row if name))

    @property
    def orphans(self) -> frozenset[str]:
        """Files of no message. That of an upload under way counts too."""
        return self.files - self.named
