"""Uploads in pieces over HTTP; docs/uploads.md tells a client what to do. What they are is in :mod:`chat.uploads`."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils.translation import gettext as _

from channels_lts.exceptions import StreamError
from channels_lts.streams import field
from chat import jobs, limits, messages, payloads, permissions, throttle, uploads
from chat.identity import Identity
from chat.middleware import refusal
from chat.models import Upload
from chat.views.api import endpoint
from chat.views.requests import content_of, integer


def begin(request: HttpRequest, who: Identity, slug: str) -> HttpResponse:
    """Begin an upload of ``size`` bytes, or go on with the one that has been begun under the same ``id``."""
    room = permissions.open_room(who, slug, permissions.POST)
    content = content_of(request)
    if isinstance(content.get("size"), str):
        content["size"] = integer("size", content["size"], 1)
    size, uid = field(content, "size", int, minimum=1), messages.client_uid(content)
    throttle.check_upload(who, size, room, uid)
    upload = uploads.begin(room, who, size, uid)
    return _state(upload, uploads.offset(upload), 201)


def look(request: HttpRequest, who: Identity, slug: str, token: str) -> HttpResponse:
    throttle.check("chunk", who)
    upload = uploads.find(permissions.open_room(who, slug, permissions.POST), who, token)
    return _state(upload, uploads.offset(upload))


def append(request: HttpRequest, who: Identity, slug: str, token: str) -> HttpResponse:
    """Take the piece that begins with byte ``Upload-Offset``; 409 says with which byte to go on instead."""
    throttle.check("chunk", who)
    length = request.META.get("CONTENT_LENGTH") or "0"
    if not length.isdigit() or int(length) > limits.UPLOAD_CHUNK:
        raise StreamError("too_large", _("A piece has at most %(limit)d bytes.") % {"limit": limits.UPLOAD_CHUNK})
    at = integer("Upload-Offset", request.META.get("HTTP_UPLOAD_OFFSET", ""), 0)
    upload = uploads.find(permissions.open_room(who, slug, permissions.POST), who, token)
    if len(request.body) > limits.UPLOAD_CHUNK:
        raise StreamError("too_large", _("A piece has at most %(limit)d bytes.") % {"limit": limits.UPLOAD_CHUNK})
    try:
        return _state(upload, uploads.append(upload, at, request.body))
    except uploads.WrongOffset as error:
        return refusal(error, offset=error.offset)


def finish(request: HttpRequest, who: Identity, slug: str, token: str) -> HttpResponse:
    """Make a message of an upload that has arrived, with ``body``: the answer is that of an image sent whole.

    Who asks again, since the answer was lost, and says the ``id``, gets the message that it became.
    """
    room = permissions.open_room(who, slug, permissions.POST)
    content = content_of(request)
    body, uid, job = field(content, "body", str, default=""), messages.client_uid(content), jobs.new_job()
    try:
        upload = uploads.find(room, who, token)
        throttle.check("send", who, room, uid=upload.uid)
        message, again = uploads.finish(upload, room, who, body, job)
    except uploads.WrongOffset as error:
        return refusal(error, offset=error.offset)
    except StreamError as error:
        if error.code == "not_found" and (known := uploads.stored(room, who, uid)):
            return _json({"message": payloads.message(known, room.slug), "job": job})
        jobs.failed(who.key, room.slug, job, error)
        return refusal(error, job=job)
    return _json({"message": payloads.message(message, room.slug), "job": job}, 200 if again else 201)


def give_up(request: HttpRequest, who: Identity, slug: str, token: str) -> HttpResponse:
    uploads.find(permissions.open_room(who, slug), who, token).delete()
    return HttpResponse(status=204)


room_uploads = endpoint(post=begin)
room_upload = endpoint(get=look, patch=append, put=append, post=finish, delete=give_up)


def _state(upload: Upload, offset: int, status: int = 200) -> HttpResponse:
    return _json({"upload": upload.token, "offset": offset, "size": upload.size, "chunk": limits.UPLOAD_CHUNK}, status)


def _json(content: dict[str, Any], status: int = 200) -> JsonResponse:
    return JsonResponse(content, status=status, json_dumps_params={"ensure_ascii": False})
