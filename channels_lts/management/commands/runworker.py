"""``manage.py runworker``, with Channels' own options, on the worker of this package."""

from __future__ import annotations

import logging
from typing import Any

from channels import DEFAULT_CHANNEL_LAYER, channel_layers
from channels.management.commands import runworker as upstream
from channels.signals import worker_process_ready
from django.apps import apps
from django.conf import settings
from django.core.management import CommandError

from channels_lts.exceptions import UnsupportedRedis
from channels_lts.views import StaticFilesConsumer, ViewConsumer
from channels_lts.worker import Worker, WorkerGroup

logger = logging.getLogger("channels_lts.worker")


class Command(upstream.Command):
    """Runs consumers until SIGTERM or SIGINT. The project's LOGGING stays as it is."""

    help = "Runs a worker: consumers of the channels that it listens on."

    def handle(self, *args: Any, **options: Any) -> None:
        verbosity = options.get("verbosity", 1)
        _log_to_somewhere(verbosity)
        layer = channel_layers[options.get("layer", DEFAULT_CHANNEL_LAYER)]
        threads = options.get("threads", 1)
        if threads < 1:
            raise CommandError(f"--threads must be 1 or more, not {threads}")
        if layer.local_only():
            raise CommandError("The in-memory layer is of one process only: choose another channel layer for workers.")
        if hasattr(layer.channel_layer, "check_version"):
            try:
                layer.check_version()
            except UnsupportedRedis as error:
                raise CommandError(str(error)) from error
        # In development the worker serves the static files too.
        static = settings.DEBUG and apps.is_installed("django.contrib.staticfiles")
        layer.router.check_default(http_consumer=StaticFilesConsumer() if static else ViewConsumer())
        worker = self._worker(layer, threads, _log_call if verbosity > 1 else None, options)
        logger.info("worker on channel layer %s, %s thread(s)", layer, threads)
        worker_process_ready.send(sender=worker)
        worker.ready()
        worker.run()

    @staticmethod
    def _worker(layer: Any, threads: int, callback: Any, options: dict[str, Any]) -> Worker:
        filters = {name: options.get(name) for name in ("only_channels", "exclude_channels")}
        if threads == 1:
            return Worker(channel_layer=layer, callback=callback, **filters)
        return WorkerGroup(channel_layer=layer, callback=callback, n_threads=threads, **filters)


def _log_call(channel: str, message: Any) -> None:
    logger.debug("message on %s", channel)


def _log_to_somewhere(verbosity: int) -> None:
    """Let a project that configures no logging see ours; where it does, its LOGGING decides."""
    if not logger.hasHandlers():
        logging.basicConfig(level=logging.DEBUG if verbosity > 1 else logging.INFO)
