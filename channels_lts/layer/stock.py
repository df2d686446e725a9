"""What asgi_redis's own channel layer left in queues that ours reads now: for the moment of switching to ours.

There an item names a key that holds the message: the prefix and 32 hexadecimal digits.
"""

from __future__ import annotations

_DIGITS = frozenset(b"0123456789abcdef")


def is_pointer(raw: bytes, prefix: str) -> bool:
    """Whether *raw* is such an item."""
    start = prefix.encode()
    return len(raw) == len(start) + 32 and raw.startswith(start) and _DIGITS.issuperset(raw[len(start) :])
