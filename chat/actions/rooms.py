"""Making and ending rooms. Their names, topics and the like are changed through the data binding."""

from __future__ import annotations

from typing import Any

from channels_lts.streams import field
from chat import direct as conversations
from chat import limits, permissions, rooms
from chat.actions.registry import Call, RoomCall, action, room_action


@room_action(permissions.OWN)
def delete(call: RoomCall) -> None:
    """Delete the room with everything in it."""
    rooms.delete(call.room)


@action
def direct(call: Call) -> dict[str, Any]:
    """Answer with the room that one shares with the person with ``key``, which is made if there is none."""
    room = conversations.open_with(call.who, field(call.content, "key", str, max_length=limits.KEY))
    return {"room": room.slug, "url": room.get_absolute_url()}
