"""What the project's routing says of a path, for the few questions that an interface server has."""

from __future__ import annotations

import functools
import logging
from typing import Any

logger = logging.getLogger(__name__)


class Routes:
    """The routing of *channel_layer*. A layer that has none, or one that fails, leads nowhere."""

    def __init__(self, channel_layer: Any) -> None:
        self._layer = channel_layer
        # Logged once: there may be as many paths as sockets.
        self._failed = False
        # A deployment has few paths, and many sockets on each.
        self.consumer = functools.cache(self._consumer)

    def _consumer(self, channel: str, path: str) -> Any:
        """Return the consumer of a message on *channel* that has *path* and nothing else; None where there is none."""
        try:
            router = self._router
            if router is None or channel not in router.channels:
                return None
            from channels.message import Message

            from channels_lts.routing import match

            found = match(router, Message({"path": path, "headers": [], "order": 0}, channel, self._layer))
        except Exception:
            if not self._failed:
                self._failed = True
                logger.exception("The routing was asked about %s at %r in vain", channel, path)
            return None
        return None if found is None else found[0]

    @functools.cached_property
    def _router(self) -> Any:
        from channels import channel_layers

        for wrapper in channel_layers.backends.values():
            if wrapper is self._layer or wrapper.channel_layer is self._layer:
                return wrapper.router
        return None

    def multiplexed(self, path: str) -> bool:
        """Tell whether sockets at *path* speak our streams, and so understand a frame on ``system``."""
        consumer = self.consumer("websocket.connect", path)
        if not isinstance(consumer, type):
            return False
        from channels_lts.streams import Demultiplexer

        return issubclass(consumer, Demultiplexer)
