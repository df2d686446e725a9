"""Taking a room away from sockets that are in it: it became private, somebody lost their place, it was deleted."""

from __future__ import annotations

from channels import Group
from django.db import transaction
from django.db.models import Q

from channels_lts import close_codes, streams
from chat import broadcast, groups, presence
from chat.models import Client, Room
from chat.responses import json_response


def evict_strangers(room: Room, reason: str = "not_allowed") -> None:
    """Put out of a private *room* every socket whose owner is neither a member nor staff.

    Long-polls are let go.
    """
    rows = Client.objects.filter(room=room).exclude(
        Q(user__in=room.memberships.values("user")) | Q(user__is_staff=True)
    )
    for client in rows:
        _evict(client, room, reason)
    release_polls(room)


def evict(room: Room, key: str, reason: str) -> None:
    """Put every socket of the person with *key*, a guest too, out of *room*."""
    for client in Client.objects.filter(room=room, key=key):
        _evict(client, room, reason)


def release_polls(room: Room) -> None:
    """Answer the long-polls that wait for *room* with nothing: who may still read asks again, and is let in."""
    broadcast.to_group(groups.poll(room.pk, room.last_seq), json_response({"messages": []}))


def close_room(room: Room, reason: str = "not_found") -> None:
    """Tell everybody in *room*, which is being deleted, that it is no more."""
    broadcast.to_stream(groups.room(room.pk), "chat", "left", room=room.slug, reason=reason)
    broadcast.to_group(groups.plain(room.pk), {"close": close_codes.NOT_ALLOWED.code})
    release_polls(room)


def _evict(client: Client, room: Room, reason: str) -> None:
    group = groups.plain(room.pk) if client.plain else groups.room(room.pk)
    transaction.on_commit(lambda: Group(group).discard(client.channel_name))
    if client.plain:
        broadcast.to_channel(client.channel_name, {"close": close_codes.NOT_ALLOWED.code})
    else:
        left = streams.encode("chat", {"type": "left", "room": room.slug, "reason": reason})
        broadcast.to_channel(client.channel_name, left)
    presence.leave(room, client.channel_name)
