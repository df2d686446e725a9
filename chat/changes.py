"""Changes of messages that are stored already: edits, removals, thumbnails.

Each takes the lock of the room's row, gives the message the room's next revision, and tells the room ``changed`` with
the whole message after the commit. Revisions of a room have no gaps, so who was away can ask for what changed since.
Sockets of one room (/ws/chat/) and long-polls know nothing of changes: they are told of new messages only.
"""

from __future__ import annotations

from collections.abc import Callable

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from channels_lts import after_commit
from channels_lts.exceptions import StreamError
from chat import broadcast, groups, mentions, payloads, permissions, reading, segments, storage
from chat.identity import Identity
from chat.messages import lock_room
from chat.models import Message, Room
from chat.text import clean_body


def edit(room: Room, identity: Identity, seq: int, body: str) -> Message:
    """Give message *seq* of *room* another text, and return it. The same text changes nothing and tells nobody.

    Raises:
        StreamError: ``not_found``: there is none, or it was removed; ``not_allowed``: it is not their own;
            ``bad_field`` and ``too_large`` as for a new message. The text of a picture may be empty.
    """
    message = _own(room, seq, identity)
    text = clean_body(body, required=not message.image)
    mentioned = mentions.keys(mentions.of(room, text))

    def change(current: Message) -> bool:
        if current.body == text:
            return False
        current.body, current.segmented, current.mentioned = text, segments.index_text(text), mentioned
        current.edited_at = timezone.now()
        return True

    changed = _change(message, change)
    if changed is None:
        raise _gone()
    return changed


def remove_by(room: Room, identity: Identity, seq: int) -> Message:
    """Remove message *seq* of *room*: one's own, or anybody's for who may moderate. A removed one stays as it is.

    Raises:
        StreamError: ``not_found`` and ``not_allowed``.
    """
    message = _message(room, seq)
    if message.author_key != identity.key and permissions.MODERATE not in permissions.allowed(identity, room):
        raise StreamError("not_allowed", _("This message is somebody else's."))
    remove(message)
    message.refresh_from_db()
    return message


def remove(message: Message) -> bool:
    """Turn a message into a tombstone: text and files go, the number stays. False when it was one already."""

    def change(current: Message) -> bool:
        storage.delete_after_commit(current.image.name, current.thumbnail.name)
        current.body, current.segmented, current.mentioned = "", "", ""
        current.image, current.thumbnail, current.removed = "", "", True
        current.width = current.height = None
        return True

    return _change(message, change) is not None


def set_thumbnail(message: Message, name: str) -> bool:
    """Give a picture its thumbnail. False where the message was removed meanwhile."""

    def change(current: Message) -> bool:
        current.thumbnail.name = name
        return True

    return _change(message, change) is not None


def _change(message: Message, change: Callable[[Message], bool]) -> Message | None:
    """Let *change* alter the message as it is now, and return it, or None where it was removed.

    *change* says whether it altered anything; what it did not alter keeps its revision, and nobody is told.
    """
    with after_commit.together(), transaction.atomic():
        room = lock_room(message.room_id)
        current = room.messages.filter(pk=message.pk, removed=False).first()
        if current is None:
            return None
        current.room = room
        mentioned = current.mentioned
        if not change(current):
            return current
        # Not save(): that would tell every room list.
        Room.objects.filter(pk=room.pk).update(revision=room.revision + 1)
        current.revision = room.revision + 1
        current.save()
        if current.mentioned != mentioned:
            reading.tell(room, mentions.update(current, mentioned))
        broadcast.to_stream(
            groups.room(room.pk),
            "chat",
            "changed",
            room=room.slug,
            revision=current.revision,
            message=payloads.message(current, room.slug),
        )
    return current


def _own(room: Room, seq: int, identity: Identity) -> Message:
    message = _message(room, seq)
    if message.author_key != identity.key:
        raise StreamError("not_allowed", _("This message is somebody else's."))
    if message.removed:
        raise _gone()
    return message


def _message(room: Room, seq: int) -> Message:
    # Beyond what databases can hold as a number there is no message either.
    message = room.messages.filter(seq=seq).first() if seq < 2**63 else None
    if message is None:
        raise StreamError("not_found", _("There is no such message."))
    return message


def _gone() -> StreamError:
    return StreamError("not_found", _("This message was removed."))
