"""What follows from a change of rooms, members and messages, whichever way it came: stream, view, admin or shell."""

from __future__ import annotations

import functools
from typing import Any

from django.contrib.auth import get_user_model
from django.db import transaction
from django.db.models.signals import post_delete, post_save, pre_delete
from django.dispatch import receiver

from chat import eviction, groups, storage
from chat.bindings import CREATE, DELETE, RoomBinding
from chat.identity import user_key
from chat.models import Membership, Message, Room


@receiver(post_save, sender=Room)
def room_saved(instance: Room, created: bool, **kwargs: Any) -> None:
    if not created and instance.private and instance._was_private is False:  # type: ignore[attr-defined]
        eviction.evict_strangers(instance)


@receiver(pre_delete, sender=Room)
def room_going(instance: Room, **kwargs: Any) -> None:
    eviction.close_room(instance)


@receiver(post_save, sender=Membership)
def member_came(instance: Membership, created: bool, **kwargs: Any) -> None:
    if created and instance.room.private:
        RoomBinding.tell(instance.room, CREATE, lambda: [groups.person(user_key(instance.user_id))])


@receiver(post_delete, sender=Membership)
def member_went(instance: Membership, **kwargs: Any) -> None:
    # After the commit, when it shows whether the room or the account went as well: those are told of by themselves.
    transaction.on_commit(functools.partial(_put_out, instance.room_id, instance.user_id))


def _put_out(room_id: int, user_id: int) -> None:
    room = Room.objects.filter(pk=room_id, private=True).first()
    if room is not None and get_user_model().objects.filter(pk=user_id, is_staff=False).exists():
        eviction.evict_user(room, user_id)
        RoomBinding.tell(room, DELETE, lambda: [groups.person(user_key(user_id))])


@receiver(post_delete, sender=Message)
def message_deleted(instance: Message, **kwargs: Any) -> None:
    storage.delete_after_commit(instance.image.name, instance.thumbnail.name)
