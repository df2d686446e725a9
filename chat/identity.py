"""Who is talking: a person with an account, or a guest who picked a name."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.utils.crypto import get_random_string

GUEST_SESSION_KEY = "chat_guest"


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
    """Return who sent an HTTP request to a view; None is nobody: not signed in, and no name picked."""
    return _identify(request.user, request.session)


def of_message(message: Any) -> Identity | None:
    """Return who sent a channel message.

    Its consumer must have put ``user`` and a session on it: ``http_user`` does so for sockets, where the guest is in
    the channel session since :func:`carry_guest`; ``http_session_user`` does for ``http.request``.
    """
    session = getattr(message, "channel_session", None)
    return _identify(message.user, message.http_session if session is None else session)


def become_guest(session: Any, name: str) -> None:
    """Make the owner of *session* a guest called *name*. Who was a guest already stays the same one."""
    known = session.get(GUEST_SESSION_KEY)
    key = known["key"] if known else "g" + get_random_string(20)
    session[GUEST_SESSION_KEY] = {"key": key, "name": name}


def carry_guest(message: Any) -> None:
    """On ``websocket.connect``: take the guest from the HTTP session to the socket's own session.

    Frames that follow carry no cookie, so only the channel session can tell whose they are.
    """
    guest = message.http_session.get(GUEST_SESSION_KEY) if message.http_session is not None else None
    if guest:
        message.channel_session[GUEST_SESSION_KEY] = guest


def _identify(user: Any, session: Any) -> Identity | None:
    if user.is_authenticated:
        return of_user(user)
    guest = session.get(GUEST_SESSION_KEY) if session is not None and settings.CHAT_GUESTS else None
    return Identity(guest["key"], guest["name"], guest=True) if guest else None
