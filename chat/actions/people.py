"""Roles, kicking and banning, and ending one's own membership."""

from __future__ import annotations

from typing import Any

from channels_lts.streams import field
from chat import limits, payloads, people, permissions, rooms
from chat.actions.fields import optional_number
from chat.actions.registry import RoomCall, room_action


@room_action(permissions.READ)
def members(call: RoomCall) -> dict[str, Any]:
    """Answer with the members, those with a role first, ``limits.MEMBERS`` at most."""
    return {"members": rooms.members(call.room)}


@room_action(permissions.OWN)
def role(call: RoomCall) -> None:
    """Make the person with ``key`` what ``role`` says."""
    people.set_role(call.room, call.who, _key(call), field(call.content, "role", str, max_length=limits.KEY))


@room_action(permissions.MODERATE)
def kick(call: RoomCall) -> None:
    """Put the person with ``key`` out of the room."""
    people.kick(call.room, call.who, _key(call))


@room_action(permissions.MODERATE)
def ban(call: RoomCall) -> dict[str, Any]:
    """Keep the person with ``key`` out of the room for ``minutes``, or for good."""
    minutes = optional_number(call.content, "minutes", limits.BAN_MINUTES)
    return {"ban": payloads.ban(people.ban(call.room, call.who, _key(call), minutes))}


@room_action(permissions.MODERATE)
def unban(call: RoomCall) -> None:
    """Let the person with ``key`` in again."""
    people.unban(call.room, _key(call))


@room_action(permissions.MODERATE)
def bans(call: RoomCall) -> dict[str, Any]:
    """Answer with the bans that last."""
    return {"bans": [payloads.ban(item) for item in people.bans(call.room)]}


@room_action(permissions.READ)
def quit(call: RoomCall) -> None:
    """End one's own membership."""
    people.quit_room(call.room, call.who)


def _key(call: RoomCall) -> str:
    return field(call.content, "key", str, max_length=limits.KEY)
