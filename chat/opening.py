"""One room as one person sees it: what every frame asks for, by a statement that Django compiles once.

To build the query of ``with_membership`` takes Django several times as long as the database needs to answer it.
"""

from __future__ import annotations

import datetime
import functools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.db import connection
from django.utils import timezone

from chat.identity import Identity
from chat.models import Room

# They stand in the statement for what is asked for; nothing else is equal to them.
_USER, _PK = -2_000_000_001, -2_000_000_002
_KEY, _SLUG = "\x01 key", "\x01 slug"
_NOW = datetime.datetime(1901, 2, 3, 4, 5, 6, 789, tzinfo=datetime.timezone.utc)  # noqa: UP017  (Django 2.2 too)


def find(identity: Identity, *, slug: str | None = None, pk: int | None = None) -> Room | None:
    """Return the room with this slug, or else this id, as ``with_membership`` for *identity* does. Costs one query."""
    by = "slug" if slug is not None else "pk"
    query = _compiled(connection.vendor, by)
    values: dict[str, Any] = {
        "user": identity.user_id or 0,
        "key": identity.key,
        "now": connection.ops.adapt_datetimefield_value(timezone.now()),
        by: slug if slug is not None else pk,
    }
    with connection.cursor() as cursor:
        cursor.execute(query.sql, [values[name] if name else value for name, value in query.parameters])
        row = cursor.fetchone()
    return None if row is None else query.room(list(row))


@dataclass(frozen=True)
class _Query:
    sql: str
    # The name of what goes there, or nothing and the value that always does.
    parameters: list[tuple[str, Any]]
    converters: list[tuple[int, list[Callable[..., Any]], Any]]
    fields: list[str]
    annotations: dict[str, int]

    def room(self, row: list[Any]) -> Room:
        for place, convert_all, expression in self.converters:
            for convert in convert_all:
                row[place] = convert(row[place], expression, connection)
        room = Room.from_db(connection.alias, self.fields, row[: len(self.fields)])
        for name, place in self.annotations.items():
            setattr(room, name, row[place])
        return room


@functools.cache
def _compiled(vendor: str, by: str) -> _Query:
    identity = Identity(_KEY, "", guest=False, user_id=_USER)
    rooms = Room.objects.with_membership(identity, at=_NOW).filter(**{by: _SLUG if by == "slug" else _PK})
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
