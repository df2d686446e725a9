"""How rooms, messages and people look in JSON, the same on every way out."""

from __future__ import annotations

import datetime
from typing import Any, NamedTuple

from django.urls import reverse

from chat import direct
from chat.identity import Identity
from chat.models import Ban, Invitation, Message, Room


class Shown(NamedTuple):
    """What is shown of a message, by the names that it has there: to make a Message takes longer than to show one."""

    seq: int
    uid: str
    author_key: str
    author_name: str
    body: str
    created_at: datetime.datetime
    image: str
    thumbnail: str
    width: int | None
    height: int | None
    removed: bool
    edited_at: datetime.datetime | None
    revision: int
    mentioned: str


def message(item: Message | Shown, slug: str) -> dict[str, Any]:
    """Return a message of the room at *slug*. Of a removed one only its number, author and time are left.

    ``mentions`` has the keys of people; ``edited`` is when its text was last changed, or None.
    """
    return {
        "room": slug,
        "seq": item.seq,
        "id": item.uid,
        "author": {"key": item.author_key, "name": item.author_name, "guest": item.author_key.startswith("g")},
        "body": "" if item.removed else item.body,
        "at": timestamp(item.created_at),
        "image": image(item),
        "removed": item.removed,
        "edited": timestamp(item.edited_at) if item.edited_at and not item.removed else None,
        "revision": item.revision,
        "mentions": item.mentioned.split(),
    }


def image(item: Message | Shown) -> dict[str, Any] | None:
    if item.removed or not item.image:
        return None
    return {
        "url": media_url(str(item.image)),
        "width": item.width,
        "height": item.height,
        "thumbnail": media_url(str(item.thumbnail)) if item.thumbnail else None,
    }


def plain_message(item: Message) -> dict[str, Any]:
    """Return a message for /ws/chat/<room>/: the few fields that the tutorials' clients know."""
    return {"message": item.body, "author": item.author_name, "seq": item.seq, "at": timestamp(item.created_at)}


def room(item: Room, identity: Identity | None) -> dict[str, Any]:
    """Return a room for *identity*; it must come from ``with_membership`` for this user.

    ``unread`` is None for guests, whose browser keeps the count, and 0 for who never opened the room. For ``mentions``
    it must come from ``with_mentions`` as well.
    """
    unread: int | None = None
    if identity is not None and not identity.guest:
        unread = 0 if item.last_read is None else max(0, item.last_seq - item.last_read)
    return {
        "id": item.pk,
        "name": item.other_name or item.name,
        "slug": item.slug,
        "topic": item.topic,
        "private": item.private,
        "direct": direct.other_key(item, identity.key if identity else None),
        "slow_seconds": item.slow_seconds,
        "last_seq": item.last_seq,
        "unread": unread,
        "mentions": item.unread_mentions,
        "url": item.get_absolute_url(),
    }


def ban(item: Ban) -> dict[str, Any]:
    """Return a ban. ``until`` is None where it is for good."""
    return {
        "key": item.key,
        "name": item.name,
        "until": timestamp(item.until) if item.until else None,
        "at": timestamp(item.created_at),
        "by": item.created_by.get_username() if item.created_by else None,
    }


def invitation(item: Invitation) -> dict[str, Any]:
    """Return a link into a room. ``url`` begins with the path; None is no bound."""
    return {
        "token": item.token,
        "url": reverse("invitation", args=[item.token]),
        "expires_at": timestamp(item.expires_at) if item.expires_at else None,
        "uses_left": item.uses_left,
        "at": timestamp(item.created_at),
        "by": item.created_by.get_username(),
    }


def timestamp(moment: datetime.datetime) -> str:
    """Return *moment* in ISO 8601, UTC, to the millisecond."""
    return moment.astimezone(datetime.UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def media_url(path: str) -> str:
    return reverse("media", args=[path])
