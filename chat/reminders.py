"""``/remind 10m text``: said again in the same room when its time has come, by the server itself.

The reminder waits with the delay server, and comes to ``chat.remind`` when it is due, perhaps more than once; it is
stored under an id of its own, so it is said once. Whoever cannot read the room any more is not reminded.
"""

from __future__ import annotations

import datetime
import hashlib
import logging
import re
import uuid
from typing import Any

from channels import Channel
from django.contrib.auth import get_user_model
from django.utils import timezone
from django.utils.translation import gettext as _

from channels_lts.exceptions import LayerUnavailable, StreamError
from chat import identity, limits, messages, payloads, permissions
from chat.identity import Identity
from chat.models import Room
from chat.text import clean_body

logger = logging.getLogger(__name__)

CHANNEL = "chat.remind"
#: Who says it. No person's key begins with ``b``.
AUTHOR = Identity("b-remind", "Reminder", guest=False)

_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86_400}
# ASCII: int() would take the digits of every script. No longer than what the limit can need.
_DELAY = re.compile(r"(?:[0-9]{1,8}[smhd])+", re.IGNORECASE)
_PART = re.compile(r"([0-9]+)([smhd])", re.IGNORECASE)


def command(room: Room, who: Identity, arguments: str, uid: str | None) -> dict[str, Any]:
    """Keep the reminder in *arguments*, for the message called *uid*; returns when it is due, and its text.

    Raises:
        StreamError: ``bad_field``, ``too_large``: it is not written as it should be; ``unavailable``.
    """
    when, *rest = arguments.split(None, 1) or [""]
    delay = seconds(when)
    if not rest:
        raise _usage()
    text = clean_body(rest[0])
    if len(text) > limits.REMINDER:
        limit = {"limit": limits.REMINDER}
        raise StreamError("too_large", _("A reminder has at most %(limit)d characters.") % limit)
    content = {"uid": _uid(who, uid), "room": room.pk, "who": who.key, "name": who.name, "text": text}
    _send({"channel": CHANNEL, "content": content, "delay": delay * 1000})
    due = timezone.now() + datetime.timedelta(seconds=delay)
    return {"due": payloads.timestamp(due), "in_seconds": delay, "text": text}


def seconds(text: str) -> int:
    """Return how long ``10m``, ``1h30m`` or ``2d`` is.

    Raises:
        StreamError: ``bad_field``: it is no time, or out of bounds.
    """
    if not _DELAY.fullmatch(text):
        raise _usage()
    total = sum(int(number) * _SECONDS[unit.lower()] for number, unit in _PART.findall(text))
    if not 1 <= total <= limits.REMIND_WITHIN:
        days = limits.REMIND_WITHIN // _SECONDS["d"]
        raise StreamError("bad_field", _("A reminder comes after 1 second to %(days)d days.") % {"days": days})
    return total


def due(message: Any) -> None:
    """Say a reminder whose time has come: the consumer of ``chat.remind``."""
    key, name, text, uid = (str(message[field]) for field in ("who", "name", "text", "uid"))
    try:
        room = permissions.open_room_by_id(_asker(key, name), int(message["room"]))
        messages.post(room, AUTHOR, f"@{name} {text}", uid)
    except StreamError as error:
        # The room is gone, or the person, or they may not read it any more.
        logger.info("dropped reminder %s of %s in room %s: %s", uid, key, message["room"], error)


def _asker(key: str, name: str) -> Identity | None:
    """Return who asked, as they are now; None where the account is gone or closed."""
    if key.startswith("g"):
        return Identity(key, name, guest=True)
    if not (key[:1] == "u" and key[1:].isdecimal()):
        return None
    user = get_user_model().objects.filter(pk=int(key[1:]), is_active=True).first()
    return identity.of_user(user) if user else None


def _uid(who: Identity, uid: str | None) -> str:
    # The same for a message that is sent again under its id, so that it is one reminder.
    return hashlib.sha256(f"{who.key} {uid}".encode()).hexdigest()[:32] if uid else uuid.uuid4().hex


def _send(message: dict[str, Any]) -> None:
    delay = Channel("asgi.delay")
    try:
        delay.send(message, immediately=True)
    except (delay.channel_layer.ChannelFull, LayerUnavailable):
        logger.warning("a reminder could not be kept", exc_info=True)
        raise StreamError("unavailable", _("The reminder cannot be kept now. Try again in a minute.")) from None


def _usage() -> StreamError:
    return StreamError(
        "bad_field", _("Write it like this: /remind 10m tea is ready (s, m, h or d; 1h30m is fine too).")
    )
