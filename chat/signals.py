"""What follows from a change of rooms, members and messages, whichever way it came: stream, view, admin or shell."""

from __future__ import annotations

import functools
from typing import Any

from django.contrib.auth import get_user_model
from django.db import transaction
from django.db.models.signals import post_delete, post_save, pre_delete
from django.dispatch import receiver

from chat import broadcast, eviction, groups, storage, tokens
from chat.bindings import CREATE, DELETE, RoomBinding
from chat.identity import user_key
from chat.models import Invitation, Membership, Message, Room, Token


@receiver(post_save, sender=Room)
def room_saved(instance: Room, created: bool, **kwargs: Any) -> None:
    if not created and instance.private and instance._was_private is False:  # type: ignore[attr-defined]
        eviction.evict_strangers(instance)


@receiver(pre_delete, sender=Room)
def room_going(instance: Room, **kwargs: Any) -> None:
    eviction.close_room(instance)


@receiver(post_save, sender=Membership)
def member_came_or_changed(instance: Membership, created: bool, **kwargs: Any) -> None:
    room, key = instance.room, user_key(instance.user_id)
    if created and room.private:
        RoomBinding.tell(room, CREATE, lambda: [groups.person(key)])
    if not created and instance.role == Membership.MEMBER:
        _end_invitations(instance)
    # Whoever first reads a public room becomes a member of it, which is no news for the others.
    if not created or room.private or instance.role != Membership.MEMBER:
        _tell_role(room, instance.user_id, instance.role)


@receiver(post_delete, sender=Membership)
def member_went(instance: Membership, **kwargs: Any) -> None:
    if instance.role != Membership.MEMBER:
        _end_invitations(instance)
    # After the commit, when it shows whether the room or the account went as well: those are told of by themselves.
    transaction.on_commit(functools.partial(_put_out, instance.room_id, instance.user_id))


def _put_out(room_id: int, user_id: int) -> None:
    room = Room.objects.filter(pk=room_id).first()
    user = get_user_model().objects.filter(pk=user_id).first()
    if room is None or user is None:
        return
    key = user_key(user_id)
    if room.private and not user.is_staff:
        eviction.evict(room, key, "not_allowed")
    if room.private:
        RoomBinding.tell(room, DELETE, lambda: [groups.person(key)])
    _tell_role(room, user_id, None)


def _end_invitations(membership: Membership) -> None:
    """End the links of somebody who may make none any more: else who was put out could let themselves in."""
    links = Invitation.objects.filter(room=membership.room_id, created_by=membership.user_id)
    links.filter(created_by__is_staff=False).delete()


def _tell_role(room: Room, user_id: int, role: str | None) -> None:
    """Tell those who are in *room* what somebody is there now; None: no member."""
    key = user_key(user_id)
    broadcast.to_stream(groups.room(room.pk), "rooms", "member", room=room.slug, key=key, role=role)


@receiver(post_delete, sender=Token)
def token_deleted(instance: Token, **kwargs: Any) -> None:
    tokens.revoked(instance)


@receiver(post_delete, sender=Message)
def message_deleted(instance: Message, **kwargs: Any) -> None:
    storage.delete_after_commit(instance.image.name, instance.thumbnail.name)
