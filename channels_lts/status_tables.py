"""A status as tables for a terminal, by rich."""

from __future__ import annotations

from collections.abc import Iterable

from rich.box import SIMPLE_HEAD
from rich.console import Console, Group, RenderableType
from rich.measure import Measurement
from rich.table import Table
from rich.text import Text

from channels_lts import status_rows
from channels_lts.status import Status


def render(status: Status, console: Console) -> RenderableType:
    """Return *status* as it fits on *console*; nothing is cut off, but less important columns go where it is narrow."""
    parts: list[RenderableType] = [Text(status_rows.headline(status)), *_problems(status)]
    for table in status_rows.tables(status):
        parts += ["", _fitted(table, console)]
    parts += [Text(note) for note in status_rows.notes(status)]
    return Group(*parts)


def _problems(status: Status) -> Iterable[Text]:
    if not status.problems:
        yield Text("All is well.", style="green")
    for problem in status.problems:
        yield Text(f"! {problem.text}", style="yellow" if problem.kind in status_rows.MILD else "bold red")


def _fitted(shown: status_rows.Table, console: Console) -> Table:
    """Return a table with as many of its columns as *console* is wide enough for."""
    columns, rows = shown
    left = list(range(len(columns)))
    boundless = console.options.update(max_width=10_000)
    while True:
        table = Table(box=SIMPLE_HEAD, pad_edge=False, show_edge=False, safe_box=True)
        for index in left:
            column = columns[index]
            # Where even that is too wide, a name goes on in the next line rather than losing its end.
            table.add_column(
                column.title,
                justify="right" if column.number else "left",
                no_wrap=column.number,
                overflow="fold",
            )
        for row in rows:
            table.add_row(*(Text(row[index]) for index in left))
        optional = [index for index in left if columns[index].goes]
        if not optional or Measurement.get(console, boundless, table).maximum <= console.width:
            return table
        left.remove(max(optional, key=lambda index: columns[index].goes))
