"""Direct conversations: the one room that two people have for themselves. Each sees it under the other's name.

Between two accounts only: a guest is gone with a cookie. A ban concerns one room, so it keeps nobody from talking
directly.
"""

from __future__ import annotations

from django.db import transaction
from django.utils.crypto import get_random_string
from django.utils.translation import gettext as _

from channels_lts.exceptions import StreamError
from chat import accounts
from chat.identity import Identity, user_key
from chat.models import Membership, Room

_MARK = ":"
# Half of a room's name, and the comma.
_NAME = 38


def open_with(who: Identity, key: str) -> Room:
    """Return the room of *who* and the person with *key*, which is made with the first wish to talk.

    Of any number of calls at once, from both sides, one makes it.

    Raises:
        StreamError: ``not_allowed`` for guests, ``bad_field`` for oneself, ``not_found`` where no account has this key.
    """
    if who.user_id is None:
        raise StreamError("not_allowed", _("Guests cannot write to people directly: they need an account."))
    if key == who.key:
        raise StreamError("bad_field", _("This is you."))
    other = accounts.of_key(key)
    if other is None or not other.is_active:
        raise StreamError("not_found", _("There is nobody with this key."))
    with transaction.atomic():
        room, _made = Room.objects.get_or_create(
            direct=_MARK.join(sorted((who.key, user_key(other.pk)))),
            defaults={
                "name": f"{who.name[:_NAME]}, {other.get_username()[:_NAME]}",
                # Nobody can tell from the slugs of other rooms who talks to whom.
                "slug": f"direct-{get_random_string(12).lower()}",
                "private": True,
            },
        )
        for user_id in (who.user_id, other.pk):
            Membership.objects.get_or_create(room=room, user_id=user_id)
    return room


def keys(room: Room) -> list[str]:
    """Return the keys of the two people of *room*; none where it is no direct one."""
    return room.direct.split(_MARK) if room.direct is not None else []


def other_key(room: Room, key: str | None) -> str | None:
    """Return the key of whom the owner of *key* talks to in *room*; None where it is no direct one, or not theirs."""
    pair = keys(room)
    return next((other for other in pair if other != key), None) if key in pair else None


def names(room: Room) -> dict[str, str]:
    """Return what each of the two people, by key, calls *room*. Costs one query."""
    people = {user_key(pk): name for pk, name in room.memberships.values_list("user", "user__username")}
    found = {key: other_key(room, key) for key in people}
    return {key: people[other] for key, other in found.items() if other in people}
