"""Files under MEDIA_ROOT: names that nobody can guess, and files that go with what they belong to."""

from __future__ import annotations

import functools
import logging
import secrets

from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db import transaction

logger = logging.getLogger(__name__)


def save(folder: str, data: bytes, extension: str) -> str:
    """Store *data* under an unguessable name in *folder* and return that name."""
    token = secrets.token_urlsafe(24)
    # A folder by the first characters: directories of a hundred thousand files are slow to list and to back up.
    return default_storage.save(f"{folder}/{token[:2].lower()}/{token}.{extension}", ContentFile(data))


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
