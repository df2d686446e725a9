"""Messages in and out of a worker, for its tests."""

from __future__ import annotations

from typing import Any

from channels.channel import Channel

from channels_lts.layer import RedisChannelLayer
from tests.services import wait_for

OUT = "results"


def collect(layer: RedisChannelLayer, count: int, channel: str = OUT) -> list[Any]:
    """Return the *count* messages that arrive on *channel*, as their ``value``."""
    got: list[Any] = []

    def enough() -> bool:
        while len(got) < count:
            _, message = layer.receive([channel])
            if message is None:
                return False
            got.append(message["value"])
        return True

    wait_for(enough, f"{count} messages on {channel}; there are {len(got)}")
    return got


def echo(message: Any) -> None:
    Channel(OUT, channel_layer=message.channel_layer).send({"value": message["value"]})
