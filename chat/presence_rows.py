"""What each join and each leave asks of the rows of sockets, and writes: few statements, which Django need not build.

Whoever adds, takes or numbers holds the lock of the room's row; :func:`enter` takes it by itself.
"""

from __future__ import annotations

import datetime
import functools
from typing import Any, NamedTuple

from django.db import IntegrityError, connection
from django.db.models import Q

from chat.compiled import Query, compiled, moment
from chat.identity import Identity
from chat.models import Client, Room

# The stand-ins of the compiled query.
_ROOM = -2_000_000_001
_CHANNEL, _KEY = "\x01 channel", "\x01 key"
_CUTOFF, _ENDED = (
    datetime.datetime(1901, 2, 3, 4, 5, 6, number, tzinfo=datetime.timezone.utc)  # noqa: UP017  (Django 2.2 too)
    for number in (788, 789)
)

_PRESENT = "SELECT {columns} FROM {client} WHERE room_id = %s AND present = %s AND seen_at >= %s {rest}"
_PEOPLE = "count(DISTINCT key)"
_NUMBER = "UPDATE {room} SET presence = %s WHERE id = %s"
_INSERT = """
    INSERT INTO {client} (room_id, channel_name, user_id, key, name, seen_at, present, plain)
    VALUES (%s, %s, %s, %s, %s, %s, %s, %s)
"""
_FIND = "SELECT {gone} FROM {client} WHERE room_id = %s AND channel_name = %s"
_DELETE = "DELETE FROM {client} WHERE room_id = %s AND channel_name = %s"
_RETURNING = "{statement} RETURNING {columns}"
_GONE = """
    key, name, user_id, present,
    EXISTS (
        SELECT 1 FROM {client} AS other
        WHERE other.room_id = {client}.room_id AND other.key = {client}.key AND other.present
            AND other.id <> {client}.id
    )
"""
# In one statement what most joins need: nobody but who comes has to be looked at, and the room is to hear of them. Its
# rows are those of when it began. Whoever else comes or goes meanwhile is numbered: then this one waits for that lock,
# finds another number, and does nothing. OFFSET 0 keeps the number from being read again after the wait.
_ENTER = """
    WITH before AS (
        SELECT presence, ({people}) + 1 AS people FROM {room}
        WHERE id = %s AND (SELECT count(*) FROM {client} WHERE channel_name = %s) < %s AND NOT EXISTS (
            SELECT 1 FROM {client} WHERE room_id = %s
                AND (key = %s OR channel_name = %s OR present AND seen_at < %s OR seen_at < %s)
        )
        OFFSET 0
    ),
    numbered AS (
        UPDATE {room} AS room SET presence = room.presence + 1 FROM before
        WHERE room.id = %s AND room.presence = before.presence
        RETURNING room.presence, room.slug, before.people
    ),
    added AS (
        INSERT INTO {client} (room_id, channel_name, user_id, key, name, seen_at, present, plain)
        SELECT %s, %s, %s, %s, %s, %s, %s, %s FROM numbered
        RETURNING id
    )
    SELECT numbered.presence, numbered.slug, numbered.people FROM numbered, added
"""


class Row(NamedTuple):
    """A socket in a room, as far as those who join have to know it."""

    id: int
    room_id: int
    channel_name: str
    user_id: int | None
    key: str
    name: str
    seen_at: datetime.datetime
    present: bool


class Gone(NamedTuple):
    """A row that was taken away; *elsewhere*: this person has another socket that is present in the room."""

    key: str
    name: str
    user_id: int | None
    present: bool
    elsewhere: bool


class Entered(NamedTuple):
    """What is to be told of who came: its number, the room's slug, and how many people there are now."""

    presence: int
    slug: str
    people: int


def enter(
    room: Room, channel_name: str, identity: Identity, *, now: datetime.datetime, cutoff: datetime.datetime,
    ended: datetime.datetime, most: int,
) -> Entered | None:  # fmt: skip
    """Note a socket in *room*, and number that its owner came, in a transaction of its own. No lock is held before.

    None where nothing was done: somebody else came or went in this moment, this person or one who is stale has a row in
    the room, the socket is in *most* rooms, or this database cannot. Whoever takes the lock of the room's row finds out
    which.
    """
    if connection.vendor != "postgresql" or connection.in_atomic_block or not connection.get_autocommit():
        return None
    parameters = [
        *_counted(room, cutoff), room.pk, channel_name, most, room.pk, identity.key, channel_name, moment(cutoff),
        moment(ended), room.pk, *_added(room, channel_name, identity, now),
    ]  # fmt: skip
    try:
        with connection.cursor() as cursor:
            cursor.execute(_sql(_ENTER, people=_sql(_PRESENT, columns=_PEOPLE, rest="")), parameters)
            row = cursor.fetchone()
    except IntegrityError:
        # Another frame of the same socket, or the room has gone: that shows again.
        return None
    return None if row is None else Entered._make(row)


def concerning(
    room: Room, channel_name: str, key: str, *, cutoff: datetime.datetime, ended: datetime.datetime
) -> list[Row]:
    """Return the rows that matter when the socket of somebody with *key* joins *room*.

    Those of this person in it, those that are present and not heard of since *cutoff*, those not heard of since
    *ended*, and those of the socket in all other rooms: a query less for each that joins.
    """
    values = {
        "room": room.pk, "channel": channel_name, "key": key, "cutoff": moment(cutoff), "ended": moment(ended),
    }  # fmt: skip
    return [Row._make(row) for row in _concerning(connection.vendor).rows(values)]


@functools.cache
def _concerning(vendor: str) -> Query:
    wanted = Q(key=_KEY) | Q(present=True, seen_at__lt=_CUTOFF) | Q(seen_at__lt=_ENDED)
    found = Client.objects.filter(Q(room=_ROOM) & wanted | Q(channel_name=_CHANNEL))
    stand_ins = {
        _ROOM: "room", _CHANNEL: "channel", _KEY: "key", moment(_CUTOFF): "cutoff", moment(_ENDED): "ended",
    }  # fmt: skip
    return compiled(found.values_list(*Row._fields), stand_ins)


def add(room: Room, channel_name: str, identity: Identity, now: datetime.datetime) -> None:
    """Note a socket in *room* that is not there yet, and is present from now on."""
    with connection.cursor() as cursor:
        cursor.execute(_sql(_INSERT), _added(room, channel_name, identity, now))


def take(room: Room, channel_name: str) -> Gone | None:
    """Take the row of a socket in *room* away and return it; None where there is none."""
    socket: list[Any] = [room.pk, channel_name]
    with connection.cursor() as cursor:
        if _has_returning():
            cursor.execute(_sql(_RETURNING, statement=_DELETE, columns=_GONE), socket)
            rows = cursor.fetchall()
        else:
            cursor.execute(_sql(_FIND, gone=_GONE), socket)
            rows = cursor.fetchall()
            cursor.execute(_sql(_DELETE), socket)
    return Gone._make(rows[0]) if rows else None


def number(room: Room, cutoff: datetime.datetime) -> int:
    """Store the number of what was last told in *room*, and return how many people there are.

    Not save(): it would tell every list of rooms.
    """
    numbered, counted = [room.presence, room.pk], _counted(room, cutoff)
    counting = _sql(_PRESENT, columns=_PEOPLE, rest="")
    with connection.cursor() as cursor:
        if _has_returning():
            cursor.execute(_sql(_RETURNING, statement=_NUMBER, columns=f"({counting})"), [*numbered, *counted])
        else:
            cursor.execute(_sql(_NUMBER), numbered)
            cursor.execute(counting, counted)
        ((count,),) = cursor.fetchall()
    return count


def of_present(room: Room, cutoff: datetime.datetime, columns: str = _PEOPLE, rest: str = "") -> list[tuple[Any, ...]]:
    """Return *columns* of the rows that count: present, and heard of since *cutoff*. By default, how many people."""
    with connection.cursor() as cursor:
        cursor.execute(_sql(_PRESENT, columns=columns, rest=rest), _counted(room, cutoff))
        return cursor.fetchall()


def _added(room: Room, channel_name: str, identity: Identity, now: datetime.datetime) -> list[Any]:
    return [room.pk, channel_name, identity.user_id, identity.key, identity.name, moment(now), True, False]


def _counted(room: Room, cutoff: datetime.datetime) -> list[Any]:
    return [room.pk, True, moment(cutoff)]


def _has_returning() -> bool:
    return connection.vendor != "sqlite" or connection.Database.sqlite_version_info >= (3, 35)  # type: ignore[attr-defined]


@functools.lru_cache(maxsize=64)
def _sql(text: str, **parts: str) -> str:
    names = {"client": Client._meta.db_table, "room": Room._meta.db_table}
    return text.format(**{name: part.format(**names) for name, part in parts.items()}, **names)
