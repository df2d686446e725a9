"""``msgpack.unpackb(encoding=…)``: removed in msgpack 1.0.

asgi_redis and asgi_ipc pass it. They, and nobody else, get an ``unpackb`` that takes it.
"""

from __future__ import annotations

import codecs
import functools
from collections.abc import Callable
from types import ModuleType
from typing import Any

from channels_lts.compat.imports import after_import


def install() -> None:
    """Mend the two layers when they are imported."""
    for name in ("asgi_redis.core", "asgi_ipc.core"):
        after_import(name, _mend)


def unpacker() -> Callable[[bytes], Any]:
    """Return the quickest function that unpacks text as text, bytes as bytes, and keys of any kind."""
    import msgpack

    quick = functools.partial(msgpack.unpackb, raw=False, strict_map_key=False)
    try:
        quick(b"\xc0")
    except TypeError:  # before 0.6: keys of any kind are the rule there
        return functools.partial(msgpack.unpackb, raw=False)
    return quick


def _mend(module: ModuleType) -> None:
    if _takes_encoding(module.msgpack):
        return
    module.msgpack = _Encoding(module.msgpack)  # type: ignore[attr-defined]


def _takes_encoding(msgpack: Any) -> bool:
    try:
        msgpack.unpackb(b"\xc0", encoding="utf8")
    except TypeError:
        return False
    return True


class _Encoding:
    """The msgpack module, with an ``unpackb`` that reads what msgpack 0.5 read."""

    def __init__(self, msgpack: Any) -> None:
        self._msgpack = msgpack

    def __getattr__(self, name: str) -> Any:
        return getattr(self._msgpack, name)

    def unpackb(self, packed: bytes, *, encoding: str | None = None, **options: Any) -> Any:
        """Unpack one value. Keys of maps may be of any kind, and text is decoded where *encoding* is given.

        Raises:
            ValueError: *encoding* is not UTF-8, the only one that msgpack still knows.
        """
        if encoding is not None and codecs.lookup(encoding).name != "utf-8":
            raise ValueError(f"encoding={encoding!r}: msgpack 1 knows only utf-8")
        options.setdefault("raw", encoding is None)
        options.setdefault("strict_map_key", False)
        return self._msgpack.unpackb(packed, **options)
