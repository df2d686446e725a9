"""Finding the consumer for a message, without a deep copy of it at each level of the routing."""

from __future__ import annotations

from typing import Any

from channels.message import Message
from channels.routing import Include, Router

Match = tuple[Any, dict[str, Any]]


def match(router: Router, message: Message) -> Match | None:
    """Return (consumer, keyword arguments) for *message*, or None: what ``router.match(message)`` returns.

    ``Include`` copies the whole message, body and headers and all, before it looks at the first prefix, for each of
    the includes that do not match as well. A prefix only ever replaces a value at the top, so a copy of the top will
    do, and none where there is no prefix.
    """
    return _match(router.root, message)


def _match(entry: Any, message: Message) -> Match | None:
    if type(entry) is not Include:
        # A route, or whatever else the project put there.
        return entry.match(message)
    found: dict[str, Any] = {}
    if entry.prefixes:
        message = Message(dict(message.content), message.channel.name, message.channel_layer)
    for name, prefix in entry.prefixes.items():
        if name not in message:
            return None
        value = Router.normalise_re_arg(message[name])
        matched = prefix.match(value)
        if not matched:
            return None
        found.update(matched.groupdict())
        message[name] = value[matched.end() :]
    for child in entry.routing:
        inner = _match(child, message)
        if inner is not None:
            return inner[0], {**found, **inner[1]}
    return None
