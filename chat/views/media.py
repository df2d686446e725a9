"""Uploaded files, for those who may read the room that they were posted to."""

from __future__ import annotations

from pathlib import PurePosixPath
from urllib.parse import quote

from django.conf import settings
from django.core.files.storage import default_storage
from django.db import connection
from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.views.decorators.http import require_safe

from channels_lts.exceptions import StreamError
from channels_lts.payloads import storable
from chat import identity, images, permissions
from chat.middleware import takes_token

# That there is a file is said in the words of the indexes' condition, and not by a parameter: a statement planned once
# for all parameters, as prepared ones are on PostgreSQL, uses these indexes only then. No ORDER BY and no LIMIT: as
# nearly all names are empty, PostgreSQL takes any given one for frequent, and would walk the table until it meets it.
_ROOM = """
SELECT room_id FROM chat_message WHERE image = %s AND image > ''
UNION ALL
SELECT room_id FROM chat_message WHERE thumbnail = %s AND thumbnail > ''
"""
# A file never changes under its name. Private: shared caches know nothing of permissions.
_CACHE = "private, max-age=86400, immutable"


@takes_token
@require_safe
def media(request: HttpRequest, path: str) -> HttpResponseBase:
    """Serve a file of a message, by nginx where ``MEDIA_ACCEL_LOCATION`` says so. 404 for whoever may not read it."""
    if not storable(path) or not _may_read(request, path):
        raise Http404
    response = _accelerated(path) if settings.MEDIA_ACCEL_LOCATION else _sent(path)
    response["Content-Type"] = images.MEDIA_TYPES.get(PurePosixPath(path).suffix[1:], "application/octet-stream")
    response["Cache-Control"] = _CACHE
    response["X-Content-Type-Options"] = "nosniff"
    # Should a browser ever take it for a document: one that can do nothing.
    response["Content-Security-Policy"] = "default-src 'none'; sandbox"
    return response


def _accelerated(path: str) -> HttpResponse:
    response = HttpResponse()
    response["X-Accel-Redirect"] = f"{settings.MEDIA_ACCEL_LOCATION.rstrip('/')}/{quote(path)}"
    return response


def _sent(path: str) -> FileResponse:
    try:
        return FileResponse(default_storage.open(path))
    except FileNotFoundError:
        raise Http404 from None


def _may_read(request: HttpRequest, path: str) -> bool:
    room_id = _room_id(path)
    if room_id is None:
        return False
    try:
        permissions.open_room_by_id(identity.of_request(request), room_id)
    except StreamError:
        return False
    return True


def _room_id(path: str) -> int | None:
    """Return the room whose message has this file, or None where there is none."""
    with connection.cursor() as cursor:
        cursor.execute(_ROOM, [path, path])
        # One at most, since names of files are never given twice.
        row = cursor.fetchone()
    return row[0] if row else None
