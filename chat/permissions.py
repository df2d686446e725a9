"""Who may do what in which room. Sockets, views, long-polls and files all ask here and nowhere else.

To somebody who may not read it, a private room looks like one that does not exist.
"""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext as _

from channels_lts.exceptions import StreamError
from channels_lts.payloads import storable
from chat import opening
from chat.identity import Identity
from chat.models import Membership, Room

#: What people do. READ: see messages and people. POST: talk, edit and remove what is one's own. MODERATE: remove what
#: others said, kick, ban. MANAGE: name, topic, slow mode, members, invitations, webhooks. OWN: roles, deleting it.
READ, POST, MODERATE, MANAGE, OWN = "read", "post", "moderate", "manage", "own"

_ALL = frozenset({READ, POST, MODERATE, MANAGE, OWN})
_KEEP = _ALL - {OWN}
_TALK = frozenset({READ, POST})
_NOTHING: frozenset[str] = frozenset()

#: (kind of person, sort of room) -> what they may do. What is not here is nothing.
MATRIX: dict[tuple[str, str], frozenset[str]] = {
    ("staff", "public"): _ALL,
    ("owner", "public"): _ALL,
    ("moderator", "public"): _KEEP,
    ("member", "public"): _TALK,
    ("stranger", "public"): _TALK,
    ("guest", "public"): _TALK,
    ("staff", "private"): _ALL,
    ("owner", "private"): _ALL,
    ("moderator", "private"): _KEEP,
    ("member", "private"): _TALK,
    # What two people say to each other is nobody else's business, and neither has more to say than the other.
    ("member", "direct"): _TALK,
}


def kind_of(identity: Identity | None, room: Room) -> str:
    """Return the kind of person that *identity* is in *room*: the row of :data:`MATRIX`."""
    if identity is None:
        return "nobody"
    if identity.staff and room.direct is None:
        return "staff"
    if room.banned:
        return "banned"
    if room.role in (Membership.OWNER, Membership.MODERATOR):
        return room.role
    if identity.guest:
        return "guest"
    return "stranger" if room.role is None else "member"


def allowed(identity: Identity | None, room: Room) -> frozenset[str]:
    """Return what *identity* may do in *room*, which must come from ``with_membership`` for them."""
    return MATRIX.get((kind_of(identity, room), room.sort), _NOTHING)


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
    room = opening.find(identity, **lookup)
    actions = allowed(identity, room) if room else _NOTHING
    if room is None or READ not in actions:
        raise StreamError("not_found", _("There is no such room."))
    if action not in actions:
        raise StreamError("not_allowed", _("You may not do this in this room."))
    return room
