"""``manage.py rundelay``, with Channels' own options, on the delay server of this package."""

from __future__ import annotations

import logging
from typing import Any

from channels import DEFAULT_CHANNEL_LAYER
from django.apps import apps
from django.core.management import BaseCommand, CommandError, CommandParser

from channels_lts.management.serving import layer_of, log_somewhere
from channels_lts.ready import ReadyFile

logger = logging.getLogger("channels_lts.delay")


class Command(BaseCommand):
    """Runs a delay server until SIGTERM or SIGINT. The project's LOGGING stays as it is."""

    help = "Runs a delay server: sends what comes on asgi.delay when it is due."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--layer", default=DEFAULT_CHANNEL_LAYER, help="Channel layer, if not the default")
        parser.add_argument("--sleep", type=float, default=1, help="Seconds between two looks at the database at most")
        parser.add_argument("--ready-file", metavar="FILE", help="File that holds the process id while this serves")

    def handle(self, *args: Any, **options: Any) -> None:
        if not apps.is_installed("channels.delay"):
            raise CommandError("The delay server keeps messages in the database: add channels.delay to INSTALLED_APPS.")
        if options["sleep"] <= 0:
            raise CommandError(f"--sleep must be above 0, not {options['sleep']:g}")
        layer = layer_of(options["layer"])
        # Not at the top: it has a model of channels.delay.
        from channels_lts.delay import DelayServer

        log_somewhere(logger, options["verbosity"])
        ready_file = ReadyFile(options["ready_file"]) if options["ready_file"] else None
        DelayServer(layer, sleep=options["sleep"], ready_file=ready_file).run()
