"""``manage.py runworker``, with Channels' own options and more, on the worker of this package."""

from __future__ import annotations

import logging
import os
import sys
from argparse import ArgumentParser
from collections.abc import Callable
from typing import Any

from channels import DEFAULT_CHANNEL_LAYER, channel_layers
from channels.management.commands import runworker as upstream
from channels.signals import worker_process_ready
from django.apps import apps
from django.conf import settings
from django.core.management import CommandError

from channels_lts import fresh, worker_options
from channels_lts.exceptions import UnsupportedRedis
from channels_lts.processes import Lifeline, Processes
from channels_lts.ready import ReadyFile
from channels_lts.reload import Reloader
from channels_lts.views import StaticFilesConsumer, ViewConsumer
from channels_lts.worker import Worker
from channels_lts.worker_group import WorkerGroup
from channels_lts.worker_limits import WorkerLimits

logger = logging.getLogger("channels_lts.worker")

# Seconds between two starts with --reload where the code is broken, at most.
_RELOAD_PAUSE = 2.0


class Command(upstream.Command):
    """Runs consumers until SIGTERM or SIGINT. The project's LOGGING stays as it is."""

    help = "Runs a worker: consumers of the channels that it listens on."

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        worker_options.add(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        verbosity = options.get("verbosity", 1)
        _log_to_somewhere(verbosity)
        layer = channel_layers[options.get("layer", DEFAULT_CHANNEL_LAYER)]
        threads = worker_options.threads(options)
        limits = worker_options.limits(options)
        processes = worker_options.processes(options)
        path = worker_options.ready_file(options)
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
        worker = self._worker(layer, threads, _log_call if verbosity > 1 else None, options, limits)
        if not worker.apply_channel_filters(layer.router.channels):
            raise CommandError("No channel of the routing is left by --only-channels and --exclude-channels.")
        ready, unready = _ready_calls(path)
        lifeline = Lifeline.of_this_process()
        if lifeline is not None:
            # The file is of the process that started us, and was told of.
            worker.lifeline = lifeline.socket
            ready, unready = lifeline.say_ready, _nothing
        elif processes > 1 or options.get("reload"):
            pause = {"longest_pause": _RELOAD_PAUSE} if options.get("reload") else {}
            group = Processes(processes, stop_timeout=limits.stop_timeout, on_ready=ready, on_stop=unready, **pause)
            if status := group.run():
                sys.exit(status)
            return
        worker.on_listening, worker.on_stop = ready, unready
        logger.info("worker on channel layer %s, %s thread(s)", layer, threads)
        directory = os.getcwd()
        if options.get("reload"):
            Reloader(worker.start_again).start()
        worker_process_ready.send(sender=worker)
        worker.ready()
        worker.run()
        if worker.start_over:
            logger.info("starting over")
            if lifeline is None:
                fresh.start_over(directory)
            else:
                fresh.start_over(directory, environment=lifeline.environment, keep=[lifeline.socket.fileno()])

    @staticmethod
    def _worker(layer: Any, threads: int, callback: Any, options: dict[str, Any], limits: WorkerLimits) -> Worker:
        arguments = {name: options.get(name) for name in ("only_channels", "exclude_channels")}
        arguments |= {"channel_layer": layer, "callback": callback, "limits": limits}
        return Worker(**arguments) if threads == 1 else WorkerGroup(n_threads=threads, **arguments)


def _ready_calls(path: Any) -> tuple[Callable[[], None], Callable[[], None]]:
    """Return what to call when this process takes messages, and when it no longer does."""
    if path is None:
        return _nothing, _nothing
    file = ReadyFile(path)

    def write() -> None:
        try:
            file.write()
        except OSError as error:
            # The worker works all the same; who waits for the file will say that it did not come.
            logger.error("--ready-file: %s", error)

    return write, file.remove


def _nothing() -> None:
    pass


def _log_call(channel: str, message: Any) -> None:
    logger.debug("message on %s", channel)


def _log_to_somewhere(verbosity: int) -> None:
    """Let a project that configures no logging see ours; where it does, its LOGGING decides."""
    if not logger.hasHandlers():
        logging.basicConfig(level=logging.DEBUG if verbosity > 1 else logging.INFO)
