"""Finding messages by what they say, newest first, among those that the person may read."""

from __future__ import annotations

import re
from typing import Any

from django.db import connection
from django.db.models import Q

from channels_lts.exceptions import StreamError
from channels_lts.payloads import storable
from chat import payloads, permissions, segments
from chat.identity import Identity
from chat.models import Message, Room

Phrases = list[tuple[list[str], bool]]

_LAST = 2**63 - 1
# Within quotes of a tsquery these have a meaning.
_TSQUERY = re.compile(r"['\\]")

_POSTGRESQL = """
SELECT id FROM chat_message
WHERE search @@ to_tsquery('simple', %s) AND NOT removed AND room_id IN ({rooms}) AND id < %s
ORDER BY {order} DESC LIMIT %s
"""
# CROSS JOIN keeps SQLite from beginning with the messages: the index gives them newest first by itself.
_SQLITE = """
SELECT message.id FROM chat_message_search CROSS JOIN chat_message message ON message.id = chat_message_search.rowid
WHERE chat_message_search MATCH %s AND NOT message.removed AND message.room_id IN ({rooms})
AND chat_message_search.rowid < %s
ORDER BY chat_message_search.rowid DESC LIMIT %s
"""


def find(
    identity: Identity, query: str, *, room: Room | None = None, before: int | None = None, limit: int
) -> tuple[list[dict[str, Any]], int | None]:
    """Return up to *limit* messages that hold all words of *query*, newest first, and the *before* of the next ones.

    That is None where there are no more. Without *room*, which the caller has permitted, it looks in all rooms of
    the person's list. The last word may be the beginning of one. What has no letter and no digit finds nothing.

    Raises:
        StreamError: ``bad_field``: no database can hold *query*.
    """
    if not storable(query):
        raise StreamError("bad_field", "query must be text")
    phrases = segments.phrases(query)
    rooms = {room.pk: room} if room is not None else {found.pk: found for found in _readable(identity)}
    if not phrases or not rooms:
        return [], None
    ids = _ids(phrases, rooms, before=before, limit=limit + 1, one_room=room)
    messages = Message.objects.in_bulk(ids[:limit])
    found = [_result(messages[pk], rooms) for pk in ids[:limit] if pk in messages]
    return found, ids[limit - 1] if len(ids) > limit else None


def _readable(identity: Identity) -> list[Room]:
    rooms = Room.objects.with_membership(identity).filter(Q(private=False) | Q(role__isnull=False))
    return [room for room in rooms if permissions.READ in permissions.allowed(identity, room)]


def _ids(
    phrases: Phrases, rooms: dict[int, Room], *, before: int | None, limit: int, one_room: Room | None
) -> list[int]:
    if connection.vendor == "postgresql":
        sql, match = _POSTGRESQL, _tsquery(phrases)
    else:
        sql, match = _SQLITE, _fts5(phrases)
        if one_room is not None:
            match = f'room_id : "{one_room.pk}" AND {match}'
    # Numbers of our own: as parameters there could be more than SQLite takes.
    inside = ", ".join(str(int(pk)) for pk in rooms)
    with connection.cursor() as cursor:
        # In one room both mean the same, and the index of its numbers spares PostgreSQL all that was said elsewhere.
        order = "id" if one_room is None else "seq"
        last = _LAST if before is None else min(before, _LAST)
        cursor.execute(sql.format(rooms=inside, order=order), [match, last, limit])
        return [pk for (pk,) in cursor.fetchall()]


def _tsquery(phrases: Phrases) -> str:
    """Write *phrases* for ``to_tsquery``, which cuts what is in quotes as it cut the messages."""
    return " & ".join(
        "(" + " <-> ".join(f"'{_TSQUERY.sub(' ', word)}'" + (":*" if beginning else "") for word in words) + ")"
        for words, beginning in phrases
    )


def _fts5(phrases: Phrases) -> str:
    """Write *phrases* for FTS5's MATCH."""
    quoted = (
        '"' + " ".join(words).replace('"', '""') + '"' + (" *" if beginning else "") for words, beginning in phrases
    )
    return "{body segmented} : (" + " AND ".join(quoted) + ")"


def _result(message: Message, rooms: dict[int, Room]) -> dict[str, Any]:
    room = rooms[message.room_id]
    return {**payloads.message(message, room.slug), "room_name": room.name}
