"""Where channel sessions are kept: in the channel layer's Redis, or in memory where the layer is."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Protocol

from django.core.exceptions import ImproperlyConfigured

from channels_lts import beside


class Stored(NamedTuple):
    """A session as it is kept: its random name ("" where there is none yet), whether the socket has ended, values."""

    name: str
    ended: bool
    values: dict[str, bytes]


class Place(Protocol):
    """Keeps the sessions of the sockets of one channel layer, each under the name of its reply channel.

    Every method may raise LayerUnavailable.
    """

    def load(self, channel: str) -> Stored: ...

    def values(self, channels: Sequence[str], keys: Sequence[str]) -> list[dict[str, bytes]]:
        """Return what each of several sessions has under *keys*."""

    def save(
        self, channel: str, name: str, changed: Mapping[str, bytes], removed: Sequence[str], *, begins: bool
    ) -> str | None:
        """Write *changed* and remove *removed*; other values stay as they are.

        Returns the name of the session, which is *name* if it had none; or None, and nothing was written: the socket
        has ended, and it does not begin (*begins*).
        """

    def end(self, channel: str) -> None:
        """Delete the session; what is written later comes too late, and is not kept."""


def place(layer: Any) -> Place:
    """Return where the sessions of *layer* are kept.

    Raises:
        ImproperlyConfigured: it is a layer of several processes without Redis.
    """
    found = _places.of(layer)
    if found is None:
        raise ImproperlyConfigured(
            f"channels_lts.sessions keeps sessions in Redis, which {type(beside.bare(layer)).__name__} has none of; "
            'set CHANNEL_SESSION_ENGINE = "django.contrib.sessions.backends.db"'
        )
    return found


@dataclass
class InMemory:
    """For the layers of one process: ``runserver`` and tests."""

    _lock: threading.Lock = field(default_factory=threading.Lock)
    _sessions: dict[str, Stored] = field(default_factory=dict)

    def load(self, channel: str) -> Stored:
        with self._lock:
            found = self._sessions.get(channel, Stored("", False, {}))
            return found._replace(values=dict(found.values))

    def values(self, channels: Sequence[str], keys: Sequence[str]) -> list[dict[str, bytes]]:
        return [{key: value for key, value in self.load(channel).values.items() if key in keys} for channel in channels]

    def save(
        self, channel: str, name: str, changed: Mapping[str, bytes], removed: Sequence[str], *, begins: bool
    ) -> str | None:
        with self._lock:
            found = self._sessions.get(channel)
            if found is not None and found.ended:
                if not begins:
                    return None
                found = None
            values = {**(found.values if found else {}), **changed}
            for key in removed:
                values.pop(key, None)
            self._sessions[channel] = Stored(found.name if found else name, False, values)
            return self._sessions[channel].name

    def end(self, channel: str) -> None:
        with self._lock:
            self._sessions[channel] = Stored("", True, {})
            # Those that ended stay until there are many: a process in development sees few sockets.
            ended = [name for name, session in self._sessions.items() if session.ended]
            for name in ended[:-100]:
                del self._sessions[name]


def _in_redis(layer: Any) -> Place:
    from channels_lts.layer.sessions import InRedis

    return InRedis(layer)


_places: beside.PerLayer[Place] = beside.PerLayer(_in_redis, InMemory)
