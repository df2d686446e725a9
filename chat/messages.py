"""The one place where messages come to be, whichever way they were sent; chat.changes has what becomes of them."""

from __future__ import annotations

import functools
import json
import uuid
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from django.db import connection, transaction
from django.utils.translation import gettext as _

from channels_lts import after_commit, streams
from channels_lts.exceptions import StreamError
from channels_lts.streams import field
from chat import broadcast, groups, heads, limits, mentions, numbering, opening, payloads, segments, slow
from chat.compiled import Query, compiled
from chat.identity import Identity
from chat.models import Message, Room
from chat.responses import json_response
from chat.text import clean_body

# The stand-ins of the compiled query, and numbers that are below and above those of all messages.
_ROOM, _ABOVE, _BELOW = -2_000_000_001, -2_000_000_002, -2_000_000_003
_SMALLEST, _LARGEST = 0, 2**63 - 1


@dataclass(frozen=True)
class StoredImage:
    """An image file under MEDIA_ROOT, and its size in pixels as it is shown."""

    name: str
    width: int
    height: int


def post(
    room: Room,
    identity: Identity,
    body: str,
    uid: str | None = None,
    image: StoredImage | None = None,
    before_commit: Callable[[Message], None] | None = None,
) -> tuple[Message, bool]:
    """Store a message as the next of its room, and tell everybody who reads the room once that is committed.

    Whether *identity* may post here is the caller's business: see :mod:`chat.permissions`. Numbers have no gaps:
    posting holds the lock of the room's row. *uid* is the name that the client gave the message; posting it again
    returns the stored message and True, and stores and tells nothing. An exception from *before_commit*, which gets
    the new message, undoes all of it.

    Raises:
        StreamError: ``bad_field`` or ``too_large`` for the body, ``not_found`` where the room has gone meanwhile,
            ``too_fast`` in slow mode.
    """
    text = clean_body(body, required=image is None)
    message = plain(room, identity, text, uid)
    # Before the lock: who is meant may cost a query.
    message.mentioned = mentions.keys(mentions.of(room, text))
    if image is not None:
        message.image, message.width, message.height = image.name, image.width, image.height
    alone = not message.mentioned and before_commit is None
    with after_commit.together():
        if alone and (stored := numbering.store(message, room)):
            tell(message, stored)
            return message, False
        return _post_with_lock(message, room, identity, before_commit)


def plain(room: Room, identity: Identity, text: str, uid: str | None = None) -> Message:
    """Return a message that is to be stored: *text* is a clean body, and mentions nobody yet."""
    return Message(
        room=room,
        uid=uid or uuid.uuid4().hex,
        author_id=identity.user_id,
        author_key=identity.key,
        author_name=identity.name,
        body=text,
        segmented=segments.index_text(text),
    )


def _post_with_lock(
    message: Message, room: Room, identity: Identity, before_commit: Callable[[Message], None] | None
) -> tuple[Message, bool]:
    """Post *message* under the lock of the room's row: where something is to be looked at, or stored along with it."""
    with transaction.atomic():
        locked = lock_room(room.pk)
        if stored := locked.messages.filter(author_key=message.author_key, uid=message.uid).first():
            return stored, True
        slow.take_turn(room, identity, locked)
        message.room, message.seq = locked, locked.last_seq + 1
        message.save(force_insert=True)
        locked.last_seq = message.seq
        # Without signals: the data binding would tell everybody of every message.
        Room.objects.filter(pk=locked.pk).update(last_seq=message.seq)
        mentions.store(message)
        if before_commit is not None:
            before_commit(message)
        tell(message, locked)
    return message, False


def client_uid(content: dict[str, Any]) -> str | None:
    """Return the name that a client gives its message as ``id``, or None where it gives none.

    Raises:
        StreamError: ``bad_field`` or ``too_large``: it is no short text without control characters.
    """
    uid = field(content, "id", str, default=None, max_length=limits.UID)
    if uid is not None and not (uid and uid.isprintable()):
        raise StreamError("bad_field", _("An id is a short text without control characters."))
    return uid


def lock_room(pk: int) -> Room:
    """Return the room, with the lock of its row until the end of the transaction.

    SQLite has no row locks: there the transaction itself began with the lock of the whole database.

    Raises:
        StreamError: ``not_found``: it has been deleted.
    """
    room = opening.lock(pk)
    if room is None:
        raise StreamError("not_found", _("There is no such room."))
    return room


def after(room: Room, seq: int, limit: int) -> list[dict[str, Any]]:
    """Return up to *limit* messages that come after number *seq*, oldest first."""
    return _between(room, seq, _LARGEST, "seq", limit)


def changed(room: Room, revision: int, seq: int, limit: int) -> list[dict[str, Any]]:
    """Return up to *limit* of the messages up to number *seq* that were changed after *revision*, as they are now."""
    found = Message.objects.filter(room=room, revision__gt=revision, seq__lte=seq).order_by("revision")
    return _listed(room, found.values_list(*payloads.Shown._fields)[:limit])


def before(room: Room, seq: int | None, limit: int = limits.HISTORY) -> tuple[list[dict[str, Any]], bool]:
    """Return the last *limit* messages before number *seq* (None: of all), oldest first, and whether there are more."""
    newest_first = _between(room, _SMALLEST, _LARGEST if seq is None else seq, "-seq", limit + 1)
    return newest_first[:limit][::-1], len(newest_first) > limit


def _between(room: Room, above: int, below: int, order: str, limit: int) -> list[dict[str, Any]]:
    if not limit:
        # Django has no statement for nothing.
        return []
    query = _compiled(connection.vendor, order, limit)
    return _listed(room, query.rows({"room": room.pk, "above": above, "below": below}))


@functools.lru_cache(maxsize=64)
def _compiled(vendor: str, order: str, limit: int) -> Query:
    # With both bounds always. PostgreSQL plans a statement that is asked often once for all rooms, and where most of
    # them are small would read even the largest as a whole, to sort it: a range it finds by the index of the numbers.
    found = Message.objects.filter(room=_ROOM, seq__gt=_ABOVE, seq__lt=_BELOW).order_by(order)
    stand_ins = {_ROOM: "room", _ABOVE: "above", _BELOW: "below"}
    return compiled(found.values_list(*payloads.Shown._fields)[:limit], stand_ins)


def _listed(room: Room, rows: Iterable[Iterable[Any]]) -> list[dict[str, Any]]:
    return [payloads.message(payloads.Shown._make(row), room.slug) for row in rows]


def tell(message: Message, room: Room) -> None:
    """Tell all who read *room* of a new message, once it is committed, and the room lists of its number."""
    for group, content in news(message, room):
        broadcast.to_group(group, content)
    heads.posted(room, message.seq)


def news(message: Message, room: Room) -> list[tuple[str, dict[str, Any]]]:
    """Return what those who read *room* hear of a new message: groups, and a channel message for each."""
    payload = payloads.message(message, room.slug)
    plain = json.dumps(payloads.plain_message(message), ensure_ascii=False)
    return [
        (groups.room(room.pk), streams.encode("chat", {"type": "message", **payload})),
        (groups.plain(room.pk), {"text": plain}),
        # Each of these long-polls lacks exactly this one message, in whichever order two workers come to tell theirs.
        (groups.poll(room.pk, message.seq - 1), json_response({"messages": [payload]})),
    ]
