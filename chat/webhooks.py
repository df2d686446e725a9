"""Webhooks: addresses at which services post into one room, each under a name of its own.

The address is the secret: it is shown once, when it is made, and a digest of it is kept. Author key is ``w`` and the
webhook's id. A webhook goes with its room.
"""

from __future__ import annotations

import datetime
import json
from typing import Any

from django.db.models import Q
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from channels_lts import bearer
from channels_lts.exceptions import StreamError
from channels_lts.streams import field
from chat import limits, messages, payloads, throttle
from chat.identity import Identity
from chat.models import Message, Room, Webhook
from chat.tokens import checked_name

_USED_EVERY = datetime.timedelta(seconds=limits.TOKEN_USED_WRITE)


def make(room: Room, who: Identity, name: str) -> tuple[Webhook, str]:
    """Make a webhook of *room*, and return it with its secret, which nobody can find out again.

    Raises:
        StreamError: ``bad_field`` or ``too_large`` for the name, ``not_allowed`` where the room has too many.
    """
    name = checked_name(name)
    if room.webhooks.count() >= limits.WEBHOOKS:
        raise StreamError("not_allowed", _("A room has at most %(limit)d webhooks.") % {"limit": limits.WEBHOOKS})
    secret = bearer.new()
    webhook = Webhook.objects.create(room=room, name=name, digest=bearer.digest(secret), created_by_id=who.user_id)
    return webhook, secret


def path(secret: str) -> str:
    """Return the path of the address at which the webhook with *secret* posts."""
    return reverse("hook", args=[secret])


def listed(room: Room) -> list[dict[str, Any]]:
    """Return the webhooks of *room*, the oldest first, without their secrets."""
    return [public(webhook) for webhook in room.webhooks.order_by("pk")]


def public(webhook: Webhook) -> dict[str, Any]:
    """Return what those who manage the room may know of a webhook."""
    used = webhook.last_used_at
    return {
        "id": webhook.pk,
        "name": webhook.name,
        "created": payloads.timestamp(webhook.created_at),
        "used": payloads.timestamp(used) if used else None,
    }


def revoke(room: Room, pk: int) -> None:
    """End a webhook of *room*; what it posted stays.

    Raises:
        StreamError: ``not_found``.
    """
    if not room.webhooks.filter(pk=pk).delete()[0]:
        raise StreamError("not_found", _("There is no such webhook."))


def find(secret: str) -> Webhook:
    """Return the webhook with this secret, and its room.

    Raises:
        StreamError: ``not_found``: there is none, or not any more.
    """
    digest = bearer.digest(secret) if secret.isascii() else ""
    webhook = Webhook.objects.select_related("room").filter(digest=digest).first()
    if webhook is None:
        raise StreamError("not_found", _("There is no such webhook."))
    return webhook


def post(webhook: Webhook, text: str, uid: str | None = None) -> tuple[Message, bool]:
    """Post *text* into the webhook's room, under its name; returns the message, and whether it was there before.

    Raises:
        StreamError: ``too_fast``, and what :func:`chat.messages.post` raises.
    """
    author = Identity(f"w{webhook.pk}", webhook.name, guest=False)
    throttle.check("send", author, webhook.room, uid=uid)
    message, again = messages.post(webhook.room, author, text, uid)
    _note_use(webhook)
    return message, again


def text_of(content: dict[str, Any]) -> str:
    """Return the text in what a service sent: ``text``, or the same within a form's ``payload``, which holds JSON.

    Raises:
        StreamError: ``malformed`` for a payload that is no JSON object, ``bad_field``.
    """
    if "payload" in content:
        try:
            content = json.loads(field(content, "payload", str))
        # RecursionError: arrays nested a thousand deep.
        except (ValueError, RecursionError):
            raise StreamError("malformed", _("The payload is not JSON.")) from None
        if not isinstance(content, dict):
            raise StreamError("malformed", _("The payload is not a JSON object."))
    return field(content, "text", str)


def _note_use(webhook: Webhook) -> None:
    stale = Q(last_used_at=None) | Q(last_used_at__lt=timezone.now() - _USED_EVERY)
    if webhook.last_used_at is None or timezone.now() - webhook.last_used_at > _USED_EVERY:
        Webhook.objects.filter(stale, pk=webhook.pk).update(last_used_at=timezone.now())
