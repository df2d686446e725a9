"""What programs and the scripts of the page ask for: JSON in and out, and errors in JSON too."""

from __future__ import annotations

import functools
import json
from collections.abc import Callable
from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache

from channels_lts.exceptions import StreamError
from channels_lts.streams import field
from chat import actions, identity, images, jobs, limits, messages, payloads, permissions, presence, rooms
from chat.identity import Identity
from chat.models import Room
from chat.responses import error_body, status_of

View = Callable[..., HttpResponse]


def endpoint(**views: Callable[..., HttpResponse]) -> View:
    """Return the view that calls one of *views* by method, for somebody, and answers in JSON when it refuses.

    They get the request, who sent it, and what the URL has.
    """

    @never_cache
    def view(request: HttpRequest, **captured: str) -> HttpResponse:
        try:
            method = views.get((request.method or "").lower())
            if method is None:
                raise StreamError("bad_method", _("This is for %(methods)s.") % {"methods": _methods(views)})
            who = identity.of_request(request)
            if who is None:
                raise StreamError("not_allowed", _("Sign in, or pick a name."))
            return method(request, who, **captured)
        except StreamError as error:
            response = refusal(error)
            if error.code == "bad_method":
                response["Allow"] = _methods(views)
            return response

    functools.update_wrapper(view, next(iter(views.values())))
    return view


def refusal(error: StreamError, **fields: Any) -> JsonResponse:
    return _json(error_body(error, **fields), status_of(error))


def list_messages(request: HttpRequest, who: Identity, slug: str) -> HttpResponse:
    room = permissions.open_room(who, slug)
    limit = _number(request, "limit", limits.HISTORY, 1, limits.HISTORY_MAX)
    found, more = messages.before(room, _number(request, "before", None, 1), limit or limits.HISTORY)
    return _json({"messages": found, "more": more})


def post_message(request: HttpRequest, who: Identity, slug: str) -> HttpResponse:
    """Post from outside of a consumer; 201 for a new message, 200 for one that was sent before under the same id."""
    room = permissions.open_room(who, slug, permissions.POST)
    content = _content(request)
    message, again = messages.post(room, who, field(content, "body", str), messages.client_uid(content))
    return _json({"message": payloads.message(message, room.slug)}, 200 if again else 201)


def post_image(request: HttpRequest, who: Identity, slug: str) -> HttpResponse:
    """Post an image. Whatever is wrong with it, the uploader's ``jobs`` stream hears of it as well."""
    room = permissions.open_room(who, slug, permissions.POST)
    job = jobs.new_job()
    try:
        upload = request.FILES.get("image")
        if upload is None:
            raise StreamError("bad_field", _("The file is missing: it belongs into the field image."))
        picture = images.accept(upload, upload.size or 0)
        form = {name: request.POST[name] for name in ("body", "id") if name in request.POST}
        message, again = jobs.post_image(room, who, picture, form.get("body", ""), messages.client_uid(form), job)
    except StreamError as error:
        jobs.failed(who.key, room.slug, job, error)
        return refusal(error, job=job)
    return _json({"message": payloads.message(message, room.slug), "job": job}, 200 if again else 201)


def list_members(request: HttpRequest, who: Identity, slug: str) -> HttpResponse:
    room = permissions.open_room(who, slug)
    return _json({"members": rooms.members(room), "here": [person.public() for person in presence.here(room)]})


def add_member(request: HttpRequest, who: Identity, slug: str) -> HttpResponse:
    """Let somebody into a private room. A form of a page without scripts is led back to the room."""
    room = permissions.open_room(who, slug, permissions.MANAGE)
    rooms.add_member(room, field(_content(request), "username", str).strip())
    if "application/json" in request.META.get("HTTP_ACCEPT", "") or request.content_type == "application/json":
        return _json({"members": rooms.members(room)}, 201)
    return _see_other(room)


def mark_read(request: HttpRequest, who: Identity, slug: str) -> HttpResponse:
    room = permissions.open_room(who, slug)
    content = _content(request)
    if isinstance(content.get("seq"), str):
        content = {"seq": _integer("seq", content["seq"], 0)}
    rooms.mark_read(room, who, field(content, "seq", int, minimum=0))
    return HttpResponse(status=204)


def act(request: HttpRequest, who: Identity, name: str, slug: str | None = None) -> HttpResponse:
    """Do one of :mod:`chat.actions`."""
    return _json(actions.perform(name, who, _content(request), slug=slug))


action = room_action = endpoint(post=act)
room_messages = endpoint(get=list_messages, post=post_message)
room_images = endpoint(post=post_image)
room_members = endpoint(get=list_members, post=add_member)
room_read = endpoint(post=mark_read)


def _content(request: HttpRequest) -> dict[str, Any]:
    """Return what was posted, as a form or as a JSON object."""
    if request.content_type != "application/json":
        return request.POST.dict()
    if len(request.body) > limits.REQUEST:
        raise StreamError("too_large", _("The request is too large."))
    try:
        content = json.loads(request.body)
    # RecursionError: arrays nested a thousand deep.
    except (ValueError, RecursionError):
        raise StreamError("malformed", _("The request is not JSON.")) from None
    if not isinstance(content, dict):
        raise StreamError("malformed", _("The request is not a JSON object."))
    return content


def _number(request: HttpRequest, name: str, default: int | None, low: int, high: int = 2**63 - 1) -> int | None:
    return _integer(name, request.GET[name], low, high) if name in request.GET else default


def _integer(name: str, text: str, low: int, high: int = 2**63 - 1) -> int:
    # int() would take signs, blanks, underscores and the digits of other scripts, and texts of any length.
    number = int(text) if text.isascii() and text.isdigit() and len(text) < 20 else -1
    if not low <= number <= high:
        raise StreamError("bad_field", _("%(name)s must be a number from %(low)d") % {"name": name, "low": low})
    return number


def _json(content: dict[str, Any], status: int = 200) -> JsonResponse:
    return JsonResponse(content, status=status, json_dumps_params={"ensure_ascii": False})


def _see_other(room: Room) -> HttpResponse:
    response = HttpResponse(status=303)
    response["Location"] = room.get_absolute_url()
    return response


def _methods(views: dict[str, Any]) -> str:
    return ", ".join(sorted(name.upper() for name in views))
