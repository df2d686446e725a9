"""``manage.py channelstatus``: who serves a channel layer, what waits on it, and what is wrong. See docs/status.md."""

from __future__ import annotations

import json
import os
import sys
import time
from argparse import ArgumentParser, ArgumentTypeError
from collections.abc import Iterator
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from channels import DEFAULT_CHANNEL_LAYER, channel_layers
from channels.asgi import InvalidChannelLayerError
from django.core.management import BaseCommand

from channels_lts.status import Problem, Status, StatusUnknown, read

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.live import Live

# Seconds over which rates are measured, and between two looks of --watch.
_SAMPLE = 1.0
_WATCH = 2.0
# A width that no table reaches: what is not a terminal has no edge.
_NO_EDGE = 10_000

WELL, WRONG, UNKNOWN = 0, 1, 2


class Command(BaseCommand):
    """Exits with 0 where all is well, 1 where something is wrong, and 2 where nothing can be known."""

    help = "Shows who serves the channel layer, what waits on it, and what is wrong."
    # Checks would ask Redis before we do, and warn of what we say ourselves.
    requires_system_checks: Any = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--watch", nargs="?", type=_seconds, const=_WATCH, metavar="SECONDS",
            help=f"Look again every so many seconds ({_WATCH:g}), until Ctrl-C.",
        )  # fmt: skip
        parser.add_argument("--json", action="store_true", help="One JSON document; with --watch one in each line.")
        parser.add_argument("--layer", default=DEFAULT_CHANNEL_LAYER, help="Alias of the channel layer.")

    def handle(self, *args: Any, **options: Any) -> None:
        """Show the status.

        Raises:
            SystemExit: always, with the status of the last look.
        """
        shown: _Documents | _Tables = (_Documents if options["json"] else _Tables)(self, options)
        outcome = UNKNOWN
        try:
            for status in self._looks(options["layer"], options["watch"]):
                if isinstance(status, StatusUnknown):
                    outcome = UNKNOWN
                    shown.show_unknown(str(status))
                else:
                    outcome = WRONG if status.problems else WELL
                    shown.show(status)
        except KeyboardInterrupt:
            # How --watch ends.
            pass
        except BrokenPipeError:
            # Whoever read us has seen enough. What is buffered would fail once more at the end of the process.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        finally:
            shown.close()
        sys.exit(outcome)

    def _looks(self, alias: str, watch: float | None) -> Iterator[Status | StatusUnknown]:
        """Yield what is to be shown: once, or again and again. Rates are those since the look before."""
        earlier: Status | None = None
        pause = min(_SAMPLE, watch or _SAMPLE)
        while True:
            began = time.monotonic()
            try:
                status = read(self._layer(alias), earlier)
            except StatusUnknown as error:
                yield error
                if watch is None:
                    return
                earlier = None
            else:
                if earlier is not None:
                    yield status
                    if watch is None:
                        return
                    pause = watch
                earlier = status
            time.sleep(max(began + pause - time.monotonic(), 0))

    @staticmethod
    def _layer(alias: str) -> Any:
        try:
            return channel_layers[alias]
        except KeyError:
            raise StatusUnknown(f"there is no channel layer {alias!r} in CHANNEL_LAYERS") from None
        except InvalidChannelLayerError as error:
            raise StatusUnknown(f"channel layer {alias} cannot be made: {error}") from error


class _Documents:
    """Shows statuses to programs."""

    def __init__(self, command: Command, options: dict[str, Any]) -> None:
        self._command = command
        # Someone looks at a single one, too; of many each is a line.
        self._indent = None if options["watch"] else 2

    def show(self, status: Status) -> None:
        self._write(status.as_json())

    def show_unknown(self, error: str) -> None:
        self._write({"error": error, "problems": [asdict(Problem("unknown", "", error))]})

    def close(self) -> None:
        """End."""

    def _write(self, document: dict[str, Any]) -> None:
        self._command.stdout.write(json.dumps(document, indent=self._indent))
        self._command.stdout.flush()


class _Tables:
    """Shows statuses to people: with --watch each in place of the one before, where that can be."""

    def __init__(self, command: Command, options: dict[str, Any]) -> None:
        try:
            from rich.console import Console
            from rich.live import Live as LiveDisplay
        except ImportError:
            command.stderr.write("the tables need rich (pip install rich); --json does without")
            sys.exit(UNKNOWN)
        self._command = command
        # Not Django's wrapper, which ends each write with a new line.
        file: Any = getattr(command.stdout, "_out", command.stdout)
        self._console = console = Console(
            file=file,
            force_terminal=bool(options.get("force_color") or file.isatty()),
            no_color=options.get("no_color"),
            width=None if file.isatty() else _NO_EDGE,
            highlight=False,
            emoji=False,
            markup=False,
        )
        self._last: RenderableType = ""
        self._live: Live | None = None
        if options["watch"] and file.isatty():
            self._live = LiveDisplay(console=console, screen=True, auto_refresh=False)
            self._live.start()
        # Where the tables go into a file, whoever started us still sees what is wrong.
        self._tell = not (file.isatty() and command.stderr.isatty())

    def show(self, status: Status) -> None:
        from channels_lts.status_tables import render

        self._show(render(status, self._console))
        if self._tell:
            for problem in status.problems:
                self._command.stderr.write(problem.text)

    def show_unknown(self, error: str) -> None:
        if self._live:
            self._show(error)
        else:
            self._command.stderr.write(error)

    def close(self) -> None:
        """Leave the last status on the terminal."""
        if self._live:
            self._live.stop()
            self._console.print(self._last)

    def _show(self, shown: RenderableType) -> None:
        self._last = shown
        if self._live:
            self._live.update(shown, refresh=True)
        else:
            self._console.print(shown)


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0.0
    if not 0.1 <= seconds <= 3600:
        raise ArgumentTypeError(f"must be a number of seconds from 0.1 to 3600, not {text!r}")
    return seconds
