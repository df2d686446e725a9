"""Who is talking: a person with an account, or a guest who picked a name."""

from __future__ import annotations

import time
from dataclasses import asdict, dataclass
from typing import Any

from django.conf import settings
from django.utils.crypto import get_random_string

from chat import limits, tokens
from chat.models import Token

GUEST_SESSION_KEY = "chat_guest"
#: Under which a channel session keeps whose socket it is.
SOCKET_KEY = "chat_identity"


@dataclass(frozen=True)
class Identity:
    """A person as the chat knows them. ``key`` is theirs alone, for ever: ``u12`` for user 12, ``g…`` for a guest."""

    key: str
    name: str
    guest: bool
    user_id: int | None = None
    staff: bool = False

    def public(self) -> dict[str, Any]:
        """Return what everybody may know of them."""
        return {"key": self.key, "name": self.name, "guest": self.guest}


def of_user(user: Any) -> Identity:
    return Identity(user_key(user.pk), user.get_username(), guest=False, user_id=user.pk, staff=user.is_staff)


def user_key(user_id: int) -> str:
    return f"u{user_id}"


def of_request(request: Any) -> Identity | None:
    """Return who sent an HTTP request to a view; None is nobody: not signed in, and no name picked.

    Of who showed a token it is the token's owner: :class:`chat.middleware.TokenMiddleware` has seen to that.
    """
    return _identify(request.user, request.session)


def of_message(message: Any) -> Identity | None:
    """Return who sent a channel message; None is nobody.

    Of a frame it is whoever opened the socket, from its channel session. What the user's row says is looked up again
    once in ``limits.IDENTITY_CHECK`` seconds, and of staff each time: :mod:`channels_lts.sessions` closes the sockets
    of accounts that are closed, but hears of no ``QuerySet.update()``. For ``http.request`` use ``http_session_user``.
    """
    session = getattr(message, "channel_session", None)
    if session is None:
        return _identify(message.user, message.http_session)
    if (known := of_session(session)) is not None:
        return known
    stored = session.get(SOCKET_KEY)
    if stored is None:
        return None
    who, token = Identity(**stored["who"]), stored.get("token")
    if who.guest:
        return None
    fresh = _is_fresh(stored)
    now = _identify(message.user, None)
    if token is not None and not fresh and not tokens.alive(token):
        now = None
    # Nothing is written for staff with each frame.
    return now if fresh and now == who else _keep(session, now, token)


def of_session(session: Any) -> Identity | None:
    """Return whose socket it is that *session*, a channel session, is of.

    None where it is nobody's, and where their row has to be looked at first: :func:`of_message` does that.
    """
    stored = session.get(SOCKET_KEY)
    if stored is None:
        return None
    who = Identity(**stored["who"])
    if who.guest:
        return who if settings.CHAT_GUESTS else None
    return who if _is_fresh(stored) and not who.staff else None


def opened(message: Any) -> Identity | None:
    """On ``websocket.connect``: return who opens the socket, and keep it in the socket's own session.

    Frames that follow carry no cookie, so only the channel session can tell whose they are. The consumer must have put
    ``user`` and both sessions on *message*: ``http_user`` does.
    """
    return _keep(message.channel_session, _identify(message.user, message.http_session))


def opened_by(message: Any, token: Token) -> Identity:
    """The same for a socket whose owner showed *token*, which is valid: the one whose token it is."""
    who = of_user(token.user)
    _keep(message.channel_session, who, token.pk)
    return who


def _is_fresh(stored: dict[str, Any]) -> bool:
    return 0 <= time.time() - stored["checked"] < limits.IDENTITY_CHECK


def _keep(session: Any, who: Identity | None, token: int | None = None) -> Identity | None:
    if who is not None:
        session[SOCKET_KEY] = {"who": asdict(who), "checked": time.time(), "token": token}
    return who


def become_guest(session: Any, name: str) -> None:
    """Make the owner of *session* a guest called *name*. Who was a guest already stays the same one."""
    known = session.get(GUEST_SESSION_KEY)
    key = known["key"] if known else "g" + get_random_string(20)
    session[GUEST_SESSION_KEY] = {"key": key, "name": name}


def _identify(user: Any, session: Any) -> Identity | None:
    if user.is_authenticated:
        return of_user(user)
    guest = session.get(GUEST_SESSION_KEY) if session is not None and settings.CHAT_GUESTS else None
    return Identity(guest["key"], guest["name"], guest=True) if guest else None
