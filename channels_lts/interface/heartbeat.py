"""The heartbeat of an interface server: a sample of itself, made in the reactor's thread and written by another one."""

from __future__ import annotations

import logging
from time import monotonic
from typing import TYPE_CHECKING, Any

from twisted.internet import task

from channels_lts import heartbeat
from channels_lts.beating import Heartbeat
from channels_lts.interface.websocket import WebSocket

if TYPE_CHECKING:
    from channels_lts.interface.server import Server

logger = logging.getLogger(__name__)

# Seconds between two samples.
_INTERVAL = 1.0


class InterfaceHeartbeat(Heartbeat):
    """Writes the record of *server*, from :meth:`begin` until :meth:`end`. Neither waits for Redis while it serves.

    On a layer that keeps no records it does nothing.
    """

    kind = "interfaces"

    def __init__(self, server: Server) -> None:
        super().__init__(server.channel_layer, server.link.process_channel)
        self._server = server
        self._sampling = task.LoopingCall(self._sample)
        self._sample()
        self._said_draining = False

    def begin(self) -> None:
        """To be called in the reactor's thread."""
        if heartbeat.supported(self._server.channel_layer):
            self._sampling.start(_INTERVAL)
            self.start()

    def end(self) -> None:
        """To be called when the reactor has stopped.

        A server that told nobody of the sockets that it leaves keeps its record: a worker will find it silent, and the
        project is told.
        """
        if not self.is_alive():
            return
        if self._server.exit_status == 0 or not self._server.listeners:
            self.retire()
        else:
            self.stop()

    def describe(self) -> dict[str, Any]:
        # The thread reads what the reactor's made whole, never what changes under its hands.
        sampled_at, sample = self._sampled
        self._said_draining = sample["draining"]
        return {**sample, "stalled": round(monotonic() - sampled_at, 1)}

    def urgent(self) -> bool:
        return self._sampled[1]["draining"] != self._said_draining

    def _sample(self) -> None:
        server = self._server
        try:
            sockets = sum(isinstance(connection, WebSocket) for connection in server.connections.values())
            sample: dict[str, Any] = {
                "channel": server.link.process_channel,
                "sockets": sockets,
                "requests": len(server.connections) - sockets,
                "draining": server.draining,
                "counts": dict(server.counters),
            }
            self._sampled = (monotonic(), sample)
        except Exception:
            # Twisted ends a loop that raises.
            logger.exception("error while the server looked at itself")
