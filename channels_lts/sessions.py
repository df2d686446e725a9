"""Channel sessions in the channel layer's Redis, for ``CHANNEL_SESSION_ENGINE = "channels_lts.sessions"``.

What a socket's session promises, and who is told of a logout, is in docs/sessions.md.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from typing import Any

from django.contrib.sessions.backends.base import SessionBase
from django.core.exceptions import ImproperlyConfigured

from channels_lts.revocation import close_session, close_user, session_group, user_group, watch
from channels_lts.session_places import Place, place

__all__ = [
    "SessionStore",
    "close_session",
    "close_user",
    "for_reply_channel",
    "session_group",
    "user_group",
    "values_of",
    "watch",
]


def for_reply_channel(name: str, layer: Any = None) -> SessionStore:
    """Return the session of the socket with reply channel *name*, of *layer* or else the default channel layer."""
    if layer is None:
        from channels import DEFAULT_CHANNEL_LAYER, channel_layers

        layer = channel_layers[DEFAULT_CHANNEL_LAYER]
    return SessionStore(channel=name, place=place(layer))


def values_of(names: Sequence[str], keys: Sequence[str], layer: Any) -> list[dict[str, Any]]:
    """Return what the sessions of several sockets of *layer*, by their reply channels, have under *keys*.

    Costs one round trip for each Redis.

    Raises:
        LayerUnavailable: one cannot be reached.
    """
    where = place(layer)
    loads = SessionStore(place=where).serializer().loads
    return [{key: loads(value) for key, value in found.items()} for found in where.values(names, keys)]


class SessionStore(SessionBase):
    """The session of one socket. It lives as long as the socket, and ``CHANNEL_SESSION_EXPIRY`` seconds at most.

    Each value is kept by itself: of two frames that are served at the same time, each keeps what it set, and where both
    set the same one, the later wins. A mutable value that was changed in place needs ``session.modified = True``, as
    in every session of Django; all values that differ are written then.

    ``session_key`` is random: nothing can be looked up by it, here or among HTTP sessions.
    Reading and saving raise LayerUnavailable where Redis cannot be reached.
    """

    #: Whether the socket begins with this message. Only then is a session that ended begun anew.
    begins = False

    def __init__(self, session_key: str | None = None, *, channel: str = "", place: Place | None = None) -> None:
        if place is None:
            raise ImproperlyConfigured(
                "channels_lts.sessions is for CHANNEL_SESSION_ENGINE alone: no session is found by its key there"
            )
        self._name = secrets.token_hex(16)
        super().__init__(self._name)
        self._channel = channel
        self._place = place
        self._stored: dict[str, bytes] = {}
        self._ended = False

    @property
    def found(self) -> bool:
        """Whether there was anything when the session was read. If not, of a socket that had it: Redis has lost it."""
        self.get("")
        return bool(self._stored)

    @property
    def ended(self) -> bool:
        """Whether the socket had ended already when the session was read: a frame that came late."""
        # Whatever asks for a value reads the session.
        self.get("")
        return self._ended

    def load(self) -> dict[str, Any]:
        stored = self._place.load(self._channel)
        if stored.name:
            self._name = self._session_key = stored.name
        self._ended = stored.ended
        self._stored = stored.values
        return {name: self.serializer().loads(value) for name, value in stored.values.items()}

    def save(self, must_create: bool = False) -> None:
        """Write what changed since the session was read. Nothing is kept for a socket that has ended."""
        values = {name: self.serializer().dumps(value) for name, value in self.items()}
        changed = {name: value for name, value in values.items() if self._stored.get(name) != value}
        removed = [name for name in self._stored if name not in values]
        if changed or removed:
            kept = self._place.save(self._channel, self._name, changed, removed, begins=self.begins)
            if kept is not None:
                self._name = self._session_key = kept
        self._stored = values
        self.modified = False

    def exists(self, session_key: str) -> bool:
        """Every socket has a session, which is empty at first."""
        return True

    def create(self) -> None:
        """Every socket has one already."""

    def cycle_key(self) -> None:
        """The name is the server's secret as it is."""

    def flush(self) -> None:
        """Forget all values. The socket, and so its session, goes on."""
        self.clear()

    def delete(self, session_key: str | None = None) -> None:
        """End the session: the socket is gone."""
        self._place.end(self._channel)
        self._stored = {}

    @classmethod
    def clear_expired(cls) -> None:
        """They go by themselves."""
