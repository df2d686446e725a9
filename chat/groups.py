"""Names of groups. They come from ids, never from names: people call rooms what they like, groups are ASCII."""

from __future__ import annotations

#: Every socket of /ws/.
EVERYBODY = "everybody"


def room(room_id: int) -> str:
    """The sockets of /ws/ that joined a room."""
    return f"room-{room_id}"


def plain(room_id: int) -> str:
    """The sockets of /ws/chat/<room>/."""
    return f"plain-{room_id}"


def poll(room_id: int, seq: int) -> str:
    """The long-polls that know a room up to *seq*: the answer of all of them is message *seq* + 1."""
    return f"poll-{room_id}-{seq}"


def person(key: str) -> str:
    """A person's sockets of /ws/."""
    return f"person-{key}"
