"""Who is in which room, from the rows of their sockets.

A person with three tabs is there once: the room hears of the first to come and the last to go. A socket that was not
heard of for ``limits.PRESENT`` seconds does not count, nor one whose interface server was killed; its row waits, so
that a laptop that wakes up, or a server that was only paused, is there again at the next sign of life.
Rows of one room change under the lock of the room's row, so that two tabs that close together tell it once.
"""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from typing import Any

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from chat import broadcast, groups, limits
from chat.identity import Identity
from chat.messages import lock_room
from chat.models import Client, Room

# Rows in one query: SQLite takes no more than a thousand parameters everywhere.
_ROWS = 500


def enter(room: Room, channel_name: str, identity: Identity) -> None:
    """Note that a socket of /ws/ joined *room*, and tell the room if this person was not there yet."""
    with transaction.atomic():
        lock_room(room.pk)
        _sweep(room)
        known = Client.objects.filter(room=room, key=identity.key, present=True).exists()
        _note(room, channel_name, identity, present=True, plain=False)
        if not known:
            _tell(room, "join", identity)


def enter_plain(room: Room, channel_name: str, identity: Identity) -> None:
    """Note a socket of /ws/chat/: the room can be taken from it, but nobody is told that it is there."""
    _note(room, channel_name, identity, present=False, plain=True)


def leave(room: Room, channel_name: str) -> None:
    """Forget a socket in *room*, and tell the room if it was the last one of this person."""
    with transaction.atomic():
        lock_room(room.pk)
        client = Client.objects.filter(room=room, channel_name=channel_name).first()
        if client is None:
            return
        client.delete()
        if client.present and not Client.objects.filter(room=room, key=client.key, present=True).exists():
            _tell(room, "leave", identity_of(client))


def leave_all(channel_name: str) -> list[Room]:
    """Forget a socket everywhere and return the rooms that it was in."""
    rooms = joined(channel_name)
    for room in rooms:
        leave(room, channel_name)
    return rooms


def joined(channel_name: str) -> list[Room]:
    """Return the rooms that a socket is in."""
    return list(Room.objects.filter(clients__channel_name=channel_name).order_by("pk"))


def seen(channel_name: str, identity: Identity) -> None:
    """Note that a socket of /ws/ is alive. Writes at most once in ``limits.SEEN_WRITE`` seconds for each row."""
    now = timezone.now()
    rows = list(Client.objects.filter(channel_name=channel_name, plain=False).select_related("room"))
    due = [row for row in rows if not row.present or row.seen_at <= now - datetime.timedelta(seconds=limits.SEEN_WRITE)]
    if not due:
        return
    Client.objects.filter(pk__in=[row.pk for row in due], present=True).update(seen_at=now)
    for row in due:
        if not row.present:
            enter(row.room, channel_name, identity)
    # Those who are alive find those who died without a word.
    stale = _stale().filter(room__in=[row.room_id for row in rows]).values("room")
    for room in Room.objects.filter(pk__in=stale):
        with transaction.atomic():
            lock_room(room.pk)
            _sweep(room)


def interface_gone(message: Any) -> None:
    """Take out everybody whose socket was on an interface server that was killed: a consumer of ``interface.gone``.

    And whoever is stale anywhere, so that nobody of a server stays of which the word was lost.
    """
    gone = Client.objects.filter(channel_name__startswith=message["process"], present=True)
    for room in Room.objects.filter(pk__in=(gone | _stale()).values("room")).order_by("pk"):
        with transaction.atomic():
            lock_room(room.pk)
            _take_out(room, list(gone.filter(room=room)))
            _sweep(room)


def here(room: Room) -> list[Identity]:
    """Return the people in *room*, by name, each once."""
    rows = Client.objects.filter(room=room, present=True, seen_at__gte=_cutoff()).order_by("seen_at")
    people = {row.key: identity_of(row) for row in rows}
    return sorted(people.values(), key=lambda person: (person.name.casefold(), person.key))


def identity_of(client: Client) -> Identity:
    return Identity(client.key, client.name, guest=client.user_id is None, user_id=client.user_id)


def _note(room: Room, channel_name: str, identity: Identity, *, present: bool, plain: bool) -> None:
    Client.objects.update_or_create(
        channel_name=channel_name,
        room=room,
        defaults={
            "user_id": identity.user_id,
            "key": identity.key,
            "name": identity.name,
            "seen_at": timezone.now(),
            "present": present,
            "plain": plain,
        },
    )


def _sweep(room: Room) -> None:
    """Take those who are stale out of *room*, whose lock the caller holds, and tell the room."""
    _take_out(room, list(_stale().filter(room=room)))
    ended = timezone.now() - datetime.timedelta(seconds=limits.CLIENT_ROW)
    Client.objects.filter(room=room, seen_at__lt=ended).delete()


def _take_out(room: Room, clients: Sequence[Client]) -> None:
    """Note that *clients*, rows of *room*, are not present; tell the room who has no other socket in it."""
    if not clients:
        return
    for start in range(0, len(clients), _ROWS):
        part = clients[start : start + _ROWS]
        Client.objects.filter(pk__in=[client.pk for client in part]).update(present=False)
    left = {client.key: identity_of(client) for client in clients}
    for key in Client.objects.filter(room=room, present=True).values_list("key", flat=True):
        left.pop(key, None)
    for identity in left.values():
        _tell(room, "leave", identity)


def _stale() -> QuerySet[Client]:
    return Client.objects.filter(present=True, seen_at__lt=_cutoff())


def _cutoff() -> datetime.datetime:
    return timezone.now() - datetime.timedelta(seconds=limits.PRESENT)


def _tell(room: Room, kind: str, identity: Identity) -> None:
    broadcast.to_stream(groups.room(room.pk), "presence", kind, room=room.slug, who=identity.public())
