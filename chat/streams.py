"""The streams of /ws/: everything that the page talks about, on one socket."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from channels import Group
from channels.exceptions import DenyConnection
from django.utils import translation
from django.utils.translation import gettext as _

from channels_lts.exceptions import StreamError
from channels_lts.streams import Head, Heartbeat, NumberedStream, Stored, StreamConsumer, field
from channels_lts.together import Together
from chat import (
    actions,
    commands,
    connection,
    groups,
    identity,
    limits,
    messages,
    opening,
    permissions,
    presence,
    throttle,
    together,
    typing,
)
from chat.bindings import RoomBinding
from chat.identity import Identity
from chat.models import Room
from chat.waiting import TokenFirst, is_nameless


class ChatConsumer(StreamConsumer):
    """A stream that knows who is talking; the demultiplexer lets nobody else in."""

    @property
    def identity(self) -> Identity:
        return self.message.identity


class SystemStream(ChatConsumer, Heartbeat):
    def connect(self, message: Any, **kwargs: Any) -> None:
        self.reply(
            "welcome",
            identity=self.identity.public(),
            heartbeat=limits.HEARTBEAT,
            limits={"body": limits.BODY, "image": limits.IMAGE_BYTES},
        )

    def type_ping(self, payload: dict[str, Any]) -> None:
        presence.seen(self.message.reply_channel.name, self.identity)
        super().type_ping(payload)

    def heads(self) -> dict[str, dict[str, int]]:
        # Who missed the last number of ``presence`` shows somebody who has gone, or not somebody who came.
        rooms = presence.joined(self.message.reply_channel.name)
        return {room.slug: {**head(room).public(), "presence": room.presence} for room in rooms}


class ChatStream(ChatConsumer, NumberedStream):
    """Joining, talking and history; everything else that people do is in chat.actions, answered by ``done``."""

    log_field = "room"
    name_length = limits.SLUG
    history_size = limits.HISTORY
    history_most = limits.HISTORY_MAX
    recover_most = limits.RECOVER_MAX

    def receive(self, content: dict[str, Any], **kwargs: Any) -> None:
        kind = content.get("type")
        if isinstance(kind, str) and kind in actions.ACTIONS:
            self._request = content
            answer = actions.perform(kind, self.identity, content, channel=self.message.reply_channel.name)
            self.reply("done", action=kind, **answer)
        else:
            if kind in ("join", "history"):
                throttle.check(kind, self.identity, channel=self.message.reply_channel.name)
            super().receive(content, **kwargs)

    def type_typing(self, payload: dict[str, Any]) -> None:
        """Nothing answers this: who typed on has other worries."""
        slug = field(payload, "room", str, max_length=limits.SLUG)
        typing.tell(self.identity, slug, self.message.reply_channel.name, on=field(payload, "on", bool))

    def open(self, name: str, *, write: bool = False) -> Room:
        return permissions.open_room(self.identity, name, permissions.POST if write else permissions.READ)

    def open_to_leave(self, name: str) -> Room:
        # Who may not read it any more may leave it all the same.
        room = opening.joined_as(self.message.reply_channel.name, name)
        if room is None:
            raise StreamError("not_found", _("You are not in this room."))
        return room

    def name(self, log: Room) -> str:
        return log.slug

    def group_name(self, log: Room) -> str:
        return groups.room(log.pk)

    def head(self, log: Room) -> Head:
        return head(log)

    def entered(self, log: Room) -> None:
        name = self.message.reply_channel.name
        try:
            presence.enter(log, name, self.identity)
        except StreamError:
            self._group(log).discard(self.message.reply_channel)
            raise
        if connection.has_ended(self.message):
            # The worker that served the disconnect did not see the row yet, and nobody else will take it away.
            self._leave(log)

    def left(self, log: Room) -> None:
        presence.leave(log, self.message.reply_channel.name)

    def greeting(self, log: Room) -> dict[str, Any]:
        return {
            **presence.listing(log),
            "role": log.role,
            "permissions": sorted(permissions.allowed(self.identity, log)),
            "last_read": log.last_read,
            "slow_seconds": log.slow_seconds,
        }

    def entries_before(self, log: Room, seq: int | None, limit: int) -> list[dict[str, Any]]:
        return messages.before(log, seq, limit)[0]

    def entries_after(self, log: Room, seq: int, limit: int) -> list[dict[str, Any]]:
        return messages.after(log, seq, limit)

    def entries_changed(self, log: Room, since: Head, limit: int) -> list[dict[str, Any]]:
        return messages.changed(log, since.revision, since.seq, limit)

    def store(self, log: Room, payload: dict[str, Any]) -> Stored:
        uid = messages.client_uid(payload)
        throttle.check("send", self.identity, log, self.message.reply_channel.name, uid=uid)
        message, again = messages.post(log, self.identity, commands.to_post(field(payload, "body", str)), uid)
        return Stored(message.uid, message.seq, again)

    def type_send(self, payload: dict[str, Any]) -> None:
        body = payload.get("body")
        if not (isinstance(body, str) and commands.is_command(body)):
            super().type_send(payload)
            return
        room, uid = (
            self.open(field(payload, "room", str, max_length=limits.SLUG), write=True),
            messages.client_uid(payload),
        )
        throttle.check("send", self.identity, room, self.message.reply_channel.name)
        self.reply("done", **commands.run(room, self.identity, field(payload, "body", str), uid))


def head(room: Room) -> Head:
    return Head(room.epoch, room.last_seq, room.revision)


class PresenceStream(ChatConsumer):
    """Only speaks: ``join`` and ``leave``, from chat.presence."""


class JobsStream(ChatConsumer):
    """Only speaks: ``queued``, ``done`` and ``failed``, from chat.jobs."""


class ChatDemultiplexer(Together, TokenFirst):
    """The socket of the page. Nobody in particular is refused with 403; who is nobody any more is closed: 4003.

    Messages that are nothing but text are stored many at once where many wait: :mod:`chat.together`.
    """

    http_user = True
    consumers = {
        "system": SystemStream,
        "chat": ChatStream,
        "presence": PresenceStream,
        "rooms": RoomBinding.consumer,
        "jobs": JobsStream,
    }

    @classmethod
    def joins(cls, message: Any) -> bool:
        return together.joins(message)

    @classmethod
    def serve_together(cls, messages: Sequence[Any]) -> Sequence[Any]:
        return together.serve(messages, cls.consumers["chat"])

    def authorize(self, message: Any, **kwargs: Any) -> None:
        message.identity = connection.opened(message)
        if message.identity is None:
            raise DenyConnection
        connection.enter_groups(message, self._groups(message.identity))

    def raw_receive(self, message: Any, **kwargs: Any) -> None:
        message.identity = identity.of_message(message)
        if message.identity is None and not is_nameless(message):
            # The account was closed or its password changed, or guests are no longer welcome.
            self.close(connection.close_code(message))
            return
        with translation.override(connection.language(message)):
            super().raw_receive(message, **kwargs)

    def disconnect(self, message: Any, **kwargs: Any) -> None:
        message.identity = identity.of_message(message)
        connection.leave_groups(message, self._groups(message.identity))
        # First, so that a join that another worker serves in this moment finds that it comes too late.
        connection.end(message)
        for room in presence.leave_all(message.reply_channel.name):
            Group(groups.room(room.pk)).discard(message.reply_channel)
        super().disconnect(message, **kwargs)

    def _groups(self, who: Identity | None) -> list[str]:
        return [groups.EVERYBODY, groups.person(who.key)] if who else [groups.EVERYBODY]
