"""What people are to each other in a room: roles, and putting somebody out, for now or for longer.

Nobody has power over who has as much to say as they: staff stand above owners, owners above moderators, and those
above everybody else. All changes of one room happen under the lock of its row, so that it never ends without an owner.
"""

from __future__ import annotations

import datetime
from dataclasses import dataclass
from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from channels_lts.exceptions import StreamError
from chat import accounts, eviction, groups
from chat.bindings import CREATE, DELETE, RoomBinding
from chat.identity import Identity, user_key
from chat.messages import lock_room
from chat.models import Ban, Client, Membership, Room

_RANKS = {Membership.OWNER: 2, Membership.MODERATOR: 1}
_STAFF = 3


@dataclass(frozen=True)
class Target:
    """Somebody whom another person does something to; ``role`` is None where they are no member."""

    key: str
    name: str
    user_id: int | None = None
    staff: bool = False
    role: str | None = None


def kick(room: Room, who: Identity, key: str) -> None:
    """Put somebody out of *room*. They lose their place in a private one; into a public one they may come back.

    Raises:
        StreamError: ``not_found`` where nobody in the room has this key, ``not_allowed`` for one's equals and betters.
    """
    with transaction.atomic():
        lock_room(room.pk)
        target = _target(room, who, key)
        eviction.evict(room, target.key, "kicked")
        if room.private:
            room.memberships.filter(user=target.user_id).delete()


def ban(room: Room, who: Identity, key: str, minutes: int | None = None) -> Ban:
    """Keep somebody, a guest too, out of *room* for *minutes*, or for good. They lose their place and role in it.

    A second ban replaces the first. It ends by itself; a private room they must then be invited to again. A guest who
    picks a name anew, with no cookie, is somebody else.

    Raises:
        StreamError: as :func:`kick`.
    """
    until = None if minutes is None else timezone.now() + datetime.timedelta(minutes=minutes)
    with transaction.atomic():
        lock_room(room.pk)
        target = _target(room, who, key)
        values = {"name": target.name, "until": until, "created_by_id": who.user_id}
        made, _created = Ban.objects.update_or_create(room=room, key=target.key, defaults=values)
        eviction.evict(room, target.key, "banned")
        eviction.release_polls(room)
        room.memberships.filter(user=target.user_id).delete()
        if not room.private:
            # Of a private one they hear when their membership ends.
            RoomBinding.tell(room, DELETE, lambda: [groups.person(target.key)])
    return made


def unban(room: Room, key: str) -> None:
    """Raises: StreamError: ``not_found`` where nobody with this key is banned."""
    deleted, _models = Ban.objects.filter(room=room, key=key).delete()
    if not deleted:
        raise StreamError("not_found", _("They are not banned."))
    if not room.private:
        RoomBinding.tell(room, CREATE, lambda: [groups.person(key)])


def bans(room: Room) -> list[Ban]:
    """Return the bans of *room* that last, newest first."""
    return list(Ban.objects.lasting().filter(room=room).select_related("created_by").order_by("-created_at"))


def set_role(room: Room, who: Identity, key: str, role: str) -> None:
    """Make somebody owner, moderator or member of *room*. Guests cannot be, and who is banned is not.

    Owners may give up what they are themselves once there is another owner.

    Raises:
        StreamError: ``bad_field`` for no such role, ``not_found`` for nobody, or no member of a private room,
            ``not_allowed`` for guests, the banned, one's equals and betters, and the last owner.
    """
    if role not in dict(Membership.ROLES):
        raise StreamError("bad_field", _("A role is one of %(roles)s.") % {"roles": ", ".join(dict(Membership.ROLES))})
    with transaction.atomic():
        lock_room(room.pk)
        target = _target(room, who, key, oneself=True)
        if target.user_id is None:
            raise StreamError("not_allowed", _("Guests have no role: they need an account."))
        if Ban.objects.lasting().filter(room=room, key=target.key).exists():
            raise StreamError("not_allowed", _("They are banned from this room."))
        if target.role is None and room.private:
            raise StreamError("not_found", _("They are not a member of this room."))
        if role != Membership.OWNER:
            _needs_owner(room, target.user_id)
        membership, created = room.memberships.get_or_create(user_id=target.user_id, defaults={"role": role})
        if not created and membership.role != role:
            membership.role = role
            membership.save(update_fields=["role"])


def quit_room(room: Room, who: Identity) -> None:
    """End one's own membership of *room*, role and marker too, and leave it with all sockets.

    Raises:
        StreamError: ``not_allowed`` in a direct room, for the last owner, and for who is no member.
    """
    if room.direct is not None:
        raise StreamError("not_allowed", _("A direct conversation cannot be left."))
    with transaction.atomic():
        lock_room(room.pk)
        mine = room.memberships.filter(user=who.user_id or 0)
        if not mine.exists():
            raise StreamError("not_allowed", _("You are not a member of this room."))
        _needs_owner(room, who.user_id)
        eviction.evict(room, who.key, "quit")
        mine.delete()


def _needs_owner(room: Room, without: int | None) -> None:
    """Refuse that the last owner goes. Rooms that never had one, or lost theirs with an account, stay as they are."""
    owners = set(room.memberships.filter(role=Membership.OWNER).values_list("user", flat=True))
    if owners == {without}:
        raise StreamError("not_allowed", _("Make somebody else the owner first, or delete the room."))


def _target(room: Room, who: Identity, key: str, *, oneself: bool = False) -> Target:
    """Return whom *key* names, if *who* has power over them."""
    target = _account(room, key) or _guest(room, key)
    if target is None:
        raise StreamError("not_found", _("There is nobody with this key."))
    if target.key == who.key and oneself:
        return target
    if _rank(target.staff, target.role) >= _rank(who.staff, room.role) or target.key == who.key:
        raise StreamError("not_allowed", _("You may not do this to %(name)s.") % {"name": target.name})
    return target


def _account(room: Room, key: str) -> Target | None:
    user = accounts.of_key(key)
    if user is None:
        return None
    role = room.memberships.filter(user=user).values_list("role", flat=True).first()
    return Target(user_key(user.pk), user.get_username(), user.pk, user.is_staff, role)


def _guest(room: Room, key: str) -> Target | None:
    """Guests have no row of their own: they are known by their sockets, and by what they said."""
    if not key.startswith("g"):
        return None
    here = Client.objects.filter(room=room, key=key).values_list("name", flat=True).first()
    name = here or room.messages.filter(author_key=key).values_list("author_name", flat=True).first()
    return Target(key, name) if name else None


def _rank(staff: bool, role: Any) -> int:
    return _STAFF if staff else _RANKS.get(role, 0)
