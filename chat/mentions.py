"""``@name`` in messages: who is meant, and who has not seen it yet.

A message names those that it mentions in ``mentioned``. A row of Mention stands for one that its person has not read:
reading takes it away, and so does removing the message.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from typing import Any

from django.contrib.auth import get_user_model
from django.db.models import Q
from django.utils import timezone

from chat import broadcast, groups, limits
from chat.identity import user_key
from chat.models import Membership, Mention, Message, Room

# Behind a letter of an alphabet, or within an address, it is no mention; behind a Chinese character it may be one.
_AT = re.compile(r"(?<![a-zA-Z0-9_/.+@-])@([\w.@+-]+)")
_WIDE = re.compile("[\u3005-\u30ff\u3400-\u9fff\uac00-\ud7a3\uf900-\ufaff]")
_MARKS = ".@+-"


def of(room: Room, body: str) -> list[int]:
    """Return the users whom *body* mentions and who may read *room*. Costs no query where no name is in it.

    Names are those of accounts, exactly. One ends where none of their characters follows, before punctuation, or, as
    Chinese has no spaces, at any Chinese character: the longest name that there is counts.
    """
    names = [_beginnings(unicodedata.normalize("NFKC", name)) for name in _AT.findall(body)[: limits.MENTIONS]]
    if not names:
        return []
    wanted = {beginning for beginnings in names for beginning in beginnings}
    users = get_user_model().objects.filter(is_active=True, username__in=wanted)
    if room.private:
        users = users.filter(chat_memberships__room=room)
    found = dict(users.values_list("username", "pk"))
    chosen = {next((found[name] for name in beginnings if name in found), None) for beginnings in names}
    return sorted(_without_banned(room, {pk for pk in chosen if pk is not None}))


def possible(body: str) -> bool:
    """Whether *body* may mention anybody."""
    return _AT.search(body) is not None


def keys(user_ids: Iterable[int]) -> str:
    """Return *user_ids* as they are kept in ``Message.mentioned``."""
    return " ".join(user_key(pk) for pk in user_ids)


def keys_of(message: Message) -> list[str]:
    """Return the keys of those whom *message* mentions."""
    return message.mentioned.split()


def store(message: Message) -> None:
    """Note a new message's mentions as unread and tell those who are mentioned after the commit.

    Costs nothing where ``message.mentioned`` is empty. Call it in the transaction that stores the message.
    """
    user_ids = _user_ids(message) - {message.author_id}
    if user_ids:
        _add(message, user_ids)


def update(message: Message, before: str) -> set[int]:
    """Bring the unread mentions in step with a message that was edited or removed, and had *before* ``mentioned``.

    Who has read beyond it is not told of a mention that comes late. Returns whose unread mention went away.
    """
    was = {int(key[1:]) for key in before.split()}
    now = set() if message.removed else _user_ids(message) - {message.author_id}
    gone = set()
    if was - now:
        rows = Mention.objects.filter(room=message.room_id, seq=message.seq, user__in=was - now)
        gone = set(rows.values_list("user", flat=True))
        rows.delete()
    if now - was:
        readers = Membership.objects.filter(room=message.room_id, user__in=now - was, last_read_seq__gte=message.seq)
        if added := now - was - set(readers.values_list("user", flat=True)):
            _add(message, added)
    return gone


def _add(message: Message, user_ids: set[int]) -> None:
    Mention.objects.bulk_create(
        [Mention(room_id=message.room_id, seq=message.seq, user_id=user_id) for user_id in sorted(user_ids)]
    )
    by = {"key": message.author_key, "name": message.author_name, "guest": message.author_key.startswith("g")}
    for user_id in sorted(user_ids):
        broadcast.to_stream(
            groups.person(user_key(user_id)), "rooms", "mention", room=message.room.slug, seq=message.seq, by=by
        )


def _user_ids(message: Message) -> set[int]:
    return {int(key[1:]) for key in keys_of(message)}


def _beginnings(run: str) -> list[str]:
    """Return the names that *run* may begin with, the longest first."""
    ends = [
        end
        for end in range(1, len(run) + 1)
        if end == len(run) or run[end] in _MARKS or _WIDE.match(run[end]) or _WIDE.match(run[end - 1])
    ]
    return [run[:end] for end in reversed(ends[: limits.MENTION_ENDS])]


def _without_banned(room: Room, user_ids: set[int]) -> set[int]:
    if not user_ids:
        return user_ids
    lasting = Q(until=None) | Q(until__gt=timezone.now())
    banned: Any = room.bans.filter(lasting, key__in=[user_key(pk) for pk in user_ids]).values_list("key", flat=True)
    return user_ids - {int(key[1:]) for key in banned}
