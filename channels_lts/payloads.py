"""Reading what a browser sent: fields of a payload, and the id that an answer repeats."""

from __future__ import annotations

import re
from typing import Any, TypeVar

from channels_lts.exceptions import StreamError

# How the payload's own id is limited, so that it can be repeated in every answer without cost.
MAX_ID_LENGTH = 64

_REQUIRED: Any = object()
_UNSTORABLE = re.compile("[\0\ud800-\udfff]")
_TYPE_NAMES = {str: "a string", int: "an integer", bool: "true or false", dict: "an object", list: "an array"}

T = TypeVar("T")


def field(
    payload: dict[str, Any],
    name: str,
    kind: type[T],
    *,
    default: Any = _REQUIRED,
    max_length: int | None = None,
    minimum: int | None = None,
) -> T:
    """Return field *name* of *payload*, which must be of type *kind*.

    A missing field gives *default* where there is one. *max_length* counts characters of a string; *minimum* bounds an
    integer. Strings with a NUL or an unpaired surrogate are refused: databases and UTF-8 cannot hold them.

    Raises:
        StreamError: ``bad_field``, or ``too_large`` where a string exceeds *max_length*.
    """
    if name not in payload:
        if default is _REQUIRED:
            raise StreamError("bad_field", f"{name} is missing")
        return default
    value = payload[name]
    # bool is an int for Python, but not for people who write JSON.
    if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
        raise StreamError("bad_field", f"{name} must be {_TYPE_NAMES.get(kind, kind.__name__)}")
    if isinstance(value, str):
        if max_length is not None and len(value) > max_length:
            raise StreamError("too_large", f"{name} has {len(value)} characters, at most {max_length} are allowed")
        if not storable(value):
            raise StreamError("bad_field", f"{name} holds a NUL or an unpaired surrogate")
    if isinstance(value, int) and minimum is not None and value < minimum:
        raise StreamError("bad_field", f"{name} must be at least {minimum}")
    # 64 bits are what databases hold.
    if isinstance(value, int) and value >= 2**63:
        raise StreamError("bad_field", f"{name} is too large")
    return value


def storable(text: str) -> bool:
    """Whether databases and UTF-8 can hold *text*: it has no NUL and no unpaired surrogate."""
    return _UNSTORABLE.search(text) is None


def request_id(payload: Any) -> str | int | None:
    """Return the id of a request that the answer repeats; None where there is none, or none that could be repeated."""
    value = payload.get("id") if isinstance(payload, dict) else None
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) < 2**63:
        return value
    if isinstance(value, str) and len(value) <= MAX_ID_LENGTH and value.isprintable():
        return value
    return None
