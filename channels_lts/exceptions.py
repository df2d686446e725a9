"""Every error that this package raises. It imports nothing, so that any module may import it first."""

from __future__ import annotations


class ChannelsLTSError(Exception):
    """Base of every error of this package."""


class CompatError(ChannelsLTSError, ImportError):
    """Raised when :func:`channels_lts.compat.install` cannot make Channels 1.1.8 importable."""


class CompatOrderError(CompatError):
    """Raised when Channels was imported before :func:`channels_lts.compat.install` ran."""


class StreamError(ChannelsLTSError):
    """Raised by a stream for a frame that it refuses; the client is told *code* and *reason*, the socket stays open."""

    def __init__(self, code: str, reason: str) -> None:
        super().__init__(f"{code}: {reason}")
        self.code = code
        self.reason = reason


class LayerUnavailable(ChannelsLTSError, ConnectionError):
    """Raised when the channel layer cannot reach the Redis that an operation needs; the message says which."""


class UnsupportedRedis(ChannelsLTSError):
    """Raised when a Redis is too old for the channel layer; the message names both versions."""
