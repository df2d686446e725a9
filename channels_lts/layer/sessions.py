"""Channel sessions in Redis, for :mod:`channels_lts.sessions`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from channels_lts import conf
from channels_lts.layer import beside
from channels_lts.layer.scripts import Call, Script
from channels_lts.session_places import Stored

# Seconds after the end of a socket in which a frame of it may still come: as long as layers keep a message, and a bit.
_LATE = 120

_LOAD, _SAVE, _END = Script("session_load"), Script("session_save"), Script("session_end")


class InRedis:
    """One hash a session, so that two workers that write different values of it lose neither."""

    def __init__(self, layer: Any) -> None:
        self._layer = layer

    def load(self, channel: str) -> Stored:
        reply = self._run(_LOAD, channel)
        found = dict(zip(reply[::2], reply[1::2], strict=True))
        name = found.pop(b"name", b"").decode("ascii")
        ended = found.pop(b"ended", None) is not None
        return Stored(name, ended, {key[1:].decode(): self._open(value) for key, value in found.items()})

    def save(
        self, channel: str, name: str, changed: Mapping[str, bytes], removed: Sequence[str], *, begins: bool
    ) -> str | None:
        arguments: list[Any] = [conf.get("CHANNEL_SESSION_EXPIRY"), name, int(begins), len(changed)]
        for key, value in changed.items():
            arguments += (f"={key}", self._seal(value))
        arguments += [f"={key}" for key in removed]
        kept = self._run(_SAVE, channel, *arguments)
        return None if kept is None else kept.decode("ascii")

    def end(self, channel: str) -> None:
        self._run(_END, channel, _LATE)

    def _run(self, script: Script, channel: str, *arguments: Any) -> Any:
        call = Call(script, [beside.key(self._layer, "session", channel)], arguments)
        return beside.run(self._layer, channel, call)

    # With the keys that encrypt messages; what they carry of a session must not lie in the open beside them.

    def _seal(self, value: bytes) -> bytes:
        return self._layer.crypter.encrypt(value) if self._layer.crypter else value

    def _open(self, value: bytes) -> bytes:
        return self._layer.crypter.decrypt(value) if self._layer.crypter else value
