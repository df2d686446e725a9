"""Channels' own worker, for what its loop alone can show."""

from __future__ import annotations

from typing import Any

from channels import channel_layers
from channels.worker import Worker


def run_worker() -> None:
    """Run Channels' own worker until nothing is left to do: only its loop knows some of the exceptions."""
    layer = channel_layers["default"]
    worker = Worker(layer, signal_handlers=False)

    class UntilIdle:
        def __getattr__(self, name: str) -> Any:
            return getattr(layer, name)

        def receive_many(self, channels: list[str], block: bool) -> Any:
            found = layer.receive(channels, block=False)
            # Only the worker's own loop blocks; decorators look into other channels.
            worker.termed = block and found == (None, None)
            return found

    worker.channel_layer = UntilIdle()
    worker.run()
