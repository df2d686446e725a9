"""One room: as one person sees it, which every frame asks for, and with its lock. Django compiles each statement once.

To build the query of ``with_membership`` takes Django several times as long as the database needs to answer it.
"""

from __future__ import annotations

import datetime
import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import connection
from django.db.models import QuerySet
from django.utils import timezone

from chat.identity import Identity
from chat.models import Ban, Membership, Room

# They stand in the statement for what is asked for; nothing else is equal to them.
_USER, _PK = -2_000_000_001, -2_000_000_002
_KEY, _SLUG = "\x01 key", "\x01 slug"
# In the order of the model, as Django makes instances.
_FOR_POSTING = ("id", "slug", "private", "slow_seconds", "direct")
_NOW = datetime.datetime(1901, 2, 3, 4, 5, 6, 789, tzinfo=datetime.timezone.utc)  # noqa: UP017  (Django 2.2 too)


def find(identity: Identity, *, slug: str | None = None, pk: int | None = None) -> Room | None:
    """Return the room with this slug, or else this id, as ``with_membership`` for *identity* does. Costs one query."""
    by = "slug" if slug is not None else "pk"
    values: dict[str, Any] = {
        "user": identity.user_id or 0,
        "key": identity.key,
        "now": connection.ops.adapt_datetimefield_value(timezone.now()),
        by: slug if slug is not None else pk,
    }
    return _finding(connection.vendor, by).room(values)


def find_all(wanted: Sequence[tuple[Identity, str]]) -> list[Room | None]:
    """Return the room with each slug, as far as posting there asks, for each identity. Costs one query.

    Of the room there are ``id``, ``slug``, ``private``, ``direct`` and ``slow_seconds``, and of ``with_membership``
    ``role`` and ``banned``.
    """
    if not wanted:
        return []
    rooms: list[Room | None] = [None] * len(wanted)
    parameters: list[Any] = []
    for place, (identity, slug) in enumerate(wanted):
        parameters += [place, slug, identity.user_id or 0, identity.key]
    now = connection.ops.adapt_datetimefield_value(timezone.now())
    with connection.cursor() as cursor:
        cursor.execute(_find_all(len(wanted)), [now, *parameters])
        found = cursor.fetchall()
    for place, pk, slug, private, slow_seconds, direct, role, banned in found:
        values = (pk, slug, bool(private), slow_seconds, direct)
        room = rooms[place] = Room.from_db(connection.alias, _FOR_POSTING, values)
        room.role, room.banned = role, bool(banned)
    return rooms


def lock(pk: int) -> Room | None:
    """Return the room with this id, as ``select_for_update`` does, in the transaction of the caller."""
    return _locking(connection.vendor).room({"pk": pk})


@dataclass(frozen=True)
class _Query:
    sql: str
    # The name of what goes there, or nothing and the value that always does.
    parameters: list[tuple[str, Any]]
    converters: list[tuple[int, list[Callable[..., Any]], Any]]
    fields: list[str]
    annotations: dict[str, int]

    def room(self, values: dict[str, Any]) -> Room | None:
        """Ask with these values, by their names."""
        with connection.cursor() as cursor:
            cursor.execute(self.sql, [values[name] if name else value for name, value in self.parameters])
            row = cursor.fetchone()
        return None if row is None else self._room(list(row))

    def _room(self, row: list[Any]) -> Room:
        for place, convert_all, expression in self.converters:
            for convert in convert_all:
                row[place] = convert(row[place], expression, connection)
        room = Room.from_db(connection.alias, self.fields, row[: len(self.fields)])
        for name, place in self.annotations.items():
            setattr(room, name, row[place])
        return room


@functools.cache
def _finding(vendor: str, by: str) -> _Query:
    identity = Identity(_KEY, "", guest=False, user_id=_USER)
    return _compiled(Room.objects.with_membership(identity, at=_NOW).filter(**{by: _SLUG if by == "slug" else _PK}))


@functools.cache
def _find_all(number: int) -> str:
    rows = ", ".join(["(CAST(%s AS integer), CAST(%s AS varchar), CAST(%s AS bigint), CAST(%s AS varchar))"] * number)
    columns = ", ".join(f"room.{name}" for name in _FOR_POSTING)
    ban, membership, room = Ban._meta.db_table, Membership._meta.db_table, Room._meta.db_table
    return f"""
        SELECT wanted.column1, {columns}, mine.role, EXISTS (
            SELECT 1 FROM {ban} AS ban
            WHERE ban.room_id = room.id AND ban.key = wanted.column4 AND (ban.until IS NULL OR ban.until > %s)
        )
        FROM (VALUES {rows}) AS wanted
        JOIN {room} AS room ON room.slug = wanted.column2
        LEFT JOIN {membership} AS mine ON mine.room_id = room.id AND mine.user_id = wanted.column3
    """  # noqa: S608  (names of our own tables)


@functools.cache
def _locking(vendor: str) -> _Query:
    return _compiled(Room.objects.select_for_update().filter(pk=_PK))


def _compiled(rooms: QuerySet[Room]) -> _Query:
    compiler = rooms.query.get_compiler(connection=connection)
    sql, parameters = compiler.as_sql()
    now = connection.ops.adapt_datetimefield_value(_NOW)
    names = {_USER: "user", _KEY: "key", _SLUG: "slug", _PK: "pk", now: "now"}
    columns = compiler.klass_info["select_fields"]
    expressions = [expression for expression, _, _ in compiler.select[: compiler.col_count]]
    return _Query(
        sql,
        [(names.get(value, ""), value) for value in parameters],
        [(place, found, expression) for place, (found, expression) in compiler.get_converters(expressions).items()],
        [expressions[place].target.attname for place in columns],
        dict(compiler.annotation_col_map),
    )
