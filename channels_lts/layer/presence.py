"""Whose the channels of a group are, in Redis, for :mod:`channels_lts.presence`: one hash a group."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from channels_lts.layer import beside
from channels_lts.layer.wire import exchange


class InRedis:
    """One round trip for each step, to the server that the group's name comes to."""

    def __init__(self, layer: Any) -> None:
        self._layer = layer

    def put(self, group: str, channel: str, text: str) -> None:
        crypter = self._layer.crypter
        value = crypter.encrypt(text.encode()) if crypter else text.encode()
        key = self._key(group)
        self._ask(group, ("HSET", key, channel, value), ("EXPIRE", key, math.ceil(self._layer.group_expiry) + 1))

    def take_away(self, group: str, channels: list[str]) -> None:
        self._ask(group, ("HDEL", self._key(group), *channels))

    def texts(self, group: str) -> Mapping[str, str]:
        [found] = self._ask(group, ("HGETALL", self._key(group)))
        crypter = self._layer.crypter
        return {
            channel.decode("ascii"): (crypter.decrypt(value) if crypter else value).decode()
            for channel, value in zip(found[::2], found[1::2], strict=True)
        }

    def _key(self, group: str) -> str:
        return beside.key(self._layer, "present", group)

    def _ask(self, group: str, *commands: Sequence[Any]) -> list[Any]:
        return beside.attempt(self._layer, group, lambda client: _answers(client, commands))


def _answers(client: Any, commands: Sequence[Sequence[Any]]) -> list[Any]:
    answers = exchange(client, [tuple(command) for command in commands])
    for answer in answers:
        if isinstance(answer, Exception):
            raise answer
    return answers
