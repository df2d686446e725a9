"""Slow mode: each person says one thing in ``Room.slow_seconds``, those who moderate the room as many as they like."""

from __future__ import annotations

import datetime
import math

from django.db import connection
from django.db.models.functions import Now
from django.utils import timezone
from django.utils.translation import gettext as _

from channels_lts.exceptions import StreamError
from chat import permissions
from chat.identity import Identity
from chat.models import Room, Turn

# Accounts and guests. Webhooks and reminders are no people, and have limits of their own.
_PEOPLE = ("u", "g")


def take_turn(room: Room, identity: Identity, locked: Room) -> None:
    """Let *identity* speak in *room* now, or refuse it because they spoke a moment ago.

    *room* comes from ``with_membership`` for them. *locked* is the same room as it is now, with the lock of its row,
    which the caller holds until the message is stored: so of two messages that come at once one is refused, and a
    message that is not stored takes no turn. Ask this for new messages only, not for one that was stored before.
    Whoever speaks first after slow mode was switched on has not spoken before. Costs nothing in other rooms.

    Raises:
        StreamError: ``too_fast`` with the milliseconds that are left, by the clock of the database.
    """
    if not locked.slow_seconds or not identity.key.startswith(_PEOPLE):
        return
    if permissions.MODERATE in permissions.allowed(identity, room):
        return
    now = _database_time(locked)
    spoken = Turn.objects.filter(room=locked, key=identity.key).first()
    if spoken is not None:
        left = spoken.at + datetime.timedelta(seconds=locked.slow_seconds) - now
        if left > datetime.timedelta(0):
            milliseconds = math.ceil(left / datetime.timedelta(milliseconds=1))
            reason = _("Slow mode: one message in %(seconds)d s.") % {"seconds": locked.slow_seconds}
            raise StreamError("too_fast", reason, retry_after_ms=milliseconds)
    Turn.objects.update_or_create(room=locked, key=identity.key, defaults={"at": now})


def _database_time(room: Room) -> datetime.datetime:
    """Return the time by the one clock that all workers share."""
    if connection.vendor == "sqlite":
        # There is one machine, and SQLite's own clock shows whole seconds on older Djangos.
        return timezone.now()
    return Room.objects.filter(pk=room.pk).annotate(now=Now()).values_list("now", flat=True).get()
