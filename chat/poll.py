"""``GET /poll/<room>/?since=N``: new messages for who cannot open a WebSocket.

A request that has to wait is held by the interface server alone. Its consumer ends without an answer, and whoever
posts the next message answers through the group; where nobody does, the interface server's time limit does.
"""

from __future__ import annotations

from typing import Any

from channels import Group
from channels.auth import http_session_user
from django.http import QueryDict
from django.utils.translation import gettext as _

from channels_lts import bearer
from channels_lts.exceptions import StreamError
from channels_lts.payloads import storable
from chat import groups, identity, limits, messages, permissions, throttle, tokens
from chat.identity import Identity
from chat.models import Room
from chat.responses import answers_errors, json_response

_MAX_SEQ = 2**63 - 1


@answers_errors
def poll(message: Any, slug: str) -> None:
    """Answer at once where there are messages after ``since``, else let the request wait for the next one.

    The answer is ``{"messages": [...]}``, oldest first, without gaps, and may be empty: then ask again.
    """
    if message["method"] != "GET":
        raise StreamError("bad_method", _("Only GET is possible here."))
    since = _since(message.get("query_string", b""))
    secret = bearer.of_headers(message.get("headers", []))
    if secret is None:
        _poll_by_cookie(message, slug=slug, since=since)
    else:
        _poll(message, identity.of_user(tokens.check(secret).user), slug, since)


def poll_gone(message: Any, slug: str) -> None:
    """A waiting request ended: ``http.disconnect`` comes with its path, which says where it waited up to now."""
    room = Room.objects.filter(slug=slug).first() if storable(slug) else None
    if room is not None:
        # It waited for the next message, or has just been answered by the last. Older groups are empty or expire.
        for seq in (room.last_seq, room.last_seq - 1):
            Group(groups.poll(room.pk, seq)).discard(message.reply_channel)


def poll_ending(message: Any, slug: str) -> None:
    """The interface server that holds this request ends: answer that there is nothing yet; the client asks again."""
    message.reply_channel.send(json_response({"messages": []}))


def ignore(message: Any) -> None:
    """Every HTTP response is followed by a ``http.disconnect``; the others concern nobody."""


@http_session_user
def _poll_by_cookie(message: Any, slug: str, since: int) -> None:
    _poll(message, identity.of_message(message), slug, since)


def _poll(message: Any, who: Identity | None, slug: str, since: int) -> None:
    room = permissions.open_room(who, slug)
    assert who is not None  # noqa: S101  (open_room refuses nobody)
    throttle.check("poll", who)
    group = Group(groups.poll(room.pk, since))
    # Join first, then look, so that nothing falls in between. If both answer, the interface server takes the first.
    group.add(message.reply_channel)
    found = messages.after(room, since, limits.POLL_MAX)
    if not found:
        room.refresh_from_db(fields=["last_seq"])
        if since <= room.last_seq:
            return
    group.discard(message.reply_channel)
    if not found:
        raise StreamError("bad_field", _("The last message of this room is number %(seq)d.") % {"seq": room.last_seq})
    message.reply_channel.send(json_response({"messages": found}))


def _since(query: bytes | str) -> int:
    try:
        text = query.decode() if isinstance(query, bytes) else query
        value = QueryDict(text)["since"]
        # int() would take signs, blanks and underscores.
        since = int(value) if value.isascii() and value.isdigit() else -1
    except (UnicodeDecodeError, KeyError, ValueError):
        since = -1
    if not 0 <= since <= _MAX_SEQ:
        raise StreamError("bad_field", _("since must be the number of the last message known, 0 for none."))
    return since
