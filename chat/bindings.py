"""The ``rooms`` stream: Channels' data binding on Room, so that every room list is live.

It differs from the library's binding in whom it tells, since a room that becomes private is taken from strangers, and
in that what comes in passes the form.
"""

from __future__ import annotations

import json
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from channels_lts import streams
from channels_lts.binding import WebsocketBinding
from channels_lts.exceptions import StreamError
from channels_lts.streams import field
from chat import broadcast, direct, groups, identity, permissions, rooms, throttle
from chat.forms import RoomForm
from chat.identity import Identity
from chat.models import Room

CREATE, UPDATE, DELETE = "create", "update", "delete"


class RoomBinding(WebsocketBinding):
    """Tells of rooms that are made, changed and deleted: of public ones everybody, of private ones their members."""

    model = Room
    stream = "rooms"
    fields = ["name", "slug", "topic", "private", "last_seq", "slow_seconds"]
    #: What people may set; the other fields only go out.
    writable = ("name", "topic", "private", "slow_seconds")
    # The demultiplexer has found out who it is.
    channel_session_user = False

    # --- Out ---

    @classmethod
    def payload(cls, room: Room, action: str, viewer: str | None = None) -> dict[str, Any]:
        """Return *room* for the person with the key *viewer*: only direct rooms look different to different people."""
        payload = {"type": action, **cls().serialize(room, action)}
        payload["data"]["direct"] = direct.other_key(room, viewer)
        return payload

    @classmethod
    def group_names(cls, instance: Room) -> set[str]:
        if not instance.private:
            return {groups.EVERYBODY}
        return {groups.person(identity.user_key(pk)) for pk in instance.memberships.values_list("user", flat=True)}

    @classmethod
    def pre_save_receiver(cls, instance: Room, update_fields: Any = None, **kwargs: Any) -> None:
        # Upstream asks the instance, which has its new values already. The database has what people saw until now,
        # and is only asked where that may change: a post saves nothing but the number.
        was_private: bool | None = instance.private
        if not instance._state.adding and (update_fields is None or "private" in update_fields):
            was_private = Room.objects.filter(pk=instance.pk).values_list("private", flat=True).first()
        instance._was_private = was_private  # type: ignore[attr-defined]

    @classmethod
    def post_save_receiver(cls, instance: Room, created: bool, **kwargs: Any) -> None:
        was_private = instance._was_private  # type: ignore[attr-defined]
        if created:
            cls.tell(instance, CREATE, lambda: cls.group_names(instance))
        elif was_private == instance.private:
            cls.tell(instance, UPDATE, lambda: cls.group_names(instance))
        else:
            # Strangers lose sight of it before members get it again, or the other way round.
            before = Room(pk=instance.pk, private=bool(was_private))
            cls.tell(instance, DELETE, lambda: cls.group_names(before))
            cls.tell(instance, CREATE, lambda: cls.group_names(instance))

    @classmethod
    def pre_delete_receiver(cls, instance: Room, **kwargs: Any) -> None:
        instance._told = cls.group_names(instance)  # type: ignore[attr-defined]

    @classmethod
    def post_delete_receiver(cls, instance: Room, **kwargs: Any) -> None:
        told = instance._told  # type: ignore[attr-defined]
        cls.tell(instance, DELETE, lambda: told)

    @classmethod
    def tell(cls, room: Room, action: str, whom: Any) -> None:
        """Send *room* as it is now, when the transaction commits, to the groups that *whom* returns then."""
        if room.direct is None:
            broadcast.to_groups(whom, cls.encode(cls.stream, cls.payload(room, action)))
        else:
            transaction.on_commit(lambda: cls._tell_each(room, action, set(whom())))

    @classmethod
    def _tell_each(cls, room: Room, action: str, told: set[str]) -> None:
        """Send a direct *room* to those of its people whose groups are among *told*, by the name that each has for it.

        Of one that is gone nobody's name is known any more, and nobody needs it.
        """
        names = direct.names(room) if action != DELETE else {}
        for key in direct.keys(room):
            if groups.person(key) in told:
                payload = cls.payload(room, action, key)
                payload["data"]["name"] = names.get(key, room.name)
                broadcast.to_group(groups.person(key), cls.encode(cls.stream, payload))

    # --- In ---

    def deserialize(self, message: Any) -> tuple[str, int | None, dict[str, Any]]:
        self.request = json.loads(message["text"])
        # Channels' binding calls it action; every payload of ours has a type.
        action = field(self.request, "action" if "action" in self.request else "type", str)
        pk = field(self.request, "pk", int) if action == UPDATE else None
        return action, pk, field(self.request, "data", dict, default={})

    def run_action(self, action: str, pk: int | None, data: dict[str, Any]) -> None:
        if action not in (CREATE, UPDATE):
            raise StreamError("unknown_type", _("Rooms can be created and updated here."))
        self.who = identity.of_message(self.message)
        # The base class offers has_permission(user, action, pk), which sees neither guests nor the data.
        room = self.permitted(self.who, action, pk, data)
        form = RoomForm(self._form_data(room, data), instance=room)
        if not form.is_valid():
            raise StreamError("bad_field", _reasons(form))
        if action == CREATE:
            assert self.who is not None  # noqa: S101  (permitted() made sure)
            throttle.check("room", self.who)
            room = rooms.create(form.save(commit=False))
        else:
            room.save(update_fields=self.writable)
        self._answer(room, action)

    def permitted(self, who: Identity | None, action: str, pk: int | None, data: dict[str, Any]) -> Room:
        """Return the room to change, or a new one.

        Raises:
            StreamError: ``bad_field`` for data other than the writable fields, ``not_allowed``, ``not_found``.
        """
        unknown = sorted(set(data) - set(self.writable))
        if unknown:
            raise StreamError("bad_field", _("This cannot be set: %(fields)s") % {"fields": ", ".join(unknown)[:200]})
        if action == UPDATE:
            assert pk is not None  # noqa: S101  (deserialize() made sure)
            room = permissions.open_room_by_id(who, pk, permissions.MANAGE)
            assert who is not None  # noqa: S101  (open_room refuses nobody)
            throttle.check("action", who)
            return room
        if who is None or who.user_id is None:
            raise StreamError("not_allowed", _("Sign in to make a room."))
        return Room(created_by_id=who.user_id)

    def _form_data(self, room: Room, data: dict[str, Any]) -> dict[str, Any]:
        kinds: dict[str, Any] = {"name": str, "topic": str, "private": bool, "slow_seconds": int}
        return {name: field(data, name, kinds[name], default=getattr(room, name)) for name in self.writable}

    def _answer(self, room: Room, action: str) -> None:
        """Whoever asked under an id is answered; all others hear of the change through their group."""
        request = streams.request_id(self.request)
        if request is not None:
            self.kwargs["multiplexer"].send({**self.payload(room, action), "id": request})


def _reasons(form: RoomForm) -> str:
    return " ".join(f"{name}: {error}" for name, errors in form.errors.items() for error in errors)
