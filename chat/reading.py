"""How far people have read: one marker for each person and room, which all of their devices share."""

from __future__ import annotations

from collections.abc import Iterable

from django.db import transaction
from django.utils.translation import gettext as _

from channels_lts.exceptions import StreamError
from chat import broadcast, groups
from chat.identity import Identity, user_key
from chat.models import Membership, Mention, Room


def mark_read(room: Room, identity: Identity, seq: int) -> None:
    """Move this person's marker in *room* forward to *seq*, never back and never beyond the last message.

    Whoever of several devices comes last, the largest number stays. All sockets of this person hear ``read``. Who
    reads a public room becomes a member of it by that. Staff who look into a private room do not.

    Raises:
        StreamError: ``not_allowed``: guests have no marker on the server.
    """
    if identity.user_id is None:
        raise StreamError("not_allowed", _("Guests keep their place in the browser."))
    seq = min(seq, room.last_seq)
    if room.role is None and room.private:
        return
    with transaction.atomic():
        if not _move(room, identity.user_id, seq):
            return
        Mention.objects.filter(user=identity.user_id, room=room, seq__lte=seq).delete()
        tell(room, [identity.user_id])


def tell(room: Room, user_ids: Iterable[int]) -> None:
    """Tell people's sockets, after the commit, how far they have read in *room* and what they have not."""
    user_ids = set(user_ids)
    if not user_ids:
        return
    last_seq = Room.objects.values_list("last_seq", flat=True).get(pk=room.pk)
    markers = dict(Membership.objects.filter(room=room, user__in=user_ids).values_list("user", "last_read_seq"))
    mentions = list(Mention.objects.filter(room=room, user__in=user_ids).values_list("user", flat=True))
    for user_id in sorted(user_ids):
        seq = markers.get(user_id)
        broadcast.to_stream(
            groups.person(user_key(user_id)),
            "rooms",
            "read",
            room=room.slug,
            # As in the list of rooms: who never opened it has nothing to read.
            seq=last_seq if seq is None else seq,
            unread=0 if seq is None else max(0, last_seq - seq),
            mentions=mentions.count(user_id),
        )


def _move(room: Room, user_id: int, seq: int) -> bool:
    """Move the marker, and return whether it moved."""
    if room.role is None:
        _membership, created = Membership.objects.get_or_create(
            room=room, user_id=user_id, defaults={"last_read_seq": seq}
        )
        if created:
            return True
    moved = Membership.objects.filter(room=room, user=user_id, last_read_seq__lt=seq).update(last_read_seq=seq)
    return bool(moved)
