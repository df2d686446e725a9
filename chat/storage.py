"""Files under MEDIA_ROOT: names that nobody can guess, and files that go with what they belong to."""

from __future__ import annotations

import functools
import logging
import secrets

from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db import transaction
from django.utils.translation import gettext as _

from channels_lts.exceptions import StreamError

logger = logging.getLogger(__name__)


def save(folder: str, data: bytes, extension: str) -> str:
    """Store *data* under an unguessable name in *folder* and return that name.

    Raises:
        StreamError: ``unavailable``: it cannot be written, such as on a full disk. No part of it stays there.
    """
    token = secrets.token_urlsafe(24)
    # A folder by the first characters: directories of a hundred thousand files are slow to list and to back up.
    name = f"{folder}/{token[:2].lower()}/{token}.{extension}"
    try:
        return default_storage.save(name, ContentFile(data))
    except OSError:
        logger.exception("could not store %s", name)
        # Django leaves what it wrote before the disk was full.
        delete(name)
        raise StreamError("unavailable", _("The file could not be stored. Try again later.")) from None


def delete(*names: str | None) -> None:
    """Delete files, and pass over empty names. A file that cannot be deleted is logged, since nobody refers to it."""
    for name in filter(None, names):
        try:
            default_storage.delete(name)
        except OSError:
            logger.exception("could not delete %s", name)


def delete_after_commit(*names: str | None) -> None:
    """Delete files when the transaction commits: until then a rollback may want them back."""
    transaction.on_commit(functools.partial(delete, *names))
