"""Consumers that misbehave, each in its own way, and one that does not."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from django.conf import settings

from channels_lts.streams import Demultiplexer, StreamConsumer

# What a worker has leaked so far.
_leaked: list[bytes] = []
# Whoever hangs gives up after this, should a test have forgotten to end it. Seconds.
_HANGS_AT_MOST = 120.0


def done_file(directory: Path) -> Path:
    """The file that holds the token of each message whose consumer came to its end, one a line."""
    return directory / "done.log"


def begun_file(directory: Path) -> Path:
    """The file that holds the token of each message whose consumer takes long, and the process that runs it."""
    return directory / "begun.log"


def release_file(directory: Path) -> Path:
    """The file whose presence ends whoever hangs."""
    return directory / "release"


def _done(message: Any) -> None:
    _note(done_file, message["token"])


def _note(file: Callable[[Path], Path], line: str) -> None:
    # One write, at the end of the file: workers do not disturb each other.
    descriptor = os.open(file(Path(settings.VAR_DIR)), os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
    try:
        os.write(descriptor, f"{line}\n".encode())
    finally:
        os.close(descriptor)


def _hang() -> None:
    release = release_file(Path(settings.VAR_DIR))
    deadline = time.monotonic() + _HANGS_AT_MOST
    while not release.exists() and time.monotonic() < deadline:
        time.sleep(0.05)


def behaves(message: Any) -> None:
    """Do the work."""
    _done(message)


def takes_long(message: Any) -> None:
    """Work for ``seconds``."""
    _note(begun_file, f"{message['token']} {os.getpid()}")
    time.sleep(message["seconds"])
    _done(message)


def hangs(message: Any) -> None:
    """Do nothing until it is released, then the work."""
    _hang()
    _done(message)


def leaks(message: Any) -> None:
    """Keep ``mib`` MiB for ever."""
    # Not zeros, which need no memory until somebody writes to them.
    _leaked.append(b"x" * (message["mib"] * 2**20))
    _done(message)


def raises(message: Any) -> None:
    raise RuntimeError(f"consumer gone wrong for {message['token']}")


def kills(message: Any) -> None:
    """End this process as the kernel does when memory is short."""
    os.kill(os.getpid(), signal.SIGKILL)


def exits(message: Any) -> None:
    sys.exit(f"consumer wants to exit for {message['token']}")


class BadStream(StreamConsumer):
    """The same on a multiplexed socket: ``{"type": "raises"}``. Only ``behaves`` answers."""

    def type_behaves(self, payload: dict[str, Any]) -> None:
        self.reply("behaved", pid=os.getpid())

    def type_hangs(self, payload: dict[str, Any]) -> None:
        _hang()
        self.reply("released")

    def type_raises(self, payload: dict[str, Any]) -> None:
        raise RuntimeError("stream gone wrong")

    def type_kills(self, payload: dict[str, Any]) -> None:
        os.kill(os.getpid(), signal.SIGKILL)

    def type_exits(self, payload: dict[str, Any]) -> None:
        sys.exit("stream wants to exit")


class BadStreams(Demultiplexer):
    """Open to anybody."""

    consumers = {"bad": BadStream}
