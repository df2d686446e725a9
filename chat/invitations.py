"""Links that let people into a private room."""

from __future__ import annotations

import datetime

from django.db import transaction
from django.db.models import F, Q, QuerySet
from django.utils import timezone
from django.utils.crypto import get_random_string
from django.utils.translation import gettext as _

from channels_lts.exceptions import StreamError
from channels_lts.payloads import storable
from chat import limits
from chat.identity import Identity
from chat.messages import lock_room
from chat.models import Invitation, Membership, Room

_TOKEN = 32


def invite(room: Room, who: Identity, *, hours: int, uses: int | None = None) -> Invitation:
    """Make a link into *room* that is good for *hours*, and for *uses* people, or any number.

    Raises:
        StreamError: ``bad_field`` for a public room, ``not_allowed`` where there are too many links already.
    """
    if not room.private:
        raise StreamError("bad_field", _("Everybody may enter a public room."))
    with transaction.atomic():
        lock_room(room.pk)
        room.invitations.exclude(pk__in=_valid().values("pk")).delete()
        if room.invitations.count() >= limits.INVITATIONS:
            raise StreamError("not_allowed", _("There are too many invitations: revoke some first."))
        ends = timezone.now() + datetime.timedelta(hours=hours)
        made = Invitation(room=room, token=get_random_string(_TOKEN), expires_at=ends, uses_left=uses)
        # Whoever manages a room has an account.
        made.created_by_id = who.user_id  # type: ignore[assignment]
        made.save()
        return made


def listed(room: Room) -> list[Invitation]:
    """Return the links into *room* that are good, newest first."""
    return list(_valid().filter(room=room).select_related("created_by").order_by("-created_at"))


def revoke(room: Room, token: str) -> None:
    """Raises: StreamError: ``not_found``: there is no such link into this room."""
    deleted, _models = room.invitations.filter(token=token).delete()
    if not deleted:
        raise StreamError("not_found", _("There is no such invitation."))


def find(token: str) -> Invitation | None:
    """Return the invitation behind a link, with its room and who invites; None where it is no longer good."""
    return _valid().filter(token=token).select_related("room", "created_by").first() if storable(token) else None


def accept(token: str, who: Identity) -> Room:
    """Make *who* a member of the room that *token* leads to. Who is one already uses nothing up.

    Uses are counted under the lock of the room's row, so that the last one is not taken twice.

    Raises:
        StreamError: ``not_found`` where the link is no longer good, ``not_allowed`` for guests and the banned.
    """
    if who.user_id is None:
        raise StreamError("not_allowed", _("Sign in with an account to become a member."))
    with transaction.atomic():
        known = find(token)
        if known is not None:
            lock_room(known.room_id)
        # As it is now that nobody else can change it.
        invitation = known and find(token)
        if not invitation:
            raise StreamError("not_found", _("This invitation is no longer valid."))
        room = Room.objects.with_membership(who).get(pk=invitation.room_id)
        if room.banned and not who.staff:
            raise StreamError("not_allowed", _("You are banned from this room."))
        if room.role is None and room.private:
            Membership.objects.create(room=room, user_id=who.user_id)
            Invitation.objects.filter(pk=invitation.pk).update(uses_left=F("uses_left") - 1)
        return room


def _valid() -> QuerySet[Invitation]:
    return Invitation.objects.filter(
        Q(expires_at=None) | Q(expires_at__gt=timezone.now()), Q(uses_left=None) | Q(uses_left__gt=0)
    )
