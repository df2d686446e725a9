"""The reference deployment, with consumers that misbehave, and limits that show within seconds what they do."""

from __future__ import annotations

from my_project import settings as shipped
from my_project.settings import *  # noqa: F403

CHANNEL_LAYERS = {"default": {**shipped.CHANNEL_LAYERS["default"], "ROUTING": "tests.faults.routing.channel_routing"}}
CHANNELS_LTS = {
    **getattr(shipped, "CHANNELS_LTS", {}),
    # The least that is possible. Seconds.
    "REDIS_TIMEOUT": 2,
    # Seconds. A healthy consumer of the chat takes milliseconds.
    "CONSUMER_TIMEOUT": 2,
    # Seconds.
    "STATUS_BUSY": 2,
    # MiB. A worker of the chat begins with some eighty.
    "MAX_RSS": 300,
}
