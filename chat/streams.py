"""The streams of /ws/: everything that the page talks about, on one socket."""

from __future__ import annotations

from typing import Any

from channels import Group
from channels.exceptions import DenyConnection
from django.utils import translation
from django.utils.translation import gettext as _

from channels_lts.exceptions import StreamError
from channels_lts.streams import Demultiplexer, StreamConsumer, field
from chat import actions, connection, groups, identity, limits, messages, permissions, presence
from chat.bindings import RoomBinding
from chat.identity import Identity
from chat.models import Room


class ChatConsumer(StreamConsumer):
    """A stream that knows who is talking; the demultiplexer lets nobody else in."""

    @property
    def identity(self) -> Identity:
        return self.message.identity


class SystemStream(ChatConsumer):
    def connect(self, message: Any, **kwargs: Any) -> None:
        self.reply(
            "welcome",
            identity=self.identity.public(),
            heartbeat=limits.HEARTBEAT,
            limits={"body": limits.BODY, "image": limits.IMAGE_BYTES},
        )

    def type_ping(self, payload: dict[str, Any]) -> None:
        presence.seen(self.message.reply_channel.name, self.identity)
        self.reply("pong")


class ChatStream(ChatConsumer):
    """Joining, talking and history; everything else that people do is in chat.actions, answered by ``done``."""

    def receive(self, content: dict[str, Any], **kwargs: Any) -> None:
        kind = content.get("type")
        if isinstance(kind, str) and kind in actions.ACTIONS:
            self._request = content
            answer = actions.perform(kind, self.identity, content, channel=self.message.reply_channel.name)
            self.reply("done", action=kind, **answer)
        else:
            super().receive(content, **kwargs)

    def type_join(self, payload: dict[str, Any]) -> None:
        room, since = self._room(payload), self._since(payload)
        # Join first, then look: what is posted in between arrives twice, and the number tells, but never not at all.
        Group(groups.room(room.pk)).add(self.message.reply_channel)
        presence.enter(room, self.message.reply_channel.name, self.identity)
        room.refresh_from_db(fields=["last_seq"])
        found = self._missed(room, *since) if since else None
        self.reply(
            "joined",
            room=room.slug,
            epoch=room.epoch,
            seq=room.last_seq,
            recovered=found is not None,
            messages=messages.before(room, None)[0] if found is None else found,
            members=[person.public() for person in presence.here(room)],
        )

    def type_leave(self, payload: dict[str, Any]) -> None:
        slug = field(payload, "room", str, max_length=limits.SLUG)
        name = self.message.reply_channel.name
        room = Room.objects.filter(slug=slug, clients__channel_name=name).first()
        if room is None:
            raise StreamError("not_found", _("You are not in this room."))
        Group(groups.room(room.pk)).discard(self.message.reply_channel)
        presence.leave(room, name)
        self.reply("left", room=room.slug)

    def type_send(self, payload: dict[str, Any]) -> None:
        room = self._room(payload, permissions.POST)
        uid = messages.client_uid(payload)
        message, again = messages.post(room, self.identity, field(payload, "body", str), uid)
        self.reply("ack", id=message.uid, room=room.slug, seq=message.seq, dup=again)

    def type_history(self, payload: dict[str, Any]) -> None:
        room = self._room(payload)
        before = field(payload, "before", int, default=None, minimum=1)
        limit = field(payload, "limit", int, default=limits.HISTORY, minimum=1)
        if limit > limits.HISTORY_MAX:
            raise StreamError("bad_field", _("limit must be at most %(limit)d") % {"limit": limits.HISTORY_MAX})
        found, more = messages.before(room, before, limit)
        self.reply("history", room=room.slug, messages=found, more=more)

    def _room(self, payload: dict[str, Any], action: str = permissions.READ) -> Room:
        slug = field(payload, "room", str, max_length=limits.SLUG)
        return permissions.open_room(self.identity, slug, action)

    def _since(self, payload: dict[str, Any]) -> tuple[str, int] | None:
        """Return epoch and number up to which the client knows the room, if it says so."""
        if payload.get("since") is None:
            return None
        since = field(payload, "since", dict)
        return field(since, "epoch", str), field(since, "seq", int, minimum=0)

    def _missed(self, room: Room, epoch: str, seq: int) -> list[dict[str, Any]] | None:
        """Return all messages that this client lacks; None where it has to begin anew."""
        if epoch != room.epoch or not 0 <= room.last_seq - seq <= limits.RECOVER_MAX:
            return None
        return messages.after(room, seq, limits.RECOVER_MAX)


class PresenceStream(ChatConsumer):
    """Only speaks: ``join`` and ``leave``, from chat.presence."""


class JobsStream(ChatConsumer):
    """Only speaks: ``queued``, ``done`` and ``failed``, from chat.jobs."""


class ChatDemultiplexer(Demultiplexer):
    """The socket of the page. Nobody in particular is refused with 403; who is nobody any more is closed: 4003."""

    http_user = True
    consumers = {
        "system": SystemStream,
        "chat": ChatStream,
        "presence": PresenceStream,
        "rooms": RoomBinding.consumer,
        "jobs": JobsStream,
    }

    def authorize(self, message: Any, **kwargs: Any) -> None:
        message.identity = connection.opened(message)
        if message.identity is None:
            raise DenyConnection
        connection.enter_groups(message, self._groups(message.identity))

    def raw_receive(self, message: Any, **kwargs: Any) -> None:
        message.identity = identity.of_message(message)
        if message.identity is None:
            # The account was closed or its password changed, or guests are no longer welcome.
            self.close(connection.close_code(message))
            return
        with translation.override(connection.language(message)):
            super().raw_receive(message, **kwargs)

    def disconnect(self, message: Any, **kwargs: Any) -> None:
        message.identity = identity.of_message(message)
        connection.leave_groups(message, self._groups(message.identity))
        for room in presence.leave_all(message.reply_channel.name):
            Group(groups.room(room.pk)).discard(message.reply_channel)
        super().disconnect(message, **kwargs)

    def _groups(self, who: Identity | None) -> list[str]:
        return [groups.EVERYBODY, groups.person(who.key)] if who else [groups.EVERYBODY]
