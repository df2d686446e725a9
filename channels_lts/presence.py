"""Who is in a group: its channels, how many they are, and whose they are.

    presence.enter("board-7", message.reply_channel.name, "u12", {"name": "Ann"})
    presence.present("board-7")  # [Person(key="u12", info={"name": "Ann"}, channels=("daphne.response.abc!def",))]
    presence.leave("board-7", message.reply_channel.name)

What is kept of a person goes with their channel: a socket whose interface server was killed is gone within
``PROCESS_EXPIRY`` seconds on our channel layer; on others when the group's membership expires. See docs/library.md.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Mapping
from typing import Any, NamedTuple, Protocol

from django.core.exceptions import ImproperlyConfigured

from channels_lts import beside

__all__ = ["Person", "count", "enter", "leave", "members", "present"]


class Person(NamedTuple):
    """Somebody in a group: who they are, what was said of them last, and their channels in it, in order of names."""

    key: str
    info: Any
    channels: tuple[str, ...]


class Place(Protocol):
    """Keeps, for each group of one channel layer, a text of each channel. All may raise LayerUnavailable."""

    def put(self, group: str, channel: str, text: str) -> None: ...

    def take_away(self, group: str, channels: list[str]) -> None: ...

    def texts(self, group: str) -> Mapping[str, str]: ...


def members(group: str, layer: Any = None) -> list[str]:
    """Return the channels in *group*.

    Raises:
        LayerUnavailable: Redis cannot be reached.
        TypeError: the name is not valid.
    """
    return list(_layer(layer).group_channels(group))


def count(group: str, layer: Any = None) -> int:
    """Return how many channels are in *group*. On our layer that fetches none of them: one call for each shard.

    Raises what :func:`members` raises.
    """
    found = _layer(layer)
    counted = getattr(beside.bare(found), "group_count", None)
    return counted(group) if counted is not None else len(list(found.group_channels(group)))


def enter(group: str, channel: str, key: str, info: Any = None, layer: Any = None) -> None:
    """Add *channel*, one of the person *key*, to *group*; *info* is what JSON can hold, of all their channels the same.

    May be done again, with a heartbeat: that brings back what a Redis lost that came back empty. The channel itself
    comes back by itself.

    Raises:
        ImproperlyConfigured: the layer is of several processes without Redis.
        LayerUnavailable, TypeError: as :func:`members`; also for *info* that JSON cannot hold.
    """
    found = _layer(layer)
    text = json.dumps([key, info])
    # In this order: whoever is noted is a member, or was one.
    found.group_add(group, channel)
    _place(found).put(group, channel, text)


def leave(group: str, channel: str, layer: Any = None) -> None:
    """Take *channel* out of *group*, if it is there. Raises what :func:`enter` raises."""
    found = _layer(layer)
    _place(found).take_away(group, [channel])
    found.group_discard(group, channel)


def present(group: str, layer: Any = None) -> list[Person]:
    """Return the people in *group*, each once, by their keys. Raises what :func:`enter` raises."""
    found = _layer(layer)
    place = _place(found)
    texts = place.texts(group)
    # After the texts: who enters in between is a member by now, and who left is none.
    alive = set(found.group_channels(group))
    people: dict[str, Person] = {}
    for channel in sorted(texts):
        if channel in alive:
            key, info = json.loads(texts[channel])
            people[key] = Person(key, info, (*(people[key].channels if key in people else ()), channel))
    if dead := [channel for channel in texts if channel not in alive]:
        place.take_away(group, dead)
    return [people[key] for key in sorted(people)]


class InMemory:
    """For the layers of one process: ``runserver`` and tests."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._groups: dict[str, dict[str, str]] = {}

    def put(self, group: str, channel: str, text: str) -> None:
        with self._lock:
            self._groups.setdefault(group, {})[channel] = text

    def take_away(self, group: str, channels: list[str]) -> None:
        with self._lock:
            noted = self._groups.get(group, {})
            for channel in channels:
                noted.pop(channel, None)
            if not noted:
                self._groups.pop(group, None)

    def texts(self, group: str) -> Mapping[str, str]:
        with self._lock:
            return dict(self._groups.get(group, {}))


def _layer(layer: Any) -> Any:
    if layer is not None:
        return layer
    from channels import DEFAULT_CHANNEL_LAYER, channel_layers

    return channel_layers[DEFAULT_CHANNEL_LAYER]


def _place(layer: Any) -> Place:
    found = _places.of(layer)
    if found is None:
        raise ImproperlyConfigured(f"people are kept in Redis, which {type(beside.bare(layer)).__name__} has none of")
    return found


def _in_redis(layer: Any) -> Place:
    from channels_lts.layer.presence import InRedis

    return InRedis(layer)


_places: beside.PerLayer[Place] = beside.PerLayer(_in_redis, InMemory)
