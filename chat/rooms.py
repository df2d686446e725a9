"""Rooms: which ones somebody sees, how they come to be, who belongs to them and how far they have read."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib.auth import get_user_model
from django.db import IntegrityError, transaction
from django.db.models import Q
from django.utils.translation import gettext as _

from channels_lts.exceptions import StreamError
from chat import payloads
from chat.identity import Identity, user_key
from chat.models import Membership, Room
from chat.text import storable

# How often a slug is chosen anew because another process took it in the same moment.
_SLUG_ATTEMPTS = 5


def listed(identity: Identity | None) -> list[dict[str, Any]]:
    """Return the rooms in the list of *identity*, by name: the public ones and their own. Costs one query.

    Nobody sees the public ones where they could become a guest. Staff may open every room, but their list is not
    longer than other people's.
    """
    if identity is None and not settings.CHAT_GUESTS:
        return []
    rooms = Room.objects.with_membership(identity)
    rooms = rooms.filter(Q(private=False) | Q(role__isnull=False)).order_by("name", "pk")
    return [payloads.room(room, identity) for room in rooms]


def create(room: Room) -> Room:
    """Save a new *room*, which has passed its form, with ``created_by`` as its owner."""
    for _attempt in range(_SLUG_ATTEMPTS - 1):
        try:
            return _create(room)
        except IntegrityError:
            # Another process took the slug between our look and our insert: there is a next number.
            room.pk = None
    return _create(room)


def _create(room: Room) -> Room:
    if room.created_by is None:
        raise ValueError("a room needs an owner")
    with transaction.atomic():
        room.slug = ""
        room.save(force_insert=True)
        Membership.objects.create(room=room, user=room.created_by, role=Membership.OWNER)
    return room


def mark_read(room: Room, identity: Identity, seq: int) -> None:
    """Move this person's marker in *room* forward to *seq*, never back and never beyond the last message.

    Who reads a public room becomes a member of it by that. Staff who look into a private room do not.

    Raises:
        StreamError: ``not_allowed``: guests have no marker on the server.
    """
    if identity.user_id is None:
        raise StreamError("not_allowed", _("Guests keep their place in the browser."))
    seq = min(seq, room.last_seq)
    if room.role is None:
        if room.private:
            return
        Membership.objects.get_or_create(room=room, user_id=identity.user_id, defaults={"last_read_seq": seq})
    Membership.objects.filter(room=room, user=identity.user_id, last_read_seq__lt=seq).update(last_read_seq=seq)


def members(room: Room) -> list[dict[str, Any]]:
    """Return the members of *room*, by name, with their roles. Costs one query."""
    found = room.memberships.select_related("user").order_by("user__username")
    return [
        {
            "key": user_key(membership.user_id),
            "name": membership.user.get_username(),
            "guest": False,
            "role": membership.role,
        }
        for membership in found
    ]


def add_member(room: Room, username: str) -> Membership:
    """Make the person called *username* a member of a private room; who is one already keeps their role.

    Raises:
        StreamError: ``bad_field`` for a public room, ``not_found`` where nobody has this name.
    """
    if not room.private:
        raise StreamError("bad_field", _("Everybody may enter a public room."))
    users = get_user_model().objects.filter(is_active=True)
    user = users.filter(username=username).first() if storable(username) else None
    if user is None:
        raise StreamError("not_found", _("There is nobody called %(name)s.") % {"name": username[:150]})
    membership, _created = Membership.objects.get_or_create(room=room, user=user)
    return membership
