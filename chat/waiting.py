"""Sockets that open as nobody, and show a token with their first frame: for pages elsewhere, which can set no header.

``/ws/?auth=token`` is accepted, hears of nothing, and may say one thing:
``{"stream": "system", "payload": {"type": "auth", "token": …}}``. Then it goes on as if the handshake had shown that
token, and is welcomed. Whoever does not say it within ``limits.SHOW_TOKEN`` seconds is closed with 4003, by a message
that the delay server sends: it is in the database, so no restart of a worker forgets it.
"""

from __future__ import annotations

import hashlib
import time
from typing import Any

from channels import Channel
from channels.exceptions import DenyConnection
from channels.message import Message
from channels.sessions import channel_session
from django.utils.translation import gettext as _

from channels_lts import close_codes, revocation
from channels_lts.exceptions import StreamError
from channels_lts.streams import Demultiplexer, field
from chat import connection, limits

#: Where the delay server's reminder of a socket goes.
CHANNEL = "chat.nameless"
#: Under which a channel session keeps since when its socket has had to show a token.
SINCE = "chat_nameless_since"
_EVERY = "chat.nameless"


class TokenFirst(connection.TokenSocket, Demultiplexer):
    """A demultiplexer whose sockets may be nobody's at first. ``authorize`` must read the token from the headers."""

    def connect(self, message: Any, **kwargs: Any) -> None:
        if not connection.shows_token_later(message):
            super().connect(message, **kwargs)
            return
        connection.remember_language(message)
        _begin(message)
        message.reply_channel.send({"accept": True})

    def raw_receive(self, message: Any, **kwargs: Any) -> None:
        if is_nameless(message) and _late(message):
            # Where no delay server runs, as under runserver.
            self.close(close_codes.NOT_ALLOWED.code)
            return
        super().raw_receive(message, **kwargs)

    def receive(self, content: Any, **kwargs: Any) -> None:
        if not is_nameless(self.message):
            super().receive(content, **kwargs)
            return
        fields: dict[str, Any] = content if isinstance(content, dict) else {}
        stream, payload = fields.get("stream"), fields.get("payload")
        if stream != "system" or not isinstance(payload, dict) or payload.get("type") != "auth":
            named: Any = stream if self._has_stream(stream) else "system"
            self.send_error(named, StreamError("not_allowed", _("Show a token first.")), payload)
            return
        try:
            token = field(payload, "token", str, max_length=limits.TOKEN_TEXT)
        except StreamError as error:
            self.send_error("system", error, payload)
            return
        self._open_with(token, payload, **kwargs)

    def _open_with(self, token: str, payload: Any, **kwargs: Any) -> None:
        """Let the streams hear of the socket as if its handshake had shown *token*; close it where that is wrong."""
        opening = _handshake(self.message, token)
        try:
            self.authorize(opening, **kwargs)
        except DenyConnection:
            # Whoever guesses tokens begins anew for each.
            wrong = StreamError("not_allowed", _("This token is not valid, or no longer valid."))
            self.send_error("system", wrong, payload)
            self.close(close_codes.NOT_ALLOWED.code)
            return
        _end(self.message)
        for stream in self.consumers:
            try:
                self.authorize_stream(stream, opening, **kwargs)
            except StreamError:
                continue
            self._call(stream, opening, **kwargs)


def is_nameless(message: Any) -> bool:
    """Whether the socket of *message*, a frame, has to show a token before anything else."""
    return has_no_name(message.channel_session)


def has_no_name(session: Any) -> bool:
    """The same of a socket's channel session."""
    return SINCE in session


@channel_session
def too_late(message: Any) -> None:
    """Close a socket that has not shown its token: the consumer of ``chat.nameless``."""
    session = message.channel_session
    if is_nameless(message):
        message.reply_channel.send({"close": close_codes.NOT_ALLOWED.code})
    elif not getattr(session, "found", True) and not getattr(session, "ended", False):
        # Redis has lost what was known of it. Who was welcomed comes back with the token.
        message.reply_channel.send({"close": close_codes.SERVICE_RESTART.code})


def _begin(message: Any) -> None:
    layer, name = message.channel_layer, message.reply_channel.name
    for group, most in _groups(message).items():
        # Two at once may both find room: it is a bound for harm, not a promise.
        if len(list(layer.group_channels(group))) >= most:
            raise DenyConnection
        revocation.join(message, group)
    message.channel_session[SINCE] = time.time()
    reminder = {"channel": CHANNEL, "content": {"reply_channel": name}, "delay": limits.SHOW_TOKEN * 1000}
    delay = Channel("asgi.delay", channel_layer=layer)
    try:
        delay.send(reminder, immediately=True)
    except layer.ChannelFull:
        raise DenyConnection from None


def _end(message: Any) -> None:
    for group in _groups(message):
        message.channel_layer.group_discard(group, message.reply_channel.name)
    del message.channel_session[SINCE]


def _groups(message: Any) -> dict[str, int]:
    """Return the groups that count such sockets, and how many each may have: all, and those of one address."""
    session = message.channel_session
    if "client" in message:
        address = (message["client"] or ["unknown"])[0]
        session["chat_nameless_at"] = hashlib.sha256(str(address).encode()).hexdigest()[:32]
    return {_EVERY: limits.NAMELESS, f"{_EVERY}.{session.get('chat_nameless_at', '')}": limits.NAMELESS_PER_ADDRESS}


def _late(message: Any) -> bool:
    return not 0 <= time.time() - message.channel_session[SINCE] <= limits.SHOW_TOKEN


def _handshake(message: Any, token: str) -> Message:
    """Return *message*, a frame, as the handshake that it stands in for."""
    headers = [(b"authorization", b"Bearer " + token.encode("latin1", "replace"))]
    opening = Message({**message.content, "headers": headers, "text": None}, "websocket.connect", message.channel_layer)
    opening.channel_session = message.channel_session
    opening.user, opening.http_session = message.user, None
    return opening
