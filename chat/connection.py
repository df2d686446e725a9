"""What every socket of the chat has in common: whose it is, and in which language its owner reads.

A handshake that shows a token is judged by that alone: its cookies are taken away before anything looks at them. So
the Origin check, which protects the cookies, has nothing to protect there, and lets it pass from wherever it comes.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qs

from channels import Group
from channels.handler import AsgiRequest
from django.conf import settings
from django.utils import translation

from channels_lts import bearer, close_codes
from channels_lts.exceptions import StreamError
from channels_lts.sessions import for_reply_channel
from chat import identity, tokens
from chat.identity import Identity

_LANGUAGE = "chat_language"
# Those who cannot set a header show their token with the first frame of /ws/?auth=token.
_STREAMS_PATH = "/ws/"
_ROOM_PATHS = "/ws/chat/"


def cookies_do_not_count(message: Any) -> bool:
    """Whether *message* is a handshake of who shows a token, or is going to: then it is nobody's by its cookies."""
    path = str(message.get("path", ""))
    if message.channel.name != "websocket.connect" or not (path == _STREAMS_PATH or path.startswith(_ROOM_PATHS)):
        return False
    return bearer.of_headers(message.get("headers", [])) is not None or shows_token_later(message)


def shows_token_later(message: Any) -> bool:
    """Whether this handshake announces a token with the first frame: ``/ws/?auth=token``, without one in a header."""
    if message.get("path") != _STREAMS_PATH or bearer.of_headers(message.get("headers", [])) is not None:
        return False
    query = message.get("query_string", b"")
    text = query.decode("latin1") if isinstance(query, bytes) else query
    return parse_qs(text).get("auth") == ["token"]


class TokenSocket:
    """Goes before the class of a WebSocket's consumer: who shows a token comes without cookies."""

    def get_handler(self, message: Any, **kwargs: Any) -> Any:
        if cookies_do_not_count(message):
            bearer.without_cookies(message)
        return super().get_handler(message, **kwargs)  # type: ignore[misc]


def opened(message: Any) -> Identity | None:
    """Return who opens this socket, and keep in its channel session what later frames, without cookies, cannot tell.

    None is nobody: whose token is wrong, too, whatever else they show.
    """
    secret = bearer.of_headers(message.get("headers", []))
    if secret is None:
        who = identity.opened(message)
    else:
        try:
            who = identity.opened_by(message, tokens.open_socket(message, secret))
        except StreamError:
            return None
    if who is not None:
        remember_language(message)
    return who


def remember_language(message: Any) -> None:
    """Keep the language that the handshake asked for; what was kept before stays."""
    if _LANGUAGE not in message.channel_session:
        message.channel_session[_LANGUAGE] = translation.get_language_from_request(AsgiRequest(message))


def language(message: Any) -> str:
    """Return the language in which the owner of this socket reads why something was refused."""
    return message.channel_session.get(_LANGUAGE) or settings.LANGUAGE_CODE


def close_code(message: Any) -> int:
    """Return the code with which to close a socket that is nobody's any more.

    Where its session is lost, with Redis or because the socket has ended, it may come back, with its cookie.
    """
    found = getattr(message.channel_session, "found", True)
    return (close_codes.NOT_ALLOWED if found else close_codes.SERVICE_RESTART).code


def end(message: Any) -> None:
    """Note that this socket has ended, for those who serve its last frames at the same time."""
    session = message.channel_session
    if hasattr(session, "ended"):
        session.delete()


def has_ended(message: Any) -> bool:
    """Whether the socket has ended while a frame of it was being served. Costs a round trip to Redis."""
    session = message.channel_session
    if not hasattr(session, "ended"):
        # Another session engine does not know.
        return False
    return for_reply_channel(message.reply_channel.name).ended


def enter_groups(message: Any, names: list[str]) -> None:
    for name in names:
        Group(name, channel_layer=message.channel_layer).add(message.reply_channel)


def leave_groups(message: Any, names: list[str]) -> None:
    for name in names:
        Group(name, channel_layer=message.channel_layer).discard(message.reply_channel)
