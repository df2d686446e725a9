"""What programs and the scripts of the page ask for: JSON in and out, and errors in JSON too."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache

from channels_lts.exceptions import StreamError
from channels_lts.streams import field
from chat import (
    actions,
    commands,
    identity,
    images,
    jobs,
    limits,
    messages,
    payloads,
    permissions,
    presence,
    reading,
    rooms,
    throttle,
)
from chat.identity import Identity
from chat.middleware import refusal, takes_token
from chat.models import Room
from chat.text import clean_body
from chat.views.requests import content_of, idempotency_key, integer, number

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
    return takes_token(view)


def list_rooms(request: HttpRequest, who: Identity) -> HttpResponse:
    throttle.check("history", who)
    return _json({"rooms": rooms.listed(who)})


def list_messages(request: HttpRequest, who: Identity, slug: str) -> HttpResponse:
    """List the last messages, those before a number, or those after one; oldest first, whichever it is."""
    throttle.check("history", who)
    room = permissions.open_room(who, slug)
    limit = number(request, "limit", limits.HISTORY, 1, limits.HISTORY_MAX) or limits.HISTORY
    before, after = number(request, "before", None, 1), number(request, "after", None, 0)
    if before is not None and after is not None:
        raise StreamError("bad_field", _("Ask for before or for after, not for both."))
    if after is None:
        found, more = messages.before(room, before, limit)
    else:
        found = messages.after(room, after, limit + 1)
        found, more = found[:limit], len(found) > limit
    return _json({"messages": found, "more": more})


def post_message(request: HttpRequest, who: Identity, slug: str) -> HttpResponse:
    """Post from outside of a consumer.

    201 for a new message, 200 for one that was sent before under the same key (``Idempotency-Key``, or ``id``), 409
    where that had another text, 202 for a command.
    """
    room = permissions.open_room(who, slug, permissions.POST)
    content = content_of(request)
    uid = _uid(request, content)
    throttle.check("send", who, room, uid=uid)
    body = field(content, "body", str)
    if commands.is_command(body):
        return _json({"done": commands.run(room, who, body, uid)}, 202)
    body = commands.to_post(body)
    message, again = messages.post(room, who, body, uid)
    # One that was edited since may have had this text.
    if again and message.edited_at is None and not message.removed and message.body != clean_body(body):
        raise StreamError("conflict", _("Another message was sent under this Idempotency-Key."))
    return _json({"message": payloads.message(message, room.slug)}, 200 if again else 201)


def post_image(request: HttpRequest, who: Identity, slug: str) -> HttpResponse:
    """Post an image. Whatever is wrong with it, the uploader's ``jobs`` stream hears of it as well."""
    room = permissions.open_room(who, slug, permissions.POST)
    job = jobs.new_job()
    try:
        upload = request.FILES.get("image")
        if upload is None:
            raise StreamError("bad_field", _("The file is missing: it belongs into the field image."))
        form = {name: request.POST[name] for name in ("body", "id") if name in request.POST}
        uid = messages.client_uid(form)
        throttle.check("send", who, room, uid=uid)
        throttle.check_upload(who, upload.size or 0, room, uid)
        picture = images.accept(upload, upload.size or 0)
        message, again = jobs.post_image(room, who, picture, form.get("body", ""), uid, job)
    except StreamError as error:
        jobs.failed(who.key, room.slug, job, error)
        return refusal(error, job=job)
    return _json({"message": payloads.message(message, room.slug), "job": job}, 200 if again else 201)


def list_members(request: HttpRequest, who: Identity, slug: str) -> HttpResponse:
    throttle.check("history", who)
    room = permissions.open_room(who, slug)
    return _json({"members": rooms.members(room), "here": [person.public() for person in presence.here(room)]})


def add_member(request: HttpRequest, who: Identity, slug: str) -> HttpResponse:
    """Let somebody into a private room. A form of a page without scripts is led back to the room."""
    throttle.check("action", who)
    room = permissions.open_room(who, slug, permissions.MANAGE)
    rooms.add_member(room, field(content_of(request), "username", str).strip())
    if "application/json" in request.META.get("HTTP_ACCEPT", "") or request.content_type == "application/json":
        return _json({"members": rooms.members(room)}, 201)
    return _see_other(room)


def mark_read(request: HttpRequest, who: Identity, slug: str) -> HttpResponse:
    throttle.check("read", who)
    room = permissions.open_room(who, slug)
    content = content_of(request)
    if isinstance(content.get("seq"), str):
        content = {"seq": integer("seq", content["seq"], 0)}
    reading.mark_read(room, who, field(content, "seq", int, minimum=0))
    return HttpResponse(status=204)


def act(request: HttpRequest, who: Identity, name: str, slug: str | None = None) -> HttpResponse:
    """Do one of :mod:`chat.actions`."""
    return _json(actions.perform(name, who, content_of(request), slug=slug))


action = room_action = endpoint(post=act)
room_list = endpoint(get=list_rooms)
room_messages = endpoint(get=list_messages, post=post_message)
room_images = endpoint(post=post_image)
room_members = endpoint(get=list_members, post=add_member)
room_read = endpoint(post=mark_read)


def _uid(request: HttpRequest, content: dict[str, Any]) -> str | None:
    """Return the name that the client gives its message, in the header or in the body."""
    named, key = messages.client_uid(content), idempotency_key(request)
    if named is not None and key is not None and named != key:
        raise StreamError("bad_field", _("The header Idempotency-Key and the field id differ."))
    return key if named is None else named


def _json(content: dict[str, Any], status: int = 200) -> JsonResponse:
    return JsonResponse(content, status=status, json_dumps_params={"ensure_ascii": False})


def _see_other(room: Room) -> HttpResponse:
    response = HttpResponse(status=303)
    response["Location"] = room.get_absolute_url()
    return response


def _methods(views: dict[str, Any]) -> str:
    return ", ".join(sorted(name.upper() for name in views))
