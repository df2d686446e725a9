"""``manage.py runudp``: a UDP interface server beside those for HTTP and WebSocket."""

from __future__ import annotations

import logging
from typing import Any

from channels import DEFAULT_CHANNEL_LAYER
from django.core.management import BaseCommand, CommandError, CommandParser

from channels_lts import conf
from channels_lts.management.serving import layer_of, log_somewhere
from channels_lts.ready import ReadyFile

logger = logging.getLogger("channels_lts.udp")


class Command(BaseCommand):
    """Runs until SIGTERM or SIGINT. The project's LOGGING stays as it is."""

    help = "Runs a UDP interface server: hands datagrams to the consumers of udp.receive, and sends their replies."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--bind", metavar="ADDRESS", default="127.0.0.1", help="IPv4 or IPv6 address to listen on")
        parser.add_argument("--port", type=int, required=True, metavar="N", help="UDP port to listen on")
        parser.add_argument("--layer", default=DEFAULT_CHANNEL_LAYER, help="Channel layer, if not the default")
        parser.add_argument("--max-size", type=int, metavar="BYTES", help="Larger datagrams are dropped")
        parser.add_argument(
            "--drain-timeout", type=float, metavar="SECONDS", help="How long the end waits for replies to what was read"
        )
        parser.add_argument("--ready-file", metavar="FILE", help="File that holds the process id while this serves")

    def handle(self, *args: Any, **options: Any) -> None:
        self._check(options)
        layer = layer_of(options["layer"])
        # Not at the top: it chooses Twisted's reactor for this process.
        from channels_lts.udp import UdpServer
        from channels_lts.udp_address import CannotListen

        log_somewhere(logger, options["verbosity"])
        server = UdpServer(
            layer.channel_layer,
            host=options["bind"],
            port=options["port"],
            max_size=options["max_size"],
            drain_timeout=options["drain_timeout"],
            ready_file=ReadyFile(options["ready_file"]) if options["ready_file"] else None,
        )
        try:
            server.run()
        except CannotListen as error:
            raise CommandError(str(error)) from error

    def _check(self, options: dict[str, Any]) -> None:
        if not 0 < options["port"] < 65536:
            raise CommandError(f"--port must be from 1 to 65535, not {options['port']}")
        size = conf.get("UDP_MAX_SIZE") if options["max_size"] is None else options["max_size"]
        if not 0 < size <= 65_507:
            raise CommandError(f"--max-size must be from 1 to 65507, not {size}")
        if options["drain_timeout"] is not None and options["drain_timeout"] < 0:
            raise CommandError(f"--drain-timeout must not be negative, not {options['drain_timeout']:g}")
