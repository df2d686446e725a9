"""What every socket of the chat has in common: whose it is, the groups that follow from that, and its end."""

from __future__ import annotations

from typing import Any

from channels import Group
from channels.exceptions import DenyConnection
from channels.handler import AsgiRequest
from channels.sessions import session_for_reply_channel
from django.conf import settings
from django.utils import translation

from chat import groups, identity
from chat.identity import Identity

_SESSION_GROUP = "chat_session_group"
_LANGUAGE = "chat_language"


def opened(message: Any) -> Identity | None:
    """Return who opens this socket, and keep in its channel session what later frames, without cookies, cannot tell."""
    identity.carry_guest(message)
    who = identity.of_message(message)
    if who is not None:
        session = message.channel_session
        session[_LANGUAGE] = translation.get_language_from_request(AsgiRequest(message))
        if message.http_session is not None and message.http_session.session_key:
            session[_SESSION_GROUP] = groups.session(message.http_session.session_key)
    return who


def language(message: Any) -> str:
    """Return the language in which the owner of this socket reads why something was refused."""
    return message.channel_session.get(_LANGUAGE) or settings.LANGUAGE_CODE


def group_names(message: Any, own: list[str]) -> list[str]:
    """Return *own* and the group of the HTTP session, with which the socket ends."""
    session_group = message.channel_session.get(_SESSION_GROUP)
    return [*own, session_group] if session_group else own


def enter_groups(message: Any, own: list[str]) -> None:
    for name in group_names(message, own):
        Group(name, channel_layer=message.channel_layer).add(message.reply_channel)


def leave_groups(message: Any, own: list[str]) -> None:
    for name in group_names(message, own):
        Group(name, channel_layer=message.channel_layer).discard(message.reply_channel)


class ForgetsSession:
    """For a WebSocket consumer: the row of the channel session goes when the socket does, or was refused."""

    def dispatch(self, message: Any, **kwargs: Any) -> None:
        try:
            super().dispatch(message, **kwargs)  # type: ignore[misc]
        except DenyConnection:
            self._forget(message)
            raise
        # After everything else: the decorators of Channels write the session once more behind the handler.
        if message.channel.name == "websocket.disconnect":
            self._forget(message)

    def _forget(self, message: Any) -> None:
        session_for_reply_channel(message.reply_channel.name).delete()
