"""Numbering and storing messages in as few round trips as the database allows.

Most messages need nothing but their number and their row. PostgreSQL gives both in one statement, which is its own
transaction: one round trip, and the lock of the room's row is held for no longer than the commit takes. SQLite needs
two statements, but no round trips.
"""

from __future__ import annotations

import copy
import functools
from collections.abc import Callable
from typing import Any

from django.db import IntegrityError, connection, transaction

from chat.models import Message, Room

# A row that this leaves out needs a closer look: the room has gone, or is slow, or has the message already. Of two
# that come at once the second waits for the first one's lock, and then for the unique column to refuse it.
_NUMBER = """
    UPDATE {room} SET last_seq = last_seq + 1
    WHERE id = %s AND slow_seconds = 0
        AND NOT EXISTS (SELECT 1 FROM {message} WHERE room_id = %s AND author_key = %s AND uid = %s)
    RETURNING last_seq, slug, private
"""
_ONE_STATEMENT = """
    WITH numbered AS ({number}),
    stored AS (
        INSERT INTO {message} ({columns}, seq) SELECT {values}, numbered.last_seq FROM numbered RETURNING id
    )
    SELECT numbered.last_seq, numbered.slug, numbered.private, stored.id FROM numbered, stored
"""
_AS_IT_IS = frozenset((str, int, bool, type(None)))
_INSERT = "INSERT INTO {message} ({columns}, seq) VALUES ({values}, %s) RETURNING id"


def store(message: Message, room: Room) -> Room | None:
    """Give *message*, which is new, the next number of *room* and store it; return the room as it is then.

    None where nothing was stored: there is no such room, it is in slow mode, it has a message of this author and
    ``uid``, or this database cannot. Whoever takes the lock of the room's row finds out which. No signals are sent.
    """
    way = _WAYS.get(connection.vendor)
    if way is None or not (connection.in_atomic_block or connection.get_autocommit()):
        return None
    try:
        row = way(message, room)
    except IntegrityError:
        # Somebody stored the same one in this moment; or something else is wrong, which shows again.
        return None
    if row is None:
        return None
    stored = copy.copy(room)
    stored.last_seq, stored.slug, stored.private, message.pk = row
    message.seq, message.room = stored.last_seq, stored
    message._state.adding, message._state.db = False, connection.alias
    return stored


def _in_one_statement(message: Message, room: Room) -> tuple[Any, ...] | None:
    if connection.in_atomic_block:
        # The transaction is somebody else's, and has to survive a refusal.
        with transaction.atomic():
            return _execute(message, room)
    return _execute(message, room)


def _execute(message: Message, room: Room) -> tuple[Any, ...] | None:
    with connection.cursor() as cursor:
        cursor.execute(_sql(_ONE_STATEMENT), [*_wanted(message, room), *values(message)])
        return cursor.fetchone()


def _in_two_statements(message: Message, room: Room) -> tuple[Any, ...] | None:
    if connection.Database.sqlite_version_info < (3, 35):  # type: ignore[attr-defined]
        # It has no RETURNING.
        return None
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(_sql(_NUMBER), _wanted(message, room))
        # To the end: SQLite commits nothing while a statement is under way.
        rows = cursor.fetchall()
        if not rows:
            return None
        seq, slug, private = rows[0]
        cursor.execute(_sql(_INSERT), [*values(message), seq])
        ((pk,),) = cursor.fetchall()
        return seq, slug, bool(private), pk


_WAYS: dict[str, Callable[[Message, Room], tuple[Any, ...] | None]] = {
    "postgresql": _in_one_statement,
    "sqlite": _in_two_statements,
}


def _wanted(message: Message, room: Room) -> list[Any]:
    return [room.pk, room.pk, message.author_key, message.uid]


def values(message: Message) -> list[Any]:
    """Return what of *message* goes into :func:`fields`."""
    given = vars(message)
    # What databases take as it is, which is nearly all of it, needs no field to prepare it.
    return [
        value
        if type(value := given[field.attname]) in _AS_IT_IS
        else field.get_db_prep_save(field.pre_save(message, True), connection)
        for field in fields()
    ]


@functools.cache
def fields() -> list[Any]:
    """Return all columns but the two that the database fills in."""
    return [field for field in Message._meta.concrete_fields if field.attname not in ("id", "seq")]


@functools.cache
def _sql(text: str) -> str:
    names = {
        "room": Room._meta.db_table,
        "message": Message._meta.db_table,
        "columns": ", ".join(field.column for field in fields()),
        "values": ", ".join(["%s"] * len(fields())),
    }
    return text.format(number=_NUMBER.format(**names), **names)
