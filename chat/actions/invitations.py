"""Links that let people into a private room."""

from __future__ import annotations

from typing import Any

from channels_lts.streams import field
from chat import invitations as links
from chat import limits, payloads, permissions
from chat.actions.fields import optional_number
from chat.actions.registry import RoomCall, room_action


@room_action(permissions.MANAGE)
def invite(call: RoomCall) -> dict[str, Any]:
    """Make a link that is good for ``hours``, a week if nothing is said, and for ``uses`` people, or any number."""
    hours = optional_number(call.content, "hours", limits.INVITATION_HOURS_MAX, limits.INVITATION_HOURS)
    uses = optional_number(call.content, "uses", limits.INVITATION_USES)
    made = links.invite(call.room, call.who, hours=hours or limits.INVITATION_HOURS, uses=uses)
    return payloads.invitation(made)


@room_action(permissions.MANAGE)
def invitations(call: RoomCall) -> dict[str, Any]:
    """Answer with the links that are good."""
    return {"invitations": [payloads.invitation(item) for item in links.listed(call.room)]}


@room_action(permissions.MANAGE)
def revoke(call: RoomCall) -> None:
    """End the link with ``token``."""
    links.revoke(call.room, field(call.content, "token", str, max_length=64))
