"""Rooms for sockets: as one person sees it, which every frame asks for, with its lock, and those that one is in."""

from __future__ import annotations

import datetime
import functools
from collections.abc import Sequence
from typing import Any

from django.db import connection
from django.utils import timezone

from chat.compiled import Query, compiled, moment
from chat.identity import Identity
from chat.models import Ban, Membership, Room

# They stand in the statement for what is asked for; nothing else is equal to them.
_USER, _PK = -2_000_000_001, -2_000_000_002
_KEY, _SLUG, _CHANNEL = "\x01 key", "\x01 slug", "\x01 channel"
# In the order of the model, as Django makes instances.
_FOR_POSTING = ("id", "slug", "private", "slow_seconds", "direct")
_NOW = datetime.datetime(1901, 2, 3, 4, 5, 6, 789, tzinfo=datetime.timezone.utc)  # noqa: UP017  (Django 2.2 too)


def find(identity: Identity, *, slug: str | None = None, pk: int | None = None) -> Room | None:
    """Return the room with this slug, or else this id, as ``with_membership`` for *identity* does. Costs one query."""
    by = "slug" if slug is not None else "pk"
    values: dict[str, Any] = {
        "user": identity.user_id or 0,
        "key": identity.key,
        "now": moment(timezone.now()),
        by: slug if slug is not None else pk,
    }
    return _first(_rooms(_finding(connection.vendor, by), values))


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
    with connection.cursor() as cursor:
        cursor.execute(_find_all(len(wanted)), [moment(timezone.now()), *parameters])
        found = cursor.fetchall()
    for place, pk, slug, private, slow_seconds, direct, role, banned in found:
        values = (pk, slug, bool(private), slow_seconds, direct)
        room = rooms[place] = Room.from_db(connection.alias, _FOR_POSTING, values)
        room.role, room.banned = role, bool(banned)
    return rooms


def lock(pk: int) -> Room | None:
    """Return the room with this id, as ``select_for_update`` does, in the transaction of the caller."""
    return _first(_rooms(_locking(connection.vendor), {"pk": pk}))


def joined(channel_name: str) -> list[Room]:
    """Return the rooms that a socket is in, in the order of their ids."""
    return _rooms(_joined(connection.vendor), {"channel": channel_name})


def joined_as(channel_name: str, slug: str) -> Room | None:
    """Return the room with this slug if a socket is in it."""
    return _first(_rooms(_joined(connection.vendor, by_slug=True), {"channel": channel_name, "slug": slug}))


def _rooms(query: Query, values: dict[str, Any]) -> list[Room]:
    rooms = []
    for row in query.rows(values):
        room = Room.from_db(connection.alias, query.fields, row[: len(query.fields)])
        for name, place in query.annotations.items():
            setattr(room, name, row[place])
        rooms.append(room)
    return rooms


def _first(rooms: list[Room]) -> Room | None:
    return rooms[0] if rooms else None


@functools.cache
def _finding(vendor: str, by: str) -> Query:
    identity = Identity(_KEY, "", guest=False, user_id=_USER)
    rooms = Room.objects.with_membership(identity, at=_NOW).filter(**{by: _SLUG if by == "slug" else _PK})
    return compiled(rooms, {_USER: "user", _KEY: "key", _SLUG: "slug", _PK: "pk", moment(_NOW): "now"})


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
def _locking(vendor: str) -> Query:
    return compiled(Room.objects.select_for_update().filter(pk=_PK), {_PK: "pk"})


@functools.cache
def _joined(vendor: str, *, by_slug: bool = False) -> Query:
    rooms = Room.objects.filter(clients__channel_name=_CHANNEL).order_by("pk")
    return compiled(rooms.filter(slug=_SLUG) if by_slug else rooms, {_CHANNEL: "channel", _SLUG: "slug"})
