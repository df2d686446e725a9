"""Rooms: which ones somebody sees, how they come to be, who belongs to them and how far they have read."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.conf import settings
from django.contrib.auth import get_user_model
from django.db import DEFAULT_DB_ALIAS, IntegrityError, transaction
from django.db.models import Case, IntegerField, Q, Value, When
from django.db.models.deletion import Collector
from django.utils.translation import gettext as _

from channels_lts.exceptions import StreamError
from channels_lts.payloads import storable
from chat import limits, payloads, storage
from chat.identity import Identity, user_key
from chat.models import Ban, Client, Invitation, Membership, Mention, Message, Room, Turn, Upload, Webhook

# How often a slug is chosen anew because another process took it in the same moment.
_SLUG_ATTEMPTS = 5

#: What is in a room: whatever refers to one.
CONTENTS = (Message, Mention, Client, Turn, Ban, Invitation, Webhook, Upload, Membership)


def listed(identity: Identity | None) -> list[dict[str, Any]]:
    """Return the rooms in the list of *identity*, by name: the public ones and their own. Costs one query.

    Those from which they are banned are not among them. Nobody sees the public ones where they could become a guest.
    Staff may open every room, but their list is not longer than other people's.
    """
    if identity is None and not settings.CHAT_GUESTS:
        return []
    rooms = Room.objects.with_membership(identity).with_mentions(identity).with_other(identity).filter(banned=False)
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


def delete(room: Room) -> None:
    """Delete *room* with everything in it. Everybody who is in it, or has it in their list, is told.

    Costs one statement for each table, whatever is in the room. Of what goes with the room no signals are sent; of the
    room itself they are. Files are deleted after the commit.
    """
    pk = room.pk
    with transaction.atomic():
        # The room first: who posts to it or enters it in this moment waits for its row, and then finds it gone, so
        # nothing comes to what was emptied. Foreign keys are looked at when the transaction commits.
        collector = Collector(using=DEFAULT_DB_ALIAS)
        collector.collect([room], collect_related=False)
        collector.delete()
        storage.delete_after_commit(*_files(pk))
        # Django would fetch every row for the sake of signals, and then delete a few hundred at a time.
        for model in CONTENTS:
            model._base_manager.filter(room=pk)._raw_delete(DEFAULT_DB_ALIAS)


def _files(room_id: int) -> Iterator[str]:
    """Yield the names of all files in a room: of its messages, and of what is being uploaded."""
    pictures = Message.objects.filter(room=room_id).exclude(image="", thumbnail="")
    for names in pictures.values_list("image", "thumbnail").iterator():
        yield from filter(None, names)
    for upload in Upload.objects.filter(room=room_id).iterator():
        yield upload.path


def members(room: Room) -> list[dict[str, Any]]:
    """Return members of *room* with their roles, ``limits.MEMBERS`` at most. Costs one query.

    Owners come first, then moderators, then all others, each by name.
    """
    ranks = [When(role=role, then=Value(rank)) for rank, (role, _name) in enumerate(Membership.ROLES)]
    found = room.memberships.select_related("user").annotate(
        rank=Case(*ranks, default=Value(len(ranks)), output_field=IntegerField())
    )
    found = found.order_by("rank", "user__username")[: limits.MEMBERS]
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
        StreamError: ``bad_field`` for a public room, ``not_found`` where nobody has this name, ``not_allowed`` where
            they are banned.
    """
    if not room.private:
        raise StreamError("bad_field", _("Everybody may enter a public room."))
    users = get_user_model().objects.filter(is_active=True)
    user = users.filter(username=username).first() if storable(username) else None
    if user is None:
        raise StreamError("not_found", _("There is nobody called %(name)s.") % {"name": username[:150]})
    if Ban.objects.lasting().filter(room=room, key=user_key(user.pk)).exists():
        raise StreamError("not_allowed", _("%(name)s is banned from this room.") % {"name": user.get_username()})
    membership, _created = Membership.objects.get_or_create(room=room, user=user)
    return membership
