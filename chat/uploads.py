"""Uploads in pieces: begun, continued after a lost connection by whichever worker, finished as a message.

How far an upload has come is the size of its file: what was written is a beginning of the upload, whatever became of
the worker that wrote it. Pieces of one upload wait for each other by a lock on its file, so all workers need the same
MEDIA_ROOT, on a file system that has ``flock``.
"""

from __future__ import annotations

import contextlib
import datetime
import fcntl
import io
import logging
import os
import secrets
from collections.abc import Iterator
from typing import Any

from django.core.files.storage import default_storage
from django.db.models.signals import post_delete
from django.dispatch import receiver
from django.utils import timezone
from django.utils.translation import gettext as _

from channels_lts.exceptions import StreamError
from chat import images, jobs, limits, storage
from chat.identity import Identity
from chat.models import Message, Room, Upload

logger = logging.getLogger(__name__)

# How many expired uploads one new upload takes away with it.
_SWEPT = 20


class WrongOffset(StreamError):
    """Raised for a piece that does not follow on what has arrived; *offset* is where to go on."""

    def __init__(self, offset: int) -> None:
        super().__init__("conflict", _("Go on at byte %(offset)d.") % {"offset": offset})
        self.offset = offset


def begin(room: Room, who: Identity, size: int, uid: str | None = None) -> Upload:
    """Return a new upload of *size* bytes, or the one that *who* has begun under the same *uid* and size.

    Nothing is stored of it but a row, until its first piece comes. What was not finished within ``limits.UPLOAD_LIFE``
    seconds is swept when somebody begins another.

    Raises:
        StreamError: ``bad_field`` or ``too_large`` for the size, ``not_allowed`` where ``limits.UPLOADS_OPEN`` others
            of *who* are not finished.
    """
    if size < 1:
        raise StreamError("bad_field", _("size must be a number from %(low)d") % {"low": 1})
    if size > limits.IMAGE_BYTES:
        limit = limits.IMAGE_BYTES // 2**20
        raise StreamError("too_large", _("The image is larger than %(limit)d MiB.") % {"limit": limit})
    _sweep()
    own = Upload.objects.filter(key=who.key)
    if uid and (known := own.filter(room=room, uid=uid, size=size).first()):
        return known
    # Two at once may end up with one more than that, which harms nobody.
    if own.count() >= limits.UPLOADS_OPEN:
        reason = _("%(limit)d uploads of yours are not finished yet.") % {"limit": limits.UPLOADS_OPEN}
        raise StreamError("not_allowed", reason)
    return Upload.objects.create(
        token=secrets.token_urlsafe(24), room=room, user_id=who.user_id, key=who.key, uid=uid or "", size=size
    )


def find(room: Room, who: Identity, token: str) -> Upload:
    """Return an upload of *who* to *room*.

    Raises:
        StreamError: ``not_found``: it is somebody else's, was finished or given up, or has expired.
    """
    upload = Upload.objects.filter(room=room, key=who.key, token=token, created_at__gte=_oldest()).first()
    if upload is None:
        raise StreamError("not_found", _("There is no such upload."))
    return upload


def offset(upload: Upload) -> int:
    """Return how many bytes have arrived."""
    try:
        return os.stat(_path(upload)).st_size
    except FileNotFoundError:
        return 0


def append(upload: Upload, at: int, piece: bytes) -> int:
    """Store the *piece* that begins with byte *at*, and return how many bytes have arrived by that.

    Raises:
        WrongOffset: it does not follow on what has arrived.
        StreamError: ``too_large`` beyond the size that was announced; ``unavailable`` where the disk takes nothing:
            then as much has arrived as before.
    """
    with _opened(upload, create=at == 0) as file:
        arrived = os.fstat(file).st_size
        if at != arrived:
            raise WrongOffset(arrived)
        if arrived + len(piece) > upload.size:
            raise StreamError("too_large", _("These are more bytes than were announced."))
        try:
            left = memoryview(piece)
            while left:
                left = left[os.pwrite(file, left, arrived + len(piece) - len(left)) :]
        except OSError:
            logger.exception("could not store a piece of %s", upload.path)
            os.ftruncate(file, arrived)
            raise _unavailable() from None
    return arrived + len(piece)


def finish(upload: Upload, room: Room, who: Identity, body: str, job: str) -> tuple[Message, bool]:
    """Make a message of *upload*, all of which has arrived; returns what ``messages.post`` does.

    Raises:
        WrongOffset: not all of it has arrived.
        StreamError: what ``images.accept`` raises, and then the upload is gone; and what ``jobs.post_image`` does.
    """
    with _opened(upload) as file:
        arrived = os.fstat(file).st_size
        if arrived != upload.size:
            raise WrongOffset(arrived)
        data = os.pread(file, upload.size, 0)
        try:
            picture = images.accept(io.BytesIO(data), len(data))
        except StreamError:
            upload.delete()
            raise
        found = jobs.post_image(room, who, picture, body, upload.uid or None, job)
        upload.delete()
    return found


def stored(room: Room, who: Identity, uid: str | None) -> Message | None:
    """Return the message that an upload under *uid* became: whoever finishes it again did not hear so."""
    return Message.objects.filter(room=room, author_key=who.key, uid=uid).first() if uid else None


@receiver(post_delete, sender=Upload)
def upload_deleted(instance: Upload, **kwargs: Any) -> None:
    storage.delete_after_commit(instance.path)


@contextlib.contextmanager
def _opened(upload: Upload, *, create: bool = False) -> Iterator[int]:
    """Open the file of *upload*, which nobody else opens meanwhile; yields its descriptor."""
    path = _path(upload)
    try:
        if create:
            os.makedirs(os.path.dirname(path), exist_ok=True)
        file = os.open(path, os.O_RDWR | (os.O_CREAT if create else 0), 0o600)
    except FileNotFoundError:
        # Not a byte of it has arrived.
        raise WrongOffset(0) from None
    except OSError:
        logger.exception("could not open %s", upload.path)
        raise _unavailable() from None
    try:
        fcntl.flock(file, fcntl.LOCK_EX)
        if os.fstat(file).st_nlink == 0:
            raise StreamError("not_found", _("There is no such upload."))
        yield file
    finally:
        os.close(file)


def _path(upload: Upload) -> str:
    return default_storage.path(upload.path)


def _sweep() -> None:
    for upload in Upload.objects.filter(created_at__lt=_oldest()).order_by("created_at")[:_SWEPT]:
        upload.delete()


def _oldest() -> datetime.datetime:
    return timezone.now() - datetime.timedelta(seconds=limits.UPLOAD_LIFE)


def _unavailable() -> StreamError:
    return StreamError("unavailable", _("The file could not be stored. Try again later."))
