"""Who is in which room, from the rows of their sockets.

A person with three tabs is there once: the room hears of the first to come and the last to go. A socket that was not
heard of for ``limits.PRESENT`` seconds does not count, nor one whose interface server was killed; its row waits, so
that a laptop that wakes up, or a server that was only paused, is there again at the next sign of life.

Rows of one room change under the lock of the room's row, so that two tabs that close together tell it once. What is
told is numbered under that lock (``presence``): two workers may tell in another order than they committed, and a
reader may hear of somebody before they hear who was there. Of each person, the highest number tells.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Sequence
from typing import Any

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from channels_lts.exceptions import StreamError
from chat import broadcast, groups, limits, opening, presence_rows
from chat.identity import Identity
from chat.messages import lock_room
from chat.models import Client, Room
from chat.presence_rows import Gone, Row

# Rows in one query: SQLite takes no more than a thousand parameters everywhere.
_ROWS = 500


def enter(room: Room, channel_name: str, identity: Identity) -> None:
    """Note that a socket of /ws/ joined *room*, and tell the room if this person was not there yet.

    Raises:
        StreamError: ``not_found`` where the room has gone, ``too_large`` where the socket is in ``limits.ROOMS_JOINED``
            others.
    """
    now, most = timezone.now(), limits.ROOMS_JOINED
    told = presence_rows.enter(room, channel_name, identity, now=now, cutoff=_cutoff(), ended=_ended(now), most=most)
    if told is not None:
        _send("join", room.pk, told.slug, identity, told.presence, told.people)
        return
    with transaction.atomic():
        _enter(lock_room(room.pk), channel_name, identity)


def enter_plain(room: Room, channel_name: str, identity: Identity) -> None:
    """Note a socket of /ws/chat/: the room can be taken from it, but nobody is told that it is there."""
    Client.objects.update_or_create(
        channel_name=channel_name, room=room, defaults={**_fields(identity), "present": False, "plain": True}
    )


def leave(room: Room, channel_name: str) -> None:
    """Forget a socket in *room*, and tell the room if it was the last one of this person."""
    with transaction.atomic():
        locked = lock_room(room.pk)
        gone = presence_rows.take(locked, channel_name)
        if gone is not None and gone.present and not gone.elsewhere:
            _tell(locked, "leave", [identity_of(gone)])


def leave_all(channel_name: str) -> list[Room]:
    """Forget a socket everywhere and return the rooms that it was in."""
    rooms = joined(channel_name)
    for room in rooms:
        leave(room, channel_name)
    return rooms


def joined(channel_name: str) -> list[Room]:
    """Return the rooms that a socket is in."""
    return opening.joined(channel_name)


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
            _revive(row, identity)
    # Those who are alive find those who died without a word.
    stale = _stale().filter(room__in=[row.room_id for row in rows]).values("room")
    for room in Room.objects.filter(pk__in=stale):
        with transaction.atomic():
            _sweep(lock_room(room.pk))


def interface_gone(message: Any) -> None:
    """Take out everybody whose socket was on an interface server that was killed: a consumer of ``interface.gone``.

    And whoever is stale anywhere, so that nobody of a server stays of which the word was lost.
    """
    gone = Client.objects.filter(channel_name__startswith=message["process"], present=True)
    for room in Room.objects.filter(pk__in=(gone | _stale()).values("room")).order_by("pk"):
        with transaction.atomic():
            locked = lock_room(room.pk)
            _take_out(locked, list(gone.filter(room=locked)))
            _sweep(locked)


def here(room: Room, most: int | None = None) -> list[Identity]:
    """Return the people in *room*, by name, each once; *most* of them, or all. Costs one query."""
    ordered = "GROUP BY key, user_id ORDER BY lower(max(name)), key"
    limit = "" if most is None else f" LIMIT {int(most)}"
    rows = presence_rows.of_present(room, _cutoff(), "key, max(name), user_id", ordered + limit)
    people = [Identity(key, name, guest=user is None, user_id=user) for key, name, user in rows]
    # SQLite's lower() knows ASCII only.
    return sorted(people, key=lambda person: (person.name.casefold(), person.key))


def listing(room: Room) -> dict[str, Any]:
    """Return what ``joined`` tells of the people in *room*.

    ``members``: the first ``limits.PEOPLE_LISTED`` by name. ``people``: how many there are. ``presence``: the number of
    the last that *room*, which must have been read before, knows of; what is told under a later one comes on top, also
    where ``members`` has it already.
    """
    found = here(room, limits.PEOPLE_LISTED)
    people = len(found)
    if people == limits.PEOPLE_LISTED:
        ((people,),) = presence_rows.of_present(room, _cutoff())
    return {"members": [person.public() for person in found], "people": people, "presence": room.presence}


def identity_of(client: Client | Row | Gone) -> Identity:
    return Identity(client.key, client.name, guest=client.user_id is None, user_id=client.user_id)


def _enter(room: Room, channel_name: str, identity: Identity) -> None:
    """Note a socket in *room*, whose lock the caller holds; find those who are stale by the way."""
    now, cutoff = timezone.now(), _cutoff()
    ended = _ended(now)
    everywhere = presence_rows.concerning(room, channel_name, identity.key, cutoff=cutoff, ended=ended)
    found = [row for row in everywhere if row.room_id == room.pk]
    own = next((row for row in found if row.channel_name == channel_name), None)
    _take_out(room, [row for row in found if row.present and row.seen_at < cutoff and row is not own])
    known = any(row.present and row.key == identity.key and row.seen_at >= cutoff for row in found)
    if any(row.seen_at < ended and row is not own for row in found):
        Client.objects.filter(room=room, seen_at__lt=ended).exclude(channel_name=channel_name).delete()
    if own is not None:
        Client.objects.filter(pk=own.id).update(**_fields(identity), present=True, plain=False)
        # One that is stale was told of already, and nobody has told that it went.
        known = known or own.present
    else:
        _check_number(sum(row.channel_name == channel_name for row in everywhere))
        presence_rows.add(room, channel_name, identity, now)
    if not known:
        _tell(room, "join", [identity])


def _check_number(joined: int) -> None:
    if joined >= limits.ROOMS_JOINED:
        reason = _("You can be in %(limit)d rooms at once: leave one first.") % {"limit": limits.ROOMS_JOINED}
        raise StreamError("too_large", reason)


def _revive(client: Client, identity: Identity) -> None:
    """Let a socket be present again, of which nothing was heard for a while, unless it left in this moment."""
    with transaction.atomic():
        room = lock_room(client.room_id)
        if Client.objects.filter(pk=client.pk).exists():
            _enter(room, client.channel_name, identity)


def _fields(identity: Identity) -> dict[str, Any]:
    return {"user_id": identity.user_id, "key": identity.key, "name": identity.name, "seen_at": timezone.now()}


def _sweep(room: Room) -> None:
    """Take those who are stale out of *room*, whose lock the caller holds, and tell the room."""
    _take_out(room, list(_stale().filter(room=room)))
    Client.objects.filter(room=room, seen_at__lt=_ended(timezone.now())).delete()


def _take_out(room: Room, clients: Sequence[Client | Row]) -> None:
    """Note that *clients*, rows of *room*, are not present; tell the room who has no other socket in it."""
    if not clients:
        return
    for start in range(0, len(clients), _ROWS):
        part = clients[start : start + _ROWS]
        Client.objects.filter(pk__in=[client.id for client in part]).update(present=False)
    _tell(room, "leave", _without_socket(room, clients))


def _without_socket(room: Room, clients: Iterable[Client | Row]) -> list[Identity]:
    """Return the people of *clients*, which are not present any more, who have no other socket in *room*."""
    left = {client.key: identity_of(client) for client in clients}
    present = Client.objects.filter(room=room, present=True)
    if len(left) == 1:
        present = present.filter(key__in=list(left))
    for key in present.values_list("key", flat=True):
        left.pop(key, None)
    return list(left.values())


def _tell(room: Room, kind: str, people: Sequence[Identity]) -> None:
    """Number and tell that *people* came to *room*, or left it; the caller holds its lock."""
    if not people:
        return
    first = room.presence + 1
    room.presence += len(people)
    count = presence_rows.number(room, _cutoff())
    for number, identity in enumerate(people, first):
        _send(kind, room.pk, room.slug, identity, number, count)


def _send(kind: str, room_id: int, slug: str, identity: Identity, number: int, people: int) -> None:
    fields = {"room": slug, "who": identity.public(), "presence": number, "people": people}
    broadcast.to_stream(groups.room(room_id), "presence", kind, **fields)


def _ended(now: datetime.datetime) -> datetime.datetime:
    return now - datetime.timedelta(seconds=limits.CLIENT_ROW)


def _cutoff() -> datetime.datetime:
    return timezone.now() - datetime.timedelta(seconds=limits.PRESENT)


def _stale() -> QuerySet[Client]:
    return Client.objects.filter(present=True, seen_at__lt=_cutoff())
