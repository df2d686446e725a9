"""Many messages at once: what people type while others do, stored by one commit and told by one call.

Only what needs nothing else goes this way: text that mentions nobody, of people of whom nothing has to be looked up, in
rooms without slow mode, and for the first time. All else is served alone, as is whatever is refused, so that each
refusal is made in one place.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from channels import Group
from django.conf import settings
from django.db import transaction

from channels_lts import after_commit, sessions, streams
from channels_lts.exceptions import StreamError
from channels_lts.streams import NumberedStream, Stored, field
from chat import (
    commands,
    heads,
    identity,
    limits,
    mentions,
    messages,
    numbering_many,
    opening,
    permissions,
    throttle,
    waiting,
)
from chat.identity import Identity
from chat.models import Message, Room
from chat.text import clean_body

_STREAM = "chat"


@dataclass(eq=False)
class _Talk:
    """One frame: what it says in which room, and as what it is to be acknowledged."""

    message: Any
    slug: str
    text: str
    uid: str | None
    who: Identity = None  # type: ignore[assignment]
    room: Room = None  # type: ignore[assignment]

    @property
    def socket(self) -> str:
        return self.message.reply_channel.name


def joins(message: Any) -> bool:
    """Return whether *message* is a frame that says something which needs nothing but to be stored."""
    if message.channel.name != "websocket.receive" or sessions.__name__ != settings.CHANNEL_SESSION_ENGINE:
        return False
    try:
        message.talk = _read(message)
    except StreamError:
        return False
    return message.talk is not None


def _read(message: Any) -> _Talk | None:
    text = message.content.get("text")
    if text is None or '"send"' not in text:
        return None
    try:
        content = json.loads(text)
    # RecursionError: arrays nested a thousand deep.
    except (ValueError, RecursionError):
        return None
    payload = content.get("payload") if isinstance(content, dict) and content.get("stream") == _STREAM else None
    if not isinstance(payload, dict) or payload.get("type") != "send":
        return None
    body = field(payload, "body", str)
    if commands.is_command(body) or mentions.possible(body):
        return None
    slug = field(payload, "room", str, max_length=limits.SLUG)
    return _Talk(message, slug, clean_body(commands.to_post(body)), messages.client_uid(payload))


def serve(frames: Sequence[Any], stream: type[NumberedStream]) -> list[Any]:
    """Store what *frames*, which :func:`joins` let pass, say; return those that are to be served alone.

    The others are acknowledged, as *stream* does it.
    """
    talks = [frame.talk for frame in frames]
    for step in (_recognised, _opened, _granted):
        talks = _in_order(talks, step(talks))
    served = _stored(talks, stream)
    return [frame for frame in frames if frame.talk not in served]


def _in_order(talks: Sequence[_Talk], passed: Iterable[_Talk]) -> list[_Talk]:
    """Return those of *talks* that *passed*, and of each socket none behind one that did not."""
    going, stopped, left = set(passed), set(), []
    for talk in talks:
        if talk in going and talk.socket not in stopped:
            left.append(talk)
        else:
            stopped.add(talk.socket)
    return left


def _recognised(talks: Sequence[_Talk]) -> Iterator[_Talk]:
    """Find out who is talking; yield those who may talk at all, as far as their sockets know."""
    names, keys = [talk.socket for talk in talks], (identity.SOCKET_KEY, waiting.SINCE)
    for talk, session in zip(talks, sessions.values_of(names, keys, talks[0].message.channel_layer), strict=True):
        who = None if waiting.has_no_name(session) else identity.of_session(session)
        if who is not None:
            talk.who = who
            yield talk


def _opened(talks: Sequence[_Talk]) -> Iterator[_Talk]:
    """Open the rooms; yield those who may post there, and have not to wait for their turn."""
    for talk, room in zip(talks, opening.find_all([(talk.who, talk.slug) for talk in talks]), strict=True):
        if room is not None and not room.slow_seconds and permissions.POST in permissions.allowed(talk.who, room):
            talk.room = room
            yield talk


def _granted(talks: Sequence[_Talk]) -> Iterator[_Talk]:
    asked = [(talk.who, talk.room, talk.socket) for talk in talks]
    return (talk for talk, granted in zip(talks, throttle.grant("send", asked), strict=True) if granted)


def _stored(talks: Sequence[_Talk], stream: type[NumberedStream]) -> set[_Talk]:
    """Store and acknowledge; return those of whom that is true."""
    new = [messages.plain(talk.room, talk.who, talk.text, talk.uid) for talk in talks]
    stored = [(talks[place], new[place]) for place in numbering_many.store_all(new)]
    transaction.on_commit(functools.partial(_tell, stored, stream))
    return {talk for talk, _ in stored}


def _tell(stored: Sequence[tuple[_Talk, Message]], stream: type[NumberedStream]) -> None:
    """Tell everybody, and acknowledge, what has been committed."""
    with after_commit.together():
        for _, message in stored:
            for group, content in messages.news(message, message.room):
                after_commit.send_now(Group(group), content)
            heads.posted(message.room, message.seq)
        # Behind all of that: what goes to groups shares a call, and so does what goes to sockets.
        for talk, message in stored:
            fields = stream.acknowledgement(message.room.slug, Stored(message.uid, message.seq))
            answer = streams.encode(_STREAM, {"type": "ack", **fields})
            after_commit.send_now(talk.message.reply_channel, answer)
