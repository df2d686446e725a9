"""Uploaded files, for those who may read the room that they were posted to."""

from __future__ import annotations

from pathlib import PurePosixPath
from urllib.parse import quote

from django.conf import settings
from django.core.files.storage import default_storage
from django.db.models import Q
from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.views.decorators.http import require_safe

from channels_lts.exceptions import StreamError
from channels_lts.payloads import storable
from chat import identity, images, permissions
from chat.middleware import takes_token
from chat.models import Message

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
    message = Message.objects.filter(Q(image=path) | Q(thumbnail=path)).first()
    if message is None:
        return False
    try:
        permissions.open_room_by_id(identity.of_request(request), message.room_id)
    except StreamError:
        return False
    return True
