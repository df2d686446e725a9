"""Who may do what in which room. Sockets, views, long-polls and files all ask here and nowhere else.

To somebody who may not read it, a private room looks like one that does not exist.
"""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext as _

from channels_lts.exceptions import StreamError
from chat.identity import Identity
from chat.models import Membership, Room
from chat.text import storable

READ, POST, MANAGE = "read", "post", "manage"

_ALL = frozenset({READ, POST, MANAGE})
_TALK = frozenset({READ, POST})
_NOTHING: frozenset[str] = frozenset()

#: (kind of person, is the room private) -> what they may do.
MATRIX: dict[tuple[str, bool], frozenset[str]] = {
    ("staff", False): _ALL,
    ("staff", True): _ALL,
    ("manager", False): _ALL,
    ("manager", True): _ALL,
    ("member", False): _TALK,
    ("member", True): _TALK,
    ("stranger", False): _TALK,
    ("stranger", True): _NOTHING,
    ("guest", False): _TALK,
    ("guest", True): _NOTHING,
    ("nobody", False): _NOTHING,
    ("nobody", True): _NOTHING,
}


def kind_of(identity: Identity | None, role: str | None) -> str:
    """Return the row of :data:`MATRIX` for somebody whose role in the room is *role* (None: no member)."""
    if identity is None:
        return "nobody"
    if identity.guest:
        return "guest"
    if identity.staff:
        return "staff"
    if role in (Membership.OWNER, Membership.MODERATOR):
        return "manager"
    return "stranger" if role is None else "member"


def allowed(identity: Identity | None, room: Room) -> frozenset[str]:
    """Return what *identity* may do in *room*, which must come from ``with_membership`` for this user."""
    return MATRIX[kind_of(identity, room.role), room.private]


def open_room(identity: Identity | None, slug: str, action: str = READ) -> Room:
    """Return the room at *slug* for *identity* to do *action* there. Costs one query.

    Raises:
        StreamError: ``not_found`` where there is none or they may not read it, ``not_allowed`` where they may read it
            but not do this, and for nobody, whatever the room.
    """
    # PostgreSQL refuses NUL with an error of its own.
    return _open(identity, action, slug=slug if storable(slug) else "")


def open_room_by_id(identity: Identity | None, pk: int, action: str = READ) -> Room:
    """The same as :func:`open_room` for a room's id."""
    return _open(identity, action, pk=pk)


def _open(identity: Identity | None, action: str, **lookup: Any) -> Room:
    if identity is None:
        raise StreamError("not_allowed", _("Sign in, or pick a name."))
    room = Room.objects.with_membership(identity.user_id).filter(**lookup).first()
    actions = allowed(identity, room) if room else _NOTHING
    if room is None or READ not in actions:
        raise StreamError("not_found", _("There is no such room."))
    if action not in actions:
        raise StreamError("not_allowed", _("You may not do this in this room."))
    return room
