"""What the commands have in common that serve a channel layer for as long as they run."""

from __future__ import annotations

import logging
from typing import Any

from channels import channel_layers
from django.core.management import CommandError

from channels_lts.exceptions import UnsupportedRedis


def layer_of(alias: str) -> Any:
    """Return the channel layer *alias*.

    Raises:
        CommandError: it is of one process only, or its Redis is too old.
    """
    layer = channel_layers[alias]
    if layer.local_only():
        raise CommandError("The in-memory layer is of one process only: choose another channel layer.")
    if hasattr(layer.channel_layer, "check_version"):
        try:
            layer.check_version()
        except UnsupportedRedis as error:
            raise CommandError(str(error)) from error
    return layer


def log_somewhere(logger: logging.Logger, verbosity: int) -> None:
    """Let a project that configures no logging see *logger*; where it does, its LOGGING decides."""
    if not logger.hasHandlers():
        logging.basicConfig(level=logging.DEBUG if verbosity > 1 else logging.INFO)
