"""``encoding=`` of msgpack's readers, which msgpack 1.0 removed; asgi_redis and asgi_ipc pass it.

msgpack 1.0 also began to refuse map keys other than strings and bytes, which messages may have; a call that names an
encoding is of the old kind and gets the old tolerance.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import msgpack

_READERS = ("unpackb", "loads", "unpack", "load")
_UTF8 = {"utf8", "utf-8"}


def needed() -> bool:
    return msgpack.version >= (1, 0) and not hasattr(msgpack.unpackb, "__wrapped__")


def install() -> None:
    for name in _READERS:
        setattr(msgpack, name, _with_encoding(getattr(msgpack, name)))


def _with_encoding(reader: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(reader)
    def read(data: Any, *, encoding: str | None = None, **options: Any) -> Any:
        if encoding is not None:
            if encoding.lower() not in _UTF8:
                raise ValueError(f"encoding={encoding!r}: msgpack 1 reads UTF-8 only")
            options = {"raw": False, "strict_map_key": False, **options}
        return reader(data, **options)

    return read
