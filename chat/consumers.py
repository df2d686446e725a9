"""The endpoints that the tutorials of Channels 1.x build: an echo of functions, a room of one class."""

from __future__ import annotations

import json
import logging
from typing import Any

from channels.exceptions import DenyConnection
from channels.generic.websockets import JsonWebsocketConsumer
from django.utils import translation
from django.utils.translation import gettext as _

from channels_lts.exceptions import StreamError
from channels_lts.streams import field
from chat import commands, connection, groups, identity, messages, permissions, presence, responses, throttle

logger = logging.getLogger(__name__)


def echo_connect(message: Any) -> None:
    message.reply_channel.send({"accept": True})


def echo(message: Any) -> None:
    """Send every frame back as it came: text as text, bytes as bytes."""
    kind = "text" if message.get("text") is not None else "bytes"
    message.reply_channel.send({kind: message[kind]})


def echo_disconnect(message: Any) -> None:
    """Nothing is kept of an echo."""


def refuse(message: Any) -> None:
    """Refuse a WebSocket with 403. Channels accepts those that no route is for, and then never answers."""
    raise DenyConnection


class RoomConsumer(connection.TokenSocket, JsonWebsocketConsumer):
    """One room on one socket: ``{"message": …}`` in, ``{"message", "author", "seq", "at"}`` out, of images too.

    What is refused is answered by ``{"error": {"code", "reason"}}``.
    """

    http_user = True
    strict_ordering = True

    def raw_connect(self, message: Any, slug: str, **kwargs: Any) -> None:
        who = connection.opened(message)
        try:
            room = permissions.open_room(who, slug)
        except StreamError:
            raise DenyConnection from None
        assert who is not None  # noqa: S101  (open_room refuses nobody)
        connection.enter_groups(message, [groups.plain(room.pk)])
        presence.enter_plain(room, message.reply_channel.name, who)
        self.connect(message, **kwargs)

    def raw_receive(self, message: Any, slug: str, **kwargs: Any) -> None:
        who = identity.of_message(message)
        if who is None:
            self.close(connection.close_code(message))
            return
        with translation.override(connection.language(message)):
            try:
                room = permissions.open_room(who, slug, permissions.POST)
                throttle.check("send", who, room, message.reply_channel.name)
                text = field(self._content(message), "message", str)
                if commands.is_command(text):
                    self.send({"done": commands.run(room, who, text)})
                else:
                    messages.post(room, who, commands.to_post(text))
            except StreamError as error:
                self.send(responses.error_body(error))
            except Exception:
                # Not raised on: the client is told here, and the log knows it.
                logger.exception("a message to room %s failed", slug)
                self.send(responses.error_body(StreamError("internal", _("The server failed; it has been logged."))))

    def raw_disconnect(self, message: Any, slug: str, **kwargs: Any) -> None:
        rooms = presence.leave_all(message.reply_channel.name)
        connection.leave_groups(message, [groups.plain(room.pk) for room in rooms])

    @classmethod
    def encode_json(cls, content: Any) -> str:
        return json.dumps(content, ensure_ascii=False)

    def _content(self, message: Any) -> dict[str, Any]:
        text = message.get("text")
        try:
            content = self.decode_json(text) if text is not None else None
        # RecursionError: arrays nested a thousand deep.
        except (ValueError, RecursionError):
            raise StreamError("malformed", _("The frame is not JSON.")) from None
        if text is None:
            raise StreamError("malformed", _("The frame is not text."))
        if not isinstance(content, dict):
            raise StreamError("not_object", _("The frame is not a JSON object."))
        return content
