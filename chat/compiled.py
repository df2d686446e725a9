"""Statements that Django compiles once, for what every frame or every join asks.

To build a query takes Django several times as long as the database needs to answer it. So it builds it once, with
stand-ins for the values, and each call puts the values in their places.
"""

from __future__ import annotations

import datetime
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from django.db import connection
from django.db.models import QuerySet


@dataclass(frozen=True)
class Query:
    """What :func:`compiled` returns, for connections of the same kind of database."""

    sql: str
    # The name of what goes there, or nothing and the value that always does.
    parameters: list[tuple[str, Any]]
    converters: list[tuple[int, list[Callable[..., Any]], Any]]
    # The columns of the model that come first, where the query was for instances; and the places of annotations.
    fields: list[str]
    annotations: dict[str, int]

    def rows(self, values: Mapping[str, Any]) -> list[Any]:
        """Return the rows for these values, by their names; times are as :func:`moment` returns them."""
        with connection.cursor() as cursor:
            cursor.execute(self.sql, [values[name] if name else value for name, value in self.parameters])
            rows = cursor.fetchall()
        return [self._converted(list(row)) for row in rows] if self.converters else rows

    def _converted(self, row: list[Any]) -> list[Any]:
        for place, converters, expression in self.converters:
            for convert in converters:
                row[place] = convert(row[place], expression, connection)
        return row


def compiled(found: QuerySet[Any], stand_ins: Mapping[Any, str]) -> Query:
    """Compile *found*, in which each of *stand_ins* is where the value of that name goes.

    Stand-ins for times are what :func:`moment` returns. A slice is part of the statement.
    """
    compiler = found.query.get_compiler(connection=connection)
    sql, parameters = compiler.as_sql()
    columns = compiler.klass_info["select_fields"] if compiler.klass_info else []
    expressions = [expression for expression, _, _ in compiler.select[: compiler.col_count]]
    return Query(
        sql,
        [(stand_ins.get(value, ""), value) for value in parameters],
        [(place, *converter) for place, converter in compiler.get_converters(expressions).items()],
        [expressions[place].target.attname for place in columns],
        dict(compiler.annotation_col_map or {}),
    )


def moment(at: datetime.datetime) -> Any:
    """Return *at* as the database takes it for a parameter."""
    return connection.ops.adapt_datetimefield_value(at)
