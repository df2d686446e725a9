"""The flags that ``runworker`` has beside Channels' own: what they are, and what values they take."""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management import CommandError

from channels_lts import conf
from channels_lts.worker_limits import WorkerLimits


def add(parser: ArgumentParser) -> None:
    """Add the flags to *parser*. Values are checked by :func:`limits` and its like, for one clear line each."""
    parser.add_argument(
        "--processes", metavar="N", default=1,
        help="Runs N processes, each with --threads, and keeps them running. HUP restarts them one by one.",
    )  # fmt: skip
    parser.add_argument(
        "--reload",
        action="store_true",
        help="Starts over when the code changes, after what was begun: for development.",
    )
    for flag, name, metavar, help_ in (
        ("--stop-timeout", "STOP_TIMEOUT", "S", "Seconds in which consumers may finish after the first signal"),
        (
            "--consumer-timeout",
            "CONSUMER_TIMEOUT",
            "S",
            "Logs consumers that run for longer, with their stack; 0: never",
        ),
        ("--max-messages", "MAX_MESSAGES", "N", "Ends after so many messages, to be started afresh; 0: never"),
        ("--max-rss", "MAX_RSS", "MIB", "Ends when so much memory is in use, to be started afresh; 0: never"),
    ):
        parser.add_argument(flag, metavar=metavar, help=f"{help_}. {name} in CHANNELS_LTS: {conf.get(name)}.")
    parser.add_argument(
        "--abort-consumers", action="store_true",
        help="Raises ConsumerTimedOut in consumers that run for longer than --consumer-timeout.",
    )  # fmt: skip
    parser.add_argument(
        "--ready-file", metavar="FILE", help="Holds the process id while the worker takes messages.",
    )  # fmt: skip


def limits(options: dict[str, Any]) -> WorkerLimits:
    """Return the limits that *options* ask for.

    Raises:
        CommandError: a value is wrong; the message names the flag, or the setting where it came from there.
    """
    chosen = WorkerLimits(
        stop_timeout=_number(options, "stop_timeout", float),
        consumer_timeout=_number(options, "consumer_timeout", float),
        abort_consumers=bool(options.get("abort_consumers")),
        max_messages=_number(options, "max_messages", int),
        max_rss=_number(options, "max_rss", float),
    )
    if chosen.abort_consumers and not chosen.consumer_timeout:
        raise CommandError("--abort-consumers needs a --consumer-timeout")
    return chosen


def processes(options: dict[str, Any]) -> int:
    """Return how many processes *options* ask for.

    Raises:
        CommandError: it is no number from 1, or not together with the other flags.
    """
    count = _parse("--processes", options.get("processes") or 1, int, 1)
    if options.get("reload") and count > 1:
        raise CommandError("--reload is for development and runs one process: leave --processes out")
    return count


def threads(options: dict[str, Any]) -> int:
    """Return how many threads *options* ask for.

    Raises:
        CommandError: it is no number from 1.
    """
    count = options.get("threads")
    return _parse("--threads", 1 if count is None else count, int, 1)


def ready_file(options: dict[str, Any]) -> Path | None:
    """Return the file to write, if any.

    Raises:
        CommandError: there is no directory for it.
    """
    if not options.get("ready_file"):
        return None
    path = Path(options["ready_file"]).absolute()
    if not path.parent.is_dir():
        raise CommandError(f"--ready-file: there is no directory {path.parent}")
    return path


def _number(options: dict[str, Any], name: str, kind: type) -> Any:
    value = options.get(name)
    if value is not None:
        return _parse(f"--{name.replace('_', '-')}", value, kind, 0)
    return _parse(f"{name.upper()} in CHANNELS_LTS", conf.get(name.upper()), kind, 0)


def _parse(what: str, value: Any, kind: type, least: int) -> Any:
    try:
        number = kind(value)
    except (TypeError, ValueError):
        number = None
    # Not a comparison that a NaN passes.
    if number is None or not number >= least or number == float("inf"):
        described = "a whole number" if kind is int else "a number"
        raise CommandError(f"{what} must be {described}, {least} or more, not {value}")
    return number
