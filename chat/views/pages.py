"""The page of the chat, and the form that makes a room."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.contrib.auth.views import redirect_to_login
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from channels_lts.exceptions import StreamError
from channels_lts.payloads import storable
from chat import direct, identity, limits, payloads, permissions, responses, rooms, throttle
from chat.forms import NewRoomForm
from chat.identity import Identity
from chat.models import Room

_ROOM_URLS = ("images", "uploads", "read", "messages", "members")


@never_cache
@require_safe
def home(request: HttpRequest) -> HttpResponse:
    return _page(request, identity.of_request(request), None)


@never_cache
@require_safe
def room(request: HttpRequest, slug: str) -> HttpResponse:
    """Show a room. Nobody in particular is shown the door of a room for guests, and to others the way to sign in."""
    who = identity.of_request(request)
    if who is None:
        public = Room.objects.filter(slug=slug, private=False).first() if storable(slug) else None
        if public is None or not settings.CHAT_GUESTS:
            return redirect_to_login(request.get_full_path())
        return _page(request, None, public)
    try:
        return _page(request, who, permissions.open_room(who, slug))
    except StreamError as error:
        raise Http404(error.reason) from None


@never_cache
@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def room_new(request: HttpRequest) -> HttpResponse:
    form = NewRoomForm(request.POST if request.method == "POST" else None, instance=Room(created_by_id=request.user.pk))
    refused = None
    if request.method == "POST" and form.is_valid():
        try:
            throttle.check("room", identity.of_user(request.user))
            return redirect(rooms.create(form.save(commit=False)))
        except StreamError as error:
            refused = error
            form.add_error(None, error.reason)
    context = {**common_context(identity.of_request(request)), "form": form, "room_form": form}
    response = render(request, "chat/room_form.html", context, status=responses.status_of(refused) if refused else 200)
    for name, value in (responses.headers_of(refused) if refused else {}).items():
        response[name] = value
    return response


def common_context(who: Identity | None) -> dict[str, Any]:
    """Return what every template of the chat is given."""
    return {"identity": who.public() if who else None, "guests_allowed": settings.CHAT_GUESTS}


def _page(request: HttpRequest, who: Identity | None, current: Room | None) -> HttpResponse:
    listed = rooms.listed(who)
    allowed = permissions.allowed(who, current) if current else frozenset()
    if current is not None and current.direct is not None:
        current.other_name = direct.names(current).get(who.key) if who else None
    context = {
        **common_context(who),
        "rooms": listed,
        "has_direct": any(item["direct"] for item in listed),
        "room": payloads.room(current, who) if current else None,
        "can_manage": permissions.MANAGE in allowed,
        "can_moderate": permissions.MODERATE in allowed,
        "can_own": permissions.OWN in allowed,
        "is_member": bool(current and current.role),
        "room_form": NewRoomForm(),
        "config": _config(who, listed, current),
    }
    return render(request, "chat/room.html", context)


def _config(who: Identity | None, listed: list[dict[str, Any]], current: Room | None) -> dict[str, Any]:
    """Return what the scripts of the page know from the beginning. ``{slug}`` is for them to fill in."""
    return {
        "identity": who.public() if who else None,
        "rooms": listed,
        "room": current.slug if current else None,
        "socket": "/ws/",
        "urls": {"room": _url("room")} | {name: _url(f"room-{name}") for name in _ROOM_URLS},
        "limits": {"body": limits.BODY, "image": limits.IMAGE_BYTES},
    }


def _url(name: str) -> str:
    return reverse(name, args=["SLUG"]).replace("SLUG", "{slug}")
