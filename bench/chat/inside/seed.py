"""``python -m bench.chat.inside.seed DIRECTORY MESSAGES``: fill the database, and write who comes into DIRECTORY.

One big room has half of the messages, and many rooms the other half. The messages are written by the database itself;
their indexes are made as they come.
"""

from __future__ import annotations

import sys
from pathlib import Path

ROOMS, TALKING, PEOPLE = 200, 10, 40
# Of each talking room, two send and two read.
IN_A_ROOM = 4
BODY = "It is a message like others, neither long nor short, that people write to each other: number "


def main(directory: Path, total: int) -> None:
    import django

    django.setup()
    from django.contrib.auth import get_user_model
    from django.db import connection, transaction

    from chat.models import Membership, Room

    with transaction.atomic():
        users = get_user_model().objects.bulk_create(
            [get_user_model()(username=f"bench{number}") for number in range(PEOPLE)]
        )
        users = list(get_user_model().objects.filter(username__startswith="bench").order_by("pk"))
        rooms = [Room(name=f"Room {number}", slug=f"bench-{number}") for number in range(ROOMS)]
        Room.objects.bulk_create(rooms)
        rooms = list(Room.objects.filter(slug__startswith="bench-").order_by("pk"))
        Membership.objects.bulk_create([Membership(room=room, user=user) for room in rooms for user in users[::4]])
    big, *others = rooms
    _fill(connection, big, total // 2, users)
    for room in others:
        _fill(connection, room, total // 2 // len(others), users)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    sessions = [_session(user) for user in users]
    talking = [others[place % TALKING] for place in range(PEOPLE)]
    kinds = ["send" if place < TALKING * 2 else "read" for place in range(PEOPLE)]
    _write(directory / "talkers", zip(sessions, talking, kinds, strict=True))
    # In turns the big room and another one.
    visited = [room for other in others for room in (big, other)]
    _write(directory / "visitors", ((sessions[0], room, "read") for room in visited))


def _fill(connection, room, count: int, users) -> None:
    from chat.models import Message, Room

    numbers = {
        "postgresql": "SELECT n FROM generate_series(1, %s) AS n",
        "sqlite": "WITH RECURSIVE up(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM up WHERE n < %s) SELECT n FROM up",
    }[connection.vendor]
    first, people = users[0].pk, len(users)
    author = f"({first} + n %% {people})"
    text = "CAST({} AS TEXT)".format
    given = {
        "room_id": str(room.pk),
        "seq": "n",
        "uid": f"'seed-' || {text('n')}",
        "author_id": author,
        "author_key": f"'u' || {text(author)}",
        "author_name": f"'bench' || {text(f'n %% {people}')}",
        "body": f"'{BODY}' || {text('n')}",
        "created_at": "CURRENT_TIMESTAMP",
    }
    for field in Message._meta.concrete_fields:
        if field.column not in given and not field.primary_key:
            value = field.get_db_prep_save(field.get_default(), connection)
            given[field.column] = "NULL" if value is None else f"'{value}'" if isinstance(value, str) else str(value)
    columns, values = ", ".join(given), ", ".join(given.values())
    with connection.cursor() as cursor:
        insert = f"INSERT INTO chat_message ({columns}) SELECT {values} FROM ({numbers}) AS numbers"  # noqa: S608
        cursor.execute(insert, [count])
    Room.objects.filter(pk=room.pk).update(last_seq=count)


def _session(user) -> str:
    from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
    from django.contrib.sessions.backends.db import SessionStore

    session = SessionStore()
    session[SESSION_KEY] = str(user.pk)
    session[BACKEND_SESSION_KEY] = "django.contrib.auth.backends.ModelBackend"
    session[HASH_SESSION_KEY] = user.get_session_auth_hash()
    session.create()
    return session.session_key


def _write(path: Path, lines) -> None:
    path.write_text("".join(f"{session} {room.slug} {kind}\n" for session, room, kind in lines))


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
