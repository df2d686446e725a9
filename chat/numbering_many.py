"""Numbering and storing many messages, of several rooms, in one transaction: what :mod:`chat.numbering` does for one.

A commit costs as much for ten messages as for one, and so does a round trip to the database.
"""

from __future__ import annotations

import functools
from collections import defaultdict
from collections.abc import Callable, Sequence
from typing import Any

from django.db import IntegrityError, connection, transaction

from chat.models import Message, Room
from chat.numbering import fields, values

# Rooms are locked in the order of their ids, so that two workers cannot wait for each other. What has been stored in
# them before they were locked, and after this statement began, is not seen: the unique column refuses it then.
_ONE_STATEMENT = """
    WITH wanted AS (
        SELECT * FROM unnest({arrays}) WITH ORDINALITY AS given ({columns}, place)
    ),
    locked AS (
        SELECT id, last_seq, slug, private FROM {room}
        WHERE id IN (SELECT room_id FROM wanted) AND slow_seconds = 0 ORDER BY id FOR UPDATE
    ),
    fresh AS (
        SELECT wanted.*, locked.slug, locked.private,
            locked.last_seq + row_number() OVER (PARTITION BY room_id ORDER BY place) AS seq
        FROM wanted JOIN locked ON locked.id = wanted.room_id
        WHERE NOT EXISTS (
            SELECT 1 FROM {message} AS known
            WHERE known.room_id = wanted.room_id AND known.author_key = wanted.author_key AND known.uid = wanted.uid
        )
    ),
    numbered AS (
        UPDATE {room} SET last_seq = newest.seq
        FROM (SELECT room_id, max(seq) AS seq FROM fresh GROUP BY room_id) AS newest
        WHERE {room}.id = newest.room_id
    ),
    stored AS (
        INSERT INTO {message} ({columns}, seq) SELECT {columns}, seq FROM fresh RETURNING id, room_id, seq
    )
    SELECT fresh.place - 1, fresh.seq, fresh.slug, fresh.private, stored.id
    FROM fresh JOIN stored ON stored.room_id = fresh.room_id AND stored.seq = fresh.seq
    ORDER BY fresh.place
"""
_KNOWN = """
    SELECT {message}.room_id, {message}.author_key, {message}.uid
    FROM (VALUES {triples}) AS wanted JOIN {message}
    ON {message}.room_id = wanted.column1 AND {message}.author_key = wanted.column2 AND {message}.uid = wanted.column3
"""
_NUMBER = """
    UPDATE {room} SET last_seq = last_seq + new.column2 FROM (VALUES {pairs}) AS new
    WHERE id = new.column1 AND slow_seconds = 0 RETURNING id, last_seq, slug, private
"""
_INSERT = "INSERT INTO {message} ({columns}, seq) VALUES ({values}, %s)"

# Place in the list, number, slug and private of the room, and the id where the database tells it.
_Row = tuple[int, int, str, bool, "int | None"]


def store_all(messages: Sequence[Message]) -> list[int]:
    """Give each of *messages*, which are new, the next number of its room and store them.

    Returns the places of those that were stored. Each of them has ``seq``, and its ``room`` the slug, and whether it is
    private, as they are then; on SQLite no id. The others are to be posted one by one, which finds out why: there is no
    such room, it is in slow mode, it has a message of this author and ``uid``. None is stored where one is among them
    twice, or is stored by somebody else in this moment. No signals are sent.
    """
    way = _WAYS.get(connection.vendor)
    if way is None or not messages:
        return []
    try:
        rows = way(messages)
    except IntegrityError:
        return []
    for place, seq, slug, private, pk in rows:
        message = messages[place]
        message.pk, message.seq = pk, seq
        message.room.slug, message.room.private = slug, private
        message._state.adding, message._state.db = False, connection.alias
    return [row[0] for row in rows]


def _in_one_statement(messages: Sequence[Message]) -> list[_Row]:
    if not connection.in_atomic_block:
        return _execute(messages)
    # The transaction is somebody else's, and has to survive a refusal.
    with transaction.atomic():
        return _execute(messages)


def _execute(messages: Sequence[Message]) -> list[_Row]:
    columns = [list(column) for column in zip(*map(values, messages), strict=True)]
    with connection.cursor() as cursor:
        cursor.execute(_sql(_ONE_STATEMENT), columns)
        return cursor.fetchall()


def _in_few_statements(messages: Sequence[Message]) -> list[_Row]:
    if connection.Database.sqlite_version_info < (3, 35):  # type: ignore[attr-defined]
        # It has no RETURNING.
        return []
    rows: list[_Row] = []
    # Before the transaction, in which all others wait: what they store meanwhile, the unique column refuses.
    given, known = [values(message) for message in messages], _known(messages)
    wanted: dict[int, list[int]] = defaultdict(list)
    for place, message in enumerate(messages):
        if (message.room_id, message.author_key, message.uid) not in known:
            wanted[message.room_id].append(place)
    if not wanted:
        return rows
    with transaction.atomic(), connection.cursor() as cursor:
        for room, last, slug, private in _numbered(cursor, {room: len(places) for room, places in wanted.items()}):
            first = last - len(wanted[room]) + 1
            rows += [(place, seq, slug, bool(private), None) for seq, place in enumerate(wanted[room], first)]
        cursor.executemany(_sql(_INSERT), [[*given[place], seq] for place, seq, *_ in rows])
    return sorted(rows)


def _known(messages: Sequence[Message]) -> set[tuple[int, str, str]]:
    triples = [value for each in messages for value in (each.room_id, each.author_key, each.uid)]
    with connection.cursor() as cursor:
        cursor.execute(_sql(_KNOWN, triples=", ".join(["(%s, %s, %s)"] * len(messages))), triples)
        return set(cursor.fetchall())


def _numbered(cursor: Any, counts: dict[int, int]) -> list[tuple[int, int, str, int]]:
    """Add so many to the numbers of each room; return those that are there and not slow."""
    pairs = [value for pair in counts.items() for value in pair]
    cursor.execute(_sql(_NUMBER, pairs=", ".join(["(%s, %s)"] * len(counts))), pairs)
    # To the end: SQLite commits nothing while a statement is under way.
    return cursor.fetchall()


_WAYS: dict[str, Callable[[Sequence[Message]], list[_Row]]] = {
    "postgresql": _in_one_statement,
    "sqlite": _in_few_statements,
}


@functools.cache
def _sql(text: str, triples: str = "", pairs: str = "") -> str:
    return text.format(
        room=Room._meta.db_table,
        message=Message._meta.db_table,
        columns=", ".join(field.column for field in fields()),
        arrays=", ".join(f"%s::{_element(field)}[]" for field in fields()),
        values=", ".join(["%s"] * len(fields())),
        triples=triples,
        pairs=pairs,
    )


def _element(field: Any) -> str:
    kind = field.db_type(connection)
    # To cut a text that is too long without a word is what a cast to varchar(n) does; the column refuses it.
    return "text" if kind.startswith("varchar") else kind
