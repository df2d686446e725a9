"""Who is typing: told to the room at once and stored nowhere.

Somebody counts as typing for ``limits.TYPING`` seconds after they last said so, unless they stop sooner: by saying so,
by the message that they wrote, or by leaving. Readers keep that time themselves, so nobody types for ever, whatever
gets lost. A page says it again every few seconds, not with every key.
"""

from __future__ import annotations

from channels import Group

from channels_lts import after_commit, streams
from chat import groups, limits, permissions, throttle
from chat.identity import Identity


def tell(who: Identity, slug: str, channel: str, *, on: bool) -> None:
    """Tell the room at *slug* that *who* is typing on the socket *channel*, or has stopped.

    At most once: nothing waits for it, and what comes too often is dropped in silence. Costs one query, for who may
    talk there.

    Raises:
        StreamError: ``not_found`` or ``not_allowed``: *who* may not talk there.
    """
    room = permissions.open_room(who, slug, permissions.POST)
    if throttle.passes("typing", who, room, channel):
        for_ms = limits.TYPING * 1000 if on else 0
        payload = {"type": "typing", "room": room.slug, "who": who.public(), "for_ms": for_ms}
        after_commit.send_now(Group(groups.room(room.pk)), streams.encode("chat", payload))
