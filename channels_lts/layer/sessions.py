"""Channel sessions in Redis, for :mod:`channels_lts.sessions`."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import Any

from channels_lts import conf
from channels_lts.layer import beside, items
from channels_lts.layer.redis import Layer
from channels_lts.layer.scripts import Call, Script
from channels_lts.session_places import Stored

# Seconds after the end of a socket in which a frame of it may still come: as long as layers keep a message, and a bit.
_LATE = 120

_LOAD, _SAVE, _END = Script("session_load"), Script("session_save"), Script("session_end")


class InRedis:
    """One hash a session, so that two workers that write different values of it lose neither.

    On our own layer the interface server that holds the socket keeps a copy, for a Redis that has lost it:
    :mod:`channels_lts.layer.keepsakes`.
    """

    def __init__(self, layer: Any) -> None:
        self._layer = layer
        # Whether the process of a socket keeps a copy, for a Redis that comes back empty.
        self._kept = isinstance(layer, Layer)

    def values(self, channels: Sequence[str], keys: Sequence[str]) -> list[dict[str, bytes]]:
        fields = [f"={key}" for key in keys]
        commands = [(channel, ("HMGET", self._key(channel), *fields)) for channel in channels]
        return [
            {key: self._open(value) for key, value in zip(keys, reply, strict=True) if value is not None}
            for reply in beside.execute_each(self._layer, commands)
        ]

    def load(self, channel: str) -> Stored:
        reply = self._run(_LOAD, channel, ())
        found = dict(zip(reply[::2], reply[1::2], strict=True))
        name = found.pop(b"name", b"").decode("ascii")
        ended = found.pop(b"ended", None) is not None
        return Stored(name, ended, {key[1:].decode(): self._open(value) for key, value in found.items()})

    def save(
        self, channel: str, name: str, changed: Mapping[str, bytes], removed: Sequence[str], *, begins: bool
    ) -> str | None:
        fields = {f"={key}": self._seal(value) for key, value in changed.items()}
        gone = [f"={key}" for key in removed]
        arguments: list[Any] = [conf.get("CHANNEL_SESSION_EXPIRY"), name, int(begins), len(fields)]
        for field in fields.items():
            arguments += field
        arguments += gone
        keys, copy = self._copy(channel, {"changed": {"name": name.encode(), **fields}, "removed": gone, "over": False})
        saved = self._run(_SAVE, channel, keys, *copy, *arguments)
        return None if saved is None else saved.decode("ascii")

    def end(self, channel: str) -> None:
        keys, copy = self._copy(channel, {"over": True})
        self._run(_END, channel, keys, *copy, _LATE)

    def _copy(self, channel: str, body: dict[str, Any]) -> tuple[list[str], list[Any]]:
        """Return what tells the process of *channel*: the key of its queue, and its life and the item as arguments."""
        if not (self._kept and "!" in channel):
            return [], []
        layer = self._layer
        item = items.encode(items.KEEP, channel, time.time() + layer.expiry, layer.serialize(body))
        return [layer.queue_key(layer.non_local_name(channel))], [layer.queue_lifetime, item]

    def _run(self, script: Script, channel: str, more_keys: Sequence[str], *arguments: Any) -> Any:
        call = Call(script, [self._key(channel), *more_keys], arguments)
        return beside.run(self._layer, channel, call)

    def _key(self, channel: str) -> str:
        return beside.key(self._layer, "session", channel)

    # With the keys that encrypt messages; what they carry of a session must not lie in the open beside them.

    def _seal(self, value: bytes) -> bytes:
        return self._layer.crypter.encrypt(value) if self._layer.crypter else value

    def _open(self, value: bytes) -> bytes:
        return self._layer.crypter.decrypt(value) if self._layer.crypter else value
