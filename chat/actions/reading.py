"""How far people have read."""

from __future__ import annotations

from channels_lts.streams import field
from chat import permissions
from chat import reading as markers
from chat.actions.registry import RoomCall, room_action


@room_action(permissions.READ)
def read(call: RoomCall) -> None:
    """Move one's marker forward to number ``seq``."""
    markers.mark_read(call.room, call.who, field(call.content, "seq", int, minimum=0))
