"""What follows from a change of rooms, members and messages, whichever way it came: stream, view, admin or shell."""

from __future__ import annotations

from typing import Any

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
    # Gone as well where a room is deleted with its members; the room's own signals tell of that.
    room = Room.objects.filter(pk=instance.room_id, private=True).first()
    if room is None or instance.user.is_staff:
        return
    eviction.evict_user(room, instance.user_id)
    RoomBinding.tell(room, DELETE, lambda: [groups.person(user_key(instance.user_id))])


@receiver(post_delete, sender=Message)
def message_deleted(instance: Message, **kwargs: Any) -> None:
    storage.delete_after_commit(instance.image.name, instance.thumbnail.name)
