"""Messages that are stored already: edited, removed, found."""

from __future__ import annotations

from typing import Any

from channels_lts.streams import field
from chat import changes, limits, payloads, permissions
from chat import search as searching
from chat.actions.registry import Call, RoomCall, action, room_action


@room_action(permissions.POST)
def edit(call: RoomCall) -> dict[str, Any]:
    """Give one's own message ``seq`` the text ``body``."""
    seq = field(call.content, "seq", int, minimum=1)
    message = changes.edit(call.room, call.who, seq, field(call.content, "body", str))
    return {"message": payloads.message(message, call.room.slug)}


@room_action(permissions.POST)
def remove(call: RoomCall) -> dict[str, Any]:
    """Remove message ``seq``: one's own, or for moderators anybody's."""
    message = changes.remove_by(call.room, call.who, field(call.content, "seq", int, minimum=1))
    return {"message": payloads.message(message, call.room.slug)}


@action
def search(call: Call) -> dict[str, Any]:
    """Look for ``query`` in ``room``, or in all of one's rooms, ``before`` the ``next`` of an earlier answer."""
    query = field(call.content, "query", str, max_length=limits.QUERY)
    slug = field(call.content, "room", str, default=None, max_length=limits.SLUG)
    before = field(call.content, "before", int, default=None, minimum=1)
    limit = field(call.content, "limit", int, default=limits.SEARCH, minimum=1)
    room = None if slug is None else permissions.open_room(call.who, slug)
    found, more = searching.find(call.who, query, room=room, before=before, limit=min(limit, limits.SEARCH_MAX))
    return {"query": query, "messages": found, "more": more is not None, "next": more}
