"""Whose turn it is on each socket, in Redis, for :mod:`channels_lts.ordering`."""

from __future__ import annotations

import time
from typing import Any

from channels_lts import conf, turns
from channels_lts.layer import beside
from channels_lts.layer.scripts import Call, Script
from channels_lts.turns import WAIT, Frame, Gap

# How many frames a worker that ends its turn brings on the way: what one would take at once.
_MOST = 16

_ENTER, _LEAVE, _CHECK, _RENEW = (Script(f"order_{name}") for name in ("enter", "leave", "check", "renew"))


def _now() -> int:
    # Of the same clock in all processes, as the channel layer's expiry.
    return int(time.time() * 1000)


class InRedis:
    """One call of a script for each step, two for a frame that has to wait."""

    def __init__(self, layer: Any) -> None:
        self._layer = layer

    def enter(self, socket: str, order: int, frame: Frame, *, begins: bool) -> str:
        arguments = (order, _now(), int(turns.LEASE * 1000), conf.get("CHANNEL_SESSION_EXPIRY"), int(begins))
        answer = self._run(_ENTER, socket, *arguments, b"").decode()
        if answer == WAIT:
            channel, content = frame
            body = self._layer.serialize({"channel": channel, "content": content})
            # It may be its turn by now.
            answer = self._run(_ENTER, socket, *arguments, body).decode()
        return answer

    def leave(self, socket: str, order: int, *, ends: bool) -> list[Frame]:
        return [self._frame(body) for body in self._run(_LEAVE, socket, order, _now(), _MOST, int(ends))]

    def check(self, socket: str) -> Gap | bool:
        found = self._run(_CHECK, socket, _now(), int(turns.PATIENCE * 1000))
        return Gap(found[0], found[1], self._frame(found[2])) if len(found) == 3 else bool(found)

    def renew(self, socket: str, order: int) -> None:
        self._run(_RENEW, socket, order, _now() + int(turns.LEASE * 1000))

    def _frame(self, body: bytes) -> Frame:
        kept = self._layer.deserialize(body)
        return kept["channel"], kept["content"]

    def _run(self, script: Script, socket: str, *arguments: Any) -> Any:
        keys = [beside.key(self._layer, "turn", socket)]
        if script is not _RENEW:
            keys.append(beside.key(self._layer, "turn-waiting", socket))
        return beside.run(self._layer, socket, Call(script, keys, arguments))
