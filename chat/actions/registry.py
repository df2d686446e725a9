"""What people do besides talking, each thing once: streams, HTTP and tokens all come here.

An action is a function that gets a :class:`Call` and returns what to answer with. Its name is the ``type`` of a payload
on the stream ``chat``, and the last part of ``POST /api/rooms/<slug>/<name>/``, or of ``POST /api/<name>/`` where it is
about no room in particular.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _

from channels_lts.exceptions import StreamError
from channels_lts.streams import field
from chat import limits, permissions, throttle
from chat.identity import Identity
from chat.models import Room


@dataclass(frozen=True)
class Call:
    """Somebody asks for something, with these fields. *channel*: the socket that they ask on, if it is one."""

    who: Identity
    content: dict[str, Any]
    channel: str | None = None


@dataclass(frozen=True)
class RoomCall(Call):
    """The same in a room, where they may do what the action is. ``room`` comes from ``with_membership`` for them."""

    room: Room = None  # type: ignore[assignment]


Answer = dict[str, Any] | None


@dataclass(frozen=True)
class Action:
    """*permission*: what one must be allowed to in the room; None: it is about no room."""

    name: str
    permission: str | None
    run: Callable[[Any], Answer]


ACTIONS: dict[str, Action] = {}
#: Of which kind an action is for :mod:`chat.throttle`, where it is no "action" like the others.
KINDS = {
    "bans": "history",
    "direct": "direct",
    "edit": "edit",
    "invitations": "history",
    "invite": "invitation",
    "members": "history",
    "read": "read",
    "remove": "edit",
    "search": "search",
}


def room_action(permission: str) -> Callable[[Callable[[RoomCall], Answer]], Callable[[RoomCall], Answer]]:
    """Register a function as the action of its name, for whoever has *permission* in the room."""

    def register(run: Callable[[RoomCall], Answer]) -> Callable[[RoomCall], Answer]:
        ACTIONS[run.__name__] = Action(run.__name__, permission, run)
        return run

    return register


def action(run: Callable[[Call], Answer]) -> Callable[[Call], Answer]:
    """Register a function as the action of its name, which is about no room."""
    ACTIONS[run.__name__] = Action(run.__name__, None, run)
    return run


def perform(
    name: str, who: Identity, content: dict[str, Any], *, slug: str | None = None, channel: str | None = None
) -> dict[str, Any]:
    """Let *who* do the action *name* and return the fields of the answer.

    The room of a room's action is *slug*, or else the field ``room`` of *content*.

    Raises:
        StreamError: ``unknown_type``: there is no such action; ``too_fast``; and what the room or the action refuses.
    """
    found = ACTIONS.get(name)
    if found is None or (found.permission is None and slug is not None):
        raise StreamError("unknown_type", _("There is no action %(name)s.") % {"name": name[: limits.SLUG]})
    throttle.check(KINDS.get(name, "action"), who, channel=channel)
    if found.permission is None:
        return found.run(Call(who, content, channel)) or {}
    if slug is None:
        slug = field(content, "room", str, max_length=limits.SLUG)
    room = permissions.open_room(who, slug, found.permission)
    return {"room": room.slug, **(found.run(RoomCall(who, content, channel, room)) or {})}
