"""The webhooks of a room, for those who manage it."""

from __future__ import annotations

from typing import Any

from channels_lts.streams import field
from chat import permissions
from chat import webhooks as hooks
from chat.actions.registry import RoomCall, room_action


@room_action(permissions.MANAGE)
def webhook(call: RoomCall) -> dict[str, Any]:
    """Make one called ``name``; ``path`` in the answer is its address, which is told only now."""
    made, secret = hooks.make(call.room, call.who, field(call.content, "name", str))
    return {"webhook": hooks.public(made), "path": hooks.path(secret)}


@room_action(permissions.MANAGE)
def webhooks(call: RoomCall) -> dict[str, Any]:
    """List them, without their addresses."""
    return {"webhooks": hooks.listed(call.room)}


@room_action(permissions.MANAGE)
def webhook_revoke(call: RoomCall) -> None:
    """End the one with id ``webhook``."""
    hooks.revoke(call.room, field(call.content, "webhook", int, minimum=1))
