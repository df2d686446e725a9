"""How much one may do in a while: of a person, of a room and of a connection, each way in asks here.

An honest client is never refused: the rates in ``chat.limits.RATES`` are far above what people do, and leave room for
fifty messages that waited for a deploy to end. Who is refused hears ``too_fast`` and when to try again; no socket is
closed for it. ``CHAT_RATES = False`` lets everything through, for those who measure.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Sequence

from django.conf import settings
from django.utils.translation import gettext as _

from channels_lts import rates
from channels_lts.drops import Drops
from channels_lts.exceptions import StreamError
from chat import limits
from chat.identity import Identity
from chat.models import Message, Room

logger = logging.getLogger(__name__)
_drops = Drops(logger, "throttled")


def check(
    kind: str, who: Identity, room: Room | None = None, channel: str | None = None, *, uid: str | None = None
) -> None:
    """Count one more *kind* of *who*, in *room* and on the socket *channel* where there are any.

    *uid*: the id of a message that is to be stored. One that *who* has stored before is never refused: who sends it
    again only lacks the acknowledgement.

    Costs one round trip to Redis; a refusal of a message with *uid* one query more.
    Where Redis is away everything passes.

    Raises:
        StreamError: ``too_fast``, with the milliseconds after which it will be granted.
    """
    wait = _take(kind, who, room, channel)
    if wait and not (uid and room and _is_stored(room, who, uid)):
        raise _too_fast(kind, who, wait)


def grant(kind: str, asked: Sequence[tuple[Identity, Room, str]]) -> list[bool]:
    """Count one more *kind* for each of *asked*: who, in which room, on which socket. Returns who may.

    Costs one round trip to Redis for all of them. A refusal is neither counted as one nor final: :func:`check`, which
    whoever is refused has to ask, says why.
    """
    if not settings.CHAT_RATES:
        return [True] * len(asked)
    waits = rates.take_each([_buckets(kind, who, room, channel) for who, room, channel in asked])
    return [not wait for wait in waits]


def passes(kind: str, who: Identity, room: Room | None = None, channel: str | None = None) -> bool:
    """Do the same, and return whether it is granted: for what is dropped in silence."""
    wait = _take(kind, who, room, channel)
    if wait:
        _drops.add(kind, who.key)
    return not wait


def check_upload(who: Identity, size: int, room: Room, uid: str | None = None) -> None:
    """Count a file of *size* bytes that *who* sends to *room*; one stored before under *uid* is never refused.

    Raises:
        StreamError: ``too_fast``: too many files, or too many bytes, in an hour.
    """
    if not settings.CHAT_RATES:
        return
    counted = (f"upload:{who.key}", limits.RATES["upload"]["person"])
    wait = rates.take(
        [counted, (f"bytes:{who.key}", limits.UPLOAD_BYTES, min(max(size, 1), limits.IMAGE_BYTES))], kind="upload"
    )
    if wait and not (uid and _is_stored(room, who, uid)):
        raise _too_fast("upload", who, wait)


def _take(kind: str, who: Identity, room: Room | None, channel: str | None) -> int:
    if not settings.CHAT_RATES:
        return 0
    return rates.take(_buckets(kind, who, room, channel), kind=kind)


def _buckets(kind: str, who: Identity, room: Room | None, channel: str | None) -> list[tuple[str, rates.Rate]]:
    names = {"person": who.key, "room": room and f"room-{room.pk}", "connection": channel}
    return [(f"{kind}:{names[scope]}", rate) for scope, rate in limits.RATES[kind].items() if names[scope]]


def _is_stored(room: Room, who: Identity, uid: str) -> bool:
    return Message.objects.filter(room=room, author_key=who.key, uid=uid).exists()


def _too_fast(kind: str, who: Identity, wait: int) -> StreamError:
    _drops.add(kind, who.key)
    reason = _("That was too fast. Try again in %(seconds)d s.") % {"seconds": math.ceil(wait / 1000)}
    return StreamError("too_fast", reason, retry_after_ms=wait)
