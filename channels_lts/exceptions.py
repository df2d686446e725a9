"""Every error that this package raises. It imports nothing of ours, so that any module may import it first."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any


class ChannelsLTSError(Exception):
    """Base of every error of this package."""


class CompatError(ChannelsLTSError, ImportError):
    """Raised when :func:`channels_lts.compat.install` cannot make Channels 1.1.8 importable."""


class CompatOrderError(CompatError):
    """Raised when Channels was imported before :func:`channels_lts.compat.install` ran."""


class StreamError(ChannelsLTSError):
    """Raised by a stream for a frame that it refuses; the client is told *code* and *reason*, the socket stays open.

    *retry_after_ms*: milliseconds after which the same may be asked again, where it is a matter of time.
    """

    def __init__(self, code: str, reason: str, *, retry_after_ms: int | None = None) -> None:
        super().__init__(f"{code}: {reason}")
        self.code = code
        self.reason = reason
        self.retry_after_ms = retry_after_ms

    def public(self) -> dict[str, Any]:
        """Return what the client is told."""
        told: dict[str, Any] = {"code": self.code, "reason": self.reason}
        if self.retry_after_ms is not None:
            told["retry_after_ms"] = self.retry_after_ms
        return told


class ConsumerTimedOut(ChannelsLTSError):
    """Raised in a consumer that runs for longer than ``--consumer-timeout``, with ``--abort-consumers``."""

    def __init__(self, message: str = "the consumer took longer than --consumer-timeout") -> None:
        super().__init__(message)


class LayerUnavailable(ChannelsLTSError, ConnectionError):
    """Raised when the channel layer cannot reach the Redis that an operation needs; the message says which.

    Attributes:
        not_done: Whether it is certain that nothing was done: it may be tried again without being done twice.
        unsent: Of a batch, the messages of which that is certain.
    """

    def __init__(self, message: str = "", *, not_done: bool = False, unsent: Sequence[Any] = ()) -> None:
        super().__init__(message)
        self.not_done = not_done
        self.unsent = unsent


class UnsupportedRedis(ChannelsLTSError):
    """Raised when a Redis is too old for the channel layer; the message names both versions."""
