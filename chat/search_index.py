"""The index of the search, in the database's own terms: FTS5 of SQLite, a column of PostgreSQL with a GIN index.

Both follow the table of messages by themselves, whoever writes to it. It is made by a migration; on SQLite Django makes
the table anew for some changes of a model, which drops triggers, so each ``migrate`` puts them back.
"""

from __future__ import annotations

from typing import Any

from django.core.exceptions import ImproperlyConfigured
from django.db.utils import OperationalError

_VALUES = "rowid, body, segmented, room_id"
_NEW, _OLD = (f"{row}.id, {row}.body, {row}.segmented, {row}.room_id" for row in ("new", "old"))
_ADD = f"INSERT INTO chat_message_search({_VALUES}) VALUES ({_NEW});"  # noqa: S608
_TAKE = f"INSERT INTO chat_message_search(chat_message_search, {_VALUES}) VALUES ('delete', {_OLD});"  # noqa: S608
_DIFFERS = "old.body IS NOT new.body OR old.segmented IS NOT new.segmented"

_TRIGGERS = {
    "chat_message_search_insert": f"AFTER INSERT ON chat_message BEGIN {_ADD} END",
    "chat_message_search_delete": f"AFTER DELETE ON chat_message BEGIN {_TAKE} END",
    "chat_message_search_update": f"AFTER UPDATE ON chat_message WHEN {_DIFFERS} BEGIN {_TAKE} {_ADD} END",
}


def install(connection: Any) -> None:
    """Make the index over all messages that there are.

    Raises:
        ImproperlyConfigured: this SQLite was built without FTS5.
    """
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute(
                "ALTER TABLE chat_message ADD COLUMN search tsvector"
                " GENERATED ALWAYS AS (to_tsvector('simple', body || ' ' || segmented)) STORED"
            )
            cursor.execute("CREATE INDEX chat_message_search ON chat_message USING gin (search)")
        elif connection.vendor == "sqlite":
            _create_table(cursor)
            _follow(cursor)


def uninstall(connection: Any) -> None:
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("ALTER TABLE chat_message DROP COLUMN search")
        elif connection.vendor == "sqlite":
            for name in _TRIGGERS:
                cursor.execute(f"DROP TRIGGER IF EXISTS {name}")
            cursor.execute("DROP TABLE chat_message_search")


def restore_triggers(connection: Any) -> bool:
    """Put back what keeps SQLite's index in step, if it is gone, and index anew. False where all was well."""
    if connection.vendor != "sqlite":
        return False
    with connection.cursor() as cursor:
        cursor.execute("SELECT name FROM sqlite_master WHERE name LIKE 'chat_message_search%'")
        there = {name for (name,) in cursor.fetchall()}
        if "chat_message_search" not in there or there.issuperset(_TRIGGERS):
            return False
        _follow(cursor)
    return True


def _create_table(cursor: Any) -> None:
    try:
        # The room is a word of the index too, so that looking in one room does not visit all that was said elsewhere.
        cursor.execute(
            "CREATE VIRTUAL TABLE chat_message_search"
            " USING fts5(body, segmented, room_id, content='chat_message', content_rowid='id', columnsize=0)"
        )
    except OperationalError as error:
        if "fts5" not in str(error):
            raise
        raise ImproperlyConfigured(
            "The search over messages needs FTS5, and this SQLite was built without it. Use another Python or SQLite,"
            " or PostgreSQL by setting DATABASE_URL."
        ) from error


def _follow(cursor: Any) -> None:
    for name, action in _TRIGGERS.items():
        cursor.execute(f"DROP TRIGGER IF EXISTS {name}")
        cursor.execute(f"CREATE TRIGGER {name} {action}")
    cursor.execute("INSERT INTO chat_message_search(chat_message_search) VALUES ('rebuild')")
